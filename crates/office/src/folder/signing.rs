//! Signing a drafted license: its issuers, its attachments, and a proposal if some of the issuers
//! are elsewhere.

use std::collections::BTreeSet;

use crate::folder::{AskPassphrase, Chosen, Folder, Issue};
use olr_core::crypto::sign::Signer;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::license::{License, LicenseBody, sign_license};
use olr_core::proposal::Proposal;
use olr_core::trust::{Delegation, Trust};
use olr_core::wire::codec::encode;
use olr_core::wire::frame::{Frame, Kind, Unsigned};

impl Folder {
    /// Chooses the issuers, and checks that the draft is within the limits of all of them and of
    /// the trust. Opens no private key.
    pub(super) fn issuers_for(
        &self,
        body: &LicenseBody,
        order: &Issue<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Vec<Chosen>> {
        let chosen = match self.choose_issuers(order.by.issuers, order.now, trust, ask) {
            // A dry run needs no key: without one, it still reports on the request.
            Err(error)
                if order.dry_run && order.by.issuers.is_empty() && error.refusal().is_none() =>
            {
                return Ok(Vec::new());
            }
            chosen => chosen?,
        };
        let mut may: Vec<_> = chosen.iter().map(|one| one.may.clone()).collect();
        for bytes in order.by.also {
            let other = trust.delegation(&Frame::parse(Kind::Delegation, bytes)?)?;
            if may.iter().any(|one| one.key_id() == other.key_id()) {
                let fact = format!("issuer {} is named twice", other.key_id());
                return Err(Error::unable(
                    Problem::Usage,
                    fact,
                    NextStep::new(
                        "name each issuer only once, and as absent only keys that are not here",
                        &[Remedy::NameAbsent],
                    ),
                ));
            }
            may.push(other);
        }
        may.iter().try_for_each(Delegation::check_key)?;
        body.ensure_delegated(&may, trust)?;
        self.ensure_unrevoked(may.iter().map(Delegation::key_id), order.now, trust, ask)?;
        Ok(chosen)
    }

    pub(super) fn sign_with(
        &self,
        chosen: Vec<Chosen>,
        body: &LicenseBody,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<License> {
        let mut issuers = Vec::new();
        for one in chosen {
            let delegation = one.delegation.clone();
            issuers.push((one.open(&mut *ask)?, delegation));
        }
        let issuers: Vec<(&dyn Signer, &[u8])> =
            issuers.iter().map(|(key, delegation)| (&**key, delegation.as_slice())).collect();
        sign_license(body, trust, &issuers, &self.carried(trust)?)
    }

    /// Proposes a license, signed by the available issuers, for the others to sign.
    pub(super) fn propose_license(
        &self,
        chosen: Vec<Chosen>,
        body: &LicenseBody,
        also: &[Vec<u8>],
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Proposal> {
        let mut attachments = self.carried(trust)?;
        attachments.extend(chosen.iter().map(|one| one.delegation.clone()));
        attachments.extend_from_slice(also);
        let mut signers: BTreeSet<_> = chosen.iter().map(|one| one.may.key_id()).collect();
        for bytes in also {
            signers.insert(trust.delegation(&Frame::parse(Kind::Delegation, bytes)?)?.key_id());
        }
        let unsigned = Unsigned::new(Kind::License, trust.vendor(), attachments, encode(body))?;
        let mut proposal = Proposal::new(&unsigned, &signers)?;
        for one in chosen {
            proposal = proposal.sign(&*one.open(&mut *ask)?, Some(trust))?;
        }
        Ok(proposal)
    }
}

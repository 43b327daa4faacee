//! Signing a drafted license: its issuers, its attachments, and a proposal if some of the issuers
//! are elsewhere.

use crate::folder::{AskPassphrase, Chosen, Folder, Issue};
use olr_core::crypto::sign::Signer;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::license::{License, LicenseBody, sign_license};
use olr_core::proposal::Proposal;
use olr_core::trust::{Delegation, Trust};
use olr_core::wire::codec::encode;
use olr_core::wire::frame::{Frame, Kind, Unsigned};

/// The issuers of a license, whose delegations allow it, and its other attachments. No private key
/// is opened yet.
pub(super) struct Signing<'a> {
    /// Available issuers.
    chosen: Vec<Chosen>,
    /// Delegations, as frames, of issuers elsewhere.
    also: &'a [Vec<u8>],
    /// Decoded delegations of all issuers.
    may: Vec<Delegation>,
    /// Attachments besides the delegations of the issuers.
    carried: Vec<Vec<u8>>,
}

impl Folder {
    /// Chooses the issuers, and checks that the draft is within the limits of all of them and of
    /// the trust. Collects the attachments. Opens no private key.
    pub(super) fn signing<'a>(
        &self,
        body: &LicenseBody,
        order: &Issue<'a>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Signing<'a>> {
        let also = order.by.also;
        let chosen = match self.choose_issuers(order.by.issuers, order.now, trust, ask) {
            // A dry run needs no key: without one, it still reports on the request.
            Err(error)
                if order.dry_run && order.by.issuers.is_empty() && error.refusal().is_none() =>
            {
                return Ok(Signing {
                    chosen: Vec::new(),
                    also,
                    may: Vec::new(),
                    carried: Vec::new(),
                });
            }
            chosen => chosen?,
        };
        let mut may: Vec<_> = chosen.iter().map(|one| one.may.clone()).collect();
        for bytes in also {
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
        let own = chosen.iter().map(|one| &one.delegation).chain(also).cloned();
        let carried = self.carried(trust, &own.collect::<Vec<_>>())?;
        Ok(Signing { chosen, also, may, carried })
    }
}

/// Issuers whose private keys are open, and the attachments of the license.
pub(super) struct OpenKeys {
    /// Each with its delegation, as a frame.
    issuers: Vec<(Box<dyn Signer>, Vec<u8>)>,
    carried: Vec<Vec<u8>>,
}

impl OpenKeys {
    /// Signs the license.
    pub(super) fn sign(&self, body: &LicenseBody, trust: &Trust) -> Result<License> {
        let issuers = self.issuers.iter();
        let issuers: Vec<(&dyn Signer, &[u8])> =
            issuers.map(|(key, delegation)| (&**key, delegation.as_slice())).collect();
        sign_license(body, trust, &issuers, &self.carried)
    }
}

impl Signing<'_> {
    /// Opens the private keys of the issuers.
    pub(super) fn open(self, ask: AskPassphrase<'_>) -> Result<OpenKeys> {
        let mut issuers = Vec::new();
        for one in self.chosen {
            let delegation = one.delegation.clone();
            issuers.push((one.open(&mut *ask)?, delegation));
        }
        Ok(OpenKeys { issuers, carried: self.carried })
    }

    /// Proposes the license, signed by the available issuers, for the others to sign.
    pub(super) fn propose(
        self,
        body: &LicenseBody,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Proposal> {
        let mut attachments = self.carried;
        attachments.extend(self.chosen.iter().map(|one| one.delegation.clone()));
        attachments.extend_from_slice(self.also);
        let signers = self.may.iter().map(Delegation::key_id).collect();
        let unsigned = Unsigned::new(Kind::License, trust.vendor(), attachments, encode(body))?;
        let mut proposal = Proposal::new(&unsigned, &signers)?;
        for one in self.chosen {
            proposal = proposal.sign(&*one.open(&mut *ask)?, Some(trust))?;
        }
        Ok(proposal)
    }
}

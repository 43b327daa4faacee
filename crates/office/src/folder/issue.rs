//! Answering a request: open, check, draft, sign, keep, and only then hand out.

use rand::CryptoRng;
use std::collections::BTreeSet;

use crate::folder::moves::{KeyHistory, host_of};
use crate::folder::{AskPassphrase, Chosen, Folder, Handover, IssuedRecord, KeyRecords};
use crate::issue::{GrantFile, Stamp, draft};
use olr_core::crypto::sign::Signer;
use olr_core::display::{code_fault, parse_code};
use olr_core::entitlement::Model;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_core::license::{License, LicenseBody, sign_license};
use olr_core::proposal::{Content, Proposal};
use olr_core::request::{OpenedRequest, RequestBody, SealedRequest};
use olr_core::time::Instant;
use olr_core::trust::{Delegation, Trust};
use olr_core::wire::codec::encode;
use olr_core::wire::frame::{Frame, Kind, Unsigned};
use olr_core::wire::id::LicenseId;

/// An order to answer a request.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The binary request.
    pub request: &'a [u8],
    /// What is granted.
    pub grant: &'a GrantFile,
    /// Whether another answer to the same request is wanted.
    pub again: bool,
    /// Whether everything is checked, and nothing signed and kept.
    pub dry_run: bool,
    /// The vendor's clock.
    pub now: Instant,
    /// Who signs.
    pub by: Signers<'a>,
    /// What lets the key move here from another installation.
    pub handover: Handover<'a>,
    /// The answers for the key that were there when somebody agreed to this one; there may be no
    /// others by now.
    pub shown: Option<&'a KeyRecords>,
}

impl<'a> Issue<'a> {
    /// A first answer, signed by the newest issuer that may, for a key that moves nowhere.
    pub fn new(request: &'a [u8], grant: &'a GrantFile, now: Instant) -> Self {
        Self {
            request,
            grant,
            again: false,
            dry_run: false,
            now,
            by: Signers::default(),
            handover: Handover::Nothing,
            shown: None,
        }
    }

    /// The last of the earlier answers, where it is given again for this order.
    ///
    /// # Errors
    /// As [`GrantFile::identity`].
    pub(super) fn stored<'r>(
        &self,
        earlier: &'r [IssuedRecord],
    ) -> Result<Option<&'r IssuedRecord>> {
        let grant = self.grant.identity()?;
        let is_given =
            |last: &&IssuedRecord| !self.again && last.answers(self.request) && last.is_for(&grant);
        Ok(earlier.last().filter(is_given))
    }
}

/// Who signs a license.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signers<'a> {
    /// The issuers at hand, each a key file, a name in `keys/`, or a token; without any, the
    /// newest that may.
    pub issuers: &'a [String],
    /// Delegations, as frames, of issuers elsewhere that are to sign too. With any, the answer is a
    /// proposal on its way to them.
    pub also: &'a [Vec<u8>],
    /// The proposal that comes back from all of them, in place of a new license.
    pub signed: Option<&'a Proposal>,
}

/// What came of an order.
#[derive(Debug)]
pub enum Issued {
    /// A license that was signed and kept.
    New(License),
    /// The license of an answer given before, byte for byte.
    Repeated(License),
    /// The license on its way to those who have still to sign. Nothing is kept of it yet.
    Proposed(Proposal),
    /// None: the order can be carried out, and was not.
    Tried,
}

impl Issued {
    /// The license to hand out.
    pub fn license(&self) -> Option<&License> {
        match self {
            Self::New(license) | Self::Repeated(license) => Some(license),
            Self::Proposed(_) | Self::Tried => None,
        }
    }

    /// Whether these are the bytes of an answer given before.
    pub fn is_repeated(&self) -> bool {
        matches!(self, Self::Repeated(_))
    }
}

/// What came of an order, and what it means for copies and other installations.
#[derive(Debug)]
pub struct IssuedLicense {
    /// What came of it.
    pub outcome: Issued,
    /// Whether a copy of the disk is stopped by a hardware factor.
    pub stops_a_copy: bool,
    /// The install id of another installation that held the key before this answer; where a stored
    /// answer is given, of the one that holds it now.
    pub other_holder: Option<String>,
}

impl Folder {
    /// Opens a request for this vendor.
    ///
    /// # Errors
    /// Frame errors, `wrong-vendor`, `wrong-request` (another code), `undecryptable`, `malformed`,
    /// `unknown-version`, `wrong-signature`; exit 2 when the sealing key is missing or locked.
    pub fn open_request(
        &self,
        request: &[u8],
        code: Option<&str>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<OpenedRequest> {
        let sealed = SealedRequest::parse(request)?;
        if sealed.vendor != trust.vendor() {
            let fact = format!(
                "this request is for vendor {}, not for vendor {}",
                sealed.vendor,
                trust.vendor()
            );
            return Err(Error::refuse(Refusal::WrongVendor, fact).rule("request-4"));
        }
        if let Some(told) = code {
            let Some(told) = parse_code(told) else {
                let (fact, hint) = code_fault(told, false);
                return Err(Error::unable(Problem::Usage, fact, hint));
            };
            if told != sealed.code() {
                let fact = format!("this request has the code {}, not {told}", sealed.code());
                return Err(Error::refuse(Refusal::WrongRequest, fact).rule("request-5"));
            }
        }
        sealed.open(&self.sealing_key(sealed.recipient, ask)?)
    }

    /// Answers an opened request. The same request and grant give the stored bytes again.
    ///
    /// # Errors
    /// What [`draft`] refuses, `replayed` (another request under a known id), `already-activated`
    /// (another installation holds the key, and nothing hands it over); `wrong-product`, `wrong-slot`,
    /// `wrong-machine` for a receipt of something else; exit 2 when there is an answer for another
    /// grant and no `again`, and for an empty reason.
    pub fn issue(
        &self,
        opened: &OpenedRequest,
        order: &Issue<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<IssuedLicense> {
        order.handover.check(trust)?;
        let asked = opened.body();
        let mut license = LicenseId([0; 16]);
        rng.fill_bytes(&mut license.0);
        let earlier = self.answers_to(asked.request)?;
        let answer = u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1);
        let grant = order.grant.identity()?;
        if let Some(stored) = order.stored(&earlier)? {
            return self.repeated(stored, asked, trust);
        }
        let history = self.key_of(asked)?;
        let shown = order.shown.cloned().unwrap_or_else(|| history.records());
        let mut stamp = Stamp { license, answer, issued: order.now };
        if let Some(proposal) = order.by.signed {
            stamp = stamp_of(proposal, answer)?;
        }
        let body = draft(opened, order.grant, &self.catalog()?, trust, stamp)?;
        ensure_new(&earlier, order)?;
        // The key of a trial is everybody's: each machine has its own days.
        let is_shared = body.model == Model::Evaluation;
        let holder = |history: &KeyHistory, ask: AskPassphrase<'_>| match is_shared {
            true => Ok(None),
            false => self.ensure_free(history, opened, order.handover, trust, ask),
        };
        let from = holder(&history, ask)?;
        let stops_a_copy = body.policy.stops_a_copy();
        let other_holder = from.map(|record| record.install_id());
        let came = |outcome| Ok(IssuedLicense { outcome, stops_a_copy, other_holder });
        let license = match order.by.signed {
            Some(proposal) => finished(proposal, &body, trust)?,
            None => {
                let chosen = self.issuers_for(&body, order, trust, ask)?;
                if order.dry_run {
                    return came(Issued::Tried);
                }
                if !order.by.also.is_empty() {
                    let also = order.by.also;
                    let proposal = self.propose_license(chosen, &body, also, trust, ask)?;
                    return came(Issued::Proposed(proposal));
                }
                self.sign_with(chosen, &body, trust, ask)?
            }
        };
        if order.dry_run {
            return came(Issued::Tried);
        }
        let mut record = IssuedRecord::new(&license, &asked.license_key.0, order.request, &grant);
        // Whoever answered another request for this key meanwhile, in another process, is seen now.
        let _lock = self.lock()?;
        let history = self.key_of(asked)?;
        let from = holder(&history, ask)?;
        record.host = host_of(asked);
        record.moved_from = from.map(|record| record.license_id);
        if history.records() != shown {
            return Err(self.changed_meanwhile());
        }
        record.turn = Some(history.next_turn());
        order.handover.record(&mut record);
        self.keep(asked.request, &record)?;
        came(Issued::New(license))
    }

    /// The answer given before. A record that is damaged elsewhere does not keep it back.
    fn repeated(
        &self,
        stored: &IssuedRecord,
        asked: &RequestBody,
        trust: &Trust,
    ) -> Result<IssuedLicense> {
        let license = License::verify(&stored.license_bytes()?, trust).map_err(|error| {
            error.hint(NextStep::new("answer it once more", &[Remedy::IssueAgain]))
        })?;
        self.ensure_not_revoked(stored)?;
        let other_holder = || Some(self.key_of(asked).ok()?.other_holder(asked)?.install_id());
        let is_shared = license.body().model == Model::Evaluation;
        Ok(IssuedLicense {
            stops_a_copy: license.body().policy.stops_a_copy(),
            outcome: Issued::Repeated(license),
            other_holder: if is_shared { None } else { other_holder() },
        })
    }

    /// Those who are to sign, once the draft is inside the limits of all of them and of the trust.
    /// Key files among them are not opened yet.
    fn issuers_for(
        &self,
        body: &LicenseBody,
        order: &Issue<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Vec<Chosen>> {
        let chosen = match self.choose_issuers(order.by.issuers, order.now, trust, ask) {
            // A trial needs no key: who has none is told about the request all the same.
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
                    NextStep::new("name only keys that are not at hand", &[Remedy::NameAbsent]),
                ));
            }
            may.push(other);
        }
        may.iter().try_for_each(Delegation::check_key)?;
        body.ensure_delegated(&may, trust)?;
        self.ensure_unrevoked(may.iter().map(Delegation::key_id), order.now, trust, ask)?;
        Ok(chosen)
    }

    fn sign_with(
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

    /// The license signed by those at hand, on its way to the others.
    fn propose_license(
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

/// What only the first of several signers could choose.
fn stamp_of(proposal: &Proposal, answer: u32) -> Result<Stamp> {
    let Content::License(license) = proposal.content() else {
        let fact = format!("this proposes a {}, and no license", proposal.kind());
        return Err(Error::unable(
            Problem::Usage,
            fact,
            NextStep::new("name the proposal of this license", &[Remedy::NameAbsent]),
        ));
    };
    if license.answer != answer {
        let fact = "this request was answered since the license was proposed";
        return Err(Error::unable(
            Problem::Changed,
            fact,
            NextStep::new("propose another license", &[Remedy::IssueAgain]),
        ));
    }
    Ok(Stamp { license: license.license, answer, issued: license.issued })
}

/// The proposed license, once it is the one that request and grant give and all have signed.
fn finished(proposal: &Proposal, body: &LicenseBody, trust: &Trust) -> Result<License> {
    if proposal.target()?.body != encode(body) {
        let fact = "the proposed license is not the one that this request and grant give";
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "name the request, grant and catalog it was proposed for",
        ));
    }
    License::verify(&proposal.finish(Some(trust))?, trust)
}

/// Another answer to the same request must be wanted; another request under its id is refused.
fn ensure_new(earlier: &[IssuedRecord], order: &Issue<'_>) -> Result<()> {
    match earlier.last() {
        Some(last) if !last.answers(order.request) => {
            let fact = "another request with the same id was answered before";
            Err(Error::refuse(Refusal::Replayed, fact).rule("request-16"))
        }
        Some(_) if !order.again => {
            let fact = "this request was answered before, with another grant";
            let step = NextStep::new(
                "answer it once more; with the former grant the license of then is written again",
                &[Remedy::IssueAgain],
            );
            Err(Error::unable(Problem::Usage, fact, step))
        }
        _ => Ok(()),
    }
}

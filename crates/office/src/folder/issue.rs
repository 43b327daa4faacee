//! Answering a request: open, check, draft, sign, record, and only then hand out.

use rand::CryptoRng;

use crate::folder::moves::{KeyHistory, host_of};
use crate::folder::{AskPassphrase, Folder, Handover};
use crate::issue::{GrantFile, Stamp, draft};
use crate::ledger::{AnswerRecord, IssueLicense, Order};
use olr_core::display::{code_fault, parse_code};
use olr_core::entitlement::Model;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_core::license::{License, LicenseBody};
use olr_core::proposal::{Content, Proposal};
use olr_core::request::{OpenedRequest, RequestBody, SealedRequest};
use olr_core::time::Instant;
use olr_core::trust::Trust;
use olr_core::wire::codec::encode;
use olr_core::wire::id::LicenseId;

/// An order to answer a request.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The binary request.
    pub request: &'a [u8],
    /// The grant.
    pub grant: &'a GrantFile,
    /// True if the grant is what the ledger says about the key ([`Folder::granted`]), false if
    /// somebody wrote it: what the key lacks then counts as sold.
    pub of_ledger: bool,
    /// True to issue another license for a request that was answered before.
    pub again: bool,
    /// True to check everything, but sign and record nothing.
    pub dry_run: bool,
    /// The vendor's clock.
    pub now: Instant,
    /// The issuers that sign.
    pub by: Signers<'a>,
    /// Justification for moving the key here from another installation.
    pub handover: Handover<'a>,
    /// [`Folder::newest_turn`] of the key that the user saw before confirming. If the ledger has a
    /// newer answer by now, issuing fails instead of acting on stale information.
    pub seen: Option<u64>,
    /// Person or program that orders it, for the ledger.
    pub actor: &'a str,
}

impl<'a> Issue<'a> {
    /// An order for a first answer, signed by the newest authorized issuer, without a handover.
    pub fn new(request: &'a [u8], grant: &'a GrantFile, now: Instant) -> Self {
        Self {
            request,
            grant,
            of_ledger: false,
            again: false,
            dry_run: false,
            now,
            by: Signers::default(),
            handover: Handover::Nothing,
            seen: None,
            actor: "staff",
        }
    }

    /// Returns the last earlier answer if this order repeats its request and grant, and `again` is
    /// false. The bytes of that answer are then handed out again.
    ///
    /// # Errors
    /// Same as [`GrantFile::identity`].
    pub(super) fn stored<'r>(
        &self,
        earlier: &'r [AnswerRecord],
        hash: [u8; 32],
    ) -> Result<Option<&'r AnswerRecord>> {
        let terms = self.grant.identity()?;
        let is_given =
            |last: &&AnswerRecord| !self.again && last.request_hash == hash && last.terms == terms;
        Ok(earlier.last().filter(is_given))
    }
}

/// The issuers of a license.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signers<'a> {
    /// Available issuers: key files, names in `keys/`, or URIs of keys in a token or agent. If
    /// empty, the newest authorized key in `keys/`.
    pub issuers: &'a [String],
    /// Delegations, as frames, of issuers elsewhere that must sign too. If not empty, the outcome
    /// is a proposal for them to sign.
    pub also: &'a [Vec<u8>],
    /// A proposal that all issuers have signed, to finish instead of drafting a new license.
    pub signed: Option<&'a Proposal>,
}

/// A draft, and how it is signed.
struct Drafted<'a> {
    body: &'a LicenseBody,
    /// Newest answer to another installation that holds the key.
    from: Option<&'a AnswerRecord>,
    /// Number of the newest answer for the key.
    seen: u64,
    sign: &'a dyn Fn() -> Result<License>,
}

/// Outcome of an order.
#[derive(Debug)]
pub enum Issued {
    /// A new license, signed and recorded.
    New(License),
    /// The license of an earlier answer, byte for byte.
    Repeated(License),
    /// A license that other issuers still have to sign. It is not recorded yet.
    Proposed(Box<Proposal>),
    /// Nothing was issued: a dry run succeeded.
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

    /// True if these are the bytes of an earlier answer.
    pub fn is_repeated(&self) -> bool {
        matches!(self, Self::Repeated(_))
    }
}

/// Outcome of an order, and what it means for copies and other installations.
#[derive(Debug)]
pub struct IssuedLicense {
    /// The outcome.
    pub outcome: Issued,
    /// True if the machine policy requires a hardware factor, so that a copy of the disk does not
    /// match elsewhere.
    pub stops_a_copy: bool,
    /// Install id of another installation that held the key before this answer. For a repeated
    /// answer, it is the installation that holds the key now.
    pub other_holder: Option<String>,
}

impl Folder {
    /// Opens a request for this vendor. If `code` is given, the request must have that code.
    ///
    /// # Errors
    /// Frame errors, `wrong-vendor`, `wrong-request` (another code), `undecryptable`, `malformed`,
    /// `unknown-version`, `wrong-signature`; exit 2 when `code` is not a code, or the sealing key
    /// is missing or cannot be opened.
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

    /// Answers an opened request. The same request and grant return the stored license again.
    ///
    /// # Errors
    /// The refusals of [`draft`], `replayed` (another request with a known id), `already-activated`
    /// (another installation holds the key, and it is not handed over), `not-delegated` or
    /// `revoked` (an issuer may not sign this license), `revoked` (the stored license), and
    /// `wrong-vendor`, `wrong-product`, `wrong-slot` or `wrong-machine` for a receipt that does not
    /// fit; exit 2 for an unusable reason, for another grant than before if `again` is false, for a
    /// proposal or key that cannot be used, and when the folder is unusable or changed meanwhile.
    pub fn issue(
        &self,
        opened: &OpenedRequest,
        order: &Issue<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<IssuedLicense> {
        order.handover.check(trust)?;
        let (asked, hash) = (opened.body(), opened.hash());
        let mut license = LicenseId([0; 16]);
        rng.fill_bytes(&mut license.0);
        let (earlier, history) = {
            let mut ledger = self.ledger()?;
            (ledger.answers_to(asked.request)?, KeyHistory::of(&mut ledger, asked)?)
        };
        let answer = u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1);
        if let Some(stored) = order.stored(&earlier, hash)? {
            return self.repeated(stored, asked, trust);
        }
        let mut stamp = Stamp { license, answer, issued: order.now };
        if let Some(proposal) = order.by.signed {
            stamp = stamp_of(proposal, answer)?;
        }
        let body = draft(opened, order.grant, &self.catalog()?, trust, stamp)?;
        ensure_new(&earlier, order, hash)?;
        let from = self.holder(body.model, &history, opened, order, trust, &mut *ask)?;
        let stops_a_copy = body.policy.stops_a_copy();
        let other_holder = from.as_ref().map(AnswerRecord::install_id);
        let came = |outcome| Ok(IssuedLicense { outcome, stops_a_copy, other_holder });
        let body = &body;
        let sign: Box<dyn Fn() -> Result<License> + '_> = match order.by.signed {
            Some(proposal) => {
                let license = finished(proposal, body, trust)?;
                Box::new(move || Ok(license.clone()))
            }
            None => {
                let signing = self.signing(body, order, trust, &mut *ask)?;
                if order.dry_run {
                    return came(Issued::Tried);
                }
                if !order.by.also.is_empty() {
                    let proposal = signing.propose(body, trust, ask)?;
                    return came(Issued::Proposed(Box::new(proposal)));
                }
                let keys = signing.open(ask)?;
                Box::new(move || keys.sign(body, trust))
            }
        };
        if order.dry_run {
            return came(Issued::Tried);
        }
        let seen = order.seen.unwrap_or(history.turn());
        let drafted = Drafted { body, from: from.as_ref(), seen, sign: &*sign };
        came(self.book(opened, order, &drafted, trust, ask)?)
    }

    /// Signs and records a draft, in one order of the ledger.
    fn book(
        &self,
        opened: &OpenedRequest,
        order: &Issue<'_>,
        drafted: &Drafted<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Issued> {
        let Drafted { body, from, seen, sign } = *drafted;
        let (asked, host) = (opened.body(), host_of(opened.body()));
        let booking = IssueLicense {
            request: order.request,
            host: host.as_deref(),
            license_key: &asked.license_key.0,
            body,
            terms: order.grant.identity()?,
            seen,
            moved_from: from.map(|holder| holder.license),
            receipt: order.handover.receipt(),
            transfer: order.handover.transfer(),
            renews: asked.renews,
            by_grant: !order.of_ledger,
            sign,
        };
        let mut ledger = self.ledger()?;
        let placed = Order::new(booking.order_id(), order.actor);
        let issued = ledger.order(&placed, &booking, order.now);
        if issued.as_ref().is_err_and(|error| error.problem() == Some(Problem::Changed)) {
            let history = KeyHistory::of(&mut ledger, asked)?;
            drop(ledger);
            // If another installation got the key meanwhile, that says more.
            self.holder(body.model, &history, opened, order, trust, ask)?;
            return Err(self.changed_meanwhile());
        }
        let license = License::verify(&ledger.issued(&issued?)?, trust)?;
        // Another process may have carried out the same order meanwhile.
        let is_own = license.body().license == body.license;
        Ok(if is_own { Issued::New(license) } else { Issued::Repeated(license) })
    }

    /// Checks that the key is free for this installation. Returns the newest answer to another one
    /// that holds it.
    fn holder(
        &self,
        model: Model,
        history: &KeyHistory,
        opened: &OpenedRequest,
        order: &Issue<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Option<AnswerRecord>> {
        match model {
            // Trial keys are shared by all customers: each machine has a trial of its own.
            Model::Evaluation => Ok(None),
            _ => self.ensure_free(history, opened, order.handover, trust, ask),
        }
    }

    /// Returns an earlier answer.
    fn repeated(
        &self,
        stored: &AnswerRecord,
        asked: &RequestBody,
        trust: &Trust,
    ) -> Result<IssuedLicense> {
        let mut ledger = self.ledger()?;
        let license = License::verify(&ledger.license_bytes(stored)?, trust).map_err(|error| {
            error.hint(NextStep::new("issue another answer to this request", &[Remedy::IssueAgain]))
        })?;
        self.ensure_not_revoked(stored)?;
        let history = KeyHistory::of(&mut ledger, asked)?;
        let is_shared = license.body().model == Model::Evaluation;
        let other_holder = history.other_holder(asked).filter(|_| !is_shared);
        Ok(IssuedLicense {
            stops_a_copy: license.body().policy.stops_a_copy(),
            outcome: Issued::Repeated(license),
            other_holder: other_holder.map(AnswerRecord::install_id),
        })
    }
}

/// Id and instant of issue of a proposed license, which a new draft would not reproduce.
fn stamp_of(proposal: &Proposal, answer: u32) -> Result<Stamp> {
    let Content::License(license) = proposal.content() else {
        let fact = format!("this proposal is for a {}, not for a license", proposal.kind());
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "name a signed copy of the proposal of this license",
        ));
    };
    if license.answer != answer {
        let fact = "this request was answered after the license was proposed, or the proposal is \
                    for another request";
        return Err(Error::unable(
            Problem::Changed,
            fact,
            NextStep::new(
                "name the request for which it was proposed, or propose the license again",
                &[Remedy::IssueAgain],
            ),
        ));
    }
    Ok(Stamp { license: license.license, answer, issued: license.issued })
}

/// Finishes a proposed license, after checking that it equals the draft for this request and grant
/// and that all signatures are there.
fn finished(proposal: &Proposal, body: &LicenseBody, trust: &Trust) -> Result<License> {
    if proposal.target()?.body != encode(body) {
        let fact = "the proposed license differs from the one that this request and grant produce";
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "name the request and grant for which it was proposed, or propose the license again",
        ));
    }
    License::verify(&proposal.finish(Some(trust))?, trust)
}

/// Refuses a different request with the same id, and a second answer that was not ordered with
/// `again`.
fn ensure_new(earlier: &[AnswerRecord], order: &Issue<'_>, hash: [u8; 32]) -> Result<()> {
    match earlier.last() {
        Some(last) if last.request_hash != hash => {
            let fact = "another request with the same id was already answered";
            Err(Error::refuse(Refusal::Replayed, fact).rule("request-17"))
        }
        Some(_) if !order.again => {
            let fact = "this request was already answered, last with another grant";
            let step = NextStep::new(
                "issue another answer to this request, or use the grant of its last answer to \
                 write that license again",
                &[Remedy::IssueAgain],
            );
            Err(Error::unable(Problem::Usage, fact, step))
        }
        _ => Ok(()),
    }
}

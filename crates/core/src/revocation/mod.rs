//! Revocations: lists of licenses that are no longer valid, in `revoked.olr` or attached to a
//! license. Implements `docs/format.md`, section "Revocations".

use crate::crypto::digest::tagged16;
use crate::crypto::label::REVOKED_LICENSE;
use crate::entitlement::Cause;
use crate::error::{Error, NextStep, Problem, Refusal, Remedy, Result, under};
use crate::time::Instant;
use crate::trust::{Act, Delegation, Trust};
use crate::wire::codec::{BODY_CAP, Keyed, Set, decode, record};
use crate::wire::extension::{Extensions, refuse_critical};
use crate::wire::frame::{Frame, Kind};
use crate::wire::id::{LicenseId, RevokedId};

mod sign;
pub use sign::{sign_bare, sign_revocations};

record! {
    /// The body of a list of revocations. Each list is complete: only the newest one is in effect.
    #[derive(Default)]
    pub struct RevocationsBody {
        /// Version of the vendor's newest trust when the list was made.
        pub version: u32,
        /// Number among the lists under that trust, from 1.
        pub sequence: u64,
        /// When it was issued, by the vendor's clock.
        pub issued: Instant,
        /// The revoked licenses.
        pub licenses: Set<Withdrawn, 4096>,
        /// Room for later fields.
        pub extensions: Extensions,
    }
}

record! {
    /// A license that is no longer valid.
    pub struct Withdrawn {
        /// Digest of the license id.
        pub license: RevokedId,
        /// Cause: *revoked* or *pooled*.
        pub cause: Cause,
    }
}

impl Keyed for Withdrawn {
    type Key = RevokedId;
    fn key(&self) -> &RevokedId {
        &self.license
    }
}

impl RevocationsBody {
    /// Position in the order of lists. The version of the trust comes first, so that the roots can
    /// supersede even a list with the highest possible number: they publish a new trust.
    pub fn order(&self) -> (u32, u64) {
        (self.version, self.sequence)
    }
}

/// Revocations whose signatures and delegations were verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocations {
    body: RevocationsBody,
}

impl Revocations {
    /// Verifies the exact bytes of a file with revocations, then decodes them.
    ///
    /// # Errors
    /// In this order: frame errors, those of [`Trust::signers`], those of [`read_body`],
    /// `not-delegated`, `revoked`; exit 2 if the list was made under a newer trust.
    pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Self> {
        let frame = Frame::parse(Kind::Revocations, bytes)?;
        Self::verify_frame(&frame, &frame.attachments, trust)
    }

    /// Like [`Revocations::verify`], for a frame among `attachments`, which include its
    /// delegations.
    ///
    /// # Errors
    /// Same as [`Revocations::verify`], without the frame errors.
    pub fn verify_frame(
        frame: &Frame<'_>,
        attachments: &[Frame<'_>],
        trust: &Trust,
    ) -> Result<Self> {
        let delegations = trust.signers_of(frame, attachments)?;
        let body = read_body(frame)?;
        for delegation in &delegations {
            delegation.permits(Act::Revoke, body.issued)?;
        }
        trust
            .ensure_unrevoked(delegations.iter().map(Delegation::key_id))
            .map_err(under("revocations-4"))?;
        if body.version > trust.body().version {
            let fact = format!(
                "these revocations were made under trust {}, but the newest trust here is {}",
                body.version,
                trust.body().version
            );
            let error = Error::unable(Problem::Usage, fact, "").hints(
                "import the vendor's newest vendor.trust first",
                NextStep::new("install that trust first", &[Remedy::PublishTrust]),
            );
            return Err(error.rule("revocations-5"));
        }
        Ok(Self { body })
    }

    /// Adds assumed revocations to `listed`, for a simulation.
    ///
    /// # Errors
    /// Exit 2 if a cap is exceeded.
    pub(crate) fn supposing(listed: Option<Self>, supposed: &[Withdrawn]) -> Result<Self> {
        let mut body = listed.map(|listed| listed.body).unwrap_or_default();
        let is_other = |w: &&Withdrawn| supposed.iter().all(|other| other.license != w.license);
        let others = body.licenses.iter().filter(is_other);
        body.licenses = Set::new(others.chain(supposed).cloned().collect())?;
        Ok(Self { body })
    }

    /// Content of the list.
    pub fn body(&self) -> &RevocationsBody {
        &self.body
    }

    /// Returns why a license is revoked, or `None` if it is not in the list.
    pub fn cause(&self, license: LicenseId) -> Option<Cause> {
        self.body.licenses.get(&digest_of(license)).map(|withdrawn| withdrawn.cause)
    }

    /// Checks that a license is not in the list.
    ///
    /// # Errors
    /// `revoked`.
    pub fn ensure_unrevoked(&self, license: LicenseId) -> Result<()> {
        let Some(withdrawn) = self.body.licenses.get(&digest_of(license)) else { return Ok(()) };
        let refuse = |fact: String| Error::refuse(Refusal::Revoked, fact);
        let error = match withdrawn.cause {
            Cause::Pooled => {
                refuse(format!("license {license} was added to a pool")).hint(NextStep::new(
                    "make a request with a license key of that pool",
                    &[Remedy::MakeRequest, Remedy::NameLicenseKey],
                ))
            }
            _ => refuse(format!("license {license} was revoked by the vendor")),
        };
        Err(error.rule("license-13"))
    }
}

/// Decodes the body of a frame and checks the rules that its types cannot express.
///
/// # Errors
/// `malformed`, `unknown-version`.
pub fn read_body(frame: &Frame<'_>) -> Result<RevocationsBody> {
    let body: RevocationsBody =
        decode("revocations body", frame.body, BODY_CAP).map_err(under("revocations-1"))?;
    refuse_critical("revocations body", &body.extensions).map_err(under("revocations-1"))?;
    if body.version == 0 || body.sequence == 0 {
        let fact = "revocations body: a number is 0, but trusts and lists are numbered from 1";
        return Err(Error::refuse(Refusal::Malformed, fact).rule("revocations-2"));
    }
    if body.licenses.iter().any(|w| !matches!(w.cause, Cause::Revoked | Cause::Pooled)) {
        let fact = "revocations body: a license can only be revoked or pooled";
        return Err(Error::refuse(Refusal::Malformed, fact).rule("revocations-2"));
    }
    Ok(body)
}

/// Derives the id under which a list names a license. It does not reveal the license to anybody who
/// does not have it.
pub fn digest_of(license: LicenseId) -> RevokedId {
    RevokedId(tagged16(&[REVOKED_LICENSE, &license.0]))
}

//! The license: what a vendor grants to one machine. Implements `docs/format.md`, section
//! "License".
//!
//! A [`License`] can only be obtained by verifying a file: see [`License::verify`].

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::entitlement::{
    Edition, EnforcementRule, GraceRule, Grant, Model, OPERATIONS_CAP, Operation, Operations,
    Outcome,
};
use crate::error::{Error, NextStep, Refusal, Remedy, Result, under};
use crate::machine::Policy;
use crate::revocation::Revocations;
use crate::time::{Day, Instant};
use crate::trust::{Act, Delegation, Trust};
use crate::wire::codec::{BODY_CAP, Limit, Note, Set, Text, decode, record};
use crate::wire::extension::{Extensions, refuse_critical};
use crate::wire::frame::{Frame, Kind};
use crate::wire::id::{KeyId, LicenseId, RequestId};

mod limits;
mod sign;
mod stolen;
pub use sign::sign_license;
use stolen::Signer;

record! {
    /// The body of a license.
    pub struct LicenseBody {
        /// Id of this license. A renewal has another id.
        pub license: LicenseId,
        /// Id of the request that it answers.
        pub request: RequestId,
        /// SHA-256 of that request.
        pub request_hash: [u8; 32],
        /// Number of that request.
        pub number: u64,
        /// Number of this answer to that request, from 1.
        pub answer: u32,
        /// Public key of the installation that it is for.
        pub install_key: [u8; 32],
        /// Name of the licensee. The license key is not included: it travels only in the sealed
        /// request.
        pub licensee: Text,
        /// The product.
        pub product: Text,
        /// The slot.
        pub slot: Text,
        /// Id of the license type in the catalog.
        pub type_id: Text,
        /// How the license is paid for.
        pub model: Model,
        /// The brand that the product carries.
        pub edition: Edition,
        /// Modules granted, with their quotas.
        pub grants: Set<Grant, 4096>,
        /// Interface languages that it unlocks.
        pub languages: Set<Text>,
        /// When it was issued, by the vendor's clock.
        pub issued: Instant,
        /// First day on which it is valid.
        pub starts: Day,
        /// Last day on which it is valid. `None` if it does not expire.
        pub expires: Option<Day>,
        /// Last day of maintenance. `None` if maintenance does not end.
        pub maintenance: Option<Day>,
        /// Seconds that the clock may be behind the high-water mark.
        pub tolerance: u32,
        /// The machine that it is for.
        pub policy: Policy,
        /// Grace period and outcome for each cause.
        pub grace: Set<GraceRule>,
        /// Operations that each cause blocks.
        pub enforcement: Set<EnforcementRule>,
        /// Operations that are never blocked.
        pub always: Set<Operation>,
        /// Operations of the vendor's product, besides the built-in ones.
        pub operations: Set<Operation, OPERATIONS_CAP>,
        /// Id of the license that it replaces.
        pub replaces: Option<LicenseId>,
        /// Message to the customer.
        pub note: Note,
        /// Room for later fields.
        pub extensions: Extensions,
    }
}

/// A license whose signatures, delegations and contents were verified. [`License::ensure_here`]
/// checks whether it is for this installation.
///
/// ```
/// # mod olr { pub use olr_core::{license::License, display::shown}; }
/// use olr::{License, shown};
///
/// fn about(license: &License) -> String {
///     let body = license.body();
///     let end = body.expires.map_or("no end date".to_string(), |day| format!("until {day}"));
///     format!("licensed to {}, {end}", shown(&body.licensee))
/// }
/// ```
///
/// Cloning is cheap: the clones share their content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License(Arc<Content>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    body: LicenseBody,
    signers: Vec<Signer>,
    bytes: Vec<u8>,
}

impl License {
    /// Verifies the exact bytes, then decodes them. Refuses a license whose signer `trust` revoked;
    /// [`License::ensure_unrevoked`] also checks a list of revocations.
    ///
    /// Does not follow attached trusts: pass the last one of [`Trust::followed_by`] if the license
    /// is new here.
    ///
    /// # Errors
    /// In this order: frame errors, those of [`Trust::signers`], those of [`read_body`],
    /// `not-delegated`, `revoked`.
    pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Self> {
        let license = Self::verify_even_revoked(bytes, trust)?;
        license.ensure_unrevoked(trust, None)?;
        Ok(license)
    }

    /// Like [`License::verify`], but accepts a revoked license, which may itself state what happens
    /// after its revocation.
    ///
    /// # Errors
    /// Same as [`License::verify`], except `revoked`.
    pub fn verify_even_revoked(bytes: &[u8], trust: &Trust) -> Result<Self> {
        let frame = Frame::parse(Kind::License, bytes)?;
        let delegations = trust.signers(&frame)?;
        let body = read_body(frame.body)?;
        body.ensure_delegated(&delegations, trust)?;
        let signers = delegations.iter().map(Signer::from).collect();
        Ok(Self(Arc::new(Content { body, signers, bytes: bytes.to_vec() })))
    }

    /// Checks that neither a signer nor the license itself is revoked.
    ///
    /// # Errors
    /// `revoked`.
    pub fn ensure_unrevoked(&self, trust: &Trust, list: Option<&Revocations>) -> Result<()> {
        trust.ensure_unrevoked(self.signers()).map_err(under("license-12"))?;
        list.map_or(Ok(()), |list| list.ensure_unrevoked(self.0.body.license))
    }

    /// What the license grants, to whom and until when.
    pub fn body(&self) -> &LicenseBody {
        &self.0.body
    }

    /// Ids of the keys that signed the license.
    pub fn signers(&self) -> impl Iterator<Item = KeyId> {
        self.0.signers.iter().map(|signer| signer.key)
    }

    /// The license in its binary form.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Checks the signers' keys for weaknesses. This is done at import, not at every verification.
    ///
    /// # Errors
    /// `malformed`: a key that is not canonical or not of prime order.
    pub fn check_keys(&self, trust: &Trust) -> Result<()> {
        let frame = Frame::parse(Kind::License, &self.0.bytes)?;
        trust.signers(&frame)?.iter().try_for_each(Delegation::check_key)
    }

    /// Checks that the license is for this product, slot and installation.
    ///
    /// # Errors
    /// `wrong-product`, `wrong-slot`, `wrong-machine`.
    pub fn ensure_here(&self, product: &str, slot: &str, install_key: &[u8; 32]) -> Result<()> {
        let shown = crate::display::shown;
        let LicenseBody { product: its_product, slot: its_slot, .. } = &self.0.body;
        if &**its_product != product {
            let (its, here) = (shown(its_product), shown(product));
            let fact = format!("this license is for product {its}, not for {here}");
            return Err(Error::refuse(Refusal::WrongProduct, fact).rule("license-14"));
        }
        if &**its_slot != slot {
            let (its, here) = (shown(its_slot), shown(slot));
            let fact = format!("this license belongs to slot {its}, not to slot {here}");
            return Err(Error::refuse(Refusal::WrongSlot, fact).rule("license-15"));
        }
        if self.0.body.install_key != *install_key {
            let fact = "this license was issued for another installation";
            return Err(Error::refuse(Refusal::WrongMachine, fact)
                .hint(NextStep::new(
                    "use a license that was issued for this home; if there is none, make a new \
                     request here",
                    &[Remedy::MakeRequest],
                ))
                .rule("license-16"));
        }
        Ok(())
    }
}

/// Decodes the body of a license without verifying it, to show or to deactivate it. It may be
/// forged, revoked or invalid: use [`License::verify`] before you rely on it.
///
/// # Errors
/// Frame errors, `malformed`.
pub fn read_unverified(license: &[u8]) -> Result<LicenseBody> {
    decode("license body", Frame::parse(Kind::License, license)?.body, BODY_CAP)
}

/// Decodes the body of a license and checks the rules that its types cannot express. Does not
/// verify signatures: use [`License::verify`] for that.
///
/// # Errors
/// `malformed`, `unknown-version`.
pub fn read_body(bytes: &[u8]) -> Result<LicenseBody> {
    let body: LicenseBody = decode("license body", bytes, BODY_CAP).map_err(under("license-4"))?;
    check(&body)?;
    Ok(body)
}

impl LicenseBody {
    /// Last day on which the license is valid, or no limit.
    pub fn last_day(&self) -> Limit<Day> {
        self.expires.into()
    }

    /// Last day of maintenance, or no limit.
    pub fn maintained_to(&self) -> Limit<Day> {
        self.maintenance.into()
    }

    /// Operations that the license knows: the vendor's and the built-in ones.
    pub fn known(&self) -> Operations {
        Operations::known(&self.operations)
    }

    /// True if the license knows this operation.
    pub fn knows(&self, operation: Operation) -> bool {
        operation.is_built_in() || self.operations.get(&operation).is_some()
    }

    /// Checks that the limits of this delegation allow its key to sign the license.
    ///
    /// # Errors
    /// `not-delegated`, naming the limit.
    pub fn ensure_within(&self, delegation: &Delegation) -> Result<()> {
        limits::ensure_within(&limits::Opened::by(self), delegation)
    }

    /// Checks that the keys of these delegations may sign the license together.
    ///
    /// # Errors
    /// `not-delegated`, naming the limit.
    pub fn ensure_delegated(&self, delegations: &[Delegation], trust: &Trust) -> Result<()> {
        let opened = limits::Opened::by(self);
        for delegation in delegations {
            delegation.permits(Act::License, self.issued)?;
            limits::ensure_within(&opened, delegation)?;
        }
        // A key may have two delegations, but counts as one signer.
        let signers: BTreeSet<_> = delegations.iter().map(Delegation::key_id).collect();
        limits::ensure_enough_signers(&opened, delegations, signers.len(), trust.body())
    }
}

/// Maximum clock tolerance in seconds: 30 days.
const TOLERANCE_CAP: u32 = 2_592_000;

/// Checks the rules that the types of a license body cannot express.
fn check(body: &LicenseBody) -> Result<()> {
    let rules = body.enforcement.iter().flat_map(|rule| rule.blocked.iter());
    let (rule, problem) = if body.number == 0 || body.answer == 0 {
        ("license-5", "a number is 0, but requests and answers are numbered from 1")
    } else if body.expires.is_some_and(|end| end < body.starts) {
        ("license-6", "it ends before it starts")
    } else if body.tolerance > TOLERANCE_CAP {
        ("license-7", "its clock tolerance is longer than 30 days")
    } else if !body.grace.iter().all(|rule| rule.cause.is_of_licenses()) {
        ("license-8", "it has a rule for a cause that only events have")
    } else if body.operations.iter().any(|operation| operation.is_built_in()) {
        ("license-9", "it lists an operation that is built in")
    } else if !rules.chain(body.always.iter()).all(|operation| body.knows(*operation)) {
        ("license-10", "it has a rule for an operation that it does not list")
    } else {
        body.policy.check()?;
        refuse_critical("license body", &body.extensions)?;
        let blocks = |rule: &GraceRule| rule.outcome == Outcome::Block;
        let has_rule = |rule: &GraceRule| body.enforcement.get(&rule.cause).is_some();
        let is_used = |rule: &EnforcementRule| body.grace.get(&rule.cause).is_some_and(blocks);
        if !body.grace.iter().all(|rule| blocks(rule) == has_rule(rule))
            || !body.enforcement.iter().all(is_used)
        {
            (
                "license-11",
                "a cause must list blocked operations if its outcome is block, and only then",
            )
        } else {
            return Ok(());
        }
    };
    Err(Error::refuse(Refusal::Malformed, format!("license body: {problem}")).rule(rule))
}

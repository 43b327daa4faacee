//! Delegations: what an issuer key may sign. Implements `docs/format.md`, section "Delegation".

use crate::crypto::sign::{PublicKey, VerifyingKey};
use crate::entitlement::{Edition, Model, Operation};
use crate::error::{Error, Refusal, Result, under};
use crate::key::{Role, key_id};
use crate::time::Instant;
use crate::trust::Permitted;
use crate::wire::codec::{BODY_CAP, Keyed, Limit, Set, Text, decode, numbered, record};
use crate::wire::extension::{Extensions, refuse_critical};
use crate::wire::frame::Frame;
use crate::wire::id::KeyId;

numbered! {
    /// An act that a delegation allows.
    pub enum Act {
        /// Signing licenses.
        1 License "license",
        /// Signing revocations.
        2 Revoke "revoke",
        /// Signing times.
        3 Time "time",
    }
}

record! {
    /// The body of a delegation. Every limit is a list, a maximum, or explicitly *any*.
    pub struct DelegationBody {
        /// The issuer's key, Ed25519.
        pub issuer: PublicKey,
        /// Acts that it allows.
        pub acts: Set<Act>,
        /// Products that it allows.
        pub products: Limit<Set<Text>>,
        /// Slots that it allows.
        pub slots: Limit<Set<Text>>,
        /// License types that it allows.
        pub types: Limit<Set<Text>>,
        /// Models that it allows.
        pub models: Limit<Set<Model>>,
        /// Editions that it allows.
        pub editions: Limit<Set<Edition>>,
        /// Modules that it allows, and how much of each a license may make available.
        pub modules: Limit<Set<ModuleMaximum, 4096>>,
        /// Maximum days from the start of a license to its end.
        pub longest_term: Limit<u32>,
        /// Maximum days from the day of issue to the start of a license.
        pub ahead: Limit<u32>,
        /// Maximum seconds of grace after a license expired, the machine changed, or the license
        /// was revoked or pooled. *Any* also allows an outcome that is only a warning.
        pub longest_grace: Limit<u64>,
        /// Maximum days of maintenance, from the later of the start and the day of issue.
        pub longest_maintenance: Limit<u32>,
        /// Operations that may stay allowed after the grace period that `longest_grace` limits.
        /// Importing a license is always allowed.
        pub afterwards: Limit<Set<Operation>>,
        /// True if it allows licenses that require no hardware factor, and so do not stop a copy.
        pub weak_machine: bool,
        /// First instant at which the key may issue.
        pub from: Limit<Instant>,
        /// Last instant at which the key may issue.
        pub until: Limit<Instant>,
        /// Room for later fields.
        pub extensions: Extensions,
    }
}

record! {
    /// Maximum for one module.
    pub struct ModuleMaximum {
        /// Id of the module.
        pub module: Text,
        /// The maximum, or *any*.
        pub maximum: Limit<u64>,
    }
}

impl Keyed for ModuleMaximum {
    type Key = str;
    fn key(&self) -> &str {
        &self.module
    }
}

/// A delegation that the roots signed, or that the trust keeps in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    body: DelegationBody,
    /// Id of the issuer's key, and the key itself unless it is weak. Both are needed often.
    issuer: Permitted,
}

impl Delegation {
    /// Decodes a frame. Does not verify its signatures: see
    /// [`Trust::delegation`](super::Trust::delegation).
    ///
    /// # Errors
    /// `malformed`, `unknown-version`.
    pub fn read(frame: &Frame<'_>) -> Result<Self> {
        let body: DelegationBody =
            decode("delegation body", frame.body, BODY_CAP).map_err(under("delegation-2"))?;
        refuse_critical("delegation body", &body.extensions).map_err(under("delegation-2"))?;
        if !frame.attachments.is_empty() {
            let fact = "delegation: it cannot have attachments";
            return Err(Error::refuse(Refusal::Malformed, fact).rule("delegation-3"));
        }
        let issuer = &body.issuer;
        let issuer = Permitted { id: key_id(Role::Issuer, issuer), key: VerifyingKey::new(issuer) };
        Ok(Self { body, issuer })
    }

    /// The limits of the delegation.
    pub fn body(&self) -> &DelegationBody {
        &self.body
    }

    /// The issuer's key, which may sign the file that the delegation is attached to.
    pub(super) fn issuer(&self) -> &Permitted {
        &self.issuer
    }

    /// Id of the issuer's key.
    pub fn key_id(&self) -> KeyId {
        self.issuer.id
    }

    /// Checks that the issuer's key is canonical and of prime order. This is done when the key is
    /// delegated and when a file is imported, not at every verification.
    ///
    /// # Errors
    /// `malformed`.
    pub fn check_key(&self) -> Result<()> {
        if self.issuer.key.as_ref().is_some_and(VerifyingKey::is_trustworthy) {
            return Ok(());
        }
        let fact = "delegation body: the issuer key is weak";
        Err(Error::refuse(Refusal::Malformed, fact).rule("delegation-4"))
    }

    /// Checks that the delegation allows `act` at the instant `issued` that the signed body states.
    ///
    /// # Errors
    /// `not-delegated`, naming the limit.
    pub fn permits(&self, act: Act, issued: Instant) -> Result<()> {
        let body = &self.body;
        let (of_acts, of_days) = match act {
            Act::License => ("limit-1", "limit-2"),
            Act::Revoke => ("revocations-3", "revocations-3"),
            Act::Time => ("time-2", "time-2"),
        };
        if body.acts.get(&act).is_none() {
            return Err(self.outside(of_acts, format!("act {act} is not among its acts")));
        }
        let outside = match (&body.from, &body.until) {
            (Limit::Only(from), _) if issued < *from => Some(format!("it is valid from {from}")),
            (_, Limit::Only(until)) if issued > *until => {
                Some(format!("it is valid until {until}"))
            }
            _ => None,
        };
        match outside {
            Some(limit) => Err(self.outside(of_days, format!("issued at {issued}, but {limit}"))),
            None => Ok(()),
        }
    }

    /// Makes the refusal for a file that exceeds `limit`. `rule` is the rule that it breaks.
    pub fn outside(&self, rule: &'static str, limit: String) -> Error {
        let fact = format!("key {} is not delegated for this: {limit}", self.key_id());
        Error::refuse(Refusal::NotDelegated, fact).rule(rule)
    }
}

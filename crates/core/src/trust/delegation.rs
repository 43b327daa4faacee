//! Delegations: what an issuer key may sign. Obeys `docs/format.md`, section "Delegation".

use crate::crypto::sign::{PublicKey, is_trustworthy};
use crate::entitlement::{Edition, Model, Operation};
use crate::error::{Error, Refusal, Result, under};
use crate::key::{Role, key_id};
use crate::time::Instant;
use crate::wire::codec::{BODY_CAP, Keyed, Limit, Set, Text, decode, numbered, record};
use crate::wire::extension::{Extensions, refuse_critical};
use crate::wire::frame::Frame;
use crate::wire::id::KeyId;

numbered! {
    /// What a key may do.
    pub enum Act {
        /// Sign licenses.
        1 License "license",
        /// Sign revocations.
        2 Revoke "revoke",
        /// Sign times.
        3 Time "time",
    }
}

record! {
    /// The body of a delegation. Every limit is a list or a maximum, or the explicit word *any*.
    pub struct DelegationBody {
        /// The issuer's key, Ed25519.
        pub issuer: PublicKey,
        /// What it may do.
        pub acts: Set<Act>,
        /// For which products.
        pub products: Limit<Set<Text>>,
        /// For which slots.
        pub slots: Limit<Set<Text>>,
        /// Which license types.
        pub types: Limit<Set<Text>>,
        /// Which models.
        pub models: Limit<Set<Model>>,
        /// Which editions.
        pub editions: Limit<Set<Edition>>,
        /// Which modules, and how much of each a license may open.
        pub modules: Limit<Set<ModuleMaximum, 4096>>,
        /// Most days from the start of a license to its end.
        pub longest_term: Limit<u32>,
        /// Most days from the day of issue to the start of a license.
        pub ahead: Limit<u32>,
        /// Most seconds that all goes on after a license expired, the machine changed, or the license
        /// was revoked or pooled. *Any* also allows a mere warning.
        pub longest_grace: Limit<u64>,
        /// Most days of maintenance, from the later of the start and the day of issue.
        pub longest_maintenance: Limit<u32>,
        /// The operations that may remain allowed after that grace. The import of a license always may.
        pub afterwards: Limit<Set<Operation>>,
        /// Whether a license may do without a hardware factor, so that it does not stop a copy.
        pub weak_machine: bool,
        /// The first instant at which it may issue.
        pub from: Limit<Instant>,
        /// The last instant at which it may issue.
        pub until: Limit<Instant>,
        /// How the body may grow.
        pub extensions: Extensions,
    }
}

record! {
    /// At most so many of a module.
    pub struct ModuleMaximum {
        /// The module's id.
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

/// A delegation that the roots signed or keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    body: DelegationBody,
}

impl Delegation {
    /// Reads a frame. Whether its signatures count, [`Trust::delegation`](super::Trust::delegation)
    /// tells.
    ///
    /// # Errors
    /// `malformed`, `unknown-version`.
    pub fn read(frame: &Frame<'_>) -> Result<Self> {
        let body: DelegationBody =
            decode("delegation body", frame.body, BODY_CAP).map_err(under("delegation-2"))?;
        refuse_critical("delegation body", &body.extensions).map_err(under("delegation-2"))?;
        if !frame.attachments.is_empty() {
            let fact = "delegation: it has no attachments";
            return Err(Error::refuse(Refusal::Malformed, fact).rule("delegation-4"));
        }
        Ok(Self { body })
    }

    /// What it says.
    pub fn body(&self) -> &DelegationBody {
        &self.body
    }

    /// The id of the issuer's key.
    pub fn key_id(&self) -> KeyId {
        key_id(Role::Issuer, &self.body.issuer)
    }

    /// Whether the issuer's key is of prime order: checked when it is delegated and imported, not
    /// at each verification.
    ///
    /// # Errors
    /// `malformed`.
    pub fn check_key(&self) -> Result<()> {
        if is_trustworthy(&self.body.issuer) {
            return Ok(());
        }
        let fact = "delegation body: the issuer key is weak";
        Err(Error::refuse(Refusal::Malformed, fact).rule("delegation-3"))
    }

    /// Whether it allows `act` at the instant that the signed body states.
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
            return Err(self.outside(of_acts, format!("it may not sign a {act}")));
        }
        let outside = match (&body.from, &body.until) {
            (Limit::Only(from), _) if issued < *from => Some(format!("it counts from {from}")),
            (_, Limit::Only(until)) if issued > *until => Some(format!("it counts until {until}")),
            _ => None,
        };
        match outside {
            Some(limit) => Err(self.outside(of_days, format!("issued at {issued}, but {limit}"))),
            None => Ok(()),
        }
    }

    /// The refusal of what lies outside a limit of this delegation, by this rule.
    pub fn outside(&self, rule: &'static str, limit: String) -> Error {
        let fact = format!("key {} is not delegated for this: {limit}", self.key_id());
        Error::refuse(Refusal::NotDelegated, fact).rule(rule)
    }
}

//! The machine policy of a license: commitments, weights and a threshold.
//! Implements `docs/format.md`, section "Machine policy".

use crate::crypto::digest::MacKey;
use crate::crypto::label::FACTOR;
use crate::error::{Error, Refusal, Result};
use crate::machine::{Class, FactorKind};
use crate::wire::codec::{Keyed, Set, Text, record};

record! {
    /// Condition under which a machine is the one for which the license was issued.
    pub struct Policy {
        /// Name in the catalog.
        pub name: Text,
        /// Weight that must match.
        pub threshold: u32,
        /// True if a hardware factor must match, whatever the weight.
        pub hardware: bool,
        /// Factors that carry weight, as commitments.
        pub enrolled: Set<Enrolled>,
    }
}

record! {
    /// One enrolled factor. Its value is known only to the machine and the vendor.
    pub struct Enrolled {
        /// Kind of the factor.
        pub kind: FactorKind,
        /// Hardware or image.
        pub class: Class,
        /// Weight that it adds when it matches.
        pub weight: u16,
        /// Commitment to its value: see [`Commitments`].
        pub commitment: [u8; 32],
    }
}

impl Keyed for Enrolled {
    type Key = [u8; 32];
    fn key(&self) -> &[u8; 32] {
        &self.commitment
    }
}

/// Computes commitments to factors: HMAC-SHA256 under the commitment key of one request.
pub struct Commitments(MacKey);

impl Commitments {
    /// Commitments for the request with this commitment key.
    pub fn new(commitment_key: &[u8; 32]) -> Self {
        Self(MacKey::new(commitment_key))
    }

    /// Computes the commitment to the factor of this kind and value.
    pub fn commit(&self, kind: FactorKind, value: &str) -> [u8; 32] {
        self.0.mac(&[FACTOR, &kind.number().to_le_bytes(), value.as_bytes()])
    }
}

impl Policy {
    /// Weight of all enrolled factors.
    pub fn total(&self) -> u32 {
        self.enrolled.iter().fold(0, |sum, factor| sum.saturating_add(factor.weight.into()))
    }

    /// True if an enrolled hardware factor must match, so that a copy of the disk is not enough.
    pub fn stops_a_copy(&self) -> bool {
        self.hardware && self.enrolled.iter().any(|factor| factor.class == Class::Hardware)
    }

    /// Checks the rules that the types cannot express.
    ///
    /// # Errors
    /// `malformed`.
    pub fn check(&self) -> Result<()> {
        let (rule, problem) = if self.threshold == 0 || self.threshold > self.total() {
            ("policy-1", "the threshold is not between 1 and the weight of the enrolled factors")
        } else if self.enrolled.iter().any(|factor| factor.class == Class::Common) {
            ("policy-2", "a common factor is enrolled")
        } else if self.hardware && !self.stops_a_copy() {
            ("policy-3", "it requires a hardware factor, but none is enrolled")
        } else if self.enrolled.iter().any(|factor| factor.weight == 0) {
            ("policy-4", "a factor without weight is enrolled")
        } else if !self.enrolled.iter().all(|factor| factor.kind.may_be(factor.class)) {
            ("policy-5", "a factor has a class that its kind cannot have")
        } else {
            return Ok(());
        };
        Err(Error::refuse(Refusal::Malformed, format!("machine policy: {problem}")).rule(rule))
    }
}

//! The machine policy of a license: commitments, weights and a threshold.
//! Obeys `docs/format.md`, section "Machine policy".

use crate::crypto::digest::hmac;
use crate::crypto::label::FACTOR;
use crate::error::{Error, Refusal, Result};
use crate::machine::{Class, Factor, FactorKind};
use crate::wire::codec::{Keyed, Set, Text, record};

record! {
    /// When a machine is the one that the license was issued for.
    pub struct Policy {
        /// Its name in the catalog.
        pub name: Text,
        /// The weight that must match.
        pub threshold: u32,
        /// Whether a hardware factor must match, whatever the weight.
        pub hardware: bool,
        /// The factors that count, as commitments.
        pub enrolled: Set<Enrolled>,
    }
}

record! {
    /// One enrolled factor. Its value stays with the machine and the vendor.
    pub struct Enrolled {
        /// What it is.
        pub kind: FactorKind,
        /// Hardware or image.
        pub class: Class,
        /// What it adds when it matches.
        pub weight: u16,
        /// See [`commit`].
        pub commitment: [u8; 32],
    }
}

impl Keyed for Enrolled {
    type Key = [u8; 32];
    fn key(&self) -> &[u8; 32] {
        &self.commitment
    }
}

/// The commitment to a factor: HMAC-SHA256 under the commitment key of one request.
pub fn commit(commitment_key: &[u8; 32], kind: FactorKind, value: &str) -> [u8; 32] {
    hmac(commitment_key, &[FACTOR, &kind.number().to_le_bytes(), value.as_bytes()])
}

/// One enrolled factor, held against what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorMatch {
    /// What it is.
    pub kind: FactorKind,
    /// Hardware or image.
    pub class: Class,
    /// What it adds when it matches.
    pub weight: u16,
    /// The factor that matched.
    pub same: Option<Factor>,
}

/// A policy, held against what was found on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The weight that matched.
    pub score: u32,
    /// The weight that is needed.
    pub threshold: u32,
    /// The weight of all that is enrolled.
    pub total: u32,
    /// Whether the policy asks for hardware and none matched.
    pub hardware_missing: bool,
    /// Each enrolled factor.
    pub verdicts: Vec<FactorMatch>,
}

impl Policy {
    /// The weight of all that is enrolled.
    pub fn total(&self) -> u32 {
        self.enrolled.iter().fold(0, |sum, factor| sum.saturating_add(factor.weight.into()))
    }

    /// Whether an enrolled hardware factor stops a copy of the disk.
    pub fn stops_a_copy(&self) -> bool {
        self.hardware && self.enrolled.iter().any(|factor| factor.class == Class::Hardware)
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// `malformed`.
    pub fn check(&self) -> Result<()> {
        let (rule, problem) = if self.threshold == 0 || self.threshold > self.total() {
            ("policy-1", "the threshold is not between 1 and the weight of what is enrolled")
        } else if self.enrolled.iter().any(|factor| factor.class == Class::Common) {
            ("policy-2", "a common factor is enrolled")
        } else if self.hardware && !self.stops_a_copy() {
            ("policy-3", "it asks for hardware, and none is enrolled")
        } else if self.enrolled.iter().any(|factor| factor.weight == 0) {
            ("policy-5", "a factor without weight is enrolled")
        } else if !self.enrolled.iter().all(|factor| factor.kind.may_be(factor.class)) {
            ("policy-6", "a factor has a class that its kind cannot have")
        } else {
            return Ok(());
        };
        Err(Error::refuse(Refusal::Malformed, format!("machine policy: {problem}")).rule(rule))
    }

    /// Holds it against `found`.
    pub fn compare(&self, commitment_key: &[u8; 32], found: &[Factor]) -> Match {
        let candidates: Vec<_> = found
            .iter()
            .filter(|factor| factor.counts())
            .map(|factor| (commit(commitment_key, factor.kind, &factor.value), factor))
            .collect();
        let verdicts: Vec<_> = self
            .enrolled
            .iter()
            .map(|enrolled| FactorMatch {
                kind: enrolled.kind,
                class: enrolled.class,
                weight: enrolled.weight,
                same: candidates
                    .iter()
                    .find(|(commitment, _)| *commitment == enrolled.commitment)
                    .map(|(_, factor)| (*factor).clone()),
            })
            .collect();
        let same = || verdicts.iter().filter(|verdict| verdict.same.is_some());
        Match {
            score: same().fold(0, |sum, verdict| sum.saturating_add(verdict.weight.into())),
            threshold: self.threshold,
            total: self.total(),
            hardware_missing: self.hardware
                && !same().any(|verdict| verdict.class == Class::Hardware),
            verdicts,
        }
    }
}

impl Match {
    /// Whether this is the machine.
    ///
    /// # Errors
    /// `wrong-machine`, saying what is missing.
    pub fn ensure(&self) -> Result<()> {
        if self.score >= self.threshold && !self.hardware_missing {
            return Ok(());
        }
        let changed: Vec<_> = self
            .verdicts
            .iter()
            .filter(|verdict| verdict.same.is_none())
            .map(|verdict| verdict.kind.word())
            .collect();
        let fact = format!(
            "this machine matches {} of {} points where {} are needed{}; changed or missing: {}",
            self.score,
            self.total,
            self.threshold,
            if self.hardware_missing { " and no hardware factor" } else { "" },
            changed.join(", "),
        );
        Err(Error::refuse(Refusal::WrongMachine, fact).rule("policy-4"))
    }
}

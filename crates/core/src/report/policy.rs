//! The report of a machine policy.

use crate::machine::{Class, Enrolled, FactorKind, Policy};
use crate::report::joined;
use crate::wire::codec::Text;

/// When a machine is the one that the license was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PolicyReport {
    /// Its name in the catalog.
    pub name: Text,
    /// The points that must match.
    pub threshold: u32,
    /// The points of all factors.
    pub total: u32,
    /// Whether hardware must match, whatever the points.
    pub hardware: bool,
    /// The factors that count.
    pub factors: Vec<PolicyFactorReport>,
}

/// A factor that counts; its value is not in the license.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PolicyFactorReport {
    /// What it is.
    pub kind: FactorKind,
    /// Hardware or image.
    pub class: Class,
    /// Its points.
    pub weight: u16,
}

impl From<&Policy> for PolicyReport {
    fn from(policy: &Policy) -> Self {
        let Policy { name, threshold, hardware, enrolled } = policy;
        Self {
            name: name.clone(),
            threshold: *threshold,
            total: policy.total(),
            hardware: *hardware,
            factors: enrolled.iter().map(PolicyFactorReport::from).collect(),
        }
    }
}

impl From<&Enrolled> for PolicyFactorReport {
    fn from(factor: &Enrolled) -> Self {
        // A commitment says nothing to whoever lacks its key.
        let Enrolled { kind, class, weight, commitment: _ } = factor;
        Self { kind: *kind, class: *class, weight: *weight }
    }
}

impl PolicyReport {
    pub(super) fn text(&self) -> String {
        let Self { name, threshold, total, hardware, factors: _ } = self;
        let hardware = if *hardware { "; hardware must match" } else { "" };
        format!("{}: {threshold} of {total} points needed{hardware}", &**name)
    }

    /// What the points are for, what a copy cannot take along first.
    pub(super) fn points(&self) -> String {
        let mut factors: Vec<_> = self.factors.iter().collect();
        factors.sort_by_key(|factor| (factor.class, factor.kind, factor.weight));
        joined(factors.into_iter().map(|factor| {
            let PolicyFactorReport { kind, class, weight } = factor;
            format!("{class} {kind} {weight}")
        }))
    }
}

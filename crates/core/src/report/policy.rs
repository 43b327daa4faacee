//! Report of a machine policy.

use crate::machine::{Class, Enrolled, FactorKind, Policy};
use crate::report::joined;
use crate::wire::codec::Text;

/// Report of a machine policy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PolicyReport {
    /// Name in the catalog.
    pub name: Text,
    /// Points that must match.
    pub threshold: u32,
    /// Points of all factors.
    pub total: u32,
    /// True if a hardware factor must match, whatever the points.
    pub hardware: bool,
    /// Factors that carry weight.
    pub factors: Vec<PolicyFactorReport>,
}

/// An enrolled factor. The license does not contain its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PolicyFactorReport {
    /// Kind of the factor.
    pub kind: FactorKind,
    /// Hardware or image.
    pub class: Class,
    /// Points of the factor.
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
        // A commitment means nothing without its key.
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

    /// Lists the points of each factor. Factors that a copy does not have come first.
    pub(super) fn points(&self) -> String {
        let mut factors: Vec<_> = self.factors.iter().collect();
        factors.sort_by_key(|factor| (factor.class, factor.kind, factor.weight));
        joined(factors.into_iter().map(|factor| {
            let PolicyFactorReport { kind, class, weight } = factor;
            format!("{class} {kind} {weight}")
        }))
    }
}

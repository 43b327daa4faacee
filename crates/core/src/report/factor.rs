//! Factors of a machine, and what became of them.

use crate::machine::{Assessment, Change, Class, Factor, FactorKind, Line, label};
use crate::report::Table;
use crate::wire::codec::Text;

/// What was found on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct FactorReport {
    /// What it is.
    pub kind: FactorKind,
    /// How much it says.
    pub class: Class,
    /// What the system calls it.
    pub name: Text,
    /// Its value.
    pub value: Text,
    /// Why it does not count; empty where it does.
    pub ignored: Text,
}

impl From<&Factor> for FactorReport {
    fn from(factor: &Factor) -> Self {
        let Factor { kind, class, name, value, ignored } = factor;
        Self {
            kind: *kind,
            class: *class,
            name: name.clone(),
            value: value.clone(),
            ignored: ignored.clone(),
        }
    }
}

impl FactorReport {
    fn counts(&self) -> bool {
        self.class != Class::Common
    }

    fn value(&self) -> String {
        match &*self.ignored {
            "" => self.value.to_string(),
            ignored => format!("{} ({ignored})", &*self.value),
        }
    }

    /// On one line: `hardware product-uuid 4c4c4544-…`.
    pub(super) fn text(&self) -> String {
        format!("{} {} {}", self.class, label(self.kind, &self.name), self.value())
    }
}

/// The factors that count, or with `all` every one.
pub fn factor_table(factors: &[FactorReport], all: bool) -> Table {
    let row = |factor: &FactorReport| {
        vec![label(factor.kind, &factor.name), factor.class.to_string(), factor.value()]
    };
    Table {
        header: vec!["factor", "class", "value"],
        rows: factors.iter().filter(|factor| all || factor.counts()).map(row).collect(),
        numbers: Vec::new(),
    }
}

/// A factor then and now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ChangeReport {
    /// What it is.
    pub kind: FactorKind,
    /// How much it says.
    pub class: Class,
    /// What the system calls it.
    pub name: String,
    /// What became of it.
    pub verdict: Change,
    /// The points that it adds while it is the same; `None` where nobody knows them.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub weight: Option<u16>,
    /// Whether it is the same.
    pub same: bool,
    /// Its value then, where that is known.
    pub old: Option<Text>,
    /// Its value now.
    pub new: Option<Text>,
}

impl From<&Line> for ChangeReport {
    fn from(line: &Line) -> Self {
        // Why a value cannot be read now is for people alone.
        let Line { kind, class, change, weight, then, now, reason: _ } = line;
        let value = |factor: &Option<Factor>| factor.as_ref().map(|factor| factor.value.clone());
        Self {
            kind: *kind,
            class: *class,
            name: line.name().to_string(),
            verdict: *change,
            weight: Some(*weight),
            same: *change == Change::Same,
            old: value(then),
            new: value(now),
        }
    }
}

/// How a machine matches the policy of a license.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MachineReport {
    /// The points that match.
    pub score: u32,
    /// The points that must match.
    pub threshold: u32,
    /// The points of all factors.
    pub total: u32,
    /// What became of each factor.
    pub factors: Vec<ChangeReport>,
}

impl From<&Assessment> for MachineReport {
    fn from(machine: &Assessment) -> Self {
        Self {
            score: machine.score,
            threshold: machine.threshold,
            total: machine.total,
            factors: machine.lines.iter().map(ChangeReport::from).collect(),
        }
    }
}

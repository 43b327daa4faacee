//! Reports of the factors of a machine, and of their changes.

use crate::machine::{Assessment, Change, Class, Factor, FactorKind, Line, label};
use crate::report::Table;
use crate::wire::codec::Text;

/// Report of a factor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct FactorReport {
    /// Kind of the factor.
    pub kind: FactorKind,
    /// How well it identifies the machine.
    pub class: Class,
    /// Name that the system gives to it.
    pub name: Text,
    /// Value of the factor.
    pub value: Text,
    /// Why it has weight 0, in words. Empty for hardware and image factors.
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
    fn value(&self) -> String {
        match &*self.ignored {
            "" => self.value.to_string(),
            ignored => format!("{} ({ignored})", &*self.value),
        }
    }

    /// Formats the factor on one line: `hardware product-uuid 4c4c4544-…`.
    pub(super) fn text(&self) -> String {
        format!("{} {} {}", self.class, label(self.kind, &self.name), self.value())
    }
}

/// Makes a table of the factors that can carry weight or, if `all`, of all factors.
pub fn factor_table(factors: &[FactorReport], all: bool) -> Table {
    let row = |factor: &FactorReport| {
        vec![label(factor.kind, &factor.name), factor.class.to_string(), factor.value()]
    };
    Table {
        header: vec!["factor", "class", "value"],
        rows: factors.iter().filter(|factor| all || factor.class.counts()).map(row).collect(),
        numbers: Vec::new(),
    }
}

/// Report of a factor then and now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ChangeReport {
    /// Kind of the factor.
    pub kind: FactorKind,
    /// How well it identifies the machine.
    pub class: Class,
    /// Name that the system gives to it.
    pub name: String,
    /// Result of the comparison.
    pub verdict: Change,
    /// Points that it adds while it is the same. `None` if they are not known.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub weight: Option<u16>,
    /// True if it is the same.
    pub same: bool,
    /// Value then, if it is known.
    pub old: Option<Text>,
    /// Value now.
    pub new: Option<Text>,
}

impl From<&Line> for ChangeReport {
    fn from(line: &Line) -> Self {
        // The reason why a value cannot be read is only shown to people.
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

/// How well a machine matches the policy of a license.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct MachineReport {
    /// Points that match.
    pub score: u32,
    /// Points that must match.
    pub threshold: u32,
    /// Points of all enrolled factors.
    pub total: u32,
    /// Result for each factor.
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

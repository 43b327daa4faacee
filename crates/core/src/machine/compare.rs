//! Comparison of the factors of a machine at two times, to show to people. Whether the machine is
//! the one for which a license was issued is decided only by
//! [`Policy::assess`](crate::machine::Policy::assess).

use crate::machine::{Class, Factor, FactorKind, Reason, Unreadable};

/// Result of comparing a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// The factor has the same value.
    Same,
    /// A factor of the same kind and name has another value now.
    Changed,
    /// Neither the value nor another factor of the same kind and name is found.
    Missing,
    /// The factor exists, but cannot be read now.
    Unreadable,
    /// The factor can carry weight, but was not enrolled, so it adds nothing.
    New,
}

impl Change {
    /// Word used in text and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::New => "new",
        }
    }
}

/// One factor, then and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Kind of the factor.
    pub kind: FactorKind,
    /// Hardware or image.
    pub class: Class,
    /// Result of the comparison.
    pub change: Change,
    /// Points that the factor adds while it is the same. 0 if it is not enrolled or its weight is
    /// not known.
    pub weight: u16,
    /// The factor as it was. `None` if it is new, or if only a commitment to it is known.
    pub then: Option<Factor>,
    /// The factor as it is now. If its class is common now, it no longer carries weight.
    pub now: Option<Factor>,
    /// Why it cannot be read now, if it cannot.
    pub reason: Option<Reason>,
}

impl Line {
    /// Name that the system gives or gave to the factor.
    pub fn name(&self) -> &str {
        self.then.as_ref().or(self.now.as_ref()).map_or("", |factor| &factor.name)
    }

    fn new(factor: &Factor, change: Change) -> Self {
        let (kind, class) = (factor.kind, factor.class);
        Self { kind, class, change, weight: 0, then: None, now: None, reason: None }
    }
}

/// Compares the factors found at two times. New ones come last. A factor that cannot carry weight
/// is considered only if it has taken the place of one that could.
pub fn changes(then: &[Factor], now: &[Factor], unreadable: &[Unreadable]) -> Vec<Line> {
    let (old, found) = (distinct(then), distinct(now));
    let has = |factors: &[&Factor], one: &Factor| factors.iter().any(|other| equal(other, one));
    let mut successors: Vec<&Factor> = Vec::new();
    let mut lines = Vec::new();
    for then in &old {
        let takes_its_place =
            |new: &&&Factor| (new.kind, &new.name) == (then.kind, &then.name) && !has(&old, new);
        let no_longer_counts =
            |new: &&Factor| (new.kind, &new.name) == (then.kind, &then.name) && !new.counts();
        let hidden = unreadable.iter().find(|hidden| hidden.kind == then.kind);
        let line = Line { then: Some((*then).clone()), ..Line::new(then, Change::Missing) };
        lines.push(if let Some(same) = found.iter().find(|new| equal(new, then)) {
            Line { change: Change::Same, now: Some((*same).clone()), ..line }
        } else if let Some(new) = found.iter().find(takes_its_place) {
            successors.push(new);
            Line { change: Change::Changed, now: Some((*new).clone()), ..line }
        } else if let Some(hidden) = hidden {
            Line { change: Change::Unreadable, reason: Some(hidden.reason), ..line }
        } else if let Some(new) = now.iter().find(no_longer_counts) {
            Line { change: Change::Changed, now: Some(new.clone()), ..line }
        } else {
            line
        });
    }
    let new = found.iter().filter(|new| !has(&old, new) && !has(&successors, new));
    lines.extend(new.map(|new| Line { now: Some((*new).clone()), ..Line::new(new, Change::New) }));
    lines
}

fn equal(one: &Factor, other: &Factor) -> bool {
    (one.kind, &one.value) == (other.kind, &other.value)
}

/// Returns the factors that can carry weight, each value once. Enrolment selects factors the same
/// way.
fn distinct(factors: &[Factor]) -> Vec<&Factor> {
    let mut distinct: Vec<&Factor> = Vec::new();
    for factor in factors.iter().filter(|factor| factor.counts()) {
        if !distinct.iter().any(|other| equal(other, factor)) {
            distinct.push(factor);
        }
    }
    distinct
}

/// True if this looks like a copy of the machine: hardware changed or is missing, and none of the
/// enrolled hardware is known to be the same. Ignores serial numbers if other hardware was
/// enrolled, because several machines may show the serial number of their host, chassis or virtual
/// machine configuration.
pub fn looks_like_a_copy(lines: &[Line]) -> bool {
    let serial = |line: &&Line| {
        matches!(
            line.kind,
            FactorKind::ProductSerial | FactorKind::BoardSerial | FactorKind::DiskSerial
        )
    };
    let hardware =
        || lines.iter().filter(|line| line.class == Class::Hardware && line.change != Change::New);
    let own: Vec<_> = match hardware().all(|line| serial(&line)) {
        true => hardware().collect(),
        false => hardware().filter(|line| !serial(line)).collect(),
    };
    own.iter().any(|line| matches!(line.change, Change::Changed | Change::Missing))
        && own.iter().all(|line| line.change != Change::Same)
}

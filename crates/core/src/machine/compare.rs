//! What became of the factors of a machine between two times: for people. Whether the machine is
//! the one that a license was issued for, [`Policy::assess`](crate::machine::Policy::assess) alone
//! decides.

use crate::machine::{Class, Factor, FactorKind, Reason, Unreadable};

/// What became of a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is there with the value it had.
    Same,
    /// What has its kind and name has another value now.
    Changed,
    /// Its value is not there, nor anything else of its kind and name.
    Missing,
    /// It exists, but cannot be read now.
    Unreadable,
    /// It counts, but nothing was enrolled for it: it adds nothing.
    New,
}

impl Change {
    /// Its name in text and JSON.
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
    /// What it is.
    pub kind: FactorKind,
    /// Hardware or image.
    pub class: Class,
    /// What became of it.
    pub change: Change,
    /// The points that it adds while it is the same; 0 where it is not enrolled or nobody knows.
    pub weight: u16,
    /// As it was; nothing where it is new, or where only a commitment is known.
    pub then: Option<Factor>,
    /// As it is; one of class common no longer counts.
    pub now: Option<Factor>,
    /// Why it cannot be read now, where it cannot.
    pub reason: Option<Reason>,
}

impl Line {
    /// What the system calls it, or called it.
    pub fn name(&self) -> &str {
        self.then.as_ref().or(self.now.as_ref()).map_or("", |factor| &factor.name)
    }

    fn new(factor: &Factor, change: Change) -> Self {
        let (kind, class) = (factor.kind, factor.class);
        Self { kind, class, change, weight: 0, then: None, now: None, reason: None }
    }
}

/// Holds the factors of two times against each other, those that count. The new ones come last.
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

/// Those that count, each value once: so they are enrolled too.
fn distinct(factors: &[Factor]) -> Vec<&Factor> {
    let mut distinct: Vec<&Factor> = Vec::new();
    for factor in factors.iter().filter(|factor| factor.counts()) {
        if !distinct.iter().any(|other| equal(other, factor)) {
            distinct.push(factor);
        }
    }
    distinct
}

/// Whether this looks like a copy of the machine: of the hardware that was enrolled nothing is
/// known to be the same. Serial numbers say nothing where anything else was enrolled: a host, a
/// chassis or the configuration of a virtual machine shows them to several.
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

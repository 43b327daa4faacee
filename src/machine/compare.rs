//! What became of the factors of a machine since a license was issued for it: for people. Whether
//! the machine matches, policy-4 of `docs/format.md` alone decides.

use crate::machine::{Class, Factor, FactorKind, Policy, Unreadable, commit};

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
    /// Why it cannot be read now; empty when it can.
    pub reason: String,
}

impl Line {
    /// What the system calls it, or called it.
    pub fn name(&self) -> &str {
        self.then.as_ref().or(self.now.as_ref()).map_or("", |factor| &factor.name)
    }

    fn new(factor: &Factor, change: Change) -> Self {
        let (kind, class) = (factor.kind, factor.class);
        Self { kind, class, change, weight: 0, then: None, now: None, reason: String::new() }
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
            Line { change: Change::Unreadable, reason: hidden.reason.clone(), ..line }
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

/// A machine policy held against a machine, factor by factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The weight that matched.
    pub score: u32,
    /// The weight that is needed.
    pub threshold: u32,
    /// The weight of all that is enrolled.
    pub total: u32,
    /// Whether a hardware factor must match.
    pub hardware: bool,
    /// Whether one must and none does.
    pub hardware_missing: bool,
    /// Each enrolled factor, then what is new.
    pub lines: Vec<Line>,
    /// How the request that shows this machine as it is reaches the vendor, where one waits for its
    /// answer.
    pub asked: Option<String>,
}

impl Comparison {
    /// Explains how `now` matches `policy`. `then` are the factors that it was issued for, as far as
    /// they are known: of the others a license tells the kind alone.
    pub fn new(
        policy: &Policy,
        commitment_key: &[u8; 32],
        then: &[Factor],
        now: &[Factor],
        unreadable: &[Unreadable],
    ) -> Self {
        let matched = policy.compare(commitment_key, now);
        let enrolled_as = |factor: &Factor| {
            policy.enrolled.get(&commit(commitment_key, factor.kind, &factor.value))
        };
        let (mut lines, mut new, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for line in changes(then, now, unreadable) {
            match (&line.then, &line.now) {
                // What was there and carried no weight says nothing now either.
                (Some(then), _) => {
                    if let Some(enrolled) = enrolled_as(then) {
                        known.push(enrolled.commitment);
                        lines.push(Line { weight: enrolled.weight, class: enrolled.class, ..line });
                    }
                }
                (None, Some(now)) if enrolled_as(now).is_none() => new.push(line),
                (None, _) => {}
            }
        }
        for (enrolled, verdict) in policy.enrolled.iter().zip(&matched.verdicts) {
            if known.contains(&enrolled.commitment) {
                continue;
            }
            let hidden = unreadable.iter().find(|hidden| hidden.kind == enrolled.kind);
            let change = match (&verdict.same, hidden) {
                (Some(_), _) => Change::Same,
                (None, Some(_)) => Change::Unreadable,
                (None, None) => Change::Missing,
            };
            let reason = match change {
                Change::Unreadable => hidden.map(|hidden| hidden.reason.clone()),
                _ => None,
            };
            lines.push(Line {
                kind: enrolled.kind,
                class: enrolled.class,
                change,
                weight: enrolled.weight,
                then: None,
                now: verdict.same.clone(),
                reason: reason.unwrap_or_default(),
            });
        }
        lines.append(&mut new);
        let crate::machine::Match { score, threshold, total, hardware_missing, .. } = matched;
        let (hardware, asked) = (policy.hardware, None);
        Self { score, threshold, total, hardware, hardware_missing, lines, asked }
    }

    /// Whether this is the machine.
    pub fn matches(&self) -> bool {
        self.score >= self.threshold && !self.hardware_missing
    }

    /// The points that may still be lost.
    pub fn room(&self) -> u32 {
        self.score.saturating_sub(self.threshold)
    }

    /// What is enrolled and not as it was.
    pub fn drift(&self) -> Vec<&Line> {
        let drifted = |line: &&Line| !matches!(line.change, Change::Same | Change::New);
        self.lines.iter().filter(drifted).collect()
    }

    /// Whether it matches, and something enrolled is known to be no longer as it was.
    pub fn has_drifted(&self) -> bool {
        let is_known = |line: &&Line| line.change != Change::Unreadable;
        self.matches() && self.drift().iter().any(is_known)
    }

    /// What is enrolled and as it was.
    pub fn kept(&self) -> Vec<&Line> {
        self.lines.iter().filter(|line| line.change == Change::Same).collect()
    }

    /// The lightest factor that is still the same and without which the machine matches no longer;
    /// nothing while any single one may change. Of equals it is one of a kind that changed already.
    pub fn breaking(&self) -> Option<&Line> {
        let kept = self.kept();
        let is_hardware = |line: &&&Line| line.class == Class::Hardware;
        let last_hardware = self.hardware && kept.iter().filter(is_hardware).count() == 1;
        let breaks = |line: &&Line| {
            u32::from(line.weight) > self.room() || (last_hardware && line.class == Class::Hardware)
        };
        let drift = self.drift();
        let is_fresh = |line: &Line| drift.iter().all(|other| other.kind != line.kind);
        kept.into_iter().filter(breaks).min_by_key(|line| (line.weight, is_fresh(line)))
    }

    /// Whether it would match if what cannot be read now were the same.
    pub fn is_hidden(&self) -> bool {
        let hidden = || self.lines.iter().filter(|line| line.change == Change::Unreadable);
        let score = hidden().fold(self.score, |sum, line| sum.saturating_add(line.weight.into()));
        let hardware = hidden().any(|line| line.class == Class::Hardware);
        !self.matches() && score >= self.threshold && (!self.hardware_missing || hardware)
    }
}

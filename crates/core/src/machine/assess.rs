//! Whether this is the machine that a license was issued for, factor by factor: the one verdict.
//! Obeys `docs/format.md`, section "Machine policy".

use crate::error::{Error, Refusal, Result};
use crate::machine::compare::{Change, Line, changes};
use crate::machine::{Class, Enrolled, Factor, Policy, Unreadable, commit};

/// What a license was bound to when it was issued.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// The key of its commitments, made for the request that it answers.
    pub commitment_key: &'a [u8; 32],
    /// The factors of that request, as far as they are known: of the others a license tells the
    /// kind alone. They add to the report, never to the verdict.
    pub enrolled: &'a [Factor],
}

/// What a look at a machine shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Here<'a> {
    /// The factors that were found, with what the operator pinned.
    pub factors: &'a [Factor],
    /// What exists and could not be read.
    pub unreadable: &'a [Unreadable],
}

/// A machine policy held against a machine, factor by factor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an assessment refuses nothing by itself"]
pub struct Assessment {
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
    /// Each enrolled factor once, then what is new.
    pub lines: Vec<Line>,
    /// How the request that shows this machine as it is reaches the vendor, where one waits for its
    /// answer.
    pub asked: Option<String>,
}

impl Policy {
    /// Holds it against a machine.
    pub fn assess(&self, bound: Bound<'_>, here: Here<'_>) -> Assessment {
        let lines = self.lines(bound, here);
        let same = || lines.iter().filter(|line| line.change == Change::Same);
        Assessment {
            score: same().fold(0, |sum, line| sum.saturating_add(line.weight.into())),
            threshold: self.threshold,
            total: self.total(),
            hardware: self.hardware,
            hardware_missing: self.hardware && !same().any(|line| line.class == Class::Hardware),
            lines,
            asked: None,
        }
    }

    /// A line for each enrolled factor: first of those that are known, as they were found then.
    fn lines(&self, bound: Bound<'_>, here: Here<'_>) -> Vec<Line> {
        let commitment = |factor: &Factor| commit(bound.commitment_key, factor.kind, &factor.value);
        let enrolled_as = |factor: &Factor| self.enrolled.get(&commitment(factor));
        let (mut lines, mut new, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for line in changes(bound.enrolled, here.factors, here.unreadable) {
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
        let counting = here.factors.iter().filter(|factor| factor.counts());
        let found: Vec<_> = counting.map(|factor| (commitment(factor), factor)).collect();
        let unknown = self.enrolled.iter().filter(|factor| !known.contains(&factor.commitment));
        lines.extend(unknown.map(|enrolled| {
            let same = found.iter().find(|(commitment, _)| *commitment == enrolled.commitment);
            of_unknown(enrolled, same.map(|(_, factor)| *factor), here.unreadable)
        }));
        lines.append(&mut new);
        lines
    }
}

/// Of an enrolled factor whose value is not known, and is `same` where that is found.
fn of_unknown(enrolled: &Enrolled, same: Option<&Factor>, unreadable: &[Unreadable]) -> Line {
    let hidden = unreadable.iter().find(|hidden| hidden.kind == enrolled.kind);
    let (change, reason) = match (same, hidden) {
        (Some(_), _) => (Change::Same, None),
        (None, Some(hidden)) => (Change::Unreadable, Some(hidden.reason)),
        (None, None) => (Change::Missing, None),
    };
    let Enrolled { kind, class, weight, .. } = *enrolled;
    Line { kind, class, change, weight, then: None, now: same.cloned(), reason }
}

impl Assessment {
    /// Whether this is the machine.
    pub fn matches(&self) -> bool {
        self.score >= self.threshold && !self.hardware_missing
    }

    /// The same, as a refusal that says what is missing.
    ///
    /// # Errors
    /// `wrong-machine`.
    pub fn ensure(&self) -> Result<()> {
        if self.matches() {
            return Ok(());
        }
        let changed: Vec<_> = self.drift().into_iter().map(|line| line.kind.word()).collect();
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

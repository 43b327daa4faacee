//! The assessment: whether this is the machine for which a license was issued, factor by factor.
//! Nothing else decides this.
//! Implements `docs/format.md`, section "Matching".

use std::cell::LazyCell;

use crate::error::{Error, Refusal, Result};
use crate::machine::compare::{Change, Line, changes};
use crate::machine::{Class, Commitments, Enrolled, Factor, Policy, Unreadable};

/// The request to which a license is bound.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// Key of the commitments, derived for that request.
    pub commitment_key: &'a [u8; 32],
    /// Factors of that request, as far as they are known. For other enrolled factors, only kind,
    /// class and weight are known. Known values improve the report, but never change the verdict.
    pub enrolled: &'a [Factor],
}

/// What was found on a machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Here<'a> {
    /// Factors found, including those that the operator pinned.
    pub factors: &'a [Factor],
    /// Factors that exist but could not be read.
    pub unreadable: &'a [Unreadable],
}

/// Comparison of a machine with a machine policy, factor by factor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an assessment refuses nothing by itself"]
pub struct Assessment {
    /// Weight of the factors that match.
    pub score: u32,
    /// Weight that must match.
    pub threshold: u32,
    /// Weight of all enrolled factors.
    pub total: u32,
    /// True if a hardware factor must match.
    pub hardware: bool,
    /// True if a hardware factor must match and none does.
    pub hardware_missing: bool,
    /// One line for each enrolled factor, then the new factors.
    pub lines: Vec<Line>,
    /// How to send the request that waits for its answer, if that request describes this machine as
    /// it is now.
    pub asked: Option<String>,
}

impl Policy {
    /// Compares a machine with this policy.
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

    /// Returns a line for each enrolled factor, then the new ones. Enrolled factors whose values
    /// are known come first.
    fn lines(&self, bound: Bound<'_>, here: Here<'_>) -> Vec<Line> {
        let commitments = Commitments::new(bound.commitment_key);
        let commitment = |factor: &Factor| commitments.commit(factor.kind, &factor.value);
        let enrolled_as = |factor: &Factor| self.enrolled.get(&commitment(factor));
        let (mut lines, mut new, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for line in changes(bound.enrolled, here.factors, here.unreadable) {
            match (&line.then, &line.now) {
                // A factor that was found then, but was not enrolled with a weight, is left out.
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
        // Not needed on a server that knows all the values.
        let found = LazyCell::new(|| -> Vec<_> {
            let counting = here.factors.iter().filter(|factor| factor.counts());
            counting.map(|factor| (commitment(factor), factor)).collect()
        });
        let unknown = self.enrolled.iter().filter(|factor| !known.contains(&factor.commitment));
        lines.extend(unknown.map(|enrolled| {
            let same = found.iter().find(|(commitment, _)| *commitment == enrolled.commitment);
            of_unknown(enrolled, same.map(|(_, factor)| *factor), here.unreadable)
        }));
        lines.append(&mut new);
        lines
    }
}

/// Returns the line for an enrolled factor whose value is not known. `same` is the factor found
/// that matches its commitment.
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
    /// True if this is the machine for which the license was issued.
    pub fn matches(&self) -> bool {
        self.score >= self.threshold && !self.hardware_missing
    }

    /// Checks that this is the machine for which the license was issued.
    ///
    /// # Errors
    /// `wrong-machine`, with what is missing.
    pub fn ensure(&self) -> Result<()> {
        if self.matches() {
            return Ok(());
        }
        let changed: Vec<_> = self.drift().into_iter().map(|line| line.kind.word()).collect();
        let needed = self.threshold;
        let why = match (self.score >= needed, self.hardware_missing) {
            (true, _) => format!(" ({needed} are needed), but no hardware factor matches"),
            (false, true) => format!(", but {needed} are needed, and no hardware factor matches"),
            (false, false) => format!(", but {needed} are needed"),
        };
        let fact = format!(
            "this machine matches {} of {} points{why}; changed, missing or unreadable: {}",
            self.score,
            self.total,
            changed.join(", "),
        );
        Err(Error::refuse(Refusal::WrongMachine, fact).rule("policy-6"))
    }

    /// Points that may be lost while the machine still matches.
    pub fn room(&self) -> u32 {
        self.score.saturating_sub(self.threshold)
    }

    /// Returns the enrolled factors that are changed, missing or unreadable.
    pub fn drift(&self) -> Vec<&Line> {
        let drifted = |line: &&Line| !matches!(line.change, Change::Same | Change::New);
        self.lines.iter().filter(drifted).collect()
    }

    /// True if the machine matches, but an enrolled factor is known to be changed or missing.
    pub fn has_drifted(&self) -> bool {
        let is_known = |line: &&Line| line.change != Change::Unreadable;
        self.matches() && self.drift().iter().any(is_known)
    }

    /// Returns the enrolled factors that are the same.
    pub fn kept(&self) -> Vec<&Line> {
        self.lines.iter().filter(|line| line.change == Change::Same).collect()
    }

    /// Returns the lightest unchanged factor without which the machine would no longer match, or
    /// `None` if any single factor may still change. Of equally light ones, prefers a kind of which
    /// a factor has already changed.
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

    /// True if the machine does not match now, but would if every unreadable factor were the same.
    pub fn is_hidden(&self) -> bool {
        let hidden = || self.lines.iter().filter(|line| line.change == Change::Unreadable);
        let score = hidden().fold(self.score, |sum, line| sum.saturating_add(line.weight.into()));
        let hardware = hidden().any(|line| line.class == Class::Hardware);
        !self.matches() && score >= self.threshold && (!self.hardware_missing || hardware)
    }
}

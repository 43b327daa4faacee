//! The headline: the first line that a user sees.

use crate::entitlement::{Operation, Outcome};
use std::fmt;

use crate::error::{Error, NextStep, Remedy};
use crate::judge::{Decision, Grace};
use crate::machine::Assessment;

/// One sentence for a user who logs in, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Headline {
    /// The sentence.
    pub fact: String,
    /// One next step, if somebody should act.
    pub next_step: Option<NextStep>,
}

/// Writes the sentence and the next step.
impl fmt::Display for Headline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.next_step {
            Some(step) => write!(f, "{}; {step}", self.fact),
            None => f.write_str(&self.fact),
        }
    }
}

/// Makes a headline without a next step.
impl From<String> for Headline {
    fn from(fact: String) -> Self {
        Self { fact, next_step: None }
    }
}

impl Decision {
    /// Returns the most urgent of these: a refusal, a running grace period or a warning, the end of
    /// the license, a changed machine, the end of maintenance. `None` if all is well.
    pub fn headline(&self) -> Option<Headline> {
        match (&self.refusal, &self.grace) {
            (Some(refusal), _) => Some(self.refused(refusal)),
            (None, Some(grace)) => Some(self.overlooked(grace).into()),
            (None, None) => {
                let drift = || self.drift().map(|drift| self.drifted(drift));
                self.near_end()
                    .or_else(drift)
                    .or_else(|| self.out_of_maintenance().map(Headline::from))
            }
        }
    }

    /// Headline for a license that expires within 30 days, 7 days or a day, unless another license
    /// takes over by then.
    pub fn near_end(&self) -> Option<Headline> {
        let (last, days) = self.expires_soon()?;
        let left = left(days);
        let next_step = match self.awaits_answer {
            true => {
                NextStep::new("import the answer to your request in time", &[Remedy::ImportLicense])
            }
            false => NextStep::new("ask for a renewal", &[Remedy::Renew]),
        };
        let fact = format!("this license expires on {last}, within {left}");
        Some(Headline { fact, next_step: Some(next_step) })
    }

    fn drifted(&self, drift: &Assessment) -> Headline {
        let fact = "this machine still matches, but has changed".to_string();
        Headline { fact, next_step: drift.next_step() }
    }

    fn out_of_maintenance(&self) -> Option<String> {
        let goes_on = "the installed release continues to run";
        if let Some((last, days)) = self.maintenance_ends_soon() {
            let left = left(days);
            return Some(format!(
                "maintenance ends on {last}, within {left}; {goes_on}, but later releases will be refused"
            ));
        }
        let last = self.maintenance_ended()?;
        Some(format!(
            "maintenance ended on {last}; {goes_on}, but later releases are refused until you buy maintenance"
        ))
    }

    fn refused(&self, refusal: &Error) -> Headline {
        let blocked = self.blocked();
        let words: Vec<_> = blocked.iter().map(Operation::word).collect();
        let fact = match words.as_slice() {
            _ if self.refusal_of(Operation::RUN).is_some() => format!("refused: {refusal}"),
            [] => format!("licensed, with a warning: {}", refusal.fact()),
            blocked => format!("blocked ({}): {refusal}", blocked.join(", ")),
        };
        Headline { fact, next_step: Some(refusal.next_step().clone()) }
    }

    fn overlooked(&self, grace: &Grace) -> String {
        let fact = grace.overlooked.fact();
        let Some(until) = grace.until else { return format!("licensed, with a warning: {fact}") };
        match grace.then {
            Outcome::Stop if grace.counts_down(self.at) => {
                format!("the server stops at {until}, within the hour: {fact}")
            }
            Outcome::Stop => {
                format!("in a grace period until {until}: {fact}; then the server stops")
            }
            Outcome::Block => {
                format!("in a grace period until {until}: {fact}; then operations are blocked")
            }
            Outcome::Warn => {
                format!("in a grace period until {until}: {fact}; then only a warning remains")
            }
        }
    }
}

/// Formats the number of days in a warning: `a day`, `7 days`.
pub(crate) fn left(days: u32) -> String {
    if days == 1 { "a day".to_string() } else { format!("{days} days") }
}

//! What whoever logs in is shown first.

use crate::entitlement::{Operation, Outcome};
use crate::error::Error;
use crate::judge::{Decision, Grace};
use crate::machine::Assessment;

impl Decision {
    /// What whoever logs in is shown first, in one sentence: what is refused, what is overlooked and
    /// until when, that the end is near, that the machine has changed, or that maintenance ends;
    /// nothing where all is well.
    pub fn headline(&self) -> Option<String> {
        match (&self.refusal, &self.grace) {
            (Some(refusal), _) => Some(self.refused(refusal)),
            (None, Some(grace)) => Some(self.overlooked(grace)),
            (None, None) => {
                let drift = || self.drift().map(|drift| self.drifted(drift));
                self.near_end().or_else(drift).or_else(|| self.out_of_maintenance())
            }
        }
    }

    /// That the license expires within 30, 7 or 1 days, where nothing waits to take over.
    pub fn near_end(&self) -> Option<String> {
        let (last, days) = self.expires_soon()?;
        let left = left(days);
        let step = match self.awaits {
            true => "import the answer to your request in time",
            false => "ask for a renewal: olr request --renew",
        };
        Some(format!("this license expires on {last}, within {left}; {step}"))
    }

    fn drifted(&self, drift: &Assessment) -> String {
        format!("this machine still matches, but has changed: {}", drift.next_step())
    }

    fn out_of_maintenance(&self) -> Option<String> {
        let goes_on = "the installed release goes on";
        if let Some((last, days)) = self.maintenance_ends_soon() {
            let left = left(days);
            return Some(format!(
                "maintenance ends on {last}, within {left}; {goes_on}, later ones need more maintenance"
            ));
        }
        let last = self.maintenance_ended()?;
        Some(format!(
            "maintenance ended on {last}; {goes_on}, later ones are refused until you buy maintenance"
        ))
    }

    fn refused(&self, refusal: &Error) -> String {
        let hint = refusal.next_step();
        if self.blocked().contains(Operation::Run) {
            return format!("refused: {refusal}; {hint}");
        }
        let blocked: Vec<_> = self.blocked().iter().map(Operation::word).collect();
        match blocked.as_slice() {
            [] => format!("licensed, with a warning: {}; {hint}", refusal.fact()),
            blocked => format!("blocked ({}): {refusal}; {hint}", blocked.join(", ")),
        }
    }

    fn overlooked(&self, grace: &Grace) -> String {
        let fact = grace.overlooked.fact();
        let Some(until) = grace.until else { return format!("licensed, with a warning: {fact}") };
        match grace.then {
            Outcome::Stop if grace.counts_down(self.at) => {
                format!("it stops at {until}, within the hour: {fact}")
            }
            Outcome::Stop => format!("in grace until {until}: {fact}; then it stops"),
            Outcome::Block => {
                format!("in grace until {until}: {fact}; then operations are blocked")
            }
            Outcome::Warn => {
                format!("in grace until {until}: {fact}; then only this warning stays")
            }
        }
    }
}

/// The days of a warning, in words.
pub(crate) fn left(days: u32) -> String {
    if days == 1 { "a day".to_string() } else { format!("{days} days") }
}

//! What whoever logs in is shown first.

use crate::entitlement::{Operation, Outcome};
use crate::error::Error;
use crate::policy::{Decision, Grace};

impl Decision {
    /// What whoever logs in is shown first, in one sentence: what is refused, what is overlooked and
    /// until when, or that the end is near; nothing where all is well.
    pub fn headline(&self) -> Option<String> {
        match (&self.refusal, &self.grace) {
            (Some(refusal), _) => Some(self.refused(refusal)),
            (None, Some(grace)) => Some(self.overlooked(grace)),
            (None, None) => self.near_end(),
        }
    }

    /// That the license expires within 30, 7 or 1 days, where nothing waits to take over.
    pub fn near_end(&self) -> Option<String> {
        let (last, days) = self.expires_soon()?;
        let left = if days == 1 { "a day".to_string() } else { format!("{days} days") };
        Some(format!(
            "this license expires on {last}, within {left}; ask for a renewal: olr request --renew"
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

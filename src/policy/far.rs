//! What is said while the clock is far ahead of what is remembered.
//! Obeys `docs/format.md`, section "Judgement".

use crate::error::{Error, Refusal};
use crate::policy::Decision;
use crate::time::Instant;

impl Decision {
    /// The decision that people are told of: by what is remembered.
    pub(crate) fn told(&self) -> &Self {
        self.remembered.as_deref().unwrap_or(self)
    }

    /// Says in each refusal that only the clock gives what it hangs on, and what holds without it.
    pub(super) fn say_both(&mut self, clock: Instant, remembered: &Self) {
        let otherwise = match &remembered.refusal {
            None if remembered.grace.is_some() => "it is in grace".to_string(),
            None => "it is licensed".to_string(),
            Some(refusal) => format!("it is refused ({})", word(refusal)),
        };
        let known = |why: &Error| {
            let mut before = remembered.blocked.iter().map(|blocked| &blocked.why);
            before.any(|before| before.refusal() == why.refusal())
        };
        let both = |why: &Error| match why.refusal().filter(|_| !known(why)) {
            None => why.clone(),
            Some(refusal) => {
                let fact = why.fact();
                let fact = format!(
                    "{fact}, if the clock ({clock}) is right; by what is remembered {otherwise}"
                );
                let hint = "set the clock of this machine if it is wrong";
                Error::refuse(refusal, fact)
                    .hint(format!("{hint}; if it is right, {}", why.next_step()))
            }
        };
        for blocked in &mut self.blocked {
            blocked.why = both(&blocked.why);
        }
        self.refusal = self.refusal.as_ref().map(both);
    }
}

fn word(refusal: &Error) -> &'static str {
    refusal.refusal().map_or("unknown", Refusal::word)
}

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
        let both = |why: &Error| {
            if known(why) {
                return why.clone();
            }
            let then =
                format!(", if the clock ({clock}) is right; by what is remembered {otherwise}");
            let wrong = "set the clock of this machine if it is wrong";
            let hint = format!("{wrong}; if it is right, {}", why.next_step());
            why.clone().adding(then).hint(hint)
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

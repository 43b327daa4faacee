//! Decisions while the clock is implausibly far ahead of the high-water mark.
//! Implements `docs/judgement.md`, section "Judgement".

use crate::error::{Error, NextStep, Refusal};
use crate::judge::{Condition, Decision, assess, judge};
use crate::license::License;
use crate::machine::{Assessment, Here};
use crate::state::State;
use crate::time::Instant;

impl Decision {
    /// Decision to show to people: the one made at the high-water mark, if the clock is far ahead
    /// of it.
    pub fn told(&self) -> &Self {
        self.remembered.as_deref().unwrap_or(self)
    }

    /// Extends each refusal that only the clock causes: names the clock, and the result at the
    /// high-water mark.
    pub(super) fn say_both(&mut self, clock: Instant, remembered: &Self) {
        let otherwise = match &remembered.refusal {
            None => match remembered.condition() {
                Condition::Grace | Condition::Countdown => "it is in a grace period".to_string(),
                Condition::Warned => "it is licensed, with a warning".to_string(),
                _ => "it is licensed".to_string(),
            },
            Some(refusal) => format!("it is refused ({})", word(refusal)),
        };
        let known = |why: &Error| {
            let mut before = remembered.reasons.iter().map(|blocked| &blocked.why);
            before.any(|before| before.refusal() == why.refusal())
        };
        let both = |why: &Error| {
            if known(why) {
                return why.clone();
            }
            let then =
                format!(", if the clock ({clock}) is right; by the latest known time {otherwise}");
            let wrong = "set the clock of this machine if it is wrong";
            let step = why.next_step();
            let hint = NextStep::new(format!("{wrong}; if it is right, {step}"), step.remedies());
            why.clone().adding(then).hint(hint)
        };
        for blocked in &mut self.reasons {
            blocked.why = both(&blocked.why);
        }
        self.refusal = self.refusal.as_ref().map(both);
    }
}

fn word(refusal: &Error) -> &'static str {
    refusal.refusal().map_or("unknown", Refusal::word)
}

/// Judges a license that is not installed. Works like [`decide`](crate::judge::decide), but without
/// a slot, so that no grace period applies.
pub fn decide_license(
    clock: Instant,
    here: Here<'_>,
    state: &State,
    license: &License,
) -> Decision {
    let machine = assess(license, state, here);
    let by = |clock: Instant| {
        let judged = judge(license, &machine, state, clock, None);
        Decision {
            quotas: judged.quotas,
            refusal: judged.refusal,
            reasons: judged.reasons,
            license: Some(license.clone()),
            machine: Some(machine.clone()),
            ..Decision::blank(state.judged_at(clock))
        }
    };
    by_both(clock, state, by)
}

/// Decides at the clock and, if that is far ahead, also at the high-water mark. If the machine has
/// changed, the assessment gives the next step of the decision made at the clock.
pub(super) fn by_both(
    clock: Instant,
    state: &State,
    decide: impl Fn(Instant) -> Decision,
) -> Decision {
    let mut decision = decide(clock);
    if state.is_far(clock) {
        let remembered = decide(state.believed(clock));
        decision.say_both(clock, &remembered);
        decision.remembered = Some(Box::new(remembered));
    }
    let step = decision.machine.as_ref().and_then(Assessment::next_step);
    if let Some(step) = step {
        decision.name_step(Refusal::WrongMachine, &step);
    }
    decision
}

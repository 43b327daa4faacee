//! What to do next where a request was made and its answer is awaited: no second one.

use crate::error::{Error, NextStep, Refusal, Remedy};
use crate::judge::Decision;
use crate::license::LicenseBody;
use crate::machine::Factor;
use crate::state::{Sent, State};

/// For a clock that is behind. What was asked for is answered with a license or with a time.
fn time_step(sent: &Sent) -> NextStep {
    let text = format!(
        "compare the clock of this machine with a watch: if it is wrong, set it; if it is right, {}, \
         have it answered with a time, and import that",
        sent.sending()
    );
    NextStep::new(text, &[Remedy::AnswerTime, Remedy::ImportTime])
}

impl Decision {
    /// Names the request that was made, wherever a new one would do no more.
    pub(super) fn refer_to_request(&mut self, state: &State, sent: &Sent) {
        self.awaits_answer = true;
        self.awaits_time = state.takes_time(sent);
        self.name_step(Refusal::Expired, &sent.next_step());
        // One made before the clock was ahead gets a time that takes nothing back.
        if state.may_take_back(sent) {
            self.name_step(Refusal::ClockRolledBack, &time_step(sent));
        }
    }

    /// Names another next step wherever it is refused with this word, or would be.
    pub(super) fn name_step(&mut self, word: Refusal, step: &NextStep) {
        let name = |why: &mut Error| {
            if why.refusal() == Some(word) {
                *why = why.clone().hint(step.clone());
            }
        };
        self.refusal.iter_mut().for_each(name);
        self.reasons.iter_mut().for_each(|blocked| name(&mut blocked.why));
        let graces = self.grace.iter_mut().chain(&mut self.graces).chain(&mut self.ended);
        graces.for_each(|grace| name(&mut grace.overlooked));
    }
}

/// The request that waits for its answer, where it shows this machine as it is now: a new one would
/// say the same.
pub(super) fn asked_for<'a>(
    state: &'a State,
    body: &LicenseBody,
    found: &[Factor],
) -> Option<&'a Sent> {
    let memory = state.memory();
    let is_here = |product: &str, slot: &str| *body.product == *product && *body.slot == *slot;
    let mut slots = memory.slots.iter();
    let slot = slots.find(|slot| is_here(&slot.name.product, &slot.name.slot))?;
    let counting = |factors: &[Factor]| {
        let mut all: Vec<_> = factors.iter().filter(|factor| factor.counts()).cloned().collect();
        all.sort_by(|a, b| (a.kind, &*a.name, &*a.value).cmp(&(b.kind, &*b.name, &*b.value)));
        all
    };
    state.awaited_in(slot).filter(|sent| counting(&sent.found) == counting(found))
}

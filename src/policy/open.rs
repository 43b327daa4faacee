//! What to do next where a request was made and its answer is awaited: no second one.

use crate::error::{Error, Refusal};
use crate::license::LicenseBody;
use crate::machine::Factor;
use crate::policy::Decision;
use crate::state::State;

/// For a clock that is behind. What was asked for is answered with a license or with a time.
const TIME: &str = "compare the clock of this machine with a watch: if it is right, send req.olr to \
    your vendor, who answers it with `olr vendor time-anchor`, and import time.olr; if it is wrong, \
    set it";

impl Decision {
    /// Names the request that was made, wherever a new one would be the next step.
    pub(super) fn refer_to_request(&mut self, step: &'static str) {
        self.awaits = true;
        self.name_step(Refusal::Expired, step);
        self.name_step(Refusal::ClockRolledBack, TIME);
    }

    /// Names another next step wherever it is refused with this word, or would be.
    pub(super) fn name_step(&mut self, word: Refusal, step: &str) {
        let name = |why: &mut Error| {
            if why.refusal() == Some(word) {
                *why = why.clone().hint(step.to_string());
            }
        };
        self.refusal.iter_mut().for_each(name);
        self.blocked.iter_mut().for_each(|blocked| name(&mut blocked.why));
        let graces = self.grace.iter_mut().chain(&mut self.graces).chain(&mut self.ended);
        graces.for_each(|grace| name(&mut grace.overlooked));
    }
}

/// Whether the request that waits for its answer shows this machine as it is now: a new one would say
/// the same.
pub(super) fn is_asked_for(state: &State, body: &LicenseBody, found: &[Factor]) -> bool {
    let memory = state.memory();
    let is_here = |product: &str, slot: &str| *body.product == *product && *body.slot == *slot;
    let mut slots = memory.slots.iter();
    let Some(slot) = slots.find(|slot| is_here(&slot.name.product, &slot.name.slot)) else {
        return false;
    };
    let mut sent = memory.requests.iter().rev();
    let newest = sent.find(|sent| is_here(&sent.product, &sent.slot));
    let counting = |factors: &[Factor]| {
        let mut all: Vec<_> = factors.iter().filter(|factor| factor.counts()).cloned().collect();
        all.sort_by(|a, b| (a.kind, &*a.name, &*a.value).cmp(&(b.kind, &*b.name, &*b.value)));
        all
    };
    state.next_step_in(slot).is_some()
        && newest.is_some_and(|sent| counting(&sent.found) == counting(found))
}

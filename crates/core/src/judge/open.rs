//! Next steps while a request waits for its answer: the user should not make a second request.

use crate::error::{Error, NextStep, Refusal, Remedy};
use crate::judge::Decision;
use crate::license::LicenseBody;
use crate::machine::Factor;
use crate::state::{Sent, State};

/// Next step for a clock that is behind. The vendor may answer with a license or with a time.
fn time_step(sent: &Sent) -> NextStep {
    let text = format!(
        "compare the clock of this machine with a watch: if it is wrong, set it; if it is right, \
         {}, have it answered with a time, and import the answer",
        sent.sending()
    );
    NextStep::new(text, &[Remedy::AnswerTime, Remedy::ImportTime])
}

impl Decision {
    /// Points to the request that was already made, wherever a new request would achieve no more.
    pub(super) fn refer_to_request(&mut self, state: &State, sent: &Sent) {
        self.awaits_answer = true;
        self.awaits_time = state.takes_time(sent);
        self.name_step(Refusal::Expired, &sent.next_step());
        // A time that answers a request made before the clock ran ahead cannot lower the mark.
        if state.may_take_back(sent) {
            self.name_step(Refusal::ClockRolledBack, &time_step(sent));
        }
    }

    /// Sets `step` as the next step of every refusal and grace period whose word is `word`.
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

/// Returns the request that waits for its answer, if it describes this machine as it is now: a new
/// request would contain the same factors.
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

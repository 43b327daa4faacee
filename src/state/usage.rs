//! What a product says it uses. Obeys `docs/format.md`, section "Quotas".

use crate::entitlement::{Count, excess};
use crate::error::{Error, Refusal, Result};
use crate::license::{License, LicenseBody};
use crate::state::{Held, Noted, Slot, SlotName, State, Surroundings};
use crate::time::Instant;
use crate::wire::codec::Set;

impl State {
    /// Takes in what is in use in a slot; modules that are not named keep their count. Returns
    /// whether anything changed.
    ///
    /// # Errors
    /// `not-activated` where there is no such slot; exit 2 when a cap is broken.
    pub fn report(&mut self, name: &SlotName, usage: &[Count], clock: Instant) -> Result<bool> {
        let Some(slot) = self.memory.slots.get(name) else {
            let fact = "no license is installed in this slot";
            return Err(Error::refuse(Refusal::NotActivated, fact).rule("judgement-1"));
        };
        let named = |count: &&Count| usage.iter().any(|new| new.module == count.module);
        let kept = slot.usage.iter().filter(|count| !named(count)).cloned();
        let all: Vec<_> = kept.chain(usage.iter().cloned()).filter(|c| c.count > 0).collect();
        let usage = Set::new(all)?;
        if usage == slot.usage {
            return Ok(false);
        }
        let mut slot = slot.clone();
        if let Some(body) = self.in_force(&slot) {
            // What nobody noted came with a license that took over and grants less.
            let since = slot.over.unwrap_or(Noted { mark: body.starts.begins(), far: None });
            slot.over = excess(&body.grants, &slot.usage).map(|_| since);
        }
        slot.usage = usage;
        self.note_over(&mut slot, clock);
        let others = self.memory.slots.iter().filter(|other| other.name != *name).cloned();
        self.memory.slots = Set::new(others.chain([slot]).collect())?;
        self.count();
        Ok(true)
    }

    /// Counts as if `usage` had been reported: what the product said and could not be stored. `over`
    /// is since when that was more than granted, where it was noted before.
    ///
    /// # Errors
    /// As [`State::report`].
    pub(crate) fn overlay(
        &mut self,
        name: &SlotName,
        usage: &[Count],
        around: &Surroundings,
        over: Option<Noted>,
    ) -> Result<()> {
        let mut observed = self.twin()?;
        observed.observe(around);
        observed.report(name, usage, around.clock)?;
        observed.change_slots(|slot| {
            if slot.name == *name {
                slot.over = slot.over.map(|now| over.unwrap_or(now));
            }
        });
        self.memory.slots = observed.memory.slots;
        Ok(())
    }

    /// Remembers since when more is used in `slot` than granted.
    pub(super) fn note_over(&self, slot: &mut Slot, clock: Instant) {
        let body = self.in_force(slot);
        let is_over = body.is_some_and(|body| excess(&body.grants, &slot.usage).is_some());
        slot.over = is_over.then(|| slot.over.unwrap_or(self.note(clock)));
    }

    /// The license in force by the mark: the next one from its start, else the installed one.
    fn in_force(&self, slot: &Slot) -> Option<LicenseBody> {
        let read = |held: &Held| self.license(&slot.name, held).ok();
        let counts = |next: &License| {
            next.body().starts.begins() <= self.memory.mark && self.revocation(next).is_none()
        };
        let next = slot.next.as_ref().and_then(read).filter(counts);
        let installed = || slot.installed.as_ref().or(slot.next.as_ref()).and_then(read);
        next.or_else(installed).map(|license| license.body().clone())
    }
}

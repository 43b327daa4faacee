//! What a product says it uses. Obeys `docs/format.md`, section "Quotas".

use crate::entitlement::Count;
use crate::error::{Error, Refusal, Result};
use crate::license::{License, LicenseBody};
use crate::state::{Held, Noted, Overuse, Slot, SlotName, State, Surroundings};
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
        let usage = Set::new(all).map_err(|error| error.within("what is in use"))?;
        if usage == slot.usage {
            return Ok(false);
        }
        let mut slot = slot.clone();
        let body = self.note_start(&mut slot);
        slot.usage = usage;
        if let Some(body) = body {
            slot.over.hold(&body, &slot.usage, self.note(clock));
        }
        self.put(slot)?;
        self.count();
        Ok(true)
    }

    /// Counts as if `usage` had been reported: what the product said and could not be stored. `kept`
    /// is what was in use after the last of it, and how that was noted.
    ///
    /// # Errors
    /// As [`State::report`].
    pub fn overlay(
        &mut self,
        name: &SlotName,
        usage: &[Count],
        around: &Surroundings,
        kept: Option<&(Set<Count, 4096>, Overuse)>,
    ) -> Result<()> {
        let mut observed = self.twin();
        observed.observe(around);
        if let Some((usage, over)) = kept {
            observed.change_slots(|slot| {
                if slot.name == *name {
                    (slot.usage, slot.over) = (usage.clone(), over.clone());
                }
            });
        }
        observed.report(name, usage, around.clock)?;
        self.memory.slots = observed.memory.slots;
        Ok(())
    }

    /// Holds what is in use in `slot` against the license in force, where that took over by its start
    /// and nobody has noted it yet. Returns it.
    pub(super) fn note_start(&self, slot: &mut Slot) -> Option<LicenseBody> {
        let body = self.in_force(slot)?;
        let installed =
            slot.installed.as_ref().and_then(|held| self.license(&slot.name, held).ok());
        // The installed one counts again where the mark was set back: not since it started.
        let since = body.starts.begins().max(slot.over.began());
        let at = Noted { mark: since.min(self.memory.mark), far: None };
        let old = installed.as_ref().map(|license| license.body());
        slot.over.take_over(old, &body, &slot.usage, at);
        Some(body)
    }

    /// For how long more was used than granted, where a start that nobody has noted yet is noted.
    pub(crate) fn over_by_now(&self, slot: &Slot) -> Overuse {
        let mut slot = slot.clone();
        self.note_start(&mut slot);
        slot.over
    }

    /// The license in force by the mark: the next one from its start, else the installed one.
    pub(super) fn in_force(&self, slot: &Slot) -> Option<LicenseBody> {
        let read = |held: &Held| self.license(&slot.name, held).ok();
        let counts = |next: &License| {
            next.body().starts.begins() <= self.memory.mark && self.revocation(next).is_none()
        };
        let next = slot.next.as_ref().and_then(read).filter(counts);
        next.or_else(|| slot.held().and_then(read)).map(|license| license.body().clone())
    }
}

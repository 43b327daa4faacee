//! Usage that a product reports. Implements `docs/judgement.md`, section "Usage".

use crate::entitlement::Count;
use crate::error::{Error, Refusal, Result};
use crate::license::{License, LicenseBody};
use crate::state::{Held, Noted, Overuse, Slot, SlotName, State, Surroundings};
use crate::time::Instant;
use crate::wire::codec::Set;

impl State {
    /// Records the use of modules in a slot. Modules that are not named keep their count. Returns
    /// whether anything changed.
    ///
    /// # Errors
    /// `not-activated` if there is no such slot; exit 2 if `usage` names a module twice, or a cap
    /// is exceeded.
    pub fn report(&mut self, name: &SlotName, usage: &[Count], clock: Instant) -> Result<bool> {
        let Some(slot) = self.memory.slots.get(name) else {
            let fact = "no license is installed in this slot";
            return Err(Error::refuse(Refusal::NotActivated, fact).rule("judgement-1"));
        };
        let named = |count: &&Count| usage.iter().any(|new| new.module == count.module);
        let kept = slot.usage.iter().filter(|count| !named(count)).cloned();
        let all: Vec<_> = kept.chain(usage.iter().cloned()).filter(|c| c.count > 0).collect();
        let usage = Set::new(all).map_err(|error| error.within("modules in use"))?;
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

    /// Applies reports that the product made but the home could not store. `kept` is the usage and
    /// the time over the quota after the last of these reports.
    ///
    /// # Errors
    /// Same as [`State::report`].
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

    /// Records in `slot` that the license in effect took over at its start, unless its takeover is
    /// already recorded. Returns that license.
    pub(super) fn note_start(&self, slot: &mut Slot) -> Option<LicenseBody> {
        let body = self.in_force(slot)?;
        let installed =
            slot.installed.as_ref().and_then(|held| self.license(&slot.name, held).ok());
        // If the mark was lowered, the installed license may be in effect again. Its takeover is
        // then recorded at the beginning of the latest excess, not at the start of the license.
        let since = body.starts.begins().max(slot.over.began());
        let at = Noted { mark: since.min(self.memory.mark), far: None };
        let old = installed.as_ref().map(|license| license.body());
        slot.over.take_over(old, &body, &slot.usage, at);
        Some(body)
    }

    /// Returns the time over the quota, including a takeover that has not been recorded yet.
    pub(crate) fn over_by_now(&self, slot: &Slot) -> Overuse {
        let mut slot = slot.clone();
        self.note_start(&mut slot);
        slot.over
    }

    /// Returns the license in effect at the mark: the next one after its start, otherwise the
    /// installed one.
    pub(super) fn in_force(&self, slot: &Slot) -> Option<LicenseBody> {
        let read = |held: &Held| self.license(&slot.name, held).ok();
        let counts = |next: &License| {
            next.body().starts.begins() <= self.memory.mark && self.revocation(next).is_none()
        };
        let next = slot.next.as_ref().and_then(read).filter(counts);
        next.or_else(|| slot.held().and_then(read)).map(|license| license.body().clone())
    }
}

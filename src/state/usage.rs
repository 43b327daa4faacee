//! What a product says it uses. Obeys `docs/format.md`, section "Quotas".

use crate::entitlement::{Count, Grant, excess};
use crate::error::{Error, Refusal, Result};
use crate::license::LicenseBody;
use crate::state::{Slot, SlotName, State};
use crate::time::Instant;
use crate::wire::codec::{BODY_CAP, Set, decode};
use crate::wire::frame::{Frame, Kind};

impl State {
    /// Takes in what is in use in a slot; modules that are not named keep their count. Returns
    /// whether anything changed.
    ///
    /// # Errors
    /// `not-activated` where there is no such slot; exit 2 when a cap is broken.
    pub fn report(&mut self, name: &SlotName, usage: &[Count], clock: Instant) -> Result<bool> {
        let Some(slot) = self.memory.slots.get(name) else {
            let fact = "no license is installed in this slot";
            return Err(Error::refuse(Refusal::NotActivated, fact));
        };
        let named = |count: &&Count| usage.iter().any(|new| new.module == count.module);
        let kept = slot.usage.iter().filter(|count| !named(count)).cloned();
        let all: Vec<_> = kept.chain(usage.iter().cloned()).filter(|c| c.count > 0).collect();
        let usage = Set::new(all)?;
        if usage == slot.usage {
            return Ok(false);
        }
        let mut slot = Slot { usage, ..slot.clone() };
        self.note_over(&mut slot, clock);
        let others = self.memory.slots.iter().filter(|other| other.name != *name).cloned();
        self.memory.slots = Set::new(others.chain([slot]).collect())?;
        self.count();
        Ok(true)
    }

    /// Remembers since when more is used in `slot` than granted.
    pub(super) fn note_over(&self, slot: &mut Slot, clock: Instant) {
        let grants = grants(slot);
        let is_over = grants.is_some_and(|grants| excess(&grants, &slot.usage).is_some());
        slot.over = is_over.then(|| slot.over.unwrap_or(self.judged_at(clock)));
    }
}

/// What is granted in a slot, by the license that is installed or waits.
fn grants(slot: &Slot) -> Option<Set<Grant, 4096>> {
    let held = slot.installed.as_ref().or(slot.next.as_ref())?;
    let frame = Frame::parse(Kind::License, &held.license).ok()?;
    let body: LicenseBody = decode("license body", frame.body, BODY_CAP).ok()?;
    Some(body.grants)
}

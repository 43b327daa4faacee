//! Decisions about installed licenses, and the time that the home remembers with them.

use crate::file;
use crate::home::{Home, Session, Wait};
use olr_core::error::{Error, Refusal, Result};
use olr_core::judge::{ClockMemory, Decision, decide};
use olr_core::state::{Slot, SlotName, State, Surroundings, TimeMemory};

impl Home {
    /// Judges the license in one slot. This changes nothing in the home except what it remembers of
    /// time: the high-water mark, when the machine matched, and which waiting license took over.
    ///
    /// # Errors
    /// `damaged-state`, `not-activated`. Exit 2 if the home cannot be read, if several slots match,
    /// or if the machine has more than 64 factors with weight. A refusal of the license itself is
    /// in the decision.
    pub fn decide(
        &self,
        product: Option<&str>,
        slot: Option<&str>,
        around: &Surroundings,
    ) -> Result<(State, Decision)> {
        let mut session = self.require()?;
        let decision = session.decide(product, slot, around)?;
        Ok((session.into_state(), decision))
    }

    /// Judges all slots.
    ///
    /// # Errors
    /// See [`Home::decide`].
    pub fn decide_all(&self, around: &Surroundings) -> Result<(State, Vec<(SlotName, Decision)>)> {
        let mut session = self.require()?;
        let decisions = session.decide_all(around)?;
        Ok((session.into_state(), decisions))
    }

    /// Like [`Home::decide_all`], but remembers nothing: for callers whose next step may be
    /// refused, and must then leave the home unchanged.
    ///
    /// # Errors
    /// See [`Home::decide`].
    pub fn foresee_all(&self, around: &Surroundings) -> Result<Vec<(SlotName, Decision)>> {
        self.require()?.foresee_all(around)
    }
}

impl Session<'_> {
    /// See [`Home::decide`].
    ///
    /// # Errors
    /// See [`Home::decide`].
    pub fn decide(
        &mut self,
        product: Option<&str>,
        slot: Option<&str>,
        around: &Surroundings,
    ) -> Result<Decision> {
        let name = self.state.slot(product, slot).map(|slot| slot.name.clone());
        let name = name.map_err(|error| error.within(file::name(self.home.folder())))?;
        match self.decide_slots(&[name], around)?.pop() {
            Some((_, decision)) => Ok(decision),
            None => {
                let fact = "no license is installed here";
                Err(Error::refuse(Refusal::NotActivated, fact).rule("judgement-1"))
            }
        }
    }

    /// See [`Home::decide_all`].
    ///
    /// # Errors
    /// See [`Home::decide`].
    pub fn decide_all(&mut self, around: &Surroundings) -> Result<Vec<(SlotName, Decision)>> {
        self.decide_slots(&self.names(), around)
    }

    /// See [`Home::foresee_all`].
    ///
    /// # Errors
    /// See [`Home::decide`].
    pub fn foresee_all(&mut self, around: &Surroundings) -> Result<Vec<(SlotName, Decision)>> {
        self.judge(&self.names(), around)
    }

    fn names(&self) -> Vec<SlotName> {
        self.state.memory().slots.iter().map(|slot| slot.name.clone()).collect()
    }

    fn decide_slots(
        &mut self,
        names: &[SlotName],
        around: &Surroundings,
    ) -> Result<Vec<(SlotName, Decision)>> {
        let before = self.state.time_memory();
        let mut decisions = self.judge(names, around)?;
        let matching = decisions.iter().filter(|(_, decision)| decision.matches());
        let matching: Vec<_> = matching.map(|(name, _)| name.clone()).collect();
        self.state.matches(&matching);
        let memory = self.remember(&before, around, &matching);
        for (_, decision) in &mut decisions {
            decision.set_clock_memory(memory);
        }
        Ok(decisions)
    }

    /// Observes the clock, judges these slots, and refuses any vendor but the expected one.
    fn judge(
        &mut self,
        names: &[SlotName],
        around: &Surroundings,
    ) -> Result<Vec<(SlotName, Decision)>> {
        let found = self.state.found(around)?;
        self.state.observe(around);
        let slots = self.state.memory().slots.iter().filter(|slot| names.contains(&slot.name));
        let one = |slot: &Slot| {
            let mut decision = decide(around.clock, around.here(&found), &self.state, slot);
            self.believe(&mut decision);
            decision
        };
        Ok(slots.map(|slot| (slot.name.clone(), one(slot))).collect())
    }

    /// Stores the time seen since `before`, if it is worth a write. Even if it is not, checks that
    /// the home could be written to: a home that cannot be written to may lack an earlier time, and
    /// a clock that was set back since would go unnoticed. Returns whether the home remembers the
    /// time.
    pub(super) fn remember(
        &mut self,
        before: &TimeMemory,
        around: &Surroundings,
        matching: &[SlotName],
    ) -> ClockMemory {
        let is_news = self.state.is_ahead_of(before);
        let learns = |state: &mut State| {
            let before = state.time_memory();
            state.observe(around);
            state.matches(matching);
            state.is_ahead_of(&before)
        };
        let remembers = match self.claim(Wait::Short) {
            Ok(()) => {
                let is_missing = self.stored.as_mut().map_or(is_news, learns);
                let state = self.stored.as_mut().unwrap_or(&mut self.state);
                if is_missing {
                    state.count();
                    self.save().is_ok()
                } else {
                    is_news || file::could_write(self.home.folder(), state.to_bytes().len())
                }
            }
            // Another process may hold the lock, and may have stored this time already.
            Err(_) if is_news => {
                let newest = self.home.load().ok().flatten();
                newest.is_some_and(|mut newest| !learns(&mut newest))
            }
            Err(_) => false,
        };
        if remembers { ClockMemory::On } else { ClockMemory::Off }
    }

    /// Refuses everything except importing a license if the license is not from the expected
    /// vendor, even if it was already refused in part: an untrusted license must not decide what is
    /// blocked. Drops a license that would take over if it is from another vendor.
    fn believe(&self, decision: &mut Decision) {
        let (expected, state) = (self.expected(), &self.state);
        let checked = match decision.license() {
            Some(license) => expected.check(state, license),
            None => expected.check_home(state),
        };
        if let Err(refusal) = checked {
            decision.refuse(refusal);
        }
        decision.retain_next(|next| expected.check(state, next).is_ok());
    }
}

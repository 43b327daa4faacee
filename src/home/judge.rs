//! Judging what is installed, and remembering what the clock says meanwhile.

use crate::error::{Error, Refusal, Result};
use crate::file::{self, Lock};
use crate::home::{Home, Wait};
use crate::judge::{ClockMemory, Decision, decide};
use crate::license::License;
use crate::state::{Slot, SlotName, State, Surroundings};

impl Home {
    /// Judges what is installed. Changes nothing but what is remembered of time.
    ///
    /// # Errors
    /// `damaged-state`, `not-activated`; exit 2. A refusal of the license stands in the decision.
    pub fn decide(
        &self,
        product: Option<&str>,
        slot: Option<&str>,
        around: &Surroundings,
    ) -> Result<(State, Decision)> {
        self.decide_from(self.require_state()?, product, slot, around)
    }

    /// As [`Home::decide`], from a state that was read before.
    pub(super) fn decide_from(
        &self,
        state: State,
        product: Option<&str>,
        slot: Option<&str>,
        around: &Surroundings,
    ) -> Result<(State, Decision)> {
        let name = state.slot(product, slot).map(|slot| slot.name.clone());
        let name = name.map_err(|error| error.within(file::name(self.folder())))?;
        let (state, mut decisions) = self.decide_slots(state, vec![name], around)?;
        match decisions.pop() {
            Some((_, decision)) => Ok((state, decision)),
            None => {
                let fact = "no license is installed here";
                Err(Error::refuse(Refusal::NotActivated, fact).rule("judgement-1"))
            }
        }
    }

    /// Judges everything that is installed.
    ///
    /// # Errors
    /// As [`Home::decide`].
    pub fn decide_all(&self, around: &Surroundings) -> Result<(State, Vec<(SlotName, Decision)>)> {
        let state = self.require_state()?;
        let names = names(&state);
        self.decide_slots(state, names, around)
    }

    /// As [`Home::decide_all`], but remembers nothing: what follows may be refused, and then stores
    /// nothing.
    ///
    /// # Errors
    /// As [`Home::decide`].
    pub fn foresee_all(&self, around: &Surroundings) -> Result<Vec<(SlotName, Decision)>> {
        let mut state = self.require_state()?;
        let names = names(&state);
        self.judge_slots(&mut state, &names, around)
    }

    fn decide_slots(
        &self,
        mut state: State,
        names: Vec<SlotName>,
        around: &Surroundings,
    ) -> Result<(State, Vec<(SlotName, Decision)>)> {
        let before = state.time_memory();
        let mut decisions = self.judge_slots(&mut state, &names, around)?;
        let matching: Vec<_> = decisions.iter().filter(|(_, d)| d.matches()).collect();
        let matching: Vec<_> = matching.into_iter().map(|(name, _)| name.clone()).collect();
        state.matches(&matching);
        let memory = self.clock_memory(state.is_ahead_of(&before), around, &matching);
        for (_, decision) in &mut decisions {
            decision.clock_memory = memory;
        }
        Ok((state, decisions))
    }

    /// Observes the clock, judges these slots, and believes no other vendor than the expected one.
    fn judge_slots(
        &self,
        state: &mut State,
        names: &[SlotName],
        around: &Surroundings,
    ) -> Result<Vec<(SlotName, Decision)>> {
        let found = state.found(around)?;
        let here = around.here(&found);
        state.observe(around);
        let state = &*state;
        let slots = state.memory().slots.iter().filter(|slot| names.contains(&slot.name));
        let one = |slot: &Slot| {
            let mut decision = decide(around.clock, here, state, slot);
            self.believe(state, &mut decision);
            decision
        };
        Ok(slots.map(|slot| (slot.name.clone(), one(slot))).collect())
    }

    /// Writes down what was seen where that `is_news`. Also where it is not, the home has to be one
    /// that could be written: what was seen before may be missing in it, and the clock set back since.
    pub(super) fn clock_memory(
        &self,
        is_news: bool,
        around: &Surroundings,
        matching: &[SlotName],
    ) -> ClockMemory {
        match self.remembers(is_news, around, matching) {
            true => ClockMemory::On,
            false => ClockMemory::Off,
        }
    }

    fn remembers(&self, is_news: bool, around: &Surroundings, matching: &[SlotName]) -> bool {
        if !self.folder().is_dir() {
            // One that was deleted is not made anew.
            return false;
        }
        let lock = self.lock_soon();
        let Ok(Some(mut state)) = self.load() else { return false };
        let before = state.time_memory();
        state.observe(around);
        state.matches(matching);
        match (lock, state.is_ahead_of(&before)) {
            (Some(_lock), true) => {
                state.count();
                self.save(&state).is_ok()
            }
            (Some(_lock), false) => {
                is_news || file::could_write(self.folder(), state.to_bytes().len())
            }
            // Another process is at work here, and may be the one that wrote it down.
            (None, is_missing) => is_news && !is_missing,
        }
    }

    /// The lock, where no other process keeps it for long.
    pub(super) fn lock_soon(&self) -> Option<Lock> {
        self.lock_for(Wait::Short).ok()
    }

    /// Refuses everything where the license is not of the expected vendor, also where it was refused
    /// in part: an untrusted one does not say what it blocks.
    fn believe(&self, state: &State, decision: &mut Decision) {
        let checked = match &decision.license {
            Some(license) => self.expected.check(state, license),
            None => self.expected.check_home(state),
        };
        if let Err(refusal) = checked {
            decision.refuse(refusal);
        }
        let is_ours = |next: &License| self.expected.check(state, next).is_ok();
        decision.next = decision.next.take().filter(is_ours);
    }
}

fn names(state: &State) -> Vec<SlotName> {
    state.memory().slots.iter().map(|slot| slot.name.clone()).collect()
}

//! Judging what is installed, and remembering what the clock says meanwhile.

use crate::file;
use crate::home::{Home, Session, Wait};
use olr_core::error::{Error, Refusal, Result};
use olr_core::judge::{ClockMemory, Decision, decide};
use olr_core::state::{Slot, SlotName, State, Surroundings, TimeMemory};

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
        let mut session = self.require()?;
        let decision = session.decide(product, slot, around)?;
        Ok((session.into_state(), decision))
    }

    /// Judges everything that is installed.
    ///
    /// # Errors
    /// As [`Home::decide`].
    pub fn decide_all(&self, around: &Surroundings) -> Result<(State, Vec<(SlotName, Decision)>)> {
        let mut session = self.require()?;
        let decisions = session.decide_all(around)?;
        Ok((session.into_state(), decisions))
    }

    /// As [`Home::decide_all`], but remembers nothing: what follows may be refused, and then stores
    /// nothing.
    ///
    /// # Errors
    /// As [`Home::decide`].
    pub fn foresee_all(&self, around: &Surroundings) -> Result<Vec<(SlotName, Decision)>> {
        self.require()?.foresee_all(around)
    }
}

impl Session<'_> {
    /// As [`Home::decide`].
    ///
    /// # Errors
    /// As [`Home::decide`].
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

    /// As [`Home::decide_all`].
    ///
    /// # Errors
    /// As [`Home::decide`].
    pub fn decide_all(&mut self, around: &Surroundings) -> Result<Vec<(SlotName, Decision)>> {
        self.decide_slots(&self.names(), around)
    }

    /// As [`Home::foresee_all`].
    ///
    /// # Errors
    /// As [`Home::decide`].
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

    /// Observes the clock, judges these slots, and believes no other vendor than the expected one.
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

    /// Writes down what was learnt of time since `before`, where it is worth it. Also where it is
    /// not, the home has to be one that could be written: what was seen before may be missing in it,
    /// and the clock set back since.
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
            // Another process is at work here, and may be the one that wrote it down.
            Err(_) if is_news => {
                let newest = self.home.load().ok().flatten();
                newest.is_some_and(|mut newest| !learns(&mut newest))
            }
            Err(_) => false,
        };
        if remembers { ClockMemory::On } else { ClockMemory::Off }
    }

    /// Refuses everything where the license is not of the expected vendor, also where it was refused
    /// in part: an untrusted one does not say what it blocks.
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

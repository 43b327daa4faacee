//! Judging what is installed, and remembering what the clock says meanwhile.

use crate::error::{Error, Refusal, Result};
use crate::file;
use crate::home::Home;
use crate::license::License;
use crate::policy::{ClockMemory, Decision, decide};
use crate::state::{SlotName, State, Surroundings};
use crate::trust::Trust;
use crate::wire::id::KeyId;

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
        self.decide_from(self.expect_state()?, product, slot, around)
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
        let state = self.expect_state()?;
        let names = state.memory().slots.iter().map(|slot| slot.name.clone()).collect();
        self.decide_slots(state, names, around)
    }

    fn decide_slots(
        &self,
        mut state: State,
        names: Vec<SlotName>,
        around: &Surroundings,
    ) -> Result<(State, Vec<(SlotName, Decision)>)> {
        let before = state.time_memory();
        let found = state.found(around)?;
        state.observe(around);
        let judge = |state: &State| -> Vec<(SlotName, Decision)> {
            let slots = state.memory().slots.iter().filter(|slot| names.contains(&slot.name));
            let one = |slot: &crate::state::Slot| decide(around.clock, &found, state, slot);
            slots.map(|slot| (slot.name.clone(), one(slot))).collect()
        };
        let mut decisions = judge(&state);
        let matching: Vec<_> = decisions.iter().filter(|(_, d)| d.matches()).collect();
        let matching: Vec<_> = matching.into_iter().map(|(name, _)| name.clone()).collect();
        state.matches(&matching)?;
        if state.is_ahead_of(&before) && !self.remember_time(around, &matching) {
            state.observe_forgetfully(around.clock);
            decisions = judge(&state);
            for (_, decision) in &mut decisions {
                decision.clock_memory = ClockMemory::Off;
            }
        }
        Ok((state, decisions))
    }

    /// Whether the home remembers what was seen, or another process is about to.
    fn remember_time(&self, around: &Surroundings, matching: &[SlotName]) -> bool {
        if !self.folder().is_dir() {
            // One that was deleted is not made anew.
            return false;
        }
        let lock = match self.try_lock() {
            Ok(Some(lock)) => lock,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let Ok(Some(mut state)) = self.load() else { return false };
        state.observe(around);
        let saved = state.matches(matching).and_then(|()| {
            state.count();
            self.save(&state)
        });
        drop(lock);
        saved.is_ok()
    }

    /// As [`Home::decide`], for a product that compiled `anchor` in: the license must also verify
    /// under what `anchor` leads to. A vendor id alone proves nothing: any trust of version 2 or
    /// later can state it.
    ///
    /// # Errors
    /// As [`Home::decide`].
    pub fn decide_under(
        &self,
        anchor: &Trust,
        product: Option<&str>,
        slot: Option<&str>,
        around: &Surroundings,
    ) -> Result<(State, Decision)> {
        let (state, mut decision) = self.decide(product, slot, around)?;
        believe(anchor, &state, &mut decision);
        Ok((state, decision))
    }
}

/// Refuses everything where the license does not verify under what `anchor` leads to, also where
/// it was refused in part: an untrusted one does not say what it blocks.
pub(super) fn believe(anchor: &Trust, state: &State, decision: &mut Decision) {
    let Some(license) = &decision.license else { return };
    let trust = state.trust_from(anchor);
    // A key that the home knows to be revoked was weighed there, by what its delegation bounds.
    let is_news = |key: &KeyId| state.trust().expect_unrevoked([*key]).is_ok();
    let verified = License::verify_even_revoked(license.bytes(), &trust)
        .and_then(|license| trust.expect_unrevoked(license.signers().filter(is_news)));
    if let Err(refusal) = verified {
        decision.refuse(refusal);
    }
}

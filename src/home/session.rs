//! A state that was read and verified once, and the lock under which it is written.

use crate::file::{self, Lock};
use crate::home::Home;
use crate::home::store::{Copies, Stamp, Wait};
use olr_core::entitlement::Count;
use olr_core::error::{Error, Refusal, Result};
use olr_core::state::Expected;
use olr_core::state::{Overuse, State, Surroundings};
use olr_core::wire::codec::Set;

/// A home at work. Its state is read once: whatever is to be written takes the lock first, and reads
/// again only where another process has written meanwhile.
pub(crate) struct Session<'h> {
    pub(super) home: &'h Home,
    /// The state that is judged, and changed where nothing else is to be stored.
    pub(super) state: State,
    /// The state to be stored, where that is another one: what is judged has more in it, or another
    /// process has written since.
    pub(super) stored: Option<State>,
    /// What told the state from others when it was read or written. None where that is long ago.
    stamp: Option<Stamp>,
    lock: Option<Lock>,
    /// What is wrong with one of its copies, in words.
    fault: Option<String>,
}

impl Home {
    /// Reads the state. None before the first request.
    ///
    /// # Errors
    /// As [`Home::load`].
    pub(crate) fn open(&self) -> Result<Option<Session<'_>>> {
        // What is written between the two is met where the lock is taken.
        let stamp = self.stamp();
        let session = |Copies { state, fault }| Session {
            home: self,
            state,
            stored: None,
            stamp: Some(stamp),
            lock: None,
            fault,
        };
        Ok(self.copies()?.map(session))
    }

    /// Reads the state, where there must be one.
    ///
    /// # Errors
    /// `not-activated` before the first request, and as [`Home::load`].
    pub(crate) fn require(&self) -> Result<Session<'_>> {
        self.open()?.ok_or_else(|| {
            let fact =
                format!("nothing was requested or installed in {}", file::name(&self.folder));
            Error::refuse(Refusal::NotActivated, fact).rule("judgement-1")
        })
    }

    /// Goes on with a state that was read before, where the home cannot be read any more.
    pub(crate) fn resume(&self, state: State) -> Session<'_> {
        Session { home: self, state, stored: None, stamp: None, lock: None, fault: None }
    }
}

impl Session<'_> {
    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state, for whoever goes on without the home.
    pub fn into_state(self) -> State {
        self.state
    }

    /// The state as the home has it, as far as it is known here.
    pub fn stored(&self) -> &State {
        self.stored.as_ref().unwrap_or(&self.state)
    }

    /// What tells the state that is stored from others. None where the home could not be read.
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    pub(super) fn expected(&self) -> &Expected {
        &self.home.expected
    }

    /// Judges from here on as if `usage` had been reported: what the product said and could not be
    /// stored. `kept` is what was in use after the last of it, and how that was noted.
    ///
    /// # Errors
    /// As [`State::overlay`].
    pub fn overlay(
        &mut self,
        (product, slot): (Option<&str>, Option<&str>),
        usage: &[Count],
        around: &Surroundings,
        kept: Option<&(Set<Count, 4096>, Overuse)>,
    ) -> Result<()> {
        let name = self.state.slot(product, slot)?.name.clone();
        let mut judged = self.state.twin();
        judged.overlay(&name, usage, around, kept)?;
        let stored = std::mem::replace(&mut self.state, judged);
        self.stored.get_or_insert(stored);
        Ok(())
    }

    /// Keeps other processes out from here on. What they wrote since the state was read is what is
    /// stored; what is judged stays.
    ///
    /// # Errors
    /// Exit 2 when the home is gone, cannot be written, or another process keeps it for longer than
    /// this waits; as [`Home::load`].
    pub(super) fn claim(&mut self, wait: Wait) -> Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        // One that was deleted is not made anew.
        if !self.home.folder().is_dir() {
            self.home.require_state()?;
        }
        let lock = self.home.lock_for(wait)?;
        let stamp = Some(self.home.stamp());
        if stamp != self.stamp {
            let Session { state, fault, .. } = self.home.require()?;
            (self.stored, self.fault) = (Some(state), fault);
        }
        (self.stamp, self.lock) = (stamp, Some(lock));
        Ok(())
    }

    /// Keeps other processes out, and goes on with the newest state.
    ///
    /// # Errors
    /// As [`Session::claim`].
    pub(super) fn claim_newest(&mut self, wait: Wait) -> Result<()> {
        self.claim(wait)?;
        if let Some(newest) = self.stored.take() {
            self.state = newest;
        }
        Ok(())
    }

    /// Writes what is to be stored, under the lock.
    ///
    /// # Errors
    /// Exit 2.
    pub(super) fn save(&mut self) -> Result<()> {
        let saved = self.home.save(self.stored());
        self.stamp = Some(self.home.stamp());
        saved
    }

    /// Writes `state`, and goes on with it: what cannot be stored changes nothing.
    ///
    /// # Errors
    /// As [`Session::save`].
    pub(super) fn change(&mut self, state: State) -> Result<()> {
        let before = std::mem::replace(&mut self.state, state);
        let saved = self.save();
        if saved.is_err() {
            self.state = before;
        }
        saved
    }

    /// Writes a copy that is damaged, missing or older anew from the other, and says what was wrong.
    /// Where nothing can be written, that is said all the same.
    pub fn mend(&mut self) -> Option<String> {
        file::remove_left(self.home.folder());
        self.fault.as_ref()?;
        let is_claimed = self.claim(Wait::Long).is_ok();
        let fault = self.fault.take()?;
        if !is_claimed {
            return Some(fault);
        }
        let said = match self.save() {
            Ok(()) => format!("{fault}; it was written anew from the other copy"),
            Err(error) => format!("{fault}, and cannot be repaired: {}", error.fact()),
        };
        // Whoever reads on may ask a person first.
        self.lock = None;
        Some(said)
    }
}

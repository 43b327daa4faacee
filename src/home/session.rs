//! A state that was read and verified once, and the lock for writing it.

use crate::file::{self, Lock};
use crate::home::Home;
use crate::home::store::{Copies, Stamp, Wait};
use olr_core::entitlement::Count;
use olr_core::error::{Error, Refusal, Result};
use olr_core::state::Expected;
use olr_core::state::{Overuse, State, Surroundings};
use olr_core::wire::codec::Set;

/// An open home. Its state is read once: a write takes the lock first, and reads the state again
/// only if another process has written it in the meantime.
pub(crate) struct Session<'h> {
    pub(super) home: &'h Home,
    /// The state that decisions use; also the one to be stored if `stored` is `None`.
    pub(super) state: State,
    /// The state to be stored, if it differs: an overlay was judged, or another process has written
    /// to the home since.
    pub(super) stored: Option<State>,
    /// Stamp of the stored state when it was read or written. `None` if the home could not be read.
    stamp: Option<Stamp>,
    lock: Option<Lock>,
    /// What is wrong with one of the state's two copies, in words.
    fault: Option<String>,
}

impl Home {
    /// Reads the state. Returns `None` before the first request.
    ///
    /// # Errors
    /// See [`Home::load`].
    pub(crate) fn open(&self) -> Result<Option<Session<'_>>> {
        // The stamp is taken first: a write between the two steps is noticed when the lock is
        // taken.
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

    /// Reads the state, and fails if there is none.
    ///
    /// # Errors
    /// `not-activated` before the first request; otherwise see [`Home::load`].
    pub(crate) fn require(&self) -> Result<Session<'_>> {
        self.open()?.ok_or_else(|| {
            let fact =
                format!("nothing was requested or installed in {}", file::name(&self.folder));
            Error::refuse(Refusal::NotActivated, fact).rule("judgement-1")
        })
    }

    /// Resumes with a state that was read earlier, when the home can no longer be read.
    pub(crate) fn resume(&self, state: State) -> Session<'_> {
        Session { home: self, state, stored: None, stamp: None, lock: None, fault: None }
    }
}

impl Session<'_> {
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns the state and closes the session.
    pub fn into_state(self) -> State {
        self.state
    }

    /// Returns the state that the home holds, as far as this session knows.
    pub fn stored(&self) -> &State {
        self.stored.as_ref().unwrap_or(&self.state)
    }

    /// Returns the stamp of the stored state, or `None` if the home could not be read.
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    pub(super) fn expected(&self) -> &Expected {
        &self.home.expected
    }

    /// Judges from now on as if `usage` had been reported, for a report that could not be stored.
    /// `kept` holds the counts and overuse after the last such report.
    ///
    /// # Errors
    /// See [`State::overlay`].
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

    /// Takes the lock. If another process wrote to the home since the state was read, its state
    /// becomes the one to be stored; the state that decisions use stays.
    ///
    /// # Errors
    /// `not-activated` if the home is gone. Exit 2 if it cannot be written to, or if another
    /// process holds the lock for longer than `wait`; otherwise see [`Home::load`].
    pub(super) fn claim(&mut self, wait: Wait) -> Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        // A home that was deleted is not created again.
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

    /// Takes the lock and continues with the newest stored state.
    ///
    /// # Errors
    /// See [`Session::claim`].
    pub(super) fn claim_newest(&mut self, wait: Wait) -> Result<()> {
        self.claim(wait)?;
        if let Some(newest) = self.stored.take() {
            self.state = newest;
        }
        Ok(())
    }

    /// Writes the state to be stored. The caller must hold the lock.
    ///
    /// # Errors
    /// Exit 2 if the home cannot be written to.
    pub(super) fn save(&mut self) -> Result<()> {
        let saved = self.home.save(self.stored());
        self.stamp = Some(self.home.stamp());
        saved
    }

    /// Stores `state` and continues with it; if it cannot be stored, the session keeps its old
    /// state.
    ///
    /// # Errors
    /// See [`Session::save`].
    pub(super) fn change(&mut self, state: State) -> Result<()> {
        let before = std::mem::replace(&mut self.state, state);
        let saved = self.save();
        if saved.is_err() {
            self.state = before;
        }
        saved
    }

    /// Removes leftover temporary files. If one copy is damaged, missing or older, rewrites it from
    /// the other one, and returns what was wrong, even if the copy could not be rewritten.
    pub fn mend(&mut self) -> Option<String> {
        file::remove_left(self.home.folder());
        self.fault.as_ref()?;
        let is_claimed = self.claim(Wait::Long).is_ok();
        let fault = self.fault.take()?;
        if !is_claimed {
            return Some(fault);
        }
        let said = match self.save() {
            Ok(()) => format!("{fault}; it was restored from the other copy"),
            Err(error) => format!("{fault}, and cannot be repaired: {}", error.fact()),
        };
        // The caller may wait for a person next, so the lock is released.
        self.lock = None;
        Some(said)
    }
}

//! Import of an answer: a transaction that installs it whole or changes nothing.

use crate::file;
use crate::home::{Home, Session, Wait};
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::import::{Imported, OverQuota};
use olr_core::judge::{Decision, decide_license};
use olr_core::state::Surroundings;
use olr_core::wire::frame::{Header, Kind, wrong_kind};

/// Options of an import.
///
/// ```
/// use olr::{Import, OverQuota};
///
/// // Look first, and install nothing.
/// let look = Import { dry_run: true, ..Import::default() };
/// assert_eq!(look.over_quota, OverQuota::Refused);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Import {
    /// What to do with a license that grants less than is in use.
    pub over_quota: OverQuota,
    /// True to check everything and store nothing.
    pub dry_run: bool,
}

impl Home {
    /// Verifies a binary file in the order that the format prescribes, judges it, and installs it.
    ///
    /// # Errors
    /// Every refusal of an answer, including those for an unexpected vendor. Exit 2 if no request
    /// was ever made in this home, if the home cannot be written to, if another process holds its
    /// lock, if a cap is exceeded, or if revocations were made under a trust that is newer than the
    /// one here; otherwise see [`Home::load`].
    pub fn import(&self, bytes: &[u8], around: &Surroundings, how: Import) -> Result<Imported> {
        self.begun()?.import(bytes, around, how)
    }

    /// Judges a license file as if it were imported now, without installing it; only the clock is
    /// remembered. Unlike an import, this also judges a license that is already installed, and it
    /// refuses one that has not started yet.
    ///
    /// # Errors
    /// See [`Home::import`] for a file that is new here; `wrong-kind` for anything but a license.
    /// Any further refusal is in the decision.
    pub fn decide_file(&self, bytes: &[u8], around: &Surroundings) -> Result<Decision> {
        self.begun()?.decide_file(bytes, around)
    }

    /// Reads the state, and fails if there is none: then this home trusts no vendor yet.
    ///
    /// # Errors
    /// Exit 2 if no request was ever made here; otherwise see [`Home::load`].
    pub(crate) fn begun(&self) -> Result<Session<'_>> {
        self.open()?.ok_or_else(|| {
            let home = file::name(&self.folder);
            let fact =
                format!("{home}: nothing was requested in this home, so it trusts no vendor yet");
            Error::unable(
                Problem::NotFound,
                fact,
                NextStep::new(
                    "make a request first, or name the right home",
                    &[Remedy::MakeRequest, Remedy::NameHome],
                ),
            )
        })
    }
}

impl Session<'_> {
    /// See [`Home::import`]. A refused file leaves this session unchanged.
    ///
    /// # Errors
    /// See [`Home::import`].
    pub fn import(&mut self, bytes: &[u8], around: &Surroundings, how: Import) -> Result<Imported> {
        if !how.dry_run {
            self.claim_newest(Wait::Long)?;
        }
        let mut state = self.state.twin();
        let imported = state.import(bytes, around, how.over_quota)?;
        match &imported {
            Imported::License { license, .. } => self.expected().check(&state, license)?,
            _ => self.expected().check_home(&state)?,
        }
        if !how.dry_run && state.memory().counter != self.state.memory().counter {
            self.change(state)?;
        }
        Ok(imported)
    }

    /// See [`Home::decide_file`].
    ///
    /// # Errors
    /// See [`Home::decide_file`].
    pub fn decide_file(&mut self, bytes: &[u8], around: &Surroundings) -> Result<Decision> {
        let kind = Header::peek(bytes)?;
        if kind != Kind::License {
            return Err(wrong_kind(Kind::License, kind));
        }
        // The clock is observed first, as for an import. The file may then raise the high-water
        // mark too, but only in the twin, so that this is not remembered.
        let before = self.state.time_memory();
        self.state.observe(around);
        let memory = self.remember(&before, around, &[]);
        let mut state = self.state.twin();
        let imported = state.import_license(bytes, around, OverQuota::Refused);
        let license = imported.map_err(|error| state.foreign(error))?.0;
        self.expected().check(&state, &license)?;
        state.observe(around);
        let found = state.found(around)?;
        let mut decision = decide_license(around.clock, around.here(&found), &state, &license);
        decision.set_clock_memory(memory);
        Ok(decision)
    }
}

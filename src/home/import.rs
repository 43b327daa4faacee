//! Importing an answer: one transaction that installs it whole or leaves everything as it was.

use crate::error::{Error, Problem, Result};
use crate::file;
use crate::home::Home;
use crate::import::{Imported, OverQuota};
use crate::judge::{Decision, decide_license};
use crate::state::{State, Surroundings};
use crate::wire::frame::{Header, Kind, wrong_kind};

impl Home {
    /// Verifies a binary file in the order of the refusals, judges it, and installs it; with
    /// `only_try` everything but the last.
    ///
    /// # Errors
    /// Every refusal of a license or trust, those of another vendor than the expected one included;
    /// exit 2 when nothing was ever requested in this home.
    pub fn import(&self, bytes: &[u8], around: &Surroundings, only_try: bool) -> Result<Imported> {
        self.import_with(bytes, around, only_try, OverQuota::Refused)
    }

    /// As [`Home::import`]; a license that grants less than is used may be accepted.
    ///
    /// # Errors
    /// As [`Home::import`].
    pub fn import_with(
        &self,
        bytes: &[u8],
        around: &Surroundings,
        only_try: bool,
        over: OverQuota,
    ) -> Result<Imported> {
        let mut state = self.ensure_begun()?;
        let _lock = if only_try { None } else { Some(self.lock()?) };
        if !only_try {
            state = self.ensure_begun()?;
        }
        let before = state.memory().counter;
        let imported = state.import(bytes, around, over)?;
        match &imported {
            Imported::License { license, .. } => {
                self.expected.check(&state, license)?;
            }
            _ => self.expected.check_home(&state)?,
        }
        if !only_try && state.memory().counter != before {
            self.save(&state)?;
        }
        Ok(imported)
    }
}

impl Home {
    /// Judges a license file as if it were imported now, and installs nothing: only the clock is
    /// remembered. Unlike an import, it is judged also where it is installed already, and has to have
    /// started.
    ///
    /// # Errors
    /// As [`Home::import`], which refuses a file that is new here; `wrong-kind` for anything but a
    /// license. What judgement refuses beyond that stands in the decision.
    pub fn decide_file(&self, bytes: &[u8], around: &Surroundings) -> Result<Decision> {
        let mut state = self.ensure_begun()?;
        let kind = Header::peek(bytes)?;
        if kind != Kind::License {
            return Err(wrong_kind(Kind::License, kind));
        }
        // As an import does, before the file raises the mark; of that nothing is remembered.
        let before = state.time_memory();
        state.observe(around);
        let memory = self.clock_memory(state.is_ahead_of(&before), around, &[]);
        let imported = state.import_license(bytes, around, OverQuota::Refused);
        let license = imported.map_err(|error| state.foreign(error))?.0;
        self.expected.check(&state, &license)?;
        state.observe(around);
        let found = state.found(around)?;
        let here = around.here(&found);
        let mut decision = decide_license(around.clock, here, &state, &license);
        decision.clock_memory = memory;
        Ok(decision)
    }

    /// The state, without which no vendor is trusted.
    fn ensure_begun(&self) -> Result<State> {
        self.load()?.ok_or_else(|| {
            let home = file::name(&self.folder);
            let fact = format!(
                "{home}: nothing was requested in this home, so that it trusts no vendor yet"
            );
            Error::unable(
                Problem::NotFound,
                fact,
                "begin with `olr request`, or name the right --home",
            )
        })
    }
}

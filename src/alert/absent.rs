//! Builds without the feature `smtp` send no mail.

use std::path::Path;

use crate::alert::notice::{Notice, Say};
use crate::alert::settings::Mail;
use olr_core::error::{Error, Problem, Result};
use olr_core::time::Instant;

/// There is none.
pub enum Mailer {}

impl Mailer {
    /// Prepares nothing.
    ///
    /// # Errors
    /// Exit 2, always.
    pub fn new(_: &Mail, _: &Path, _: Instant, _: Say) -> Result<Self> {
        let hint = "build olr with the feature smtp, or name a [command] that sends it";
        Err(Error::unable(Problem::Unsupported, "this build of olr sends no mail", hint))
    }

    /// Sends nothing.
    ///
    /// # Errors
    /// As [`Mailer::new`].
    pub fn send(&mut self, _: &str, _: &Notice) -> Result<()> {
        match *self {}
    }
}

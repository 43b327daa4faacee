//! Replaces the module `mail` in builds without the feature `smtp`.

use std::path::Path;

use crate::alert::notice::{Notice, Say};
use crate::alert::settings::Mail;
use olr_core::error::{Error, Problem, Result};
use olr_core::time::Instant;

/// A mailer that cannot exist, because this build sends no mail.
pub enum Mailer {}

impl Mailer {
    /// Always fails.
    ///
    /// # Errors
    /// Exit 2.
    pub fn new(_: &Mail, _: &Path, _: Instant, _: Say) -> Result<Self> {
        let hint =
            "build olr with the feature smtp, or replace [mail] with a [command] that sends it";
        Err(Error::unable(Problem::Unsupported, "this build of olr sends no mail", hint))
    }

    /// Cannot be called, because no `Mailer` exists.
    ///
    /// # Errors
    /// See [`Mailer::new`].
    pub fn send(&mut self, _: &str, _: &Notice) -> Result<()> {
        match *self {}
    }
}

//! Extensions, which add to a body within version 1. Implements `docs/format.md`, section
//! "Extensions".

use crate::error::{Error, Refusal, Result};
use crate::wire::codec::{Blob, Keyed, Set, record};

record! {
    /// One extension. This version defines none, so every number is unknown to it.
    pub struct Extension {
        /// Number of the extension.
        pub number: u16,
        /// True if a reader that does not know the number must refuse the body.
        pub critical: bool,
        /// Content, in the form that the definition of the extension specifies.
        pub bytes: Blob<4096>,
    }
}

impl Keyed for Extension {
    type Key = u16;
    fn key(&self) -> &u16 {
        &self.number
    }
}

/// The list of extensions at the end of every body, sorted by number without duplicates.
pub type Extensions = Set<Extension>;

/// Refuses a body with an extension that must not be ignored.
///
/// # Errors
/// `unknown-version` if an extension is critical and unknown.
pub fn refuse_critical(what: &str, extensions: &Extensions) -> Result<()> {
    match extensions.iter().find(|extension| extension.critical) {
        None => Ok(()),
        Some(Extension { number, .. }) => Err(Error::refuse(
            Refusal::UnknownVersion,
            format!("{what}: extension {number} is critical and unknown here"),
        )
        .hint("update olr: this file needs a newer version")
        .rule("extension-1")),
    }
}

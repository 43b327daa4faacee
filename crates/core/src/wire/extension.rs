//! Extensions: how a body may grow within version 1. Obeys `docs/format.md`, section "Extensions".

use crate::error::{Error, Refusal, Result};
use crate::wire::codec::{Blob, Keyed, Set, record};

record! {
    /// One extension. This version defines none, so every number is unknown to it.
    pub struct Extension {
        /// Its number.
        pub number: u16,
        /// Whether a reader that does not know the number must refuse the body.
        pub critical: bool,
        /// Its content, in the form its definition gives.
        pub bytes: Blob<4096>,
    }
}

impl Keyed for Extension {
    type Key = u16;
    fn key(&self) -> &u16 {
        &self.number
    }
}

/// The extension list that ends every body: ascending numbers, each once.
pub type Extensions = Set<Extension>;

/// Refuses what must not be ignored.
///
/// # Errors
/// `unknown-version` when an extension is critical and unknown.
pub fn refuse_critical(what: &str, extensions: &Extensions) -> Result<()> {
    match extensions.iter().find(|extension| extension.critical) {
        None => Ok(()),
        Some(Extension { number, .. }) => Err(Error::refuse(
            Refusal::UnknownVersion,
            format!("{what}: extension {number} is critical and unknown here"),
        )
        .hint("this file needs a newer olr")
        .rule("extension-1")),
    }
}

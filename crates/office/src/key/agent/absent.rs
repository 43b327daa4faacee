//! Fallback for systems without Unix sockets, where SSH agents are not supported.

use std::path::Path;

use crate::key::agent::Identity;
use olr_core::crypto::sign::{PublicKey, Signer};
use olr_core::error::{Error, Problem, Result};

/// A key held by an agent. Cannot be constructed on this system.
#[derive(Debug)]
pub enum AgentKey {}

impl AgentKey {
    /// Returns `None`.
    pub fn new(_: &Path, _: &Identity) -> Option<Self> {
        None
    }
}

impl Signer for AgentKey {
    fn public(&self) -> PublicKey {
        match *self {}
    }

    fn sign_unverified(&self, _: &[u8]) -> Result<[u8; 64]> {
        match *self {}
    }
}

/// Fails, because agents are not supported.
///
/// # Errors
/// Exit 2, always.
pub fn identities(_: &Path) -> Result<Vec<Identity>> {
    let hint = "name a key file or a token";
    Err(Error::unable(Problem::Unsupported, "olr can use SSH agents on Unix systems only", hint))
}

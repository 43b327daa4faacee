//! Systems without Unix sockets: no agent is asked.

use std::path::Path;

use crate::key::agent::Identity;
use olr_core::crypto::sign::{PublicKey, Signer};
use olr_core::error::{Error, Problem, Result};

/// A key that an agent holds; here there is none.
#[derive(Debug)]
pub enum AgentKey {}

impl AgentKey {
    /// Nothing.
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

/// No keys.
///
/// # Errors
/// Exit 2, always.
pub fn identities(_: &Path) -> Result<Vec<Identity>> {
    let hint = "name a key file or a token";
    Err(Error::unable(Problem::Unsupported, "SSH agents are asked on Unix systems only", hint))
}

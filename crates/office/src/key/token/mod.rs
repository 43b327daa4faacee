//! Ed25519 keys that stay inside a PKCS#11 token. Loading a token's library runs its code.

pub mod uri;

#[cfg(feature = "pkcs11")]
mod device;
#[cfg(feature = "pkcs11")]
mod failure;
#[cfg(feature = "pkcs11")]
mod object;

#[cfg(not(feature = "pkcs11"))]
mod absent;

#[cfg(not(feature = "pkcs11"))]
pub use absent::{open, public};
#[cfg(feature = "pkcs11")]
pub use device::{open, public};

use crate::key::typed::Passphrase;
use olr_core::error::Result;

/// A token that asks for its PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinWanted {
    /// Label of the token.
    pub token: String,
    /// True if another wrong PIN locks the token.
    pub last_try: bool,
}

/// Callback that asks for the PIN of a token.
pub type AskPin<'a> = &'a mut dyn FnMut(&PinWanted) -> Result<Passphrase>;

//! Ed25519 keys that stay inside a token (PKCS#11). To load a token's library is to run its code.

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

/// A token that wants its PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinWanted {
    /// The token's label.
    pub token: String,
    /// Whether another wrong PIN locks the token.
    pub last_try: bool,
}

/// Asks for the PIN of a token.
pub type AskPin<'a> = &'a mut dyn FnMut(&PinWanted) -> Result<Passphrase>;

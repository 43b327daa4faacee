//! Fallback for builds without the feature `pkcs11`, which never load a third-party library.

use std::path::Path;

use crate::key::token::AskPin;
use crate::key::token::uri::Uri;
use olr_core::crypto::sign::{PublicKey, Signer};
use olr_core::error::{Error, Problem, Result};

/// Fails, because tokens are not supported.
///
/// # Errors
/// Exit 2, always.
pub fn open(_: &Uri, _: Option<&Path>, _: AskPin<'_>) -> Result<Box<dyn Signer>> {
    Err(absent())
}

/// Fails, because tokens are not supported.
///
/// # Errors
/// Exit 2, always.
pub fn public(_: &Uri, _: Option<&Path>, _: AskPin<'_>) -> Result<PublicKey> {
    Err(absent())
}

fn absent() -> Error {
    let hint = "build olr with the feature pkcs11, or name a key file";
    Error::unable(Problem::Unsupported, "this build of olr cannot use PKCS#11 tokens", hint)
}

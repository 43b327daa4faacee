//! The only door to other people's cryptography. Knows no files.
//! Obeys `docs/format.md`, section "Cryptography".

pub mod digest;
pub mod label;
#[cfg(feature = "vendor")]
pub mod passphrase;
#[cfg(feature = "vendor")]
pub mod pkcs8;
pub mod seal;
pub mod secret;
pub mod sign;

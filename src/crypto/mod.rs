//! The only door to other people's cryptography. Knows no files but the libraries of tokens.
//! Obeys `docs/format.md`, section "Cryptography".

#[cfg(feature = "vendor")]
pub mod agent;
pub mod digest;
pub mod label;
#[cfg(feature = "vendor")]
pub mod passphrase;
#[cfg(feature = "vendor")]
pub mod pkcs8;
pub mod seal;
pub mod secret;
pub mod sign;
#[cfg(feature = "vendor")]
pub mod token;

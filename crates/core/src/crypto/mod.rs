//! Wrappers for external cryptography. No other module calls it directly.
//! Obeys `docs/format.md`, section "Cryptography".

pub mod digest;
pub mod label;
pub mod seal;
pub mod secret;
pub mod sign;

//! Wrappers for external cryptography. No other module of this crate calls it directly. Implements
//! `docs/format.md`, section "Cryptography".

pub mod digest;
pub mod label;
pub mod seal;
pub mod secret;
pub mod sign;

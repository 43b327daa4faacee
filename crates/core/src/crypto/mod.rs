//! The only door to other people's cryptography.
//! Obeys `docs/format.md`, section "Cryptography".

pub mod digest;
pub mod label;
pub mod seal;
pub mod secret;
pub mod sign;

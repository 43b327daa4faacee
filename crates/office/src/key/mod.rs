//! The vendor's keys: in files, on paper, in tokens, or in an SSH agent. Implements
//! `docs/format.md`, sections "Keys", "Key file" and "Paper".

pub mod agent;
pub mod file;
pub mod paper;
pub mod passphrase;
pub mod pkcs8;
pub mod public;
pub mod store;
pub mod token;
pub mod typed;

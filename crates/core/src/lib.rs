//! The format of `olr` and its judgement: licenses for machines that never go online.
//!
//! Each artefact has one module with both directions, making it and reading it. There are no
//! files, no clock, no environment and no threads here, and randomness is an argument. What keeps a
//! customer from signing is the vendor's key, not code that is missing.
//!
//! `docs/format.md` says what every byte means; the modules name its sections.

#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation
    )
)]

pub mod armor;
pub mod crypto;
pub mod display;
pub mod entitlement;
pub mod error;
pub mod import;
pub mod judge;
pub mod key;
pub mod license;
pub mod machine;
pub mod proposal;
pub mod receipt;
pub mod report;
pub mod request;
pub mod revocation;
pub mod simulate;
pub mod state;
pub mod time;
pub mod timestamp;
pub mod trust;
pub mod wire;

//! The format of `olr` and its judgement: licenses for machines that never go online.
//!
//! Each artefact has one module with both directions, making it and reading it. There are no
//! files, no clock, no environment and no threads here, and randomness is an argument. What keeps a
//! customer from signing is the vendor's key, not code that is missing.
//!
//! ```
//! use olr_core::license::License;
//! use olr_core::trust::Trust;
//!
//! # fn show(trust: &[u8], license: &[u8]) -> olr_core::error::Result<()> {
//! // Compiled into the product, or pinned at the first request.
//! let trust = Trust::pin(trust)?;
//! // Signed by keys to which the roots of that trust delegated it, and not revoked.
//! let license = License::verify(license, &trust)?;
//! for grant in license.body().grants.iter() {
//!     println!("{}: {}", &*grant.module, grant.quota);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! That a license verifies does not mean that it may be used here and now: [`state::State`] remembers
//! what a server knows, and [`judge::decide`] judges by that. A file that people carry may be armored:
//! [`armor::dearmor`] takes both forms.
//!
//! `docs/format.md` says what every byte means; the modules name its sections. A product embeds the
//! crate `olr` instead of this one: it finds the machine, keeps the state and looks at the clock.

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

//! The `olr` license format and its judgement, for machines that never go online.
//!
//! Each artefact has one module, which both makes it and reads it. This crate uses no files, clock,
//! environment or threads, and takes randomness as an argument. What keeps a customer from signing
//! licenses is that the vendor's key is missing, not that the code is.
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
//! `License::verify` does not follow the trusts attached to the license:
//! [`trust::Trust::followed_by`] does, and returns the trusts in order. A license that verifies is
//! not necessarily usable here and now. [`state::State`] holds what a server remembers, and
//! [`judge::decide`] decides from it. A file that people carry may be armored; [`armor::dearmor`]
//! accepts both the armored and the binary form.
//!
//! `docs/format.md` specifies every byte and `docs/judgement.md` every decision; each module names
//! the section that it implements. A product embeds the crate `olr` instead of this one: `olr`
//! reads the machine and the clock, and stores the state.

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

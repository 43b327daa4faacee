//! Licenses for machines that never go online.
//!
//! A product asks before it starts and before each action. It compiles its vendor's trust in, and
//! needs no feature of this crate:
//!
//! ```no_run
//! use olr::guard::{Guard, GuardConfig};
//! use olr::{Operation, Question};
//!
//! const ANCHOR: &[u8] = include_bytes!("../keys/snakeoil/vendor.trust"); // yours, not this one
//!
//! fn main() -> olr::error::Result<()> {
//!     let guard = Guard::open(GuardConfig::new("/var/lib/olr", ANCHOR, "example"))?;
//!     guard.ask(&Question::about(Operation::Run))?;
//!     // One more user, with one more device of the module OBM:
//!     guard.ask(&Question { adds: &[("OBM", 1)], ..Question::about(Operation::CreateUser) })?;
//!     guard.report(&[("OBM", 12)])?;
//!     Ok(())
//! }
//! ```
//!
//! `docs/embed.md` says how to do that well, `docs/format.md` what every byte means.

#![forbid(unsafe_code)]
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

#[cfg(feature = "alert")]
pub mod alert;
pub mod armor;
#[cfg(feature = "vendor")]
pub mod catalog;
#[cfg(feature = "cli")]
pub mod cli;
pub mod crypto;
pub mod display;
pub mod entitlement;
pub mod error;
pub mod file;
pub mod guard;
pub mod home;
pub mod import;
#[cfg(feature = "vendor")]
pub mod issue;
pub mod judge;
pub mod key;
pub mod license;
pub mod machine;
#[cfg(feature = "vendor")]
pub mod office;
#[cfg(feature = "vendor")]
pub mod proposal;
pub mod receipt;
pub mod request;
pub mod revocation;
pub mod simulate;
pub mod state;
pub mod time;
pub mod timestamp;
#[cfg(any(feature = "alert", feature = "vendor"))]
pub mod toml_text;
pub mod trust;
pub mod wire;

pub use entitlement::Operation;
pub use guard::Guard;
pub use judge::Question;

/// The pages of which every example must compile.
#[cfg(doctest)]
#[doc = include_str!("../docs/embed.md")]
mod pages {}

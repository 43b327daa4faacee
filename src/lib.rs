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
//! const CREATE_USER: Operation = Operation::new("create-user").unwrap(); // as in your catalog
//!
//! fn main() -> olr::error::Result<()> {
//!     let guard = Guard::open(GuardConfig::new("/var/lib/olr", ANCHOR, "example"))?;
//!     guard.ask(&Question::about(Operation::RUN))?;
//!     // One more user, with one more device of the module OBM:
//!     guard.ask(&Question { adds: &[("OBM", 1)], ..Question::about(CREATE_USER) })?;
//!     guard.report(&[("OBM", 12)])?;
//!     Ok(())
//! }
//! ```
//!
//! `docs/embed.md` says how to do that well, `docs/format.md` what every byte means.

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
#[cfg(feature = "cli")]
pub mod cli;
pub mod guard;
pub mod home;
pub mod probe;

pub use olr_core::{
    armor, display, entitlement, error, import, judge, license, proposal, receipt, request,
    revocation, simulate, state, time, timestamp, trust, wire,
};
pub use olr_files as file;
#[cfg(feature = "alert")]
pub use olr_files::toml_text;
#[cfg(feature = "vendor")]
pub use olr_office::{catalog, folder as office, issue};

/// Cryptography of both sides.
pub mod crypto {
    pub use olr_core::crypto::*;
    #[cfg(feature = "vendor")]
    pub use olr_office::key::{agent, passphrase, pkcs8, token};
}

/// Keys of both sides.
pub mod key {
    pub use olr_core::key::*;
    #[cfg(feature = "vendor")]
    pub use olr_office::key::{file, paper, public, store, typed};
}

/// What identifies a machine, and how it is read.
pub mod machine {
    pub use crate::probe;
    pub use olr_core::machine::*;
}

pub use entitlement::Operation;
pub use guard::Guard;
pub use judge::Question;

/// The pages of which every example must compile.
#[cfg(doctest)]
#[doc = include_str!("../docs/embed.md")]
mod pages {}

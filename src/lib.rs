//! Licenses for machines that never go online.
//!
//! A product asks a [`Guard`] before it starts and before each action. It compiles in its vendor's
//! trust and needs no feature of this crate:
//!
//! ```no_run
//! use olr::{Guard, GuardConfig, Operation, Question};
//!
//! const ANCHOR: &[u8] = include_bytes!("../keys/snakeoil/vendor.trust"); // yours, not this one
//!
//! const CREATE_USER: Operation = Operation::new("create-user").unwrap(); // as in your catalog
//!
//! fn main() -> olr::Result<()> {
//!     let guard = Guard::open(GuardConfig::new("/var/lib/olr", ANCHOR, "example"))?;
//!     guard.ask(&Question::about(Operation::RUN))?;
//!     // One more user, with one more device of the module OBM:
//!     guard.ask(&Question { adds: &[("OBM", 1)], ..Question::about(CREATE_USER) })?;
//!     guard.report(&[("OBM", 12)])?;
//!     Ok(())
//! }
//! ```
//!
//! `docs/embed.md` explains how to embed a guard well; `docs/format.md` defines every byte, and
//! `docs/judgement.md` how a server decides.

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
mod guard;
mod home;
mod probe;

use olr_files as file;

pub use guard::{Guard, GuardConfig};
pub use home::{Home, Import, RequestParams, Requested};
pub use probe::probe;

// Types that the items above take and return.
#[doc(inline)]
pub use olr_core::{
    display::shown,
    entitlement::{Cause, Count, Operation, Outcome, Quota},
    error::{Error, NextStep, Problem, Refusal, Remedy, Result},
    import::{Imported, OverQuota},
    judge::{Answer, Condition, Decision, Grace, Question},
    license::License,
    machine::Machine,
    state::{Event, SlotName, Surroundings},
    time::{Day, Instant},
    trust::Trust,
    wire::id::EventId,
};

/// Pages whose examples must compile.
#[cfg(doctest)]
#[doc = include_str!("../docs/embed.md")]
mod pages {}

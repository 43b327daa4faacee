//! What tests of a home, a guard and the command share, beside the test kit.
//!
//! Each test program uses a part of it.
#![allow(dead_code, unused_imports)]

pub use olr_testkit::*;

#[cfg(feature = "smtp")]
pub mod alerts;
pub mod alone;
pub mod ask;
#[cfg(feature = "cli")]
pub mod called;
#[cfg(all(feature = "cli", unix))]
pub mod office;
pub mod sources;

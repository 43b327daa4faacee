//! Helpers beside the test kit, shared by the tests of the home, the guard and the command.
//!
//! Each test program uses only some of them.
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
#[cfg(feature = "vendor")]
pub mod question;
pub mod sources;
pub mod specification;

//! The documentation is true: these tests compare its pages with the code.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

mod controls;
mod domain;
#[cfg(feature = "vendor")]
mod layering;
mod public;
mod readme;
#[cfg(feature = "vendor")]
mod references;
mod refusals;
#[cfg(feature = "cli")]
mod surface;
#[cfg(feature = "vendor")]
mod threats;
#[cfg(feature = "vendor")]
mod voice;

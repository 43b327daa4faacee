//! What the pages say is so.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

mod domain;
mod layering;
mod readme;
mod refusals;
mod threats;

//! Decisions: clocks, machines, quotas, limits, and simulations of the future.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

mod anchor;
mod clock;
mod copies;
mod limits;
mod matching;
mod simulate;
mod vendor_forks;

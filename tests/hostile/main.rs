//! Hostile input is refused: how much of it was tried, as numbers.
//!
//! Every test counts its cases, prints the count and fails when there are fewer than it states.
//! A plain run takes a sample; `bash .ci/long hostile` tries everything.
#![cfg(feature = "vendor")]

mod armored;
mod binary;
mod bodies;
mod flood;
mod kinds;
mod layout;
mod machines;
mod mutants;

/// Whether everything is to be tried.
fn long() -> bool {
    std::env::var_os("OLR_LONG").is_some()
}

#[path = "../world/mod.rs"]
mod world;

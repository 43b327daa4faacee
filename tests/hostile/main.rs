//! Hostile input is refused. The tests report how many cases they tried.
//!
//! Every test counts its cases, prints the count, and fails if there are fewer than it states. A
//! normal run tries a sample; the long form, `bash .ci/long hostile`, tries all of them.
#![cfg(feature = "vendor")]

mod armored;
mod binary;
mod bodies;
mod flood;
mod kinds;
mod layout;
mod machines;
mod mutants;

/// Whether to try all cases: the long form.
fn long() -> bool {
    std::env::var_os("OLR_LONG").is_some()
}

#[path = "../world/mod.rs"]
mod world;

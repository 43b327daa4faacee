//! Hostile input is refused: how much of it was tried, as numbers.
//!
//! Every test counts its cases, prints the count and fails when there are fewer than it states.
//! A plain run takes a sample; `bash .ci/long hostile` tries everything.
#![cfg(feature = "vendor")]

mod armored;
mod binary;
mod bodies;
mod files;
mod flood;
mod forge;
mod kinds;
mod layout;
mod machines;
mod mutants;
mod readers;

#[path = "../fixtures/machine.rs"]
#[allow(dead_code)]
mod machine;
#[path = "../fixtures/raw.rs"]
#[allow(dead_code)]
mod raw;
#[path = "../fixtures/scenario.rs"]
#[allow(dead_code)]
mod scenario;
#[path = "../fixtures/world.rs"]
#[allow(dead_code)]
mod world;

/// Whether everything is to be tried.
fn long() -> bool {
    std::env::var_os("OLR_LONG").is_some()
}

/// The world that the fixtures were minted in.
static WORLD: std::sync::LazyLock<world::World> = std::sync::LazyLock::new(world::World::new);

//! The command line: what it answers, asks and refuses.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

mod answers;
mod display;
mod kills;
mod matching;
mod printed;
mod problems;
mod refused;
mod snapshots;
mod terminal;
mod words;

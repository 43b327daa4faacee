//! The command line: its answers, questions and refusals.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

mod answers;
mod display;
mod kills;
mod ledger;
mod matching;
mod printed;
mod problems;
mod refused;
mod snapshots;
mod terminal;
mod words;

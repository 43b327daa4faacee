//! File formats: the fixtures, the rules that they break, and the behavior of every reader on
//! arbitrary bytes.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

mod corpus;
mod fixtures;
mod page;
mod reports;
mod rules;

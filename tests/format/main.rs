//! Files: what the fixtures are, which rules they break, what every reader makes of any bytes.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

mod corpus;
mod fixtures;
mod page;
mod reports;
mod rules;

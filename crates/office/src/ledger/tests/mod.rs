//! Tests of the ledger, on each engine.

mod acts;
mod engines;
mod maintenance;
mod model;
mod orders;
mod pools;
#[cfg(feature = "postgres")]
mod postgres;
mod property;
mod queries;
mod race;
mod schema;
mod steps;
mod world;

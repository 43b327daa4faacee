//! Tests of the ledger, on each engine.

mod acts;
mod engines;
mod orders;
mod pools;
mod property;
mod race;
mod schema;
mod world;

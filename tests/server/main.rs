//! A server over the years: alerts, damage, special files, wrong clocks, real machines.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

mod alerts;
mod alerts_absent;
mod expected;
mod faketime;
mod features;
mod left;
mod machine_real;
mod revocations;
mod special;

//! The guard that a product embeds: exact to the second, whatever happens to clock, home and
//! machine.
#![cfg(feature = "vendor")]

mod asking;
#[cfg(feature = "cli")]
mod command_line;

mod events;
mod example;
mod here;
mod home;
mod quotas;
mod server;

mod threads;
mod time;
mod warnings;

#[path = "../world/mod.rs"]
mod world;

//! What a product embeds: right to the second, whatever becomes of clock, home and machine.
#![cfg(feature = "vendor")]

#[path = "../fixtures/machine.rs"]
#[allow(dead_code)]
mod machine;
#[path = "../fixtures/raw.rs"]
#[allow(dead_code)]
mod raw;
#[path = "../fixtures/world.rs"]
#[allow(dead_code)]
mod world;

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

//! What couriers do to the text of an artefact is undone or refused.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

mod armor;
mod carried;

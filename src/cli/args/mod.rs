//! Groups of arguments shared by several verbs, and how arguments are parsed.

pub mod expected;
pub mod home;
#[cfg(feature = "vendor")]
pub mod staff;
pub mod typed;
#[cfg(feature = "vendor")]
pub mod vendor;

//! Groups of arguments that several verbs share, and how arguments are read.

pub mod expected;
pub mod home;
#[cfg(feature = "vendor")]
pub mod staff;
pub mod typed;
#[cfg(feature = "vendor")]
pub mod vendor;

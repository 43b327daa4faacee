//! Groups of arguments shared by several verbs, and how arguments are parsed.

// Types that derive `clap::Args` have ordinary comments, here and in every verb: clap would show a
// doc comment as the description of the verb.

pub mod expected;
pub mod home;
#[cfg(feature = "vendor")]
pub mod staff;
pub mod typed;
#[cfg(feature = "vendor")]
pub mod vendor;

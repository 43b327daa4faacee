//! Licences for machines that never go online.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation
    )
)]

#[cfg(feature = "alert")]
pub mod alert;
pub mod anchor;
#[cfg(feature = "vendor")]
pub mod catalog;
pub mod crypto;
pub mod display;
pub mod entitlement;
pub mod error;
pub mod file;
pub mod guard;
pub mod home;
#[cfg(feature = "vendor")]
pub mod issue;
pub mod key;
pub mod license;
pub mod machine;
#[cfg(feature = "vendor")]
pub mod partial;
pub mod policy;
pub mod receipt;
pub mod request;
pub mod revocation;
pub mod state;
pub mod time;
#[cfg(any(feature = "alert", feature = "vendor"))]
pub mod toml_text;
pub mod trust;
#[cfg(feature = "vendor")]
pub mod vendor;
pub mod wire;

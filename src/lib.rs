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

pub mod crypto;
pub mod display;
pub mod entitlement;
pub mod error;
pub mod home;
pub mod key;
pub mod license;
pub mod machine;
pub mod request;
pub mod file;
pub mod state;
pub mod policy;
pub mod time;
pub mod trust;
pub mod wire;

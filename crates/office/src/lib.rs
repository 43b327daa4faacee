//! The vendor's side of `olr`: catalogs, grants, keys, and the folder that remembers what was
//! issued.
//!
//! A product links none of this.

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

use olr_files as file;

pub mod catalog;
pub mod folder;
pub mod issue;
pub mod key;

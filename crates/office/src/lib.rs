//! The vendor's side of `olr`: catalogs, grants, keys, and the folder that records every issued
//! license.
//!
//! ```no_run
//! use olr_core::time::Instant;
//! use olr_office::folder::{Folder, Issue};
//! use olr_office::issue::GrantFile;
//! # fn answer(
//! #     ask: olr_office::folder::AskPassphrase<'_>,
//! #     rng: &mut impl rand::CryptoRng,
//! #     now: Instant,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let folder = Folder::at("/srv/vendor");
//! let trust = folder.trust()?;
//! let request = std::fs::read("req.bin")?;
//! let opened = folder.open_request(&request, None, &trust, ask)?;
//! let grant = GrantFile::parse(&std::fs::read_to_string("grant.toml")?)?;
//! let issued = folder.issue(&opened, &Issue::new(&request, &grant, now), &trust, ask, rng)?;
//! if let Some(license) = issued.outcome.license() {
//!     std::fs::write("license.bin", license.bytes())?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Issuing twice for the same request and grant returns the stored bytes. Every license is recorded
//! in the folder before it is handed out. Products do not link this crate.

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

pub mod audit;
pub mod catalog;
pub mod folder;
pub mod issue;
pub mod key;
pub mod ledger;

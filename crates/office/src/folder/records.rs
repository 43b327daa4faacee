//! The ledger of a vendor folder: `ledger.db`.

use crate::file::{self, Writing};
use crate::folder::Folder;
use crate::ledger::Ledger;
use crate::ledger::db::Sqlite;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};

/// Name of the database in a vendor folder.
const NAME: &str = "ledger.db";

impl Folder {
    /// Opens the ledger. While it is open, other processes wait for it.
    ///
    /// # Errors
    /// Exit 2 when the folder has no ledger, when another process keeps it, or when it cannot be
    /// opened.
    pub fn ledger(&self) -> Result<Ledger> {
        let path = self.path().join(NAME);
        if file::is_there(&path)? {
            return Ledger::open(Sqlite::open(&path)?);
        }
        // A `vendor.trust` alone proves nothing: customers have that file too.
        let fact = format!("{} is not a vendor folder: it has no {NAME}", file::name(self.path()));
        let hint = NextStep::new(
            "name the complete folder of the vendor, or restore it from a backup",
            &[Remedy::NameVendor],
        );
        Err(Error::unable(Problem::NotFound, fact, hint))
    }

    /// Creates an empty ledger. Changes nothing if the folder has one.
    ///
    /// # Errors
    /// Exit 2 when it cannot be created.
    pub fn create_ledger(&self) -> Result<()> {
        let path = self.path().join(NAME);
        if !file::is_there(&path)? {
            // It will contain license keys.
            file::write(&path, b"", Writing::NewSecret)?;
        }
        Ledger::open(Sqlite::open(&path)?).map(drop)
    }
}

//! The ledger of a vendor folder: `ledger.db`.

use std::collections::BTreeMap;

use crate::file::{self, Writing};
use crate::folder::Folder;
use crate::issue::GrantFile;
use crate::ledger::db::Sqlite;
use crate::ledger::{KeyGrant, Ledger};
use olr_core::display::shown;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_core::request::RequestBody;
use olr_core::time::Instant;
use olr_core::wire::codec::Limit;

/// Name of the database in a vendor folder.
pub(super) const NAME: &str = "ledger.db";

impl Folder {
    /// Opens the ledger. While it is open, other processes wait for it.
    ///
    /// # Errors
    /// Exit 2 when the folder has no ledger, when another process uses it, or when it cannot be
    /// opened.
    pub fn ledger(&self) -> Result<Ledger> {
        self.ensure_ledger()?;
        Ledger::open(Sqlite::open(&self.path().join(NAME))?)
    }

    /// Checks that the folder has a ledger.
    pub(super) fn ensure_ledger(&self) -> Result<()> {
        if file::is_there(&self.path().join(NAME))? {
            return Ok(());
        }
        // A `vendor.trust` alone proves nothing: customers have that file too.
        let fact = format!("{} is not a vendor folder: it has no {NAME}", file::name(self.path()));
        let hint = NextStep::new(
            "name the complete folder of the vendor, or restore it from a backup",
            &[Remedy::NameVendor],
        );
        Err(Error::unable(Problem::NotFound, fact, hint))
    }

    /// Returns what the ledger says that the key of a request grants.
    ///
    /// # Errors
    /// `wrong-licensee` when the ledger does not know the key; exit 2 when it cannot be read.
    pub fn granted(&self, asked: &RequestBody, now: Instant) -> Result<GrantFile> {
        let key = &*asked.license_key.0;
        let found = self.ledger()?.grant_of(key, &asked.install_key, now.day())?;
        let KeyGrant { licensee, product, slot, license_type, maintenance, modules, unlimited } =
            found.ok_or_else(|| {
                let fact = "the ledger does not know the license key of this request";
                let hint = "compare the key with the sales receipt; if it is right, name a grant";
                Error::refuse(Refusal::WrongLicensee, fact).hint(hint)
            })?;
        if modules.is_empty() && unlimited.is_empty() {
            let fact = "the license key of this request has no CALs";
            let hint = "buy CALs for this key, or withdraw some from stock";
            return Err(Error::unable(Problem::Usage, fact, hint));
        }
        let catalog = self.catalog()?;
        let mut granted = BTreeMap::new();
        for ((module, unit), count) in modules {
            // The draft refuses a module that the catalog does not have.
            if let Some(now) = catalog.modules.get(&module).filter(|now| *now.unit != *unit) {
                let fact = format!(
                    "{}: the key has {count}, counted by {}, but the catalog counts by {}",
                    shown(&module),
                    shown(&unit),
                    shown(&now.unit)
                );
                let hint = "correct the unit in the catalog, or name a grant";
                return Err(Error::unable(Problem::Usage, fact, hint));
            }
            granted.insert(module, Limit::Only(count));
        }
        granted.extend(unlimited.into_iter().map(|module| (module, Limit::Any)));
        let terms = [product.as_str(), license_type.as_str(), slot.as_str()];
        let mut grant = GrantFile::least(terms, granted);
        (grant.licensee, grant.key) = (licensee, key.to_string());
        grant.maintenance = Some(maintenance);
        Ok(grant)
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

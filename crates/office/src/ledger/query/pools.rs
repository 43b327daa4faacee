//! The pools of a partner, as people ask about them.

use crate::ledger::Ledger;
use crate::ledger::db::values;
use crate::ledger::input::Cals;
use crate::ledger::maintenance::Maintenance;
use crate::ledger::pool;
use crate::ledger::query::lots::cals_of;
use crate::ledger::report::KeyCals;
use olr_core::entitlement::Edition;
use olr_core::error::Result;

/// What a partner has pooled in one edition: its sum, and its pools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSum {
    /// Edition.
    pub edition: String,
    /// What no pool has.
    pub free: Vec<Cals>,
    /// Maintenance of all pool keys of this edition: a day, or a word; `None` if nothing was pooled.
    pub maintenance: Option<String>,
    /// Its pools, by name.
    pub pools: Vec<PoolReport>,
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolReport {
    /// Name.
    pub name: String,
    /// What no key has.
    pub free: Vec<Cals>,
    /// Its keys, oldest first, without those that were deleted.
    pub keys: Vec<PoolKeyReport>,
}

/// A pool key.
#[derive(Clone, PartialEq, Eq)]
pub struct PoolKeyReport {
    /// The key.
    pub key: String,
    /// Name of the licensee.
    pub licensee: String,
    /// `new`, `active` or `deactivated`.
    pub state: String,
    /// Its CALs.
    pub cals: Vec<KeyCals>,
}

/// Leaves out the key, which must not reach logs.
impl std::fmt::Debug for PoolKeyReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolKeyReport").field("licensee", &self.licensee).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Describes what a party has pooled, by edition.
    ///
    /// # Errors
    /// Exit 2 when the database fails.
    pub fn pools(&mut self, party: &str) -> Result<Vec<PoolSum>> {
        let mut sums = Vec::new();
        for edition in [Edition::Oem, Edition::Standard] {
            let free = self.sum(party, edition)?;
            let pools = self.pools_of(party, edition)?;
            let maintenance = pool::maintenance(&mut *self.db, party, edition)?;
            if !free.is_empty() || !pools.is_empty() || maintenance.is_some() {
                let maintenance = maintenance.map(Maintenance::text);
                let edition = edition.word().to_string();
                sums.push(PoolSum { edition, free, maintenance, pools });
            }
        }
        Ok(sums)
    }

    fn sum(&mut self, party: &str, edition: Edition) -> Result<Vec<Cals>> {
        let find = "SELECT module, unit, balance FROM holding JOIN party ON party.id = owner \
                    WHERE holding.kind = 'sum' AND party.name = $1 AND edition = $2 \
                    AND balance > 0 ORDER BY module, unit";
        let rows = self.db.rows(find, values![party, edition.word()])?;
        let one = |row: &crate::ledger::db::SqlRow| {
            Ok(Cals::new(row.text(0)?, row.text(1)?, row.integer(2)?.cast_unsigned()))
        };
        rows.iter().map(one).collect()
    }

    fn pools_of(&mut self, party: &str, edition: Edition) -> Result<Vec<PoolReport>> {
        let find = "SELECT pool.id, pool.name FROM pool JOIN party ON party.id = pool.party \
                    WHERE party.name = $1 AND edition = $2 ORDER BY pool.name";
        let keys = "SELECT id, key, licensee, state FROM license_key \
                    WHERE pool = $1 AND state <> 'deleted' ORDER BY id";
        let mut pools = Vec::new();
        for row in self.db.rows(find, values![party, edition.word()])? {
            let id = row.integer(0)?;
            let free = cals_of(&mut *self.db, "pool", id)?;
            let mut found = Vec::new();
            for key in self.db.rows(keys, values![id])? {
                found.push(PoolKeyReport {
                    key: key.text(1)?.to_string(),
                    licensee: key.text(2)?.to_string(),
                    state: key.text(3)?.to_string(),
                    cals: self.key_cals(key.integer(0)?)?,
                });
            }
            pools.push(PoolReport { name: row.text(1)?.to_string(), free, keys: found });
        }
        Ok(pools)
    }
}

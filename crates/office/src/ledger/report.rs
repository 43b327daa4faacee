//! What the ledger says about a key, for people.

use std::collections::BTreeMap;

use crate::catalog::End;
use crate::ledger::Ledger;
use crate::ledger::db::{DbResult, SqlRow, one_row, values};
use crate::ledger::maintenance::{Maintenance, damaged};
use crate::ledger::pool;
use olr_core::error::Result;
use olr_core::key::{Role, key_id};
use olr_core::time::Day;

/// A license key, with its CALs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReport {
    /// Name of the party that it belongs to.
    pub party: String,
    /// Name of the licensee.
    pub licensee: String,
    /// Id of the product.
    pub product: String,
    /// Slot.
    pub slot: String,
    /// License type.
    pub license_type: String,
    /// `new`, `active`, `deactivated`, `pooled` or `deleted`.
    pub state: String,
    /// Name of its pool, if it is a pool key.
    pub pool: Option<String>,
    /// Maintenance: a day, or a word.
    pub maintenance: String,
    /// Install id of the installation that runs on it.
    pub holder: Option<String>,
    /// Its CALs, by module.
    pub cals: Vec<KeyCals>,
}

/// CALs of one module of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCals {
    /// Id of the module.
    pub module: String,
    /// What one CAL counts.
    pub unit: String,
    /// On no license.
    pub free: u64,
    /// On its newest license.
    pub out: u64,
    /// In escrow: an installation may still use them, by an older license.
    pub escrow: u64,
}

impl Ledger {
    /// Describes a license key; `None` if the ledger does not know it.
    ///
    /// # Errors
    /// Exit 2 when the database fails.
    pub fn license_key(&mut self, key: &str) -> Result<Option<KeyReport>> {
        let find = "SELECT license_key.id, party.name, licensee, product, slot, license_type, \
                    state, pool.name, maintenance, maintenance_until, holder FROM license_key \
                    JOIN party ON party.id = license_key.party \
                    LEFT JOIN pool ON pool.id = license_key.pool WHERE key = $1";
        let Some(row) = one_row(self.db.rows(find, values![key])?) else { return Ok(None) };
        let text = |column| row.text(column).map(str::to_string);
        let holder = row.maybe_blob(10)?.map(<[u8; 32]>::try_from).transpose();
        let holder = holder.map_err(|_| damaged())?;
        Ok(Some(KeyReport {
            party: text(1)?,
            licensee: text(2)?,
            product: text(3)?,
            slot: text(4)?,
            license_type: text(5)?,
            state: text(6)?,
            pool: row.maybe_text(7)?.map(str::to_string),
            maintenance: Maintenance::read(row.text(8)?, row.maybe_integer(9)?)?.text(),
            holder: holder.map(|key| key_id(Role::Install, &key).to_string()),
            cals: self.key_cals(row.integer(0)?)?,
        }))
    }

    pub(super) fn key_cals(&mut self, key: i64) -> DbResult<Vec<KeyCals>> {
        let find = "SELECT module, unit, \
                    CAST(sum(CASE WHEN kind = 'key' THEN balance ELSE 0 END) AS BIGINT), \
                    CAST(sum(CASE WHEN kind = 'out' THEN balance ELSE 0 END) AS BIGINT), \
                    CAST(sum(CASE WHEN kind = 'escrow' THEN balance ELSE 0 END) AS BIGINT) \
                    FROM holding WHERE balance > 0 AND ((kind IN ('key', 'out') AND owner = $1) \
                    OR (kind = 'escrow' AND owner IN \
                    (SELECT id FROM escrow WHERE license_key = $1))) \
                    GROUP BY module, unit ORDER BY module, unit";
        let count = |row: &SqlRow, column| -> Result<u64> {
            u64::try_from(row.integer(column)?).map_err(|_| damaged())
        };
        let cals = |row: &SqlRow| {
            Ok(KeyCals {
                module: row.text(0)?.to_string(),
                unit: row.text(1)?.to_string(),
                free: count(row, 2)?,
                out: count(row, 3)?,
                escrow: count(row, 4)?,
            })
        };
        self.db.rows(find, values![key])?.iter().map(cals).collect()
    }
}

/// What a key grants without a grant written by hand: everything that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// Name of the licensee.
    pub licensee: String,
    /// Id of the product.
    pub product: String,
    /// Slot.
    pub slot: String,
    /// License type.
    pub license_type: String,
    /// End of its maintenance.
    pub maintenance: End,
    /// Its quotas, by module and unit.
    pub modules: BTreeMap<(String, String), u64>,
    /// Modules that it may use without limit.
    pub unlimited: Vec<String>,
}

impl Ledger {
    /// Returns what a key grants to an installation: its CALs on no license, on its newest license,
    /// and in escrow of that installation. Its maintenance starts `today` if it has not started.
    /// `None` if the ledger does not know the key.
    ///
    /// # Errors
    /// Exit 2 when the database fails.
    pub fn grant_of(
        &mut self,
        key: &str,
        install_key: &[u8; 32],
        today: Day,
    ) -> Result<Option<KeyGrant>> {
        let find = "SELECT id, licensee, product, slot, license_type, edition, party, included, \
                    maintenance, maintenance_until FROM license_key WHERE key = $1";
        let Some(row) = one_row(self.db.rows(find, values![key])?) else { return Ok(None) };
        let text = |column| row.text(column).map(str::to_string);
        let maintenance = match Maintenance::read(row.text(8)?, row.maybe_integer(9)?)? {
            Maintenance::Until(day) => End::On(day),
            Maintenance::Endless => End::Never,
            Maintenance::NotStarted => {
                let included: End = row.text(7)?.parse()?;
                included.last_day(today)?.map_or(End::Never, End::On)
            }
            Maintenance::OfPool => {
                pool::maintenance_of(&mut *self.db, row.integer(6)?, row.text(5)?)?
            }
        };
        let find = "SELECT module, unit, CAST(sum(balance) AS BIGINT) FROM holding WHERE balance > 0 \
                    AND ((kind IN ('key', 'out') AND owner = $1) OR (kind = 'escrow' AND owner IN \
                    (SELECT escrow.id FROM escrow JOIN installation \
                    ON installation.id = installation WHERE license_key = $1 \
                    AND install_key = $2))) GROUP BY module, unit";
        let id = row.integer(0)?;
        let mut modules = BTreeMap::new();
        for row in self.db.rows(find, values![id, &install_key[..]])? {
            let count = u64::try_from(row.integer(2)?).map_err(|_| damaged())?;
            modules.insert((row.text(0)?.to_string(), row.text(1)?.to_string()), count);
        }
        let rights = "SELECT module FROM key_right AS own WHERE license_key = $1 \
                      AND unlimited = 1 AND id = (SELECT max(id) FROM key_right \
                      WHERE license_key = own.license_key AND module = own.module)";
        let rights = self.db.rows(rights, values![id])?;
        let unlimited = rights.iter().map(|row| row.text(0).map(str::to_string));
        let unlimited = unlimited.collect::<Result<_>>()?;
        Ok(Some(KeyGrant {
            licensee: text(1)?,
            product: text(2)?,
            slot: text(3)?,
            license_type: text(4)?,
            maintenance,
            modules,
            unlimited,
        }))
    }
}

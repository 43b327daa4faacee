//! What people ask the ledger. Lists are read in pages by key, and only what shows a license reads
//! its bytes.

use crate::ledger::db::{Db, DbResult, SqlRow, one_row, values};
use crate::ledger::maintenance::damaged;
use crate::ledger::migrate::MIGRATIONS;
use crate::ledger::{DayRun, Ledger};
use olr_core::error::Result;
use olr_core::time::Instant;
use olr_core::wire::id::LicenseId;

mod licenses;
mod lots;
mod movements;
mod parties;
mod pools;
mod summary;

pub use licenses::{LicenseFilter, ListedLicense};
pub use lots::StockLot;
pub use movements::{BookedMovement, CalPlace};
pub use parties::{PartyKey, PartyPurchase, PartyReport};
pub use pools::{PoolKeyReport, PoolReport, PoolSum};
pub use summary::ModuleSummary;

/// How much a ledger contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overview {
    /// Number of orders.
    pub orders: u64,
    /// Number of licenses that were issued.
    pub licenses: u64,
    /// Instant of the newest order.
    pub newest: Option<Instant>,
}

/// Counts what a ledger contains.
pub(crate) fn overview(db: &mut dyn Db) -> DbResult<Overview> {
    let find = "SELECT count(*), max(instant), (SELECT count(*) FROM answer) FROM ledger_order";
    let row = one_row(db.rows(find, &[])?).ok_or_else(damaged)?;
    let count = |column| row.integer(column).map(i64::cast_unsigned);
    let newest = row.maybe_integer(1)?.map(|seconds| Instant::new(seconds.cast_unsigned()));
    Ok(Overview { orders: count(0)?, licenses: count(2)?, newest })
}

/// True if a ledger was ever opened in a database.
pub(crate) fn has_schema(db: &mut dyn Db) -> DbResult<bool> {
    Ok(!db.rows(db.engine().table(), values!["migration"])?.is_empty())
}

/// Returns the steps of the schema that a database lacks.
pub(crate) fn missing_steps(db: &mut dyn Db) -> DbResult<Vec<i64>> {
    let known = MIGRATIONS.iter().map(|(number, _)| *number);
    if !has_schema(db)? {
        return Ok(known.collect());
    }
    let rows = db.rows("SELECT number FROM migration ORDER BY number", &[])?;
    let applied = rows.iter().map(|row| row.integer(0)).collect::<Result<Vec<_>>>()?;
    Ok(known.filter(|number| !applied.contains(number)).collect())
}

/// How many rows a list reads at once.
const PAGE: i64 = 500;

impl Ledger {
    /// Counts what the ledger contains.
    ///
    /// # Errors
    /// Exit 2 when the database fails. The other methods of this module do the same.
    pub fn overview(&mut self) -> Result<Overview> {
        Ok(overview(&mut *self.db)?)
    }

    /// What [`Ledger::run_day`] would end and lapse.
    pub fn due(&mut self, now: Instant) -> Result<DayRun> {
        let find = "SELECT license FROM claim JOIN answer ON answer.id = claim.answer \
                    WHERE closed IS NULL AND ends <= $1 ORDER BY ends, answer.id";
        let rows = self.db.rows(find, values![now.seconds.cast_signed()])?;
        let ended = rows.iter().map(|row| row.text(0)?.parse().map_err(|_| damaged()));
        let ended = ended.collect::<Result<_>>()?;
        Ok(DayRun { ended, lapsed: self.lots_to_lapse(now)? })
    }

    /// Returns up to `most` licenses that were issued after the one numbered `after`, oldest first:
    /// each with its number, its id and its bytes.
    pub fn stored_licenses(
        &mut self,
        after: i64,
        most: u32,
    ) -> Result<Vec<(i64, LicenseId, Vec<u8>)>> {
        let find = "SELECT id, license, bytes FROM answer WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = self.db.rows(find, values![after, i64::from(most)])?;
        let one = |row: SqlRow| {
            let license = row.text(1)?.parse().map_err(|_| damaged())?;
            Ok((row.integer(0)?, license, row.blob(2)?.to_vec()))
        };
        rows.into_iter().map(one).collect()
    }
}

//! What is in stock.

use crate::ledger::Ledger;
use crate::ledger::db::{Db, DbResult, SqlRow, values};
use crate::ledger::input::Cals;
use crate::ledger::maintenance::read_day;
use crate::ledger::query::PAGE;
use olr_core::error::Result;
use olr_core::time::{Day, Instant};

/// A lot of which something is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLot {
    /// Number of the lot.
    pub lot: i64,
    /// Name of the party.
    pub party: String,
    /// License type.
    pub license_type: String,
    /// Edition.
    pub edition: String,
    /// Day of the sale.
    pub bought: Day,
    /// Last day on which it can be withdrawn.
    pub until: Day,
    /// What is left.
    pub cals: Vec<Cals>,
}

impl StockLot {
    /// Number of days, with `now`, on which it can still be withdrawn; 0 if it has lapsed.
    pub fn days_left(&self, now: Instant) -> u32 {
        let is_over = now >= self.until.ends();
        let left = self.until.number.saturating_sub(now.day().number).saturating_add(1);
        if is_over { 0 } else { left }
    }
}

impl Ledger {
    /// Lists the lots of which something is left, oldest first; only those of a party if one is
    /// named.
    ///
    /// # Errors
    /// Exit 2 when the database fails.
    pub fn stock(&mut self, party: Option<&str>) -> Result<Vec<StockLot>> {
        let find = "SELECT lot.id, party.name, license_type, edition, bought, stock_until FROM lot \
                    JOIN party ON party.id = lot.party WHERE lot.id > $1 \
                    AND (CAST($2 AS TEXT) IS NULL OR party.name = $2) AND EXISTS (SELECT 1 \
                    FROM holding WHERE kind = 'stock' AND owner = lot.id AND balance > 0) \
                    ORDER BY lot.id LIMIT $3";
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let rows = self.db.rows(find, values![after, party, PAGE])?;
            for row in &rows {
                after = row.integer(0)?;
                found.push(StockLot {
                    lot: after,
                    party: row.text(1)?.to_string(),
                    license_type: row.text(2)?.to_string(),
                    edition: row.text(3)?.to_string(),
                    bought: read_day(row.integer(4)?)?,
                    until: read_day(row.integer(5)?)?,
                    cals: cals_of(&mut *self.db, "stock", after)?,
                });
            }
            if rows.is_empty() {
                found.sort_by_key(|lot| (lot.bought, lot.lot));
                return Ok(found);
            }
        }
    }
}

/// CALs of one holder.
pub(super) fn cals_of(db: &mut dyn Db, kind: &str, owner: i64) -> DbResult<Vec<Cals>> {
    let find = "SELECT module, unit, balance FROM holding \
                WHERE kind = $1 AND owner = $2 AND balance > 0 ORDER BY module, unit";
    let one =
        |row: SqlRow| Ok(Cals::new(row.text(0)?, row.text(1)?, row.integer(2)?.cast_unsigned()));
    db.rows(find, values![kind, owner])?.into_iter().map(one).collect()
}

//! What an order moves, and an order that is tried without being kept.

use crate::ledger::Ledger;
use crate::ledger::db::{Db, DbResult, one_row, values};
use crate::ledger::maintenance::damaged;
use crate::ledger::order::{self, Booking, Order};
use olr_core::error::Result;
use olr_core::time::Instant;

/// CALs that an order moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedMovement {
    /// Id of the module.
    pub module: String,
    /// What one CAL counts.
    pub unit: String,
    /// Edition.
    pub edition: String,
    /// How many.
    pub count: u64,
    /// Where they were.
    pub from: CalPlace,
    /// Where they are.
    pub to: CalPlace,
}

/// A place for CALs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalPlace {
    /// `sold`, `stock`, `key`, `out`, `escrow`, `sum`, `pool`, `lapsed`, `refunded` or `exchange`.
    pub kind: String,
    /// Name of the party or pool, number of the lot, or text of the license key.
    pub name: String,
}

const PLACE: &str = "SELECT holding.kind, COALESCE(party.name, CAST(lot.id AS TEXT), license_key.key, \
     pool.name, exchange.catalog_pool, held.key, '') FROM holding \
     LEFT JOIN party ON holding.kind IN ('sold', 'sum', 'lapsed', 'refunded') AND party.id = holding.owner \
     LEFT JOIN lot ON holding.kind = 'stock' AND lot.id = holding.owner \
     LEFT JOIN license_key ON holding.kind IN ('key', 'out') AND license_key.id = holding.owner \
     LEFT JOIN pool ON holding.kind = 'pool' AND pool.id = holding.owner \
     LEFT JOIN exchange ON holding.kind = 'exchange' AND exchange.id = holding.owner \
     LEFT JOIN escrow ON holding.kind = 'escrow' AND escrow.id = holding.owner \
     LEFT JOIN license_key AS held ON held.id = escrow.license_key WHERE holding.id = $1";

fn place(db: &mut dyn Db, holding: i64) -> DbResult<CalPlace> {
    let row = one_row(db.rows(PLACE, values![holding])?);
    let row = row.ok_or_else(damaged)?;
    Ok(CalPlace { kind: row.text(0)?.to_string(), name: row.text(1)?.to_string() })
}

fn movements(db: &mut dyn Db, order: &str) -> DbResult<Vec<BookedMovement>> {
    let find = "SELECT module, unit, edition, amount, giver, taker FROM movement \
                WHERE order_id = $1 ORDER BY id";
    let mut found = Vec::new();
    for row in db.rows(find, values![order])? {
        found.push(BookedMovement {
            module: row.text(0)?.to_string(),
            unit: row.text(1)?.to_string(),
            edition: row.text(2)?.to_string(),
            count: row.integer(3)?.cast_unsigned(),
            from: place(db, row.integer(4)?)?,
            to: place(db, row.integer(5)?)?,
        });
    }
    Ok(found)
}

impl Ledger {
    /// Tries an order: returns its result and its movements, and changes nothing.
    ///
    /// # Errors
    /// As [`Ledger::order`].
    pub fn rehearse<B: Booking>(
        &mut self,
        order: &Order,
        booking: &B,
        clock: Instant,
    ) -> Result<(B::Booked, Vec<BookedMovement>)> {
        self.db.begin()?;
        let done = order::run(&mut *self.db, order, booking, clock)
            .and_then(|booked| Ok((booked, movements(&mut *self.db, &order.id)?)));
        let undone = self.db.rollback();
        let done = done?;
        undone?;
        Ok(done)
    }

    /// What the order with this id moved.
    ///
    /// # Errors
    /// Exit 2 when the database fails.
    pub fn movements(&mut self, order: &str) -> Result<Vec<BookedMovement>> {
        Ok(movements(&mut *self.db, order)?)
    }
}

//! Movements: CALs that go from one holding to another. Each is one row with a giver and a taker,
//! so the sum of all balances of an item is always 0.

use std::collections::BTreeMap;

use crate::ledger::db::{DbError, DbResult, values};
use crate::ledger::holding::{self, Holder, Item};
use crate::ledger::input::Counted;
use crate::ledger::order::Books;
use olr_core::display::shown;
use olr_core::entitlement::Edition;
use olr_core::error::{Error, Problem, Refusal};

/// CALs of one item that move.
#[derive(Debug, Clone)]
pub(super) struct Movement {
    pub(super) from: Holder,
    pub(super) to: Holder,
    pub(super) item: Item,
    pub(super) count: i64,
}

/// Makes one movement for each module.
pub(super) fn each(from: Holder, to: Holder, edition: Edition, cals: &Counted) -> Vec<Movement> {
    let one = |((module, unit), count): (&(String, String), &i64)| Movement {
        from,
        to,
        item: Item { module: module.clone(), edition, unit: unit.clone() },
        count: *count,
    };
    cals.iter().map(one).collect()
}

/// Books movements: the only code that changes a balance. Holdings change in ascending order of
/// their ids, so that two orders wait for each other instead of blocking each other.
///
/// # Errors
/// `quota-exceeded` when a holding has too few CALs. The whole order is undone then.
pub(super) fn post(books: &mut Books<'_>, movements: &[Movement]) -> DbResult<()> {
    let mut changes = BTreeMap::<i64, (i64, Holder, &Item)>::new();
    for Movement { from, to, item, count } in movements {
        let (giver, taker) = (holding::id(books, *from, item)?, holding::id(books, *to, item)?);
        let insert = "INSERT INTO movement (order_id, giver, taker, module, edition, unit, amount) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (order, edition) = (books.order(), item.edition.word());
        let values = values![&order, giver, taker, &item.module, edition, &item.unit, *count];
        books.exec(insert, values)?;
        for (id, holder, change) in
            [(giver, *from, count.checked_neg()), (taker, *to, Some(*count))]
        {
            let sum = changes.entry(id).or_insert((0, holder, item));
            sum.0 = change.and_then(|change| sum.0.checked_add(change)).ok_or_else(too_many)?;
        }
    }
    for (id, (change, holder, item)) in changes {
        let update = "UPDATE holding SET balance = balance + $2 WHERE id = $1 \
                      AND (balance + $2 >= 0 OR kind IN ('sold', 'exchange'))";
        if books.exec(update, values![id, change])? == 0 {
            let left = books.row("SELECT balance FROM holding WHERE id = $1", values![id])?;
            let left = left.map_or(Ok(0), |row| row.integer(0))?;
            return Err(exceeded(holder, &item.module, change.unsigned_abs(), left));
        }
    }
    Ok(())
}

/// The refusal of a movement.
pub(super) fn exceeded(holder: Holder, module: &str, wanted: u64, left: i64) -> DbError {
    let fact = format!("{}: {wanted} wanted, {left} left {}", shown(module), holder.place());
    let error = Error::refuse(Refusal::QuotaExceeded, fact);
    error.hint("ask for fewer, or add CALs there first").into()
}

fn too_many() -> Error {
    let fact = "the movements of this order add up to too many CALs";
    Error::unable(Problem::TooLarge, fact, "split it into several orders")
}

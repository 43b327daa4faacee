//! Escrow: CALs that an installation may still use beyond its newest license. They stay there until
//! the claims of its older licenses are closed.

use crate::ledger::claim::{self, Items, item};
use crate::ledger::db::{DbResult, values};
use crate::ledger::holding::{Holder, Item};
use crate::ledger::key::{KeyRow, KeyState};
use crate::ledger::movement::{Movement, post};
use crate::ledger::order::Books;

/// Escrow of a key at a place. The row is created if it is missing.
pub(super) fn of(books: &mut Books<'_>, key: i64, place: i64) -> DbResult<Holder> {
    let find = "INSERT INTO escrow (license_key, installation) VALUES ($1, $2) \
                ON CONFLICT (license_key, installation) DO UPDATE SET license_key = $1 \
                RETURNING id";
    Ok(Holder::Escrow(books.insert(find, values![key, place])?))
}

/// CALs of an item in escrow at a place, and the key that they belong to.
#[derive(Debug, Clone)]
struct Held {
    holder: Holder,
    key: i64,
    item: Item,
    count: i64,
}

/// Returns what a party has in escrow at a place.
fn at(books: &mut Books<'_>, place: i64, party: i64) -> DbResult<Vec<Held>> {
    let find = "SELECT module, holding.edition, unit, balance, escrow.id, license_key.id \
                FROM holding JOIN escrow ON escrow.id = holding.owner \
                JOIN license_key ON license_key.id = escrow.license_key \
                WHERE kind = 'escrow' AND owner IN (SELECT id FROM escrow WHERE installation = $1) \
                AND party = $2 AND balance > 0 ORDER BY escrow.id";
    let mut held = Vec::new();
    for row in books.rows(find, values![place, party])? {
        let (item, count) = item(&row)?;
        let (holder, key) = (Holder::Escrow(row.integer(4)?), row.integer(5)?);
        held.push(Held { holder, key, item, count });
    }
    Ok(held)
}

/// Returns everything that a key has in escrow, wherever it is.
pub(super) fn of_key(books: &mut Books<'_>, key: i64) -> DbResult<Items> {
    let find = "SELECT module, edition, unit, CAST(sum(balance) AS BIGINT) FROM holding \
                WHERE kind = 'escrow' AND owner IN (SELECT id FROM escrow WHERE license_key = $1) \
                AND balance > 0 GROUP BY module, edition, unit";
    books.rows(find, values![key])?.iter().map(item).collect()
}

/// Frees what a party has in escrow at a place beyond what open claims need there.
pub(super) fn settle(books: &mut Books<'_>, place: i64, party: i64) -> DbResult<()> {
    let mut needed = claim::at(books, place, party)?;
    for (item, out) in out_at(books, place, party)? {
        let need = needed.entry(item).or_insert(0);
        *need = need.saturating_sub(out);
    }
    let mut movements = Vec::new();
    for held in at(books, place, party)? {
        let need = needed.entry(held.item.clone()).or_insert(0);
        let stays = held.count.min((*need).max(0));
        *need = need.saturating_sub(stays);
        let count = held.count.saturating_sub(stays);
        if count > 0 {
            let to = home(books, held.key)?;
            movements.push(Movement { from: held.holder, to, item: held.item, count });
        }
    }
    post(books, &movements)
}

/// What the keys that an installation holds in a slot have on licenses.
fn out_at(books: &mut Books<'_>, place: i64, party: i64) -> DbResult<Items> {
    let find = "SELECT module, edition, unit, CAST(sum(balance) AS BIGINT) FROM holding \
                WHERE kind = 'out' AND balance > 0 AND owner IN (SELECT license_key.id \
                FROM license_key JOIN installation ON install_key = holder \
                AND installation.product = license_key.product \
                AND installation.slot = license_key.slot \
                WHERE installation.id = $1 AND party = $2) GROUP BY module, edition, unit";
    books.rows(find, values![place, party])?.iter().map(item).collect()
}

/// Where CALs of a key go when no license uses them any more.
fn home(books: &mut Books<'_>, key: i64) -> DbResult<Holder> {
    let key = KeyRow::by_id(books, key)?;
    Ok(match key.state {
        KeyState::Pooled => Holder::Sum(key.party),
        _ => Holder::Key(key.id),
    })
}

//! Holdings: where CALs are. [`post`](crate::ledger::movement::post) alone changes a balance.

use std::collections::BTreeMap;

use crate::ledger::db::{DbResult, SqlRow, values};
use crate::ledger::input::Counted;
use crate::ledger::order::Books;
use olr_core::entitlement::Edition;
use olr_core::error::{Error, Problem};

/// A place for CALs, with the row that owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    /// Source of what was sold to a party: minus the number of CALs that were ever sold.
    Sold(i64),
    /// A lot in stock.
    Stock(i64),
    /// Granted to a key, and on no machine.
    Key(i64),
    /// On a signed license of a key, which may be in effect.
    Out(i64),
    /// What an installation may still use beyond its newest license: a row of escrow.
    Escrow(i64),
    /// Pooled CALs of a partner that no pool has.
    Sum(i64),
    /// CALs of a pool that no key of the pool has.
    Pool(i64),
    /// What a party left in stock for too long.
    Lapsed(i64),
    /// What a party got its money back for.
    Refunded(i64),
    /// Modules that a party exchanges for others.
    Exchange(i64),
}

impl Holder {
    /// Kind and owner, as stored.
    pub(super) fn stored(self) -> (&'static str, i64) {
        match self {
            Self::Sold(party) => ("sold", party),
            Self::Stock(lot) => ("stock", lot),
            Self::Key(key) => ("key", key),
            Self::Out(key) => ("out", key),
            Self::Escrow(escrow) => ("escrow", escrow),
            Self::Sum(party) => ("sum", party),
            Self::Pool(pool) => ("pool", pool),
            Self::Lapsed(party) => ("lapsed", party),
            Self::Refunded(party) => ("refunded", party),
            Self::Exchange(exchange) => ("exchange", exchange),
        }
    }

    /// The place in a sentence: "30 wanted, 20 left …".
    pub(super) fn place(self) -> &'static str {
        match self {
            Self::Stock(_) => "in stock",
            Self::Key(_) => "on the key",
            Self::Out(_) => "on the license",
            Self::Escrow(_) => "in escrow",
            Self::Sum(_) => "in the sum of pooled licenses",
            Self::Pool(_) => "in the pool",
            Self::Sold(_) | Self::Lapsed(_) | Self::Refunded(_) | Self::Exchange(_) => "there",
        }
    }
}

/// A module in an edition. Only equal items move between holdings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) module: String,
    pub(super) edition: Edition,
    pub(super) unit: String,
}

/// Returns the id of a holding, and creates it with balance 0 if it is missing.
pub(super) fn id(books: &mut Books<'_>, holder: Holder, item: &Item) -> DbResult<i64> {
    let (kind, owner) = holder.stored();
    let values = values![kind, owner, &item.module, item.edition.word(), &item.unit];
    let find = "SELECT id FROM holding WHERE kind = $1 AND owner = $2 AND module = $3 \
                AND edition = $4 AND unit = $5";
    if let Some(row) = books.row(find, values)? {
        return Ok(row.integer(0)?);
    }
    let create = "INSERT INTO holding (kind, owner, module, edition, unit) \
                  VALUES ($1, $2, $3, $4, $5) \
                  ON CONFLICT (kind, owner, module, edition, unit) DO NOTHING";
    books.exec(create, values)?;
    let missing = || Error::unable(Problem::Fault, "ledger: no holding", "report this as a bug");
    Ok(books.row(find, values)?.ok_or_else(missing)?.integer(0)?)
}

/// Returns all CALs that a holder has, by item.
pub(super) fn items(books: &mut Books<'_>, holder: Holder) -> DbResult<BTreeMap<Item, i64>> {
    let (kind, owner) = holder.stored();
    let find = "SELECT module, edition, unit, balance FROM holding \
                WHERE kind = $1 AND owner = $2 AND balance <> 0";
    let item = |row: SqlRow| {
        let (module, unit) = (row.text(0)?.to_string(), row.text(2)?.to_string());
        Ok((Item { module, edition: row.text(1)?.parse()?, unit }, row.integer(3)?))
    };
    books.rows(find, values![kind, owner])?.into_iter().map(item).collect()
}

/// Returns all CALs of an edition that a holder has.
pub(super) fn of(books: &mut Books<'_>, holder: Holder, edition: Edition) -> DbResult<Counted> {
    let (kind, owner) = holder.stored();
    let find = "SELECT module, unit, balance FROM holding \
                WHERE kind = $1 AND owner = $2 AND edition = $3 AND balance <> 0";
    let rows = books.rows(find, values![kind, owner, edition.word()])?;
    let cals =
        |row: SqlRow| Ok(((row.text(0)?.to_string(), row.text(1)?.to_string()), row.integer(2)?));
    rows.into_iter().map(cals).collect()
}

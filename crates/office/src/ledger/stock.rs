//! CALs in stock: withdrawn in parts for a year (G2), then lapsed (G3).

use serde::{Deserialize, Serialize};

use crate::catalog::End;
use crate::ledger::db::{Db, DbError, DbResult, SqlRow, values};
use crate::ledger::escrow;
use crate::ledger::holding::{self, Holder, Item};
use crate::ledger::input::{Cals, Counted, add_cals, counted, ensure_text};
use crate::ledger::key;
use crate::ledger::maintenance::{LongerMaintenance, damaged, join, read_day};
use crate::ledger::movement::{Movement, each, exceeded, post};
use crate::ledger::offer::PurchasedType;
use crate::ledger::order::{Arguments, Booking, Books};
use crate::ledger::party;
use crate::ledger::purchase::{Destination, ensure_joins};
use olr_core::display::shown;
use olr_core::entitlement::Edition;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::time::{Day, Instant};

/// A lot, as stored.
#[derive(Debug, Clone, Copy)]
struct Lot {
    id: i64,
    party: i64,
    edition: Edition,
    included: End,
    stock_until: Day,
}

const COLUMNS: &str = "id, party, edition, included, stock_until";

impl Lot {
    fn read(row: &SqlRow) -> Result<Self> {
        Ok(Self {
            id: row.integer(0)?,
            party: row.integer(1)?,
            edition: row.text(2)?.parse()?,
            included: row.text(3)?.parse()?,
            stock_until: read_day(row.integer(4)?)?,
        })
    }
}

/// Withdraws CALs from stock to a key: those of the oldest lot first.
#[derive(Debug, Clone)]
pub struct Withdraw {
    /// Name of the party.
    pub party: String,
    /// License type.
    pub license_type: PurchasedType,
    /// What is withdrawn.
    pub cals: Vec<Cals>,
    /// The key. Stock is not a destination.
    pub to: Destination,
    /// What to do if an existing key has longer maintenance than the CALs.
    pub longer: LongerMaintenance,
}

/// Result of [`Withdraw`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockWithdrawn {
    /// The key.
    pub key: String,
    /// Maintenance of the key: a day, or a word.
    pub maintenance: String,
    /// Numbers of the lots, oldest first.
    pub lots: Vec<i64>,
}

impl Booking for Withdraw {
    const VERB: &'static str = "withdraw";
    type Booked = StockWithdrawn;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.party).text(&self.license_type.license_type);
        add_cals(arguments, &self.cals);
        self.to.arguments(arguments);
        self.longer.arguments(arguments);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<StockWithdrawn> {
        let mut wanted = counted(&self.cals)?;
        let party = party::take(books, &self.party)?;
        let find = format!(
            "SELECT {COLUMNS} FROM lot WHERE party = $1 AND license_type = $2 ORDER BY bought, id"
        );
        let license_type = &self.license_type.license_type;
        let rows = books.rows(&find, values![party.id, license_type])?;
        let mut lots = rows.iter().map(Lot::read).collect::<Result<Vec<_>>>()?;
        let now = books.now();
        lots.retain(|lot| now < lot.stock_until.ends());
        let key = match &self.to {
            Destination::Key(key) => {
                let key = key::take(books, key)?;
                ensure_joins(&key, party.id, license_type)?;
                Some(key)
            }
            Destination::NewKey(_) => None,
            Destination::Stock => {
                let fact = "CALs cannot be withdrawn to stock";
                return Err(Error::unable(Problem::Usage, fact, "name a key").into());
            }
        };
        let mut edition = key.as_ref().map(|key| key.edition);
        let mut taken = Vec::new();
        for lot in lots {
            // A catalog may give a type another edition; the CALs of a key have one.
            if edition.is_some_and(|edition| edition != lot.edition) {
                continue;
            }
            let left = holding::of(books, Holder::Stock(lot.id), lot.edition)?;
            let part = part_of(&mut wanted, &left);
            if !part.is_empty() {
                edition = Some(lot.edition);
                taken.push((lot, part));
            }
        }
        let missing = wanted.iter().find(|(_, count)| **count > 0);
        let (Some((oldest, _)), None) = (taken.first(), missing) else {
            return Err(self.too_few(&wanted));
        };
        let key = match (key, &self.to) {
            (None, Destination::NewKey(new)) => {
                let of = self.license_type.stocked(oldest.edition, oldest.included);
                of.create_key(books, new, party.id)?
            }
            (key, _) => key.ok_or_else(damaged)?,
        };
        let own: Vec<_> = taken.iter().map(|(lot, _)| lot.included).collect();
        let maintenance = join(books, &key, &own, &self.longer)?;
        let movements = taken.iter().flat_map(|(lot, part)| {
            each(Holder::Stock(lot.id), Holder::Key(key.id), key.edition, part)
        });
        post(books, &movements.collect::<Vec<Movement>>())?;
        let lots = taken.iter().map(|(lot, _)| lot.id).collect();
        Ok(StockWithdrawn { key: key.key, maintenance: maintenance.text(), lots })
    }
}

impl Withdraw {
    /// The refusal when `missing` is what the lots lack.
    fn too_few(&self, missing: &Counted) -> DbError {
        for Cals { module, unit, count } in &self.cals {
            let missing = missing.get(&(module.clone(), unit.clone())).copied().unwrap_or(0);
            if missing > 0 {
                let wanted = i64::try_from(*count).unwrap_or(i64::MAX);
                let left = wanted.saturating_sub(missing);
                return exceeded(Holder::Stock(0), module, *count, left);
            }
        }
        damaged().into()
    }
}

/// Takes what is wanted from what is left, and reduces the former.
fn part_of(wanted: &mut Counted, left: &Counted) -> Counted {
    let mut part = Counted::new();
    for (item, count) in wanted.iter_mut().filter(|(_, count)| **count > 0) {
        let some = left.get(item).copied().unwrap_or(0).min(*count);
        if some > 0 {
            part.insert(item.clone(), some);
            *count = count.saturating_sub(some);
        }
    }
    part
}

/// Cancels what is left of a lot after its last day in stock (G3).
#[derive(Debug, Clone)]
pub struct Lapse {
    /// Number of the lot.
    pub lot: i64,
}

/// Result of [`Lapse`] and of [`Refund`](crate::ledger::Refund).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// What was removed.
    pub cals: Vec<Cals>,
}

impl Removed {
    pub(super) fn of(cals: &Counted) -> Self {
        let one = |((module, unit), count): (&(String, String), &i64)| {
            Cals::new(module, unit, u64::try_from(*count).unwrap_or(0))
        };
        Self { cals: cals.iter().map(one).collect() }
    }
}

impl Booking for Lapse {
    const VERB: &'static str = "lapse";
    type Booked = Removed;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.lot);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Removed> {
        let lot = take_lot(books, self.lot)?;
        if books.now() < lot.stock_until.ends() {
            let fact = format!("lot {} can be withdrawn until {}", lot.id, lot.stock_until);
            return Err(Error::unable(Problem::Usage, fact, "wait until that day has ended").into());
        }
        let left = holding::of(books, Holder::Stock(lot.id), lot.edition)?;
        let (from, to) = (Holder::Stock(lot.id), Holder::Lapsed(lot.party));
        post(books, &each(from, to, lot.edition, &left))?;
        Ok(Removed::of(&left))
    }
}

/// Looks up a lot, and keeps other orders off the stock of its party until this one is done.
fn take_lot(books: &mut Books<'_>, id: i64) -> DbResult<Lot> {
    let row = books.row(&format!("SELECT {COLUMNS} FROM lot WHERE id = $1"), values![id])?;
    let row = row.ok_or_else(|| {
        let fact = format!("the ledger has no lot {id}");
        let hint = NextStep::new("list what is in stock", &[Remedy::ListStock]);
        Error::unable(Problem::NotFound, fact, hint)
    })?;
    let lot = Lot::read(&row)?;
    books.exec("UPDATE party SET turn = turn + 1 WHERE id = $1", values![lot.party])?;
    Ok(lot)
}

/// Numbers of the lots that have to lapse: their last day has ended, and something is left.
pub(super) fn due(db: &mut dyn Db, now: Instant) -> DbResult<Vec<i64>> {
    let find = "SELECT DISTINCT lot.id, lot.stock_until FROM lot JOIN holding \
                ON holding.kind = 'stock' AND holding.owner = lot.id AND holding.balance > 0 \
                WHERE lot.stock_until < $1 ORDER BY lot.stock_until, lot.id";
    let mut due = Vec::new();
    for row in db.rows(find, values![i64::from(now.day().number)])? {
        if now >= read_day(row.integer(1)?)?.ends() {
            due.push(row.integer(0)?);
        }
    }
    Ok(due)
}

/// Gives the money back for CALs that are on no machine.
#[derive(Debug, Clone)]
pub struct Refund {
    /// Where the CALs are.
    pub from: RefundFrom,
    /// Which CALs.
    pub cals: Vec<Cals>,
    /// Why.
    pub reason: String,
}

/// Where refunded CALs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundFrom {
    /// In stock, in the lot with this number.
    Lot(i64),
    /// On a key.
    Key(String),
}

impl Booking for Refund {
    const VERB: &'static str = "refund";
    type Booked = Removed;

    fn arguments(&self, arguments: &mut Arguments) {
        match &self.from {
            RefundFrom::Lot(lot) => arguments.text("lot").number(*lot),
            RefundFrom::Key(key) => arguments.text("key").text(key),
        };
        add_cals(arguments, &self.cals);
        arguments.text(&self.reason);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Removed> {
        ensure_text("a reason", &self.reason)?;
        let cals = counted(&self.cals)?;
        let (from, party, edition) = match &self.from {
            RefundFrom::Lot(lot) => {
                let lot = take_lot(books, *lot)?;
                if books.now() >= lot.stock_until.ends() {
                    let fact = format!("lot {} lapsed after {}", lot.id, lot.stock_until);
                    let hint = "nothing of it can be refunded";
                    return Err(Error::unable(Problem::Usage, fact, hint).into());
                }
                (Holder::Stock(lot.id), lot.party, lot.edition)
            }
            RefundFrom::Key(key) => {
                let key = key::take(books, key)?;
                key.ensure_purchased()?;
                let escrow = escrow::of_key(books, key.id)?;
                let is_named =
                    |item: &&Item| cals.contains_key(&(item.module.clone(), item.unit.clone()));
                if let Some(item) = escrow.keys().find(is_named) {
                    let (module, key) = (shown(&item.module), shown(&key.key));
                    let fact = format!("an older license of key {key} may still use {module}");
                    let hint = "wait until that license has ended, or get its receipt";
                    return Err(Error::unable(Problem::Usage, fact, hint).into());
                }
                (Holder::Key(key.id), key.party, key.edition)
            }
        };
        let insert = "INSERT INTO refund (order_id, party, reason) VALUES ($1, $2, $3)";
        let order = books.order();
        books.exec(insert, values![&order, party, &self.reason])?;
        post(books, &each(from, Holder::Refunded(party), edition, &cals))?;
        Ok(Removed::of(&cals))
    }
}

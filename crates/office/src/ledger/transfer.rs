//! CALs that go from one key to another of the same party, as the same module or exchanged (C2).

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, one_of};
use crate::ledger::db::{DbResult, values};
use crate::ledger::holding::{Holder, Item};
use crate::ledger::input::{Cals, add_cals, counted};
use crate::ledger::key::{self, KeyRow};
use crate::ledger::maintenance::{Maintenance, share, shorter};
use crate::ledger::movement::{Movement, each, post};
use crate::ledger::order::{Arguments, Booking, Books};
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};

/// Moves CALs from one key to another. The key that takes them gets the shorter
/// maintenance of the two.
#[derive(Debug, Clone)]
pub struct MoveCals {
    /// Key that gives.
    pub from: String,
    /// Key that takes.
    pub to: String,
    /// Which CALs.
    pub cals: Vec<Cals>,
}

/// Result of [`MoveCals`] and [`ExchangeCals`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Maintenance of the key that takes: a day, or a word.
    pub maintenance: String,
}

impl Booking for MoveCals {
    const VERB: &'static str = "move";
    type Booked = Moved;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.from).text(&self.to);
        add_cals(arguments, &self.cals);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Moved> {
        let cals = counted(&self.cals)?;
        if self.from == self.to {
            let fact = "the key that gives is the key that takes";
            return Err(Error::unable(Problem::Usage, fact, "name two keys").into());
        }
        let (from, to) = take_both(books, &self.from, &self.to)?;
        let maintenance = earlier(books, &from, &to)?;
        post(books, &each(Holder::Key(from.id), Holder::Key(to.id), from.edition, &cals))?;
        Ok(Moved { maintenance: maintenance.text() })
    }
}

/// Takes two keys that may exchange CALs, always in the same order.
fn take_both(books: &mut Books<'_>, from: &str, to: &str) -> DbResult<(KeyRow, KeyRow)> {
    let (from, to) = if from <= to {
        let from = key::take(books, from)?;
        (from, key::take(books, to)?)
    } else {
        let to = key::take(books, to)?;
        (key::take(books, from)?, to)
    };
    from.ensure_purchased()?;
    to.ensure_purchased()?;
    let own = (from.party, from.edition, &from.product);
    if own == (to.party, to.edition, &to.product) {
        return Ok((from, to));
    }
    let (one, other) = (shown(&from.key), shown(&to.key));
    let fact = format!("keys {one} and {other} differ in party, edition or product");
    Err(Error::unable(Problem::Usage, fact, "name two keys that agree in all three").into())
}

/// Gives `to` the shorter maintenance of the two keys, so that no CALs get what was paid for others.
fn earlier(books: &mut Books<'_>, from: &KeyRow, to: &KeyRow) -> DbResult<Maintenance> {
    let (has, own) = ((to.maintenance, to.included), from.maintenance.end(from.included));
    let shared = shorter(has, own, books.today())?;
    if shared != has {
        share(books, to.id, shared)?;
    }
    Ok(shared.0)
}

/// Exchanges CALs of one module for as many of another module of the same catalog pool (C2).
#[derive(Debug, Clone)]
pub struct ExchangeCals {
    from: String,
    to: String,
    catalog_pool: String,
    unit: String,
    given: String,
    taken: String,
    count: u64,
}

impl ExchangeCals {
    /// Makes the change: `count` CALs of the module `given` of one key become CALs of the module
    /// `taken` of another, or of the same key.
    ///
    /// # Errors
    /// Exit 2 when the modules do not share a pool and a unit in the catalog.
    pub fn new(
        catalog: &Catalog,
        (from, given): (&str, &str),
        (to, taken): (&str, &str),
        count: u64,
    ) -> Result<Self> {
        let find = |id: &str| {
            catalog.modules.get(id).ok_or_else(|| {
                let fact = format!("the catalog has no module {}", shown(id));
                let known = catalog.modules.keys().map(String::as_str);
                Error::unable(Problem::Usage, fact, one_of("the modules of the catalog", known))
            })
        };
        let (one, other) = (find(given)?, find(taken)?);
        let pool = one.pool.as_ref().filter(|_| one.pool == other.pool && one.unit == other.unit);
        let pool = pool.filter(|_| given != taken).ok_or_else(|| {
            let fact = format!("{} and {} are not interchangeable", shown(given), shown(taken));
            Error::unable(Problem::Usage, fact, "name two modules of one pool of the catalog")
        })?;
        Ok(Self {
            from: from.to_string(),
            to: to.to_string(),
            catalog_pool: pool.to_string(),
            unit: one.unit.to_string(),
            given: given.to_string(),
            taken: taken.to_string(),
            count,
        })
    }
}

impl Booking for ExchangeCals {
    const VERB: &'static str = "exchange";
    type Booked = Moved;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.from).text(&self.to).text(&self.catalog_pool).text(&self.unit);
        arguments.text(&self.given).text(&self.taken).number(self.count);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Moved> {
        let cals = counted(&[Cals::new(&self.given, &self.unit, self.count)])?;
        let (from, to, maintenance) = if self.from == self.to {
            let key = key::take(books, &self.from)?;
            key.ensure_purchased()?;
            let maintenance = key.maintenance;
            (key.clone(), key, maintenance)
        } else {
            let (from, to) = take_both(books, &self.from, &self.to)?;
            let maintenance = earlier(books, &from, &to)?;
            (from, to, maintenance)
        };
        let between = Holder::Exchange(exchange(books, from.party, &self.catalog_pool)?);
        let edition = from.edition;
        let one = |from, to, module: &str, count| {
            let (module, unit) = (module.to_string(), self.unit.clone());
            Movement { from, to, item: Item { module, edition, unit }, count }
        };
        let count = cals.values().copied().sum();
        let gives = one(Holder::Key(from.id), between, &self.given, count);
        let takes = one(between, Holder::Key(to.id), &self.taken, count);
        post(books, &[gives, takes])?;
        Ok(Moved { maintenance: maintenance.text() })
    }
}

/// Number of the exchange of a party for one pool of the catalog.
fn exchange(books: &mut Books<'_>, party: i64, catalog_pool: &str) -> DbResult<i64> {
    let insert = "INSERT INTO exchange (party, catalog_pool) VALUES ($1, $2) \
                  ON CONFLICT (party, catalog_pool) DO NOTHING";
    books.exec(insert, values![party, catalog_pool])?;
    let find = "SELECT id FROM exchange WHERE party = $1 AND catalog_pool = $2";
    books.insert(find, values![party, catalog_pool])
}

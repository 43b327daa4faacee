//! Purchases: CALs that a party bought, to stock or to a key.

use serde::{Deserialize, Serialize};

use crate::ledger::db::{DbResult, values};
use crate::ledger::holding::Holder;
use crate::ledger::input::{Cals, Counted, add_cals, counted, ensure_text};
use crate::ledger::key::{self, KeyRow, NewKey};
use crate::ledger::maintenance::{LongerMaintenance, join};
use crate::ledger::movement::{each, post};
use crate::ledger::offer::PurchasedType;
use crate::ledger::order::{Arguments, Booking, Books};
use crate::ledger::party;
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::time::{Day, Span};

/// How long CALs stay in stock (G2).
const STOCK: Span = Span::Years(1);

/// Where CALs go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To stock, for a year.
    Stock,
    /// To a key of the party.
    Key(String),
    /// To a key that is created.
    NewKey(NewKey),
}

impl Destination {
    pub(super) fn arguments(&self, arguments: &mut Arguments) {
        match self {
            Self::Stock => arguments.text("stock"),
            Self::Key(key) => arguments.text("key").text(key),
            Self::NewKey(new) => {
                new.arguments(arguments.text("new-key"));
                arguments
            }
        };
    }
}

/// Records CALs that a party bought.
#[derive(Debug, Clone)]
pub struct Buy {
    /// Name of the party.
    pub party: String,
    /// Reference of the sale, unique for the party.
    pub reference: String,
    /// Day of the sale.
    pub day: Day,
    /// License type.
    pub license_type: PurchasedType,
    /// What was bought.
    pub cals: Vec<Cals>,
    /// Where it goes.
    pub to: Destination,
    /// What to do if an existing key has longer maintenance than new CALs.
    pub longer: LongerMaintenance,
}

/// Result of [`Buy`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bought {
    /// Number of the purchase.
    pub purchase: i64,
    /// Number of the lot, if the CALs went to stock.
    pub lot: Option<i64>,
    /// Last day in stock.
    pub stock_until: Option<String>,
    /// The key, if they went to one.
    pub key: Option<String>,
    /// Maintenance of the key: a day, or a word.
    pub maintenance: Option<String>,
}

impl Booking for Buy {
    const VERB: &'static str = "buy";
    type Booked = Bought;

    fn arguments(&self, arguments: &mut Arguments) {
        let PurchasedType { license_type, edition, included, .. } = &self.license_type;
        arguments.text(&self.party).text(&self.reference).number(self.day.number);
        arguments.text(license_type).text(edition.word()).text(&included.to_string());
        add_cals(arguments, &self.cals);
        self.to.arguments(arguments);
        self.longer.arguments(arguments);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Bought> {
        let cals = counted(&self.cals)?;
        self.license_type.ensure_sells(&cals)?;
        // Where days begin first, the sale may already be of tomorrow.
        if books.now() < self.day.begins() {
            let fact = format!("the sale is on {}, which is in the future", self.day);
            return Err(Error::unable(Problem::Usage, fact, "write the day of the sale").into());
        }
        let party = party::find(books, &self.party)?;
        let purchase = record(books, party.id, &self.reference, self.day)?;
        match &self.to {
            Destination::Stock => self.to_stock(books, party.id, purchase, &cals),
            Destination::Key(key) => {
                let key = key::take(books, key)?;
                ensure_joins(&key, party.id, &self.license_type.license_type)?;
                self.ensure_edition(&key)?;
                self.to_key(books, purchase, &key, &cals)
            }
            Destination::NewKey(new) => {
                let key = self.license_type.create_key(books, new, party.id)?;
                self.to_key(books, purchase, &key, &cals)
            }
        }
    }
}

impl Buy {
    /// Checks that the type still has the edition with which the key was made.
    fn ensure_edition(&self, key: &KeyRow) -> Result<()> {
        let edition = self.license_type.edition;
        if key.edition == edition {
            return Ok(());
        }
        let fact = format!("key {} is {}, the CALs are {edition}", shown(&key.key), key.edition);
        Err(Error::unable(Problem::Usage, fact, "use a new key, or the type that the key has"))
    }

    fn to_stock(
        &self,
        books: &mut Books<'_>,
        party: i64,
        purchase: i64,
        cals: &Counted,
    ) -> DbResult<Bought> {
        let PurchasedType { license_type, edition, included, .. } = &self.license_type;
        let until = STOCK.end_from(self.day)?;
        if books.now() >= until.ends() {
            let fact = format!("these CALs could be withdrawn from stock until {until}");
            let hint = "check the day of the sale, or let the CALs go to a key";
            return Err(Error::unable(Problem::Usage, fact, hint).into());
        }
        let insert = "INSERT INTO lot (party, purchase, license_type, edition, included, bought, \
                      stock_until) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
        let (bought, last) = (i64::from(self.day.number), i64::from(until.number));
        let (edition_word, included) = (edition.word(), included.to_string());
        let values = values![party, purchase, license_type, edition_word, &included, bought, last];
        let lot = books.insert(insert, values)?;
        add_lines(books, purchase, Some(lot), None, cals)?;
        post(books, &each(Holder::Sold(party), Holder::Stock(lot), *edition, cals))?;
        Ok(Bought {
            purchase,
            lot: Some(lot),
            stock_until: Some(until.to_string()),
            key: None,
            maintenance: None,
        })
    }

    fn to_key(
        &self,
        books: &mut Books<'_>,
        purchase: i64,
        key: &KeyRow,
        cals: &Counted,
    ) -> DbResult<Bought> {
        let maintenance = join(books, key, &[self.license_type.included], &self.longer)?;
        add_lines(books, purchase, None, Some(key.id), cals)?;
        post(books, &each(Holder::Sold(key.party), Holder::Key(key.id), key.edition, cals))?;
        Ok(Bought {
            purchase,
            lot: None,
            stock_until: None,
            key: Some(key.key.clone()),
            maintenance: Some(maintenance.text()),
        })
    }
}

/// Checks that CALs of a party and license type can join a key.
pub(super) fn ensure_joins(key: &KeyRow, party: i64, license_type: &str) -> Result<()> {
    key.ensure_purchased()?;
    if key.party != party {
        let fact = format!("key {} belongs to another party", shown(&key.key));
        return Err(Error::unable(Problem::Usage, fact, "name a key of the same party"));
    }
    if key.license_type != license_type {
        let (name, own, other) = (shown(&key.key), &key.license_type, shown(license_type));
        let fact = format!("key {name} is of type {}, the CALs of type {other}", shown(own));
        return Err(Error::unable(Problem::Usage, fact, "name a key of the same type"));
    }
    Ok(())
}

/// Records a purchase.
///
/// # Errors
/// Exit 2 when the party has a purchase with this reference.
pub(super) fn record(
    books: &mut Books<'_>,
    party: i64,
    reference: &str,
    day: Day,
) -> DbResult<i64> {
    record_marked(books, party, reference, (day, false))
}

/// Records the sale that a grant written by hand implies.
pub(super) fn record_grant(books: &mut Books<'_>, party: i64, reference: &str) -> DbResult<i64> {
    let today = books.today();
    record_marked(books, party, reference, (today, true))
}

fn record_marked(
    books: &mut Books<'_>,
    party: i64,
    reference: &str,
    (day, by_grant): (Day, bool),
) -> DbResult<i64> {
    ensure_text("a reference", reference)?;
    let insert = "INSERT INTO purchase (party, reference, day, by_grant, order_id) \
                  VALUES ($1, $2, $3, $4, $5) \
                  ON CONFLICT (party, reference) DO NOTHING RETURNING id";
    let (day, order) = (i64::from(day.number), books.order());
    let row = books.row(insert, values![party, reference, day, i64::from(by_grant), &order])?;
    let row = row.ok_or_else(|| {
        let fact = format!("this party already has a purchase with reference {}", shown(reference));
        let hint = "compare the two purchases; if they differ, choose another reference";
        Error::unable(Problem::Exists, fact, hint)
    })?;
    Ok(row.integer(0)?)
}

pub(super) fn add_lines(
    books: &mut Books<'_>,
    purchase: i64,
    lot: Option<i64>,
    key: Option<i64>,
    cals: &Counted,
) -> DbResult<()> {
    let insert = "INSERT INTO purchase_line (purchase, lot, license_key, module, unit, amount) \
                  VALUES ($1, $2, $3, $4, $5, $6)";
    for ((module, unit), count) in cals {
        books.exec(insert, values![purchase, lot, key, module, unit, *count])?;
    }
    Ok(())
}

/// Adds a line for maintenance of a key, from the first to the last day.
pub(super) fn add_maintenance(
    books: &mut Books<'_>,
    purchase: i64,
    key: i64,
    (from, until): (Day, Day),
) -> DbResult<()> {
    let insert = "INSERT INTO purchase_line (purchase, license_key, maintenance_from, \
                  maintenance_until) VALUES ($1, $2, $3, $4)";
    let (from, until) = (i64::from(from.number), i64::from(until.number));
    books.exec(insert, values![purchase, key, from, until]).map(drop)
}

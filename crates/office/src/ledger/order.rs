//! Orders: each change of the ledger has an id, an actor, a verb, a digest of its arguments, an
//! instant and a result. The same order again returns the first result and changes nothing.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ledger::clock::{ClockRule, ensure_near};
use crate::ledger::db::{Db, DbResult, SqlRow, SqlValue, one_row, values};
use olr_core::crypto::digest::sha256;
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::time::{Day, Instant};

/// Identity of a change, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Idempotency key, chosen by the caller.
    pub id: String,
    /// Person or program that asked for it.
    pub actor: String,
}

impl Order {
    /// Makes an order.
    pub fn new(id: impl Into<String>, actor: impl Into<String>) -> Self {
        Self { id: id.into(), actor: actor.into() }
    }

    fn ensure_named(&self) -> Result<()> {
        let is_good = |text: &str| {
            !text.is_empty() && text.len() <= ID_CAP && !text.contains(char::is_control)
        };
        if is_good(&self.id) && is_good(&self.actor) {
            return Ok(());
        }
        let fact = "the id of an order and its actor have 1 to 200 bytes each, and no control \
                    characters";
        Err(Error::unable(Problem::Usage, fact, "name the order and its actor"))
    }
}

/// Maximum length of the id of an order, and of its actor.
const ID_CAP: usize = 200;

/// A kind of change: its arguments, and what it books.
pub trait Booking {
    /// Verb, as recorded.
    const VERB: &'static str;
    /// What the clock may say.
    const CLOCK: ClockRule = ClockRule::Near;
    /// Result, as recorded.
    type Booked: Serialize + DeserializeOwned;

    /// Adds all arguments to a digest. What the caller drew at random is not an argument.
    fn arguments(&self, arguments: &mut Arguments);

    /// Makes the change. If it fails, everything it did is undone.
    ///
    /// # Errors
    /// Why the change is not possible.
    fn book(&self, books: &mut Books<'_>) -> DbResult<Self::Booked>;
}

/// Result of a change that has nothing to tell.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Done {}

/// Arguments of a change in one canonical form: each with its type and length.
#[derive(Debug, Default)]
pub struct Arguments(Vec<u8>);

impl Arguments {
    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.0.push(b't');
        self.0.extend((text.len() as u64).to_le_bytes());
        self.0.extend(text.as_bytes());
        self
    }

    /// Adds a number.
    pub fn number(&mut self, number: impl Into<i128>) -> &mut Self {
        self.0.push(b'n');
        self.0.extend(number.into().to_le_bytes());
        self
    }

    /// Adds an optional text.
    pub fn maybe(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => {
                self.0.push(b'-');
                self
            }
        }
    }
}

/// What a change works with: the transaction, the order and the time.
pub struct Books<'a> {
    db: &'a mut dyn Db,
    order: &'a str,
    now: Instant,
}

impl Books<'_> {
    /// Instant of the order.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// UTC day of the order.
    pub fn today(&self) -> Day {
        self.now.day()
    }

    /// Id of the order.
    pub(super) fn order(&self) -> String {
        self.order.to_string()
    }

    pub(super) fn exec(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<u64> {
        self.db.exec(sql, values)
    }

    pub(super) fn rows(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<Vec<SqlRow>> {
        self.db.rows(sql, values)
    }

    pub(super) fn row(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<Option<SqlRow>> {
        self.rows(sql, values).map(one_row)
    }

    /// Runs an `INSERT … RETURNING id`, and returns the id.
    pub(super) fn insert(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<i64> {
        let row = self.row(sql, values)?;
        let missing = || Error::unable(Problem::Fault, "ledger: no id", "report this as a bug");
        Ok(row.ok_or_else(missing)?.integer(0)?)
    }
}

/// Runs an order within a transaction, or returns the result of the first time.
pub(super) fn run<B: Booking>(
    db: &mut dyn Db,
    order: &Order,
    booking: &B,
    clock: Instant,
) -> DbResult<B::Booked> {
    order.ensure_named()?;
    let mut arguments = Arguments::default();
    booking.arguments(&mut arguments);
    let digest = sha256(&arguments.0);
    let newest = newest(db)?;
    let now = newest.map_or(clock, |newest| B::CLOCK.moved_on(newest, clock));
    let begin = "INSERT INTO ledger_order (id, actor, verb, arguments, instant) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING";
    let seconds = i64::try_from(now.seconds).map_err(|_| late())?;
    let values = values![&order.id, &order.actor, B::VERB, &digest[..], seconds];
    if db.exec(begin, values)? == 0 {
        return Ok(first_result::<B>(db, order, &digest)?);
    }
    // An empty ledger takes any clock.
    if let Some(newest) = newest.filter(|_| B::CLOCK == ClockRule::Near) {
        ensure_near(clock, newest)?;
    }
    let booked = booking.book(&mut Books { db: &mut *db, order: &order.id, now })?;
    let result = toml::to_string(&booked).map_err(|_| unreadable(&order.id))?;
    let finish = "UPDATE ledger_order SET result = $2 WHERE id = $1 AND result IS NULL";
    db.exec(finish, values![&order.id, &result])?;
    Ok(booked)
}

/// Newest instant of the ledger. No order is earlier, even if the clock is set back.
fn newest(db: &mut dyn Db) -> DbResult<Option<Instant>> {
    let newest = one_row(db.rows("SELECT max(instant) FROM ledger_order", &[])?);
    let seconds = newest.map_or(Ok(None), |row| row.maybe_integer(0))?;
    Ok(seconds.map(|seconds| Instant::new(u64::try_from(seconds).unwrap_or(0))))
}

fn first_result<B: Booking>(db: &mut dyn Db, order: &Order, digest: &[u8]) -> Result<B::Booked> {
    let find = "SELECT verb, arguments, result FROM ledger_order WHERE id = $1";
    let row = one_row(db.rows(find, values![&order.id])?).ok_or_else(|| unreadable(&order.id))?;
    let verb = row.text(0)?;
    if verb != B::VERB || row.blob(1)? != digest {
        let fact = format!("order {} was already used for another {verb}", shown(&order.id));
        return Err(Error::unable(Problem::Usage, fact, "choose another id for this order"));
    }
    let result = row.maybe_text(2)?.ok_or_else(|| {
        let fact = format!("order {} has begun, and is not finished", shown(&order.id));
        Error::unable(Problem::Locked, fact, "try again in a moment")
    })?;
    toml::from_str(result).map_err(|_| unreadable(&order.id))
}

fn unreadable(id: &str) -> Error {
    let fact = format!("ledger: the record of order {} cannot be used", shown(id));
    Error::unable(Problem::Damaged, fact, "restore the ledger from a backup")
}

fn late() -> Error {
    Error::unable(Problem::System, "the clock is too far ahead for the ledger", "set the clock")
}

//! Parties: the vendor, partners, companies and customers.

use serde::{Deserialize, Serialize};

use crate::ledger::db::{DbError, DbResult, values};
use crate::ledger::input::ensure_text;
use crate::ledger::order::{Arguments, Booking, Books};
use olr_core::display::shown;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};

/// What a party is to the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartyKind {
    /// The vendor.
    Vendor,
    /// A reseller, with pools.
    Partner,
    /// A company with several customers or sites.
    Company,
    /// A customer.
    Customer,
}

impl PartyKind {
    /// Word of the kind, as stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Partner => "partner",
            Self::Company => "company",
            Self::Customer => "customer",
        }
    }
}

/// Adds a party.
#[derive(Debug, Clone)]
pub struct AddParty {
    /// What it is.
    pub kind: PartyKind,
    /// Unique name, compared exactly.
    pub name: String,
    /// Name of the party above it.
    pub parent: Option<String>,
    /// Beginning of all its pool keys: letters, digits, `_` and `-` (F5).
    pub prefix: Option<String>,
    /// Currency of its invoices.
    pub currency: Option<String>,
    /// Region, for the calendar of its bills.
    pub region: Option<String>,
}

impl AddParty {
    /// Adds a party that has only a name.
    pub fn new(kind: PartyKind, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { kind, name, parent: None, prefix: None, currency: None, region: None }
    }
}

/// Result of [`AddParty`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyAdded {
    /// Number of the party in the ledger.
    pub party: i64,
}

impl Booking for AddParty {
    const VERB: &'static str = "party-add";
    type Booked = PartyAdded;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.kind.word()).text(&self.name).maybe(self.parent.as_deref());
        arguments.maybe(self.prefix.as_deref()).maybe(self.currency.as_deref());
        arguments.maybe(self.region.as_deref());
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<PartyAdded> {
        ensure_text("the name of a party", &self.name)?;
        for (what, text) in [("a currency", &self.currency), ("a region", &self.region)] {
            text.as_deref().map_or(Ok(()), |text| ensure_text(what, text))?;
        }
        self.prefix.as_deref().map_or(Ok(()), ensure_pool_name)?;
        self.prefix.as_deref().map_or(Ok(()), |prefix| ensure_distinct(books, prefix))?;
        let parent = self.parent.as_deref().map(|name| find(books, name)).transpose()?;
        let insert = "INSERT INTO party (kind, parent, name, prefix, currency, region, order_id) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id";
        let (prefix, order) = (self.prefix.as_ref(), books.order());
        let (currency, region) = (self.currency.as_ref(), self.region.as_ref());
        let parent = parent.map(|parent| parent.id);
        let values =
            values![self.kind.word(), parent, &self.name, prefix, currency, region, &order];
        let row = books.row(insert, values)?.ok_or_else(|| {
            let fact = format!("party {} or its prefix already exists", shown(&self.name));
            Error::unable(Problem::Exists, fact, "choose another name or prefix")
        })?;
        Ok(PartyAdded { party: row.integer(0)? })
    }
}

/// Checks the characters of the name of a pool key, or of its prefix (F5).
pub(super) fn ensure_pool_name(name: &str) -> Result<()> {
    ensure_text("the name of a pool key", name)?;
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.chars().all(is_good) {
        return Ok(());
    }
    let fact = format!("{} cannot be the name of a pool key", shown(name));
    Err(Error::unable(Problem::Usage, fact, "write only letters, digits, _ and -"))
}

/// Checks that no pool key can begin with the prefixes of two partners.
fn ensure_distinct(books: &mut Books<'_>, prefix: &str) -> DbResult<()> {
    // One row for all orders that add a prefix, so that they wait for each other.
    let take = "UPDATE party SET turn = turn + 1 \
                WHERE id = (SELECT min(id) FROM party WHERE prefix IS NOT NULL)";
    books.exec(take, &[])?;
    let find = "SELECT name, prefix FROM party WHERE prefix <> CAST($1 AS TEXT) \
                AND (substr(prefix, 1, length(CAST($1 AS TEXT))) = $1 \
                OR substr(CAST($1 AS TEXT), 1, length(prefix)) = prefix) ORDER BY id";
    let Some(row) = books.row(find, values![prefix])? else { return Ok(()) };
    let (other, name) = (shown(row.text(1)?), shown(row.text(0)?));
    let fact = format!(
        "prefix {} and prefix {other} of {name} would make keys of which nobody knows whose they are",
        shown(prefix)
    );
    let hint = "choose a prefix of which neither begins with the other";
    Err(Error::unable(Problem::Exists, fact, hint).into())
}

/// A party, as stored.
pub(super) struct PartyRow {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) prefix: Option<String>,
}

/// Looks up a party by name.
pub(super) fn find(books: &mut Books<'_>, name: &str) -> DbResult<PartyRow> {
    let row = books.row("SELECT id, prefix FROM party WHERE name = $1", values![name])?;
    let row = row.ok_or_else(|| {
        let fact = format!("no party is named {}", shown(name));
        let hint = NextStep::new("check the name, or add the party", &[Remedy::AddParty]);
        DbError::from(Error::unable(Problem::NotFound, fact, hint))
    })?;
    let prefix = row.maybe_text(1)?.map(str::to_string);
    Ok(PartyRow { id: row.integer(0)?, name: name.to_string(), prefix })
}

/// Keeps other orders off the stock and the sums of the party of a key, if the key exists. A party
/// is always taken before its keys.
pub(super) fn take_of_key(books: &mut Books<'_>, key: &str) -> DbResult<()> {
    let update = "UPDATE party SET turn = turn + 1 \
                  WHERE id = (SELECT party FROM license_key WHERE key = $1)";
    books.exec(update, values![key]).map(drop)
}

/// Looks up a party by name, and keeps other orders off its stock until this one is done.
pub(super) fn take(books: &mut Books<'_>, name: &str) -> DbResult<PartyRow> {
    let party = find(books, name)?;
    books.exec("UPDATE party SET turn = turn + 1 WHERE id = $1", values![party.id])?;
    Ok(party)
}

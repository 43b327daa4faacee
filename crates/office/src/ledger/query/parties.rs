//! Parties, with what they bought and their keys.

use crate::ledger::Ledger;
use crate::ledger::db::{SqlRow, values};
use crate::ledger::input::Cals;
use crate::ledger::maintenance::{Maintenance, read_day};
use crate::ledger::query::PAGE;
use olr_core::error::Result;
use olr_core::time::Day;

/// A party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyReport {
    /// Number in the ledger.
    pub party: i64,
    /// `vendor`, `partner`, `company` or `customer`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Name of the party above it.
    pub parent: Option<String>,
    /// Beginning of its pool keys.
    pub prefix: Option<String>,
    /// Currency.
    pub currency: Option<String>,
    /// Region.
    pub region: Option<String>,
}

/// A purchase of a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyPurchase {
    /// Reference.
    pub reference: String,
    /// Day of the sale.
    pub day: Day,
    /// True if a grant that was written by hand implied it.
    pub by_grant: bool,
    /// CALs that were bought.
    pub cals: Vec<Cals>,
    /// Last day of maintenance that was bought.
    pub maintenance: Option<Day>,
}

/// A license key of a party.
#[derive(Clone, PartialEq, Eq)]
pub struct PartyKey {
    /// The key.
    pub key: String,
    /// Name of the licensee.
    pub licensee: String,
    /// License type.
    pub license_type: String,
    /// State.
    pub state: String,
    /// Name of its pool, if it is a pool key.
    pub pool: Option<String>,
    /// Maintenance: a day, or a word.
    pub maintenance: String,
}

/// Leaves out the key, which must not reach logs.
impl std::fmt::Debug for PartyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartyKey").field("licensee", &self.licensee).finish_non_exhaustive()
    }
}

const SELECT: &str = "SELECT party.id, party.kind, party.name, above.name, party.prefix, \
     party.currency, party.region FROM party LEFT JOIN party AS above ON above.id = party.parent";

impl PartyReport {
    fn read(row: &SqlRow) -> Result<Self> {
        let maybe = |column| row.maybe_text(column).map(|text| text.map(str::to_string));
        Ok(Self {
            party: row.integer(0)?,
            kind: row.text(1)?.to_string(),
            name: row.text(2)?.to_string(),
            parent: maybe(3)?,
            prefix: maybe(4)?,
            currency: maybe(5)?,
            region: maybe(6)?,
        })
    }
}

impl Ledger {
    /// Lists all parties, in the order in which they were added.
    ///
    /// # Errors
    /// Exit 2 when the database fails. The other methods about parties do the same.
    pub fn parties(&mut self) -> Result<Vec<PartyReport>> {
        let find = format!("{SELECT} WHERE party.id > $1 ORDER BY party.id LIMIT {PAGE}");
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let rows = self.db.rows(&find, values![after])?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = last.integer(0)?;
            for row in &rows {
                found.push(PartyReport::read(row)?);
            }
        }
    }

    /// Returns the party with this name.
    pub fn party(&mut self, name: &str) -> Result<Option<PartyReport>> {
        let rows = self.db.rows(&format!("{SELECT} WHERE party.name = $1"), values![name])?;
        rows.first().map(PartyReport::read).transpose()
    }

    /// Lists the purchases of a party, in the order in which they were recorded.
    pub fn purchases(&mut self, party: i64) -> Result<Vec<PartyPurchase>> {
        let find = "SELECT id, reference, day, by_grant FROM purchase WHERE party = $1 ORDER BY id";
        let lines = "SELECT module, unit, amount, maintenance_until FROM purchase_line \
                     WHERE purchase = $1 ORDER BY module, unit, id";
        let mut found = Vec::new();
        for row in self.db.rows(find, values![party])? {
            let mut purchase = PartyPurchase {
                reference: row.text(1)?.to_string(),
                day: read_day(row.integer(2)?)?,
                by_grant: row.integer(3)? != 0,
                cals: Vec::new(),
                maintenance: None,
            };
            for line in self.db.rows(lines, values![row.integer(0)?])? {
                match line.maybe_integer(3)? {
                    Some(day) => purchase.maintenance = Some(read_day(day)?),
                    None => purchase.cals.push(Cals::new(
                        line.text(0)?,
                        line.text(1)?,
                        line.integer(2)?.cast_unsigned(),
                    )),
                }
            }
            found.push(purchase);
        }
        Ok(found)
    }

    /// Lists the keys of a party, oldest first.
    pub fn keys_of(&mut self, party: i64) -> Result<Vec<PartyKey>> {
        let find = "SELECT key, licensee, license_type, state, pool.name, maintenance, \
                    maintenance_until FROM license_key LEFT JOIN pool ON pool.id = license_key.pool \
                    WHERE license_key.party = $1 ORDER BY license_key.id";
        let one = |row: SqlRow| {
            let text = |column| row.text(column).map(str::to_string);
            Ok(PartyKey {
                key: text(0)?,
                licensee: text(1)?,
                license_type: text(2)?,
                state: text(3)?,
                pool: row.maybe_text(4)?.map(str::to_string),
                maintenance: Maintenance::read(row.text(5)?, row.maybe_integer(6)?)?.text(),
            })
        };
        self.db.rows(find, values![party])?.into_iter().map(one).collect()
    }
}

//! License keys. An order that touches a key takes its row first.

use std::collections::BTreeSet;

use crate::catalog::End;
use crate::ledger::db::{DbResult, SqlRow, values};
use crate::ledger::escrow;
use crate::ledger::holding::{self, Holder};
use crate::ledger::input::ensure_text;
use crate::ledger::maintenance::{Maintenance, damaged};
use crate::ledger::order::{Arguments, Books};
use olr_core::display::{listed, shown};
use olr_core::entitlement::{Edition, Model};
use olr_core::error::{Error, Problem, Result};
use olr_core::time::Instant;

/// Text of a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyText {
    /// Chosen by a person.
    Chosen(String),
    /// Made from random bytes that the caller drew, 5 bits of each. The same order may draw others
    /// the next time and still gets its first key.
    Random([u8; 20]),
}

impl KeyText {
    /// Text of the key. A random one has 100 bits, in groups of five characters.
    pub fn text(&self) -> String {
        const LETTERS: [char; 32] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G',
            'H', 'J', 'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
        ];
        match self {
            Self::Chosen(text) => text.clone(),
            Self::Random(bytes) => {
                let letter = |byte: &u8| LETTERS.get(usize::from(byte & 31));
                let groups = bytes.chunks(5).map(|group| group.iter().filter_map(letter).collect());
                groups.collect::<Vec<String>>().join("-")
            }
        }
    }
}

/// A key that an order creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Text of the key.
    pub text: KeyText,
    /// Name of the licensee.
    pub licensee: String,
    /// Product.
    pub product: String,
    /// Slot.
    pub slot: String,
}

impl NewKey {
    pub(super) fn arguments(&self, arguments: &mut Arguments) {
        match &self.text {
            KeyText::Chosen(text) => arguments.text(text),
            KeyText::Random(_) => arguments.maybe(None),
        };
        arguments.text(&self.licensee).text(&self.product).text(&self.slot);
    }
}

/// State of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyState {
    /// Never on a machine.
    New,
    /// On a machine.
    Active,
    /// On no machine any more.
    Deactivated,
    /// Its CALs are in the sum of a partner (F2).
    Pooled,
    /// A pool key that was deleted (F8).
    Deleted,
}

impl KeyState {
    const ALL: [Self; 5] =
        [Self::New, Self::Active, Self::Deactivated, Self::Pooled, Self::Deleted];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::Deactivated => "deactivated",
            Self::Pooled => "pooled",
            Self::Deleted => "deleted",
        }
    }
}

/// A key, as stored.
#[derive(Debug, Clone)]
pub(super) struct KeyRow {
    pub(super) id: i64,
    pub(super) key: String,
    pub(super) licensee: String,
    pub(super) party: i64,
    pub(super) product: String,
    pub(super) slot: String,
    pub(super) license_type: String,
    pub(super) model: Model,
    pub(super) edition: Edition,
    pub(super) pool: Option<i64>,
    pub(super) state: KeyState,
    pub(super) created: Instant,
    pub(super) included: End,
    pub(super) maintenance: Maintenance,
    /// Install key of the installation that runs on it.
    pub(super) holder: Option<[u8; 32]>,
}

const COLUMNS: &str = "id, key, licensee, party, product, license_type, model, edition, pool, \
                       state, included, maintenance, maintenance_until, created, slot, holder";

impl KeyRow {
    fn read(row: &SqlRow) -> Result<Self> {
        let text = |column| row.text(column).map(str::to_string);
        let state = row.text(9)?;
        let state = KeyState::ALL.into_iter().find(|known| known.word() == state);
        Ok(Self {
            id: row.integer(0)?,
            key: text(1)?,
            licensee: text(2)?,
            party: row.integer(3)?,
            product: text(4)?,
            license_type: text(5)?,
            model: row.text(6)?.parse()?,
            edition: row.text(7)?.parse()?,
            pool: row.maybe_integer(8)?,
            state: state.ok_or_else(damaged)?,
            included: row.text(10)?.parse()?,
            maintenance: Maintenance::read(row.text(11)?, row.maybe_integer(12)?)?,
            created: Instant::new(u64::try_from(row.integer(13)?).map_err(|_| damaged())?),
            slot: text(14)?,
            holder: row
                .maybe_blob(15)?
                .map(|key| key.try_into().map_err(|_| damaged()))
                .transpose()?,
        })
    }

    /// Checks that the key was purchased and that CALs can be added to it or taken from it.
    pub(super) fn ensure_purchased(&self) -> Result<()> {
        let why = match (self.model, self.state) {
            (Model::Purchased, KeyState::Pooled) => "was added to a pool",
            (Model::Purchased, KeyState::Deleted) => "was deleted",
            (Model::Purchased, _) => return Ok(()),
            (Model::Pool, _) => "is a pool key, whose quota comes from its pool",
            (Model::Meter | Model::Evaluation, _) => "has no purchased CALs",
        };
        let fact = format!("key {} {why}", shown(&self.key));
        Err(Error::unable(Problem::Usage, fact, "name another key"))
    }
}

impl KeyRow {
    /// Looks up a key by its number.
    pub(super) fn by_id(books: &mut Books<'_>, id: i64) -> DbResult<Self> {
        let find = format!("SELECT {COLUMNS} FROM license_key WHERE id = $1");
        let row = books.row(&find, values![id])?.ok_or_else(damaged)?;
        Ok(Self::read(&row)?)
    }
}

/// Looks up a key, and keeps other orders off it until this one is done: the update locks its row,
/// so what is read here stays true. `turn` counts such orders; nothing compares it here.
pub(super) fn take(books: &mut Books<'_>, key: &str) -> DbResult<KeyRow> {
    let update =
        format!("UPDATE license_key SET turn = turn + 1 WHERE key = $1 RETURNING {COLUMNS}");
    let row = books.row(&update, values![key])?.ok_or_else(|| {
        let fact = format!("the ledger has no key {}", shown(key));
        Error::unable(Problem::NotFound, fact, "compare it with the sales receipt")
    })?;
    Ok(KeyRow::read(&row)?)
}

/// What a new key is, apart from its names.
pub(super) struct KeyTerms<'a> {
    pub(super) party: i64,
    pub(super) license_type: &'a str,
    pub(super) model: Model,
    pub(super) edition: Edition,
    pub(super) pool: Option<i64>,
    pub(super) included: End,
}

/// Creates a key, on no machine.
pub(super) fn create(
    books: &mut Books<'_>,
    new: &NewKey,
    terms: &KeyTerms<'_>,
) -> DbResult<KeyRow> {
    let text = new.text.text();
    for (what, text) in [
        ("a license key", &text),
        ("the name of a licensee", &new.licensee),
        ("a product", &new.product),
        ("a slot", &new.slot),
    ] {
        ensure_text(what, text)?;
    }
    let maintenance = match terms.pool {
        Some(_) => Maintenance::OfPool,
        None => Maintenance::NotStarted,
    };
    let insert = format!(
        "INSERT INTO license_key (key, licensee, party, product, slot, license_type, model, \
         edition, pool, state, created, included, maintenance, order_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         ON CONFLICT (key) DO NOTHING RETURNING {COLUMNS}"
    );
    let (included, order) = (terms.included.to_string(), books.order());
    let created = i64::try_from(books.now().seconds).unwrap_or(i64::MAX);
    let values = values![
        &text,
        &new.licensee,
        terms.party,
        &new.product,
        &new.slot,
        terms.license_type,
        terms.model.word(),
        terms.edition.word(),
        terms.pool,
        KeyState::New.word(),
        created,
        &included,
        maintenance.stored().0,
        &order
    ];
    let row = books.row(&insert, values)?.ok_or_else(|| {
        let fact = format!("key {} already exists", shown(&text));
        Error::unable(Problem::Exists, fact, "choose another key")
    })?;
    Ok(KeyRow::read(&row)?)
}

/// Checks that no signed license of a key may be in effect.
pub(super) fn ensure_unused(books: &mut Books<'_>, key: &KeyRow) -> DbResult<()> {
    let mut used = holding::of(books, Holder::Out(key.id), key.edition)?;
    let escrow = escrow::of_key(books, key.id)?.into_keys();
    used.extend(escrow.map(|item| ((item.module, item.unit), 1)));
    if used.is_empty() {
        return Ok(());
    }
    let modules: BTreeSet<_> = used.keys().map(|(module, _)| module.as_str()).collect();
    let (name, modules) = (shown(&key.key), listed(modules));
    let fact = format!("a license of key {name} may still use {modules}");
    let hint = "wait until it has ended, or get its receipt";
    Err(Error::unable(Problem::Usage, fact, hint).into())
}

/// Changes the state of a key that was taken. No installation holds a key that is not active.
pub(super) fn set_state(books: &mut Books<'_>, key: &KeyRow, state: KeyState) -> DbResult<()> {
    let update = "UPDATE license_key SET state = $2, \
                  holder = CASE WHEN $2 = 'active' THEN holder END WHERE id = $1";
    books.exec(update, values![key.id, state.word()]).map(drop)
}

//! Keys of a pool (F3 to F5, F8).

use serde::{Deserialize, Serialize};

use crate::ledger::db::{DbResult, values};
use crate::ledger::holding::{self, Holder};
use crate::ledger::input::{Cals, add_cals, counted, quotas};
use crate::ledger::key::{self, KeyRow, KeyState, KeyText, NewKey};
use crate::ledger::movement::{each, post};
use crate::ledger::offer::PoolType;
use crate::ledger::order::{Arguments, Booking, Books, Done};
use crate::ledger::party::{self, ensure_pool_name};
use crate::ledger::pool::{ensure_free, take, take_id, to_reach};
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Refusal, Result};
use olr_core::time::{DAY, Instant};

/// Creates a pool key with quotas from its pool.
#[derive(Debug, Clone)]
pub struct NewPoolKey {
    /// Name of the partner.
    pub party: String,
    /// Name of the pool.
    pub pool: String,
    /// Name of the key, which the prefix of the partner precedes (F5).
    pub name: String,
    /// Name of the licensee.
    pub licensee: String,
    /// Product.
    pub product: String,
    /// Slot.
    pub slot: String,
    /// Its license type.
    pub license_type: PoolType,
    /// Its quotas.
    pub quotas: Vec<Cals>,
}

/// Result of [`NewPoolKey`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolKeyMade {
    /// The key.
    pub key: String,
}

impl Booking for NewPoolKey {
    const VERB: &'static str = "pool-key-new";
    type Booked = PoolKeyMade;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.party).text(&self.pool).text(&self.name).text(&self.licensee);
        arguments.text(&self.product).text(&self.slot).text(&self.license_type.license_type);
        add_cals(arguments, &self.quotas);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<PoolKeyMade> {
        let cals = counted(&self.quotas)?;
        ensure_pool_name(&self.name)?;
        let party = party::find(books, &self.party)?;
        let prefix = party.prefix.as_deref().ok_or_else(|| {
            let fact = format!("{} has no prefix for pool keys", shown(&party.name));
            Error::unable(Problem::Usage, fact, "add the partner with a prefix")
        })?;
        let pool = take(books, party.id, &self.pool)?;
        let new = NewKey {
            text: KeyText::Chosen(format!("{prefix}{}", self.name)),
            licensee: self.licensee.clone(),
            product: self.product.clone(),
            slot: self.slot.clone(),
        };
        let of = (party.id, pool.id, pool.edition);
        let key = self.license_type.create_key(books, &new, of, &cals)?;
        post(books, &each(Holder::Pool(pool.id), Holder::Key(key.id), pool.edition, &cals))?;
        Ok(PoolKeyMade { key: key.key })
    }
}

/// Sets quotas of a pool key (F4). Modules that are not named keep their quota. What is on a signed
/// license cannot be taken back.
#[derive(Debug, Clone)]
pub struct SetKeyQuota {
    /// The pool key.
    pub key: String,
    /// The quotas, which may be 0.
    pub quotas: Vec<Cals>,
}

impl Booking for SetKeyQuota {
    const VERB: &'static str = "pool-key-quota";
    type Booked = Done;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.key);
        add_cals(arguments, &self.quotas);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Done> {
        let quotas = quotas(&self.quotas)?;
        let (key, pool) = take_pool_key(books, &self.key)?;
        let free = holding::of(books, Holder::Key(key.id), key.edition)?;
        let mut now = free.clone();
        for (item, count) in holding::of(books, Holder::Out(key.id), key.edition)? {
            let sum = now.entry(item).or_insert(0);
            *sum = sum.saturating_add(count);
        }
        let wait = "wait until that license has ended, or get its receipt";
        ensure_free(&quotas, (&now, &free), ("signed licenses", wait))?;
        let (own, above) = (Holder::Key(key.id), Holder::Pool(pool));
        post(books, &to_reach(&quotas, &now, own, above, key.edition))?;
        Ok(Done {})
    }
}

/// How long a pool key that is on a machine is kept after its creation (F8).
const KEPT: u64 = 14 * DAY;

/// Deletes a pool key that is on no machine, or was created 14 days ago, and of which no license may
/// be in effect. Its quotas return to the pool (F8).
#[derive(Debug, Clone)]
pub struct DeletePoolKey {
    /// The pool key.
    pub key: String,
}

impl Booking for DeletePoolKey {
    const VERB: &'static str = "pool-key-delete";
    type Booked = Done;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.key);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Done> {
        let (key, pool) = take_pool_key(books, &self.key)?;
        let kept = Instant::new(key.created.seconds.saturating_add(KEPT));
        if key.state == KeyState::Active && books.now() < kept {
            let fact = format!("pool key {} is on a machine", shown(&key.key));
            let hint = format!("deactivate it there, or wait until {kept}");
            return Err(Error::refuse(Refusal::AlreadyActivated, fact).hint(hint).into());
        }
        key::ensure_unused(books, &key)?;
        let cals = holding::of(books, Holder::Key(key.id), key.edition)?;
        post(books, &each(Holder::Key(key.id), Holder::Pool(pool), key.edition, &cals))?;
        key::set_state(books, &key, KeyState::Deleted)?;
        Ok(Done {})
    }
}

/// Takes the pool of a pool key, and then the key, which must not be deleted.
fn take_pool_key(books: &mut Books<'_>, key: &str) -> DbResult<(KeyRow, i64)> {
    let pool = books.row("SELECT pool FROM license_key WHERE key = $1", values![key])?;
    let pool = pool.map_or(Ok(None), |row| row.maybe_integer(0))?;
    pool.map_or(Ok(()), |pool| take_id(books, pool))?;
    let key = key::take(books, key)?;
    let pool = ensure_pool_key(&key)?;
    Ok((key, pool))
}

fn ensure_pool_key(key: &KeyRow) -> Result<i64> {
    let (why, hint) = match (key.pool, key.state) {
        (Some(_), KeyState::Deleted) => ("was deleted", "create another pool key"),
        (Some(pool), _) => return Ok(pool),
        (None, _) => ("is not a pool key", "name a pool key"),
    };
    let fact = format!("key {} {why}", shown(&key.key));
    Err(Error::unable(Problem::Usage, fact, hint))
}

//! Pools of a partner: licenses that were pooled form one sum for each edition, pools get quotas
//! from the sum, and pool keys get quotas from their pool (F1 to F7).

use serde::{Deserialize, Serialize};

use crate::catalog::End;
use crate::ledger::db::{Db, DbResult, SqlRow, one_row, values};
use crate::ledger::holding::{self, Holder};
use crate::ledger::input::{Cals, Counted, add_cals, ensure_text, quotas};
use crate::ledger::key::{self, KeyRow, KeyState};
use crate::ledger::maintenance::{Maintenance, ensure_running, read_day, set};
use crate::ledger::movement::{Movement, each, post};
use crate::ledger::order::{Arguments, Booking, Books, Done};
use crate::ledger::party;
use crate::ledger::stock::Removed;
use olr_core::display::shown;
use olr_core::entitlement::Edition;
use olr_core::error::{Error, Problem, Refusal, Result};

/// Adds the license of a key to the sum of its party. This cannot be undone (F2).
#[derive(Debug, Clone)]
pub struct AddToPool {
    /// The key. It must be on no machine: see [`RecordRevocation`](crate::ledger::RecordRevocation).
    pub key: String,
    /// Name of its licensee, typed to confirm.
    pub licensee: String,
}

/// Result of [`AddToPool`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pooled {
    /// Maintenance of all pool keys of this edition from now on: a day, or a word (F6).
    pub maintenance: String,
    /// What was added to the sum.
    pub cals: Vec<Cals>,
}

impl Booking for AddToPool {
    const VERB: &'static str = "pool-add";
    type Booked = Pooled;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.key).text(&self.licensee);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Pooled> {
        // The date of the result depends on all pooled keys of the party.
        party::take_of_key(books, &self.key)?;
        let key = key::take(books, &self.key)?;
        key.ensure_purchased()?;
        if self.licensee != key.licensee {
            let fact = format!("key {} is not licensed to this name", shown(&key.key));
            return Err(Error::refuse(Refusal::WrongLicensee, fact)
                .hint("type the name of the licensee exactly as it is on the sales receipt")
                .into());
        }
        if key.state == KeyState::Active {
            let fact = format!("key {} is on a machine", shown(&key.key));
            let hint = "revoke its license as pooled: that adds the key to the pool";
            return Err(Error::refuse(Refusal::AlreadyActivated, fact).hint(hint).into());
        }
        add(books, key)
    }
}

/// Adds a key of which nothing is on a license to the sum of its party. What is in escrow follows
/// when no older license uses it any more.
pub(super) fn add(books: &mut Books<'_>, mut key: KeyRow) -> DbResult<Pooled> {
    if key.maintenance == Maintenance::NotStarted {
        // A pooled license is used from the day on which it is pooled.
        key.maintenance = Maintenance::starting(key.included, books.today())?;
        set(books, key.id, key.maintenance)?;
    }
    ensure_running(books, &key)?;
    key::set_state(books, &key, KeyState::Pooled)?;
    let cals = holding::of(books, Holder::Key(key.id), key.edition)?;
    post(books, &each(Holder::Key(key.id), Holder::Sum(key.party), key.edition, &cals))?;
    let row = one_row(books.rows(EARLIEST, values![key.party, key.edition.word()])?);
    let maintenance = read_earliest(row.as_ref())?.unwrap_or(Maintenance::Endless);
    let cals = Removed::of(&cals).cals;
    Ok(Pooled { maintenance: maintenance.text(), cals })
}

/// Earliest end of maintenance of the pooled licenses of a party and edition, and their number.
const EARLIEST: &str = "SELECT min(maintenance_until), count(*) FROM license_key \
                        WHERE party = $1 AND edition = $2 AND state = 'pooled'";

fn read_earliest(row: Option<&SqlRow>) -> Result<Option<Maintenance>> {
    let Some(row) = row.filter(|row| row.integer(1) != Ok(0)) else { return Ok(None) };
    let day = row.maybe_integer(0)?.map(read_day).transpose()?;
    Ok(Some(day.map_or(Maintenance::Endless, Maintenance::Until)))
}

/// Maintenance of all pool keys of a party and edition (F6). `None` if nothing was pooled.
pub(super) fn maintenance(
    db: &mut dyn Db,
    party: &str,
    edition: Edition,
) -> DbResult<Option<Maintenance>> {
    let find = "SELECT min(maintenance_until), count(*) FROM license_key \
                JOIN party ON party.id = license_key.party \
                WHERE party.name = $1 AND edition = $2 AND state = 'pooled'";
    Ok(read_earliest(one_row(db.rows(find, values![party, edition.word()])?).as_ref())?)
}

/// End of the maintenance of all pool keys of a party and edition (F6).
pub(super) fn maintenance_of(db: &mut dyn Db, party: i64, edition: &str) -> DbResult<End> {
    let earliest = read_earliest(one_row(db.rows(EARLIEST, values![party, edition])?).as_ref())?;
    Ok(earliest.unwrap_or(Maintenance::Endless).end(End::Never))
}

/// Creates an empty pool of one edition (F3).
#[derive(Debug, Clone)]
pub struct NewPool {
    /// Name of the partner.
    pub party: String,
    /// Name of the pool, unique for the partner.
    pub pool: String,
    /// Edition of its CALs.
    pub edition: Edition,
}

impl Booking for NewPool {
    const VERB: &'static str = "pool-new";
    type Booked = Done;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.party).text(&self.pool).text(self.edition.word());
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Done> {
        ensure_text("the name of a pool", &self.pool)?;
        let party = party::find(books, &self.party)?;
        let insert = "INSERT INTO pool (party, name, edition, order_id) VALUES ($1, $2, $3, $4) \
                      ON CONFLICT (party, name) DO NOTHING";
        let order = books.order();
        if books.exec(insert, values![party.id, &self.pool, self.edition.word(), &order])? == 0 {
            let fact = format!("{} already has a pool {}", shown(&party.name), shown(&self.pool));
            return Err(Error::unable(Problem::Exists, fact, "choose another name").into());
        }
        Ok(Done {})
    }
}

/// Sets quotas of a pool: its keys and what is left for keys, together (F3). Modules that are not
/// named keep their quota.
#[derive(Debug, Clone)]
pub struct SetPoolQuota {
    /// Name of the partner.
    pub party: String,
    /// Name of the pool.
    pub pool: String,
    /// The quotas, which may be 0.
    pub quotas: Vec<Cals>,
}

impl Booking for SetPoolQuota {
    const VERB: &'static str = "pool-quota";
    type Booked = Done;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.party).text(&self.pool);
        add_cals(arguments, &self.quotas);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Done> {
        let quotas = quotas(&self.quotas)?;
        let party = party::find(books, &self.party)?;
        let pool = take(books, party.id, &self.pool)?;
        let now = quota(books, pool)?;
        let (own, sum) = (Holder::Pool(pool.id), Holder::Sum(party.id));
        let free = holding::of(books, own, pool.edition)?;
        let lower = "lower the quotas of its keys first";
        ensure_free(&quotas, (&now, &free), ("the keys of the pool", lower))?;
        post(books, &to_reach(&quotas, &now, own, sum, pool.edition))?;
        Ok(Done {})
    }
}

/// A pool, as stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct PoolRow {
    pub(super) id: i64,
    pub(super) edition: Edition,
}

/// Looks up a pool, and keeps other orders off its quotas until this one is done.
pub(super) fn take(books: &mut Books<'_>, party: i64, name: &str) -> DbResult<PoolRow> {
    let find = "SELECT id, edition FROM pool WHERE party = $1 AND name = $2";
    let row = books.row(find, values![party, name])?.ok_or_else(|| {
        let fact = format!("this partner has no pool {}", shown(name));
        Error::unable(Problem::NotFound, fact, "check the name, or create the pool")
    })?;
    let pool = PoolRow { id: row.integer(0)?, edition: row.text(1)?.parse()? };
    take_id(books, pool.id)?;
    Ok(pool)
}

/// Like [`take`], for a pool that is known. A pool is always taken before its keys.
pub(super) fn take_id(books: &mut Books<'_>, pool: i64) -> DbResult<()> {
    books.exec("UPDATE pool SET turn = turn + 1 WHERE id = $1", values![pool]).map(drop)
}

/// Quotas of a pool: what its keys have, and what is left for keys.
fn quota(books: &mut Books<'_>, pool: PoolRow) -> DbResult<Counted> {
    let find = "SELECT module, unit, CAST(sum(balance) AS BIGINT) FROM holding \
                WHERE (kind = 'pool' AND owner = $1) OR (kind IN ('key', 'out') \
                AND owner IN (SELECT id FROM license_key WHERE pool = $1)) \
                OR (kind = 'escrow' AND owner IN (SELECT escrow.id FROM escrow \
                JOIN license_key ON license_key.id = license_key WHERE pool = $1)) \
                GROUP BY module, unit";
    let cals =
        |row: SqlRow| Ok(((row.text(0)?.to_string(), row.text(1)?.to_string()), row.integer(2)?));
    books.rows(find, values![pool.id])?.into_iter().map(cals).collect()
}

/// Checks that no quota of `wanted` is less than what others use of it: what a pool or key has now,
/// without what is free.
pub(super) fn ensure_free(
    wanted: &Counted,
    (now, free): (&Counted, &Counted),
    (users, hint): (&str, &'static str),
) -> Result<()> {
    let count = |cals: &Counted, item| cals.get(item).copied().unwrap_or(0);
    for (item, wanted) in wanted {
        let used = count(now, item).saturating_sub(count(free, item));
        if *wanted < used {
            let fact = format!("{}: {wanted} wanted, {users} have {used}", shown(&item.0));
            return Err(Error::refuse(Refusal::QuotaExceeded, fact).hint(hint));
        }
    }
    Ok(())
}

/// Movements between `own` and `above` after which `own` has the quotas `wanted` instead of `now`.
pub(super) fn to_reach(
    wanted: &Counted,
    now: &Counted,
    own: Holder,
    above: Holder,
    edition: Edition,
) -> Vec<Movement> {
    let (mut more, mut less) = (Counted::new(), Counted::new());
    for (item, wanted) in wanted {
        let change = wanted.saturating_sub(now.get(item).copied().unwrap_or(0));
        match change {
            0 => {}
            1.. => drop(more.insert(item.clone(), change)),
            ..0 => drop(less.insert(item.clone(), change.saturating_neg())),
        }
    }
    let mut movements = each(above, own, edition, &more);
    movements.extend(each(own, above, edition, &less));
    movements
}

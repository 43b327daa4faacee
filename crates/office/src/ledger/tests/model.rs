//! The ledger as plain maps, written again from the rules.

use std::collections::BTreeMap;

use crate::ledger::tests::steps::{Step, To};
use crate::ledger::tests::world::{World, cals};
use olr_core::time::{Day, Instant, Span};

/// CALs by module.
pub type Counts = BTreeMap<String, i64>;

#[derive(Debug, Clone, Default)]
pub struct ModelKey {
    pub party: String,
    pub edition: String,
    /// `None` before it starts.
    maintenance: Option<Day>,
    /// Pool of a pool key.
    pool: Option<String>,
    is_pooled: bool,
    is_deleted: bool,
    cals: Counts,
}

#[derive(Debug, Clone, Default)]
pub struct ModelLot {
    party: String,
    edition: String,
    until: Day,
    cals: Counts,
}

#[derive(Debug, Clone, Default)]
pub struct Maps {
    pub keys: BTreeMap<String, ModelKey>,
    /// Lots by their position; PostgreSQL leaves gaps between the numbers in the ledger.
    pub lots: BTreeMap<i64, ModelLot>,
    pub pools: BTreeMap<(String, String), (String, Counts)>,
    /// Holdings of a party: kind, party and edition.
    others: BTreeMap<(&'static str, String, String), Counts>,
}

fn counts(text: &str) -> Counts {
    cals(text).into_iter().map(|cals| (cals.module, cals.count as i64)).collect()
}

fn add(to: &mut Counts, cals: &Counts, sign: i64) {
    cals.iter().for_each(|(module, count)| *to.entry(module.clone()).or_default() += sign * count);
}

/// Takes CALs, or returns `None` if there are too few.
fn take(from: &mut Counts, cals: &Counts) -> Option<()> {
    add(from, cals, -1);
    from.values().all(|count| *count >= 0).then_some(())
}

fn year_from(day: Day) -> Day {
    Span::Years(1).end_from(day).unwrap()
}

impl Maps {
    /// Makes a change if it is possible.
    pub fn apply(&mut self, step: &Step, now: Instant) -> bool {
        let mut changed = self.clone();
        let possible = changed.change(step, now).is_some();
        if possible {
            *self = changed;
        }
        possible
    }

    fn other(&mut self, kind: &'static str, party: &str, edition: &str) -> &mut Counts {
        self.others.entry((kind, party.to_string(), edition.to_string())).or_default()
    }

    /// A purchased key that is not pooled.
    fn purchased(&mut self, key: &str) -> Option<&mut ModelKey> {
        self.keys.get_mut(key).filter(|key| key.pool.is_none() && !key.is_pooled)
    }

    fn change(&mut self, step: &Step, now: Instant) -> Option<()> {
        let today = now.day();
        match step {
            Step::Buy { party, edition, cals, to, shorten, .. } => {
                let cals = counts(cals);
                add(self.other("sold", party, edition), &cals, -1);
                if *to == To::Stock {
                    let (party, edition) = (party.clone(), edition.clone());
                    let lot = ModelLot { party, edition, until: year_from(today), cals };
                    self.lots.insert(self.lots.len() as i64 + 1, lot);
                    return Some(());
                }
                self.join(party, edition, to, (&cals, *shorten, today))
            }
            Step::Withdraw { party, edition, cals, to, shorten } => {
                self.withdraw(party, edition, counts(cals), now)?;
                self.join(party, edition, to, (&counts(cals), *shorten, today))
            }
            Step::Lapse { lot } => {
                let lot = self.lots.get_mut(lot).filter(|lot| now >= lot.until.ends())?;
                let (party, edition) = (lot.party.clone(), lot.edition.clone());
                let left = std::mem::take(&mut lot.cals);
                add(self.other("lapsed", &party, &edition), &left, 1);
                Some(())
            }
            Step::RefundLot { lot, cals } => {
                let lot = self.lots.get_mut(lot).filter(|lot| now < lot.until.ends())?;
                take(&mut lot.cals, &counts(cals))?;
                let (party, edition) = (lot.party.clone(), lot.edition.clone());
                add(self.other("refunded", &party, &edition), &counts(cals), 1);
                Some(())
            }
            Step::RefundKey { key, cals } => {
                let key = self.purchased(key)?;
                take(&mut key.cals, &counts(cals))?;
                let (party, edition) = (key.party.clone(), key.edition.clone());
                add(self.other("refunded", &party, &edition), &counts(cals), 1);
                Some(())
            }
            Step::Move { from, to, cals } => {
                (from != to).then_some(())?;
                let cals = counts(cals);
                self.transfer((from, &cals), (to, &cals), today)
            }
            Step::Exchange { from, to, count } => {
                let one = |module: &str| Counts::from([(module.to_string(), *count as i64)]);
                let (given, taken) = (one("VMware"), one("Hyper-V"));
                self.transfer((from, &given), (to, &taken), today)?;
                let key = self.keys[from].clone();
                add(self.other("exchange", &key.party, &key.edition), &given, 1);
                add(self.other("exchange", &key.party, &key.edition), &taken, -1);
                Some(())
            }
            Step::Renew { key, .. } => {
                let end = &mut self.keys.get_mut(key)?.maintenance;
                let next = Day { number: (*end)?.number + 1 };
                *end = Some(year_from(next.max(today)));
                Some(())
            }
            Step::AddToPool { key, confirmed } => {
                let key = self.purchased(key).filter(|_| *confirmed)?;
                let end = *key.maintenance.get_or_insert(year_from(today));
                (now < end.ends()).then_some(())?;
                key.is_pooled = true;
                let (party, edition) = (key.party.clone(), key.edition.clone());
                let cals = std::mem::take(&mut key.cals);
                add(self.other("sum", &party, &edition), &cals, 1);
                Some(())
            }
            Step::Run { key, until } => {
                self.purchased(key)?.maintenance = Some(*until);
                Some(())
            }
            _ => self.change_pool(step),
        }
    }

    /// Takes CALs out of stock, from the oldest lot on.
    fn withdraw(
        &mut self,
        party: &str,
        edition: &str,
        mut wanted: Counts,
        now: Instant,
    ) -> Option<()> {
        let own = |lot: &&mut ModelLot| lot.party == party && lot.edition == edition;
        for lot in self.lots.values_mut().filter(own).filter(|lot| now < lot.until.ends()) {
            for (module, wanted) in &mut wanted {
                let left = lot.cals.entry(module.clone()).or_default();
                let part = (*left).min(*wanted);
                (*left, *wanted) = (*left - part, *wanted - part);
            }
        }
        wanted.values().all(|count| *count == 0).then_some(())
    }

    fn change_pool(&mut self, step: &Step) -> Option<()> {
        match step {
            Step::NewPool { party, pool, edition } => {
                let name = (party.clone(), pool.clone());
                let taken = self.pools.insert(name, (edition.clone(), Counts::new()));
                taken.is_none().then_some(())
            }
            Step::PoolQuota { party, pool, cals } => {
                let name = (party.clone(), pool.clone());
                let (edition, mut free) = self.pools.get(&name)?.clone();
                let mut more = counts(cals);
                let own = |key: &&ModelKey| key.party == *party && key.pool.as_ref() == Some(pool);
                for has in self.keys.values().filter(own).map(|key| &key.cals).chain([&free]) {
                    more.iter_mut().for_each(|(module, n)| *n -= has.get(module).unwrap_or(&0));
                }
                take(self.other("sum", party, &edition), &more)?;
                more.values_mut().for_each(|count| *count = -*count);
                take(&mut free, &more)?;
                self.pools.insert(name, (edition, free));
                Some(())
            }
            Step::NewPoolKey { party, pool, name, cals } => {
                let key = format!("{party}-{name}");
                let (edition, free) = self.pools.get_mut(&(party.clone(), pool.clone()))?;
                take(free, &counts(cals))?;
                let new = ModelKey {
                    party: party.clone(),
                    edition: edition.clone(),
                    pool: Some(pool.clone()),
                    cals: counts(cals),
                    ..ModelKey::default()
                };
                self.keys.insert(key, new).is_none().then_some(())
            }
            Step::KeyQuota { key, cals } => {
                let key = self.keys.get_mut(key).filter(|key| !key.is_deleted)?;
                let name = (key.party.clone(), key.pool.clone()?);
                let mut more = counts(cals);
                more.iter_mut().for_each(|(module, n)| *n -= key.cals.get(module).unwrap_or(&0));
                take(&mut self.pools.get_mut(&name)?.1, &more)?;
                add(&mut key.cals, &more, 1);
                Some(())
            }
            Step::Delete { key } => {
                let key = self.keys.get_mut(key).filter(|key| !key.is_deleted)?;
                let name = (key.party.clone(), key.pool.clone()?);
                key.is_deleted = true;
                add(&mut self.pools.get_mut(&name)?.1, &std::mem::take(&mut key.cals), 1);
                Some(())
            }
            _ => unreachable!(),
        }
    }

    /// CALs join a key, or get a new one.
    fn join(
        &mut self,
        party: &str,
        edition: &str,
        to: &To,
        (cals, shorten, today): (&Counts, bool, Day),
    ) -> Option<()> {
        let name = match to {
            To::Stock => return None,
            To::Key(name) => name,
            To::New(name) => {
                let (party, edition) = (party.to_string(), edition.to_string());
                let new = ModelKey { party, edition, ..ModelKey::default() };
                self.keys.insert(name.clone(), new).is_none().then_some(())?;
                name
            }
        };
        let key = self.purchased(name)?;
        (key.party == party && key.edition == edition).then_some(())?;
        if key.maintenance.is_some_and(|end| end > year_from(today)) {
            shorten.then_some(())?;
            key.maintenance = Some(year_from(today));
        }
        add(&mut key.cals, cals, 1);
        Some(())
    }

    fn transfer(
        &mut self,
        (from, given): (&str, &Counts),
        (to, taken): (&str, &Counts),
        today: Day,
    ) -> Option<()> {
        let giver = self.purchased(from)?;
        take(&mut giver.cals, given)?;
        let giver = giver.clone();
        let taker = self.purchased(to)?;
        (giver.party == taker.party && giver.edition == taker.edition).then_some(())?;
        if giver.maintenance != taker.maintenance {
            let end = giver.maintenance.unwrap_or(year_from(today));
            let own = taker.maintenance.unwrap_or(year_from(today));
            taker.maintenance = Some(own.min(end));
        }
        add(&mut taker.cals, taken, 1);
        Some(())
    }

    /// All balances that are not 0, as [`holdings`] reads them from the ledger.
    pub fn holdings(&self) -> BTreeMap<String, i64> {
        let mut all = BTreeMap::new();
        let mut put = |place: String, cals: &Counts| {
            for (module, count) in cals.iter().filter(|(_, count)| **count != 0) {
                all.insert(format!("{place} {module}"), *count);
            }
        };
        for (name, key) in &self.keys {
            put(format!("key {name} {}", key.edition), &key.cals);
        }
        for (number, lot) in &self.lots {
            put(format!("stock {number} {}", lot.edition), &lot.cals);
        }
        for ((party, pool), (edition, cals)) in &self.pools {
            put(format!("pool {party}/{pool} {edition}"), cals);
        }
        for ((kind, party, edition), cals) in &self.others {
            put(format!("{kind} {party} {edition}"), cals);
        }
        all
    }

    /// Maintenance and state of all keys, as [`keys`] reads them from the ledger.
    pub fn keys(&self) -> BTreeMap<String, (Option<i64>, bool, bool)> {
        let one = |(name, key): (&String, &ModelKey)| {
            let end = key.maintenance.map(|day| i64::from(day.number));
            (name.clone(), (end, key.is_pooled, key.is_deleted))
        };
        self.keys.iter().map(one).collect()
    }
}

/// All balances of a ledger that are not 0, by kind, name of the owner, edition and module.
pub fn holdings(world: &mut World) -> BTreeMap<String, i64> {
    let query = "SELECT kind || ' ' || CASE kind WHEN 'stock' THEN \
           (SELECT CAST(count(*) AS TEXT) FROM lot WHERE id <= owner) \
         WHEN 'key' THEN (SELECT key FROM license_key WHERE id = owner) \
         WHEN 'pool' THEN (SELECT party.name || '/' || pool.name FROM pool \
           JOIN party ON party.id = pool.party WHERE pool.id = owner) \
         WHEN 'exchange' THEN (SELECT party.name FROM exchange \
           JOIN party ON party.id = exchange.party WHERE exchange.id = owner) \
         ELSE (SELECT name FROM party WHERE id = owner) END || ' ' || edition || ' ' || module, \
         balance FROM holding WHERE balance <> 0";
    let rows = world.ledger.db.rows(query, &[]).unwrap();
    rows.iter().map(|row| (row.text(0).unwrap().to_string(), row.integer(1).unwrap())).collect()
}

/// Maintenance of all keys of a ledger, and whether they are pooled or deleted.
pub fn keys(world: &mut World) -> BTreeMap<String, (Option<i64>, bool, bool)> {
    let query = "SELECT key, maintenance_until, state FROM license_key";
    let rows = world.ledger.db.rows(query, &[]).unwrap();
    let one = |row: &crate::ledger::db::SqlRow| {
        let state = row.text(2).unwrap();
        let end = row.maybe_integer(1).unwrap();
        (row.text(0).unwrap().to_string(), (end, state == "pooled", state == "deleted"))
    };
    rows.iter().map(one).collect()
}

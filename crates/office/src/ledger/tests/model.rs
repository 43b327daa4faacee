//! The ledger as plain maps, written again from the rules.

use std::collections::BTreeMap;

use crate::catalog::End;
use crate::ledger::LongerMaintenance;
use crate::ledger::tests::steps::{Step, To};
use crate::ledger::tests::world::cals;
use olr_core::time::{Day, Instant, Span};

/// CALs by module.
pub type Counts = BTreeMap<String, i64>;

/// Day number of maintenance without an end.
const ENDLESS: u32 = u32::MAX;

#[derive(Debug, Clone)]
pub struct ModelKey {
    pub party: String,
    pub edition: String,
    /// Number of the last day of maintenance; `None` before it starts.
    maintenance: Option<u32>,
    /// What it is when it starts.
    included: End,
    /// Pool of a pool key.
    pool: Option<String>,
    is_pooled: bool,
    is_deleted: bool,
    cals: Counts,
}

#[derive(Debug, Clone)]
pub struct ModelLot {
    party: String,
    edition: String,
    until: Day,
    included: End,
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

/// Last day of maintenance that starts on a day.
fn starting(included: End, day: Day) -> u32 {
    match included {
        End::Never => ENDLESS,
        End::On(day) => day.number,
        End::After(span) => span.end_from(day).unwrap().number,
    }
}

impl ModelKey {
    fn new(party: &str, edition: &str, included: End) -> Self {
        Self {
            party: party.to_string(),
            edition: edition.to_string(),
            maintenance: None,
            included,
            pool: None,
            is_pooled: false,
            is_deleted: false,
            cals: Counts::new(),
        }
    }

    /// What the CALs of the key bring along when they move.
    fn end(&self) -> End {
        match self.maintenance {
            None => self.included,
            Some(ENDLESS) => End::Never,
            Some(number) => End::On(Day { number }),
        }
    }

    /// Lets CALs join: nobody gets more than what came with these CALs.
    fn shorten(&mut self, own: End, today: Day) {
        let theirs = starting(own, today);
        if let Some(end) = &mut self.maintenance {
            *end = theirs.min(*end);
            return;
        }
        let has = starting(self.included, today);
        let is_fixed = |end| matches!(end, End::On(_));
        let is_span = |end| matches!(end, End::After(_));
        if is_span(self.included) && is_fixed(own) {
            self.maintenance = Some(has.min(theirs));
        } else if has > theirs && is_fixed(self.included) && is_span(own) {
            self.maintenance = Some(theirs);
        } else if has > theirs {
            self.included = own;
        }
    }

    /// Maintenance as `keys` reads it.
    fn text(&self) -> String {
        let maintenance = match self.maintenance {
            _ if self.pool.is_some() => "of-pool".to_string(),
            None => "not-started".to_string(),
            Some(ENDLESS) => "endless".to_string(),
            Some(day) => format!("until {day}"),
        };
        format!("{maintenance}, {}", self.included)
    }
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
            Step::Buy { party, edition, included, cals, to, longer, .. } => {
                let cals = counts(cals);
                add(self.other("sold", party, edition), &cals, -1);
                if *to == To::Stock {
                    let (party, edition) = (party.clone(), edition.clone());
                    let (until, included) = (year_from(today), *included);
                    let lot = ModelLot { party, edition, until, included, cals };
                    self.lots.insert(self.lots.len() as i64 + 1, lot);
                    return Some(());
                }
                self.join((party, edition), to, (&cals, &[*included]), (longer, today))
            }
            Step::Withdraw { party, edition, cals, to, longer } => {
                let own = self.withdraw(party, edition, counts(cals), now)?;
                self.join((party, edition), to, (&counts(cals), &own), (longer, today))
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
            Step::Renew { key, span, .. } => {
                let end = &mut self.keys.get_mut(key)?.maintenance;
                let first = (*end).filter(|end| *end != ENDLESS)?.max(today.number - 1) + 1;
                *end = Some(match span {
                    Span::Days(count) => first + count - 1,
                    span => span.end_from(Day { number: first }).unwrap().number,
                });
                Some(())
            }
            Step::AddToPool { key, confirmed } => {
                let key = self.purchased(key).filter(|_| *confirmed)?;
                let end = *key.maintenance.get_or_insert(starting(key.included, today));
                (end == ENDLESS || now < Day { number: end }.ends()).then_some(())?;
                key.is_pooled = true;
                let (party, edition) = (key.party.clone(), key.edition.clone());
                let cals = std::mem::take(&mut key.cals);
                add(self.other("sum", &party, &edition), &cals, 1);
                Some(())
            }
            Step::Run { key, until } => {
                self.purchased(key)?.maintenance = Some(until.number);
                Some(())
            }
            _ => self.change_pool(step),
        }
    }

    /// Takes CALs out of stock, from the oldest lot on. Returns the maintenance of the lots.
    fn withdraw(
        &mut self,
        party: &str,
        edition: &str,
        mut wanted: Counts,
        now: Instant,
    ) -> Option<Vec<End>> {
        let mut ends = Vec::new();
        let own = |lot: &&mut ModelLot| lot.party == party && lot.edition == edition;
        for lot in self.lots.values_mut().filter(own).filter(|lot| now < lot.until.ends()) {
            let before = wanted.clone();
            for (module, wanted) in &mut wanted {
                let left = lot.cals.entry(module.clone()).or_default();
                let part = (*left).min(*wanted);
                (*left, *wanted) = (*left - part, *wanted - part);
            }
            ends.extend((before != wanted).then_some(lot.included));
        }
        wanted.values().all(|count| *count == 0).then_some(ends)
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
                    pool: Some(pool.clone()),
                    cals: counts(cals),
                    ..ModelKey::new(party, edition, End::Never)
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
        (party, edition): (&str, &str),
        to: &To,
        (cals, ends): (&Counts, &[End]),
        (longer, today): (&LongerMaintenance, Day),
    ) -> Option<()> {
        let name = match to {
            To::Stock => return None,
            To::Key(name) => name,
            To::New(name) => {
                let new = ModelKey::new(party, edition, ends[0]);
                self.keys.insert(name.clone(), new).is_none().then_some(())?;
                name
            }
        };
        let key = self.purchased(name)?;
        (key.party == party && key.edition == edition).then_some(())?;
        let mut shared = key.clone();
        ends.iter().for_each(|own| shared.shorten(*own, today));
        if shared.text() != key.text() {
            match longer {
                LongerMaintenance::Refuse => return None,
                LongerMaintenance::Shorten => *key = shared,
                // Only the days between two days are for sale.
                LongerMaintenance::Bought(_) => {
                    key.maintenance.filter(|end| *end != ENDLESS)?;
                }
            }
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
        taker.shorten(giver.end(), today);
        add(&mut taker.cals, taken, 1);
        Some(())
    }

    /// All balances that are not 0, as `holdings` reads them from the ledger.
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

    /// Maintenance and state of all keys, as `keys` reads them from the ledger.
    pub fn keys(&self) -> BTreeMap<String, (String, bool, bool)> {
        let one = |(name, key): (&String, &ModelKey)| {
            (name.clone(), (key.text(), key.is_pooled, key.is_deleted))
        };
        self.keys.iter().map(one).collect()
    }
}

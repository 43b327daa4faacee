//! Random changes of a ledger.

use rand::RngExt;
use rand::rngs::ChaCha20Rng;

use crate::catalog::End;
use crate::ledger::db::values;
use crate::ledger::tests::model::Maps;
use crate::ledger::tests::property::put;
use crate::ledger::tests::world::{cals, catalog, new_key, other_type};
use crate::ledger::{
    AddToPool, Buy, DeletePoolKey, Destination, ExchangeCals, Lapse, Ledger, LongerMaintenance,
    MoveCals, NewPool, NewPoolKey, Order, PoolType, PurchasedType, Refund, RefundFrom,
    RenewMaintenance, SetKeyQuota, SetPoolQuota, Withdraw,
};
use olr_core::entitlement::Edition;
use olr_core::error::Result;
use olr_core::time::{Day, Instant, Span};

/// Where CALs go: a new key, a key that should exist, or stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    Stock,
    Key(String),
    New(String),
}

/// Reference and day of a sale. A repeated order keeps both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    reference: String,
    day: Day,
}

/// A change. CALs are texts, such as `"ACB=5 OBM=20"`; an edition is the id of its license type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Buy {
        party: String,
        edition: String,
        included: End,
        cals: String,
        to: To,
        longer: LongerMaintenance,
        sale: Sale,
    },
    Withdraw {
        party: String,
        edition: String,
        cals: String,
        to: To,
        longer: LongerMaintenance,
    },
    Lapse {
        lot: i64,
    },
    RefundLot {
        lot: i64,
        cals: String,
    },
    RefundKey {
        key: String,
        cals: String,
    },
    Move {
        from: String,
        to: String,
        cals: String,
    },
    Exchange {
        from: String,
        to: String,
        count: u64,
    },
    Renew {
        key: String,
        number: usize,
        span: Span,
    },
    AddToPool {
        key: String,
        confirmed: bool,
    },
    NewPool {
        party: String,
        pool: String,
        edition: String,
    },
    PoolQuota {
        party: String,
        pool: String,
        cals: String,
    },
    NewPoolKey {
        party: String,
        pool: String,
        name: String,
        cals: String,
    },
    KeyQuota {
        key: String,
        cals: String,
    },
    Delete {
        key: String,
    },
    /// Not an order: a key ran on a machine, and has maintenance until a day.
    Run {
        key: String,
        until: Day,
    },
}

impl Step {
    /// Carries out the change as an order.
    pub fn put(&self, ledger: &mut Ledger, how: (&Order, Instant, bool)) -> Result<String> {
        match self.clone() {
            Self::Buy { party, edition, included, cals: text, to, longer, sale } => {
                let license_type = other_type(&edition, &included.to_string(), &edition);
                let Sale { reference, day } = sale;
                let (to, cals) = (destination(to), cals(&text));
                put(ledger, how, &Buy { party, reference, day, license_type, cals, to, longer })
            }
            Self::Withdraw { party, edition: license_type, cals: text, to, longer } => {
                let (to, cals) = (destination(to), cals(&text));
                let license_type = PurchasedType::of(&catalog(), &license_type).unwrap();
                put(ledger, how, &Withdraw { party, license_type, cals, to, longer })
            }
            Self::Lapse { lot } => {
                let lot = number_of(ledger, lot);
                put(ledger, how, &Lapse { lot })
            }
            Self::RefundLot { lot, cals } => {
                let from = RefundFrom::Lot(number_of(ledger, lot));
                refund(ledger, how, from, &cals)
            }
            Self::RefundKey { key, cals } => refund(ledger, how, RefundFrom::Key(key), &cals),
            Self::Move { from, to, cals: text } => {
                put(ledger, how, &MoveCals { from, to, cals: cals(&text) })
            }
            Self::Exchange { from, to, count } => {
                let (given, taken) = ((&*from, "VMware"), (&*to, "Hyper-V"));
                let act = ExchangeCals::new(&catalog(), given, taken, count)?;
                put(ledger, how, &act)
            }
            Self::Renew { key, number, span } => {
                let reference = format!("renewal-{number}");
                put(ledger, how, &RenewMaintenance { key, reference, span })
            }
            Self::AddToPool { key, confirmed } => {
                let licensee = if confirmed { "Acme Ltd" } else { "Acme" }.to_string();
                put(ledger, how, &AddToPool { key, licensee })
            }
            Self::NewPool { party, pool, edition } => {
                let edition = edition.parse::<Edition>().unwrap();
                put(ledger, how, &NewPool { party, pool, edition })
            }
            Self::PoolQuota { party, pool, cals: text } => {
                put(ledger, how, &SetPoolQuota { party, pool, quotas: cals(&text) })
            }
            Self::NewPoolKey { party, pool, name, cals: text } => {
                let license_type = pool_type(ledger, &party, &pool);
                let act = NewPoolKey {
                    party,
                    pool,
                    name,
                    licensee: "Acme Ltd".to_string(),
                    product: "example".to_string(),
                    slot: "backup".to_string(),
                    license_type,
                    quotas: cals(&text),
                };
                put(ledger, how, &act)
            }
            Self::KeyQuota { key, cals: text } => {
                put(ledger, how, &SetKeyQuota { key, quotas: cals(&text) })
            }
            Self::Delete { key } => put(ledger, how, &DeletePoolKey { key }),
            Self::Run { .. } => unreachable!("not an order"),
        }
    }
}

/// Number of the nth lot in the ledger, or 0.
fn number_of(ledger: &mut Ledger, nth: i64) -> i64 {
    let rows = ledger.db.rows("SELECT id FROM lot ORDER BY id", &[]).unwrap();
    let row = usize::try_from(nth - 1).ok().and_then(|at| rows.get(at));
    row.map_or(0, |row| row.integer(0).unwrap())
}

/// License type of the keys of a pool.
fn pool_type(ledger: &mut Ledger, party: &str, pool: &str) -> PoolType {
    let find = "SELECT edition FROM pool JOIN party ON party.id = party \
                WHERE party.name = $1 AND pool.name = $2";
    let rows = ledger.db.rows(find, values![party, pool]).unwrap();
    let edition = rows.first().map_or("oem", |row| row.text(0).unwrap());
    PoolType::of(&catalog(), &format!("pool-{edition}")).unwrap()
}

fn destination(to: To) -> Destination {
    match to {
        To::Stock => Destination::Stock,
        To::Key(key) => Destination::Key(key),
        To::New(key) => new_key(&key),
    }
}

fn refund(
    ledger: &mut Ledger,
    how: (&Order, Instant, bool),
    from: RefundFrom,
    text: &str,
) -> Result<String> {
    put(ledger, how, &Refund { from, cals: cals(text), reason: "returned".to_string() })
}

/// Draws a change. Most are possible, some are not. Later keys are more likely to exist.
pub fn random(rng: &mut ChaCha20Rng, model: &Maps, (number, day): (usize, Day)) -> Step {
    let known: Vec<_> = model.keys.keys().cloned().collect();
    let lots = 1 + i64::try_from(model.lots.len()).unwrap();
    let party = ["P0", "P0", "P0", "P1"][rng.random_range(0..4)].to_string();
    let edition = ["oem", "standard"][rng.random_range(0..2)].to_string();
    let pool = ["A", "B", "C"][rng.random_range(0..3)].to_string();
    let name = ["a", "b", "c", "d"][rng.random_range(0..4)].to_string();
    let mut key = || match known.len() {
        0 => "K0".to_string(),
        len => known[rng.random_range(0..len)].clone(),
    };
    let (key, other) = (key(), key());
    // Usually what fits together.
    let fitting = model.keys.get(&key).filter(|_| rng.random_ratio(3, 4));
    let fitting = fitting.map(|key| (key.party.clone(), key.edition.clone()));
    let (party, edition) = fitting.unwrap_or((party, edition));
    let peers: Vec<_> = model.keys.iter().filter(|(_, key)| key.party == party).collect();
    let other = match peers.len() {
        len @ 1.. if rng.random_ratio(3, 4) => peers[rng.random_range(0..len)].0.clone(),
        _ => other,
    };
    let pool_keys: Vec<_> = model.keys.keys().filter(|key| key.contains('-')).collect();
    let pool_key = match pool_keys.len() {
        0 => format!("{party}-{name}"),
        len => pool_keys[rng.random_range(0..len)].clone(),
    };
    let pools: Vec<_> = model.pools.keys().filter(|(owner, _)| *owner == party).collect();
    let pool = match pools.len() {
        len @ 1.. if rng.random_ratio(3, 4) => pools[rng.random_range(0..len)].1.clone(),
        _ => pool,
    };
    let lot = rng.random_range(1..=lots);
    let (few, zero) = (some_cals(rng, 1..=6), some_cals(rng, 0..=6));
    let longer = match rng.random_range(0..3) {
        0 => LongerMaintenance::Refuse,
        1 => LongerMaintenance::Shorten,
        _ => LongerMaintenance::Bought(format!("difference-{number}")),
    };
    let ends = ["1 year", "400 days", "3 years", "never", "2028-06-30", "2035-01-01"];
    let included = ends[rng.random_range(0..ends.len())];
    let included = included.parse().unwrap();
    let span = [Span::Years(1), Span::Months(2), Span::Days(45)][rng.random_range(0..3)];
    let to = match rng.random_range(0..6) {
        0 | 1 => To::New(format!("K{}", rng.random_range(0..30))),
        2 | 3 => To::Key(key.clone()),
        _ => To::Stock,
    };
    let sale = Sale { reference: format!("sale-{number}"), day };
    match rng.random_range(0..27) {
        0..=2 => {
            let cals = some_cals(rng, 10..=40);
            Step::Buy { party, edition, included, cals, to, longer, sale }
        }
        3 | 4 => Step::Withdraw { party, edition, cals: few, to, longer },
        5 => Step::Lapse { lot },
        6 => Step::RefundLot { lot, cals: few },
        7 => Step::RefundKey { key, cals: few },
        8..=10 => Step::Move { from: key, to: other, cals: few },
        11 => Step::Exchange { from: key, to: other, count: rng.random_range(1..4) },
        12 => Step::Renew { key, number, span },
        13 | 14 => Step::AddToPool { key, confirmed: rng.random_ratio(7, 8) },
        15 => Step::NewPool { party, pool, edition },
        16 | 17 => Step::PoolQuota { party, pool, cals: some_cals(rng, 0..=12) },
        18..=20 => Step::NewPoolKey { party, pool, name, cals: some_cals(rng, 1..=3) },
        21 | 22 => Step::KeyQuota { key: pool_key, cals: zero },
        23 => Step::Delete { key: pool_key },
        24 => {
            let (cals, to) = (some_cals(rng, 10..=40), To::Key(key));
            Step::Buy { party, edition, included, cals, to, longer, sale }
        }
        _ => {
            let days = rng.random_range(0..900);
            let today = Instant::new(1_800_000_000).day().number; // in January 2027
            Step::Run { key, until: Day { number: today + days } }
        }
    }
}

/// Numbers of one to four modules.
fn some_cals(rng: &mut ChaCha20Rng, range: std::ops::RangeInclusive<u64>) -> String {
    let modules = ["ACB", "Hyper-V", "OBM", "VMware"];
    let first = if rng.random() { 2 } else { rng.random_range(0..modules.len()) };
    let chosen = (0..modules.len()).filter(|at| *at == first || rng.random_ratio(1, 6));
    let chosen: Vec<_> = chosen.collect();
    let one = |at: usize| format!("{}={}", modules[at], rng.random_range(range.clone()));
    chosen.into_iter().map(one).collect::<Vec<_>>().join(" ")
}

//! Random sequences of changes, with repeated orders, crashes and passing days, compared with a
//! model of plain maps after each step.

use std::collections::BTreeMap;
use std::fmt::Debug;

use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use crate::ledger::db::{DbResult, SqlRow};
use crate::ledger::tests::engines::{Database, databases};
use crate::ledger::tests::model::Maps;
use crate::ledger::tests::steps::{Step, random};
use crate::ledger::tests::world::World;
use crate::ledger::{Arguments, Booking, Books, Ledger, Order};
use olr_core::error::{Error, Problem, Result};
use olr_core::time::{DAY, Instant};

/// An order that books everything, and then fails.
struct Crash<'a, B>(&'a B);

impl<B: Booking> Booking for Crash<'_, B> {
    const VERB: &'static str = B::VERB;
    type Booked = B::Booked;

    fn arguments(&self, arguments: &mut Arguments) {
        self.0.arguments(arguments);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<B::Booked> {
        self.0.book(books)?;
        Err(Error::unable(Problem::Fault, "a crash", "try again").into())
    }
}

/// Carries out an order, or lets it crash at its end.
pub fn put<B: Booking>(
    ledger: &mut Ledger,
    (order, now, crash): (&Order, Instant, bool),
    act: &B,
) -> Result<String>
where
    B::Booked: Debug,
{
    let done = match crash {
        true => ledger.order(order, &Crash(act), now),
        false => ledger.order(order, act, now),
    };
    done.map(|done| format!("{done:?}"))
}

#[test]
fn the_ledger_is_what_the_model_says() {
    let (seeds, steps) =
        if std::env::var_os("OLR_LONG").is_some() { (100, 1_000) } else { (8, 300) };
    let (mut kinds, mut differences) = (BTreeMap::<String, usize>::new(), 0);
    for seed in 0..seeds {
        // A server takes ten times as long as a file.
        let fast = |database: &Database| seed % 4 == 0 || database.file().is_some();
        for database in databases().into_iter().filter(fast) {
            let mut world = World::new(database, "2027-01-01");
            for party in ["P0", "P1"] {
                world.add_party(party);
            }
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            for step in walk(&mut world, &mut rng, steps) {
                let kind = format!("{step:?}");
                *kinds.entry(kind.split_once(' ').unwrap().0.to_string()).or_default() += 1;
            }
            let find = "SELECT id FROM purchase WHERE reference LIKE 'difference-%'";
            differences += world.ledger.db.rows(find, &[]).unwrap().len();
        }
    }
    assert!(differences > 0);
    // Each kind of order succeeded.
    assert_eq!(kinds.len(), 14, "{kinds:?}");
}

/// Takes random steps. Returns the orders that succeeded.
fn walk(world: &mut World, rng: &mut ChaCha20Rng, steps: usize) -> Vec<Step> {
    let (mut model, mut done) = (Maps::default(), Vec::<(Order, Step, String)>::new());
    for number in 0..steps {
        if rng.random_ratio(1, 6) {
            let passed = rng.random_range(0..40 * DAY);
            world.at(Instant::new(world.now.seconds + passed));
        }
        let now = world.now;
        let step = random(rng, &model, (number, now.day()));
        let order = Order::new(format!("step-{number}"), "tester");
        if let Step::Run { key, until } = &step {
            if model.apply(&step, now) {
                world.ran_until(key, &until.to_string());
            }
            continue;
        }
        let crashed = rng.random_ratio(1, 5);
        if crashed {
            step.put(&mut world.ledger, (&order, now, true)).unwrap_err();
            compare(world, &model, &step);
        }
        let expected = model.apply(&step, now);
        let result = step.put(&mut world.ledger, (&order, now, false));
        assert_eq!(result.is_ok(), expected, "{number}: {step:?} gave {result:?}\n{model:#?}");
        compare(world, &model, &step);
        if let Ok(result) = result {
            done.push((order, step, result));
        }
        if !done.is_empty() && rng.random_ratio(1, 3) {
            repeat(world, &done, rng);
            compare(world, &model, &done[0].1);
        }
    }
    done.into_iter().map(|(_, step, _)| step).collect()
}

/// Gives an order again, and another one under the same id.
fn repeat(world: &mut World, done: &[(Order, Step, String)], rng: &mut ChaCha20Rng) {
    let (order, step, first) = &done[rng.random_range(0..done.len())];
    let again = step.put(&mut world.ledger, (order, world.now, false));
    assert_eq!(again.as_ref(), Ok(first), "{step:?}");
    let other = &done[rng.random_range(0..done.len())].1;
    if other != step {
        let error = other.put(&mut world.ledger, (order, world.now, false)).unwrap_err();
        assert_eq!((error.problem(), error.exit_status()), (Some(Problem::Usage), 2), "{error}");
    }
}

fn compare(world: &mut World, model: &Maps, step: &Step) {
    assert_eq!(holdings(world), model.holdings(), "after {step:?}");
    assert_eq!(keys(world), model.keys(), "after {step:?}");
    assert_eq!(world.ledger.check().unwrap(), [], "after {step:?}");
}

/// All balances of a ledger that are not 0, by kind, name of the owner, edition and module.
fn holdings(world: &mut World) -> BTreeMap<String, i64> {
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
fn keys(world: &mut World) -> BTreeMap<String, (String, bool, bool)> {
    let query = "SELECT key, maintenance || COALESCE(' ' || CAST(maintenance_until AS TEXT), '') \
                 || ', ' || included, state FROM license_key";
    let rows = world.ledger.db.rows(query, &[]).unwrap();
    let one = |row: &SqlRow| {
        let state = row.text(2).unwrap();
        let end = row.text(1).unwrap().to_string();
        (row.text(0).unwrap().to_string(), (end, state == "pooled", state == "deleted"))
    };
    rows.iter().map(one).collect()
}

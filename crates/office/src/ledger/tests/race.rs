//! Many want the last CAL: exactly one gets it.

use std::sync::Barrier;
use std::thread::scope;

use crate::ledger::tests::engines::databases;
use crate::ledger::tests::world::{World, cals};
use crate::ledger::{AddToPool, NewPool, Order, SetPoolQuota};
use olr_core::entitlement::Edition;
use olr_core::error::Refusal;

const RACERS: usize = 16;

/// Each racer has a connection of its own, as a process has, and takes from the sum to a pool of its
/// own: only the balance of the sum is shared.
#[test]
fn one_of_many_gets_the_last_cal() {
    let rounds = if std::env::var_os("OLR_LONG").is_some() { 1_000 } else { 5 };
    for database in databases() {
        let mut world = World::new(database, "2027-05-01");
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "OBM=1", "K1");
        world.run(&AddToPool { key: "K1".into(), licensee: "Acme Ltd".into() }).unwrap();
        for racer in 0..RACERS {
            let (party, pool) = ("Acme".to_string(), format!("P{racer}"));
            world.run(&NewPool { party, pool, edition: Edition::Oem }).unwrap();
        }
        let World { database, ledger, now, .. } = world;
        drop(ledger); // and with it the lock
        for round in 0..rounds {
            let start = Barrier::new(RACERS);
            let quota = |racer: usize, count: u64| SetPoolQuota {
                party: "Acme".to_string(),
                pool: format!("P{racer}"),
                quotas: cals(&format!("OBM={count}")),
            };
            let race = |racer: usize| {
                start.wait();
                let order = Order::new(format!("{round}-{racer}"), "racer");
                database.ledger().order(&order, &quota(racer, 1), now)
            };
            let results: Vec<_> = scope(|scope| {
                let race = &race;
                let run = |racer| scope.spawn(move || race(racer));
                let racers: Vec<_> = (0..RACERS).map(run).collect();
                racers.into_iter().map(|racer| racer.join().unwrap()).collect()
            });
            let winners: Vec<_> = (0..RACERS).filter(|racer| results[*racer].is_ok()).collect();
            assert_eq!(winners.len(), 1, "{results:?}");
            for error in results.iter().filter_map(|result| result.as_ref().err()) {
                assert_eq!(error.refusal(), Some(Refusal::QuotaExceeded), "{error:?}");
            }
            let mut ledger = database.ledger();
            let back = Order::new(format!("{round}-back"), "racer");
            ledger.order(&back, &quota(winners[0], 0), now).unwrap();
            assert_eq!(ledger.check().unwrap(), []);
        }
    }
}

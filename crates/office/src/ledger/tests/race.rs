//! Many want the last CAL: exactly one gets it.

use std::sync::Barrier;
use std::thread::scope;

use crate::ledger::tests::engines::databases;
use crate::ledger::tests::world::{World, cals};
use crate::ledger::{AddToPool, NewPool, Order, SetPoolQuota};
use olr_core::entitlement::Edition;
use olr_core::error::Refusal;

const RACERS: usize = 16;

/// Each racer is a user of its own, and takes from the sum to a pool of its own: only the balance of
/// the sum is shared. Connections to a server are made once, so that the orders meet there. Only one
/// process at a time can have a file open; racers wait for it as commands do.
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
        let (database, start) = (&database, &Barrier::new(RACERS));
        let race = move |racer: usize| {
            let mut connected = database.file().is_none().then(|| database.ledger());
            let mut put = |id: String, count: u64| {
                let act = SetPoolQuota {
                    party: "Acme".to_string(),
                    pool: format!("P{racer}"),
                    quotas: cals(&format!("OBM={count}")),
                };
                let order = Order::new(id, "racer");
                match &mut connected {
                    Some(ledger) => ledger.order(&order, &act, now),
                    None => database.ledger().order(&order, &act, now),
                }
            };
            let mut results = Vec::new();
            for round in 0..rounds {
                start.wait();
                let result = put(format!("{round}-{racer}"), 1);
                start.wait();
                let back = result.is_ok().then(|| put(format!("{round}-{racer}-back"), 0));
                results.push((result, back));
            }
            results
        };
        let results: Vec<_> = scope(|scope| {
            let racers: Vec<_> =
                (0..RACERS).map(|racer| scope.spawn(move || race(racer))).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        for round in 0..rounds {
            let results: Vec<_> = results.iter().map(|racer| &racer[round]).collect();
            let winners: Vec<_> = results.iter().filter_map(|(_, back)| back.as_ref()).collect();
            assert!(matches!(winners[..], [Ok(_)]), "{round}: {results:?}");
            for error in results.iter().filter_map(|(result, _)| result.as_ref().err()) {
                assert_eq!(error.refusal(), Some(Refusal::QuotaExceeded), "{error:?}");
            }
        }
        assert_eq!(database.ledger().check().unwrap(), []);
    }
}

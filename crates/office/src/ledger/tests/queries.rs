//! What people ask, on each engine.

use crate::ledger::db::values;
use crate::ledger::tests::world::{World, new_key, purchased};
use crate::ledger::{
    AddParty, AddToPool, LicenseFilter, LongerMaintenance, NewPool, Order, PartyKind, Withdraw,
};
use olr_core::entitlement::Edition;
use olr_core::time::Instant;

const NOW: &str = "2027-05-01";

fn withdraw(count: &str, key: &str) -> Withdraw {
    Withdraw {
        party: "Acme".to_string(),
        license_type: purchased("oem"),
        cals: crate::ledger::tests::world::cals(count),
        to: new_key(key),
        longer: LongerMaintenance::Refuse,
    }
}

#[test]
fn an_order_that_is_tried_changes_nothing() {
    World::each(NOW, |world| {
        world.add_party("Acme");
        world.buy_stock("Acme", "oem", "OBM=50");
        let (before, order) = (world.holdings(), Order::new("one", "tester"));
        let now = world.now;
        let tried = world.ledger.rehearse(&order, &withdraw("OBM=30", "K1"), now).unwrap();
        assert_eq!((&*tried.0.key, tried.1.len()), ("K1", 1));
        let moved = &tried.1[0];
        assert_eq!((&*moved.module, moved.count, &*moved.edition), ("OBM", 30, "oem"));
        assert_eq!((&*moved.from.kind, &*moved.from.name), ("stock", "1"));
        assert_eq!((&*moved.to.kind, &*moved.to.name), ("key", "K1"));
        assert_eq!(world.holdings(), before);
        world.ledger.rehearse(&order, &withdraw("OBM=51", "K1"), now).unwrap_err();
        // A refusal leaves no transaction open either.
        let done = world.ledger.order(&order, &withdraw("OBM=30", "K1"), now).unwrap();
        assert_eq!((done, world.ledger.movements("one").unwrap()), tried);
    });
}

#[test]
fn lists_have_all_pages_and_their_own_rows() {
    World::each(NOW, |world| {
        let now = world.now;
        let add = |group: &mut crate::ledger::Group<'_>| {
            for number in 0..1_100 {
                let party = AddParty::new(PartyKind::Customer, format!("Party {number}"));
                group.order(&Order::new(format!("add-{number}"), "tester"), &party).unwrap();
            }
        };
        world.ledger.group(now, add).unwrap();
        let parties = world.ledger.parties().unwrap();
        let names: Vec<_> = (0..1_100).map(|number| format!("Party {number}")).collect();
        assert_eq!(parties.iter().map(|party| party.name.clone()).collect::<Vec<_>>(), names);
        world.add_party("Acme");
        world.buy_stock("Acme", "oem", "ACB=5 OBM=50");
        world.buy_key("Acme", "oem", "OBM=7", "K2");
        world.run(&withdraw("OBM=50", "K1")).unwrap();
        let stock = world.ledger.stock(Some("Acme")).unwrap();
        assert_eq!((stock.len(), stock[0].cals[0].count, &*stock[0].party), (1, 5, "Acme"));
        assert_eq!(stock[0].days_left(now), 366);
        assert_eq!(stock[0].days_left(stock[0].until.ends()), 0);
        assert_eq!(world.ledger.stock(None).unwrap(), stock);
        assert_eq!(world.ledger.stock(Some("Party 1")).unwrap(), []);
        let acme = world.ledger.party("Acme").unwrap().unwrap();
        assert_eq!(acme.prefix.as_deref(), Some("Acme-"));
        let purchases = world.ledger.purchases(acme.party).unwrap();
        assert_eq!(purchases.iter().map(|one| one.cals.len()).collect::<Vec<_>>(), [2, 1]);
        let keys = world.ledger.keys_of(acme.party).unwrap();
        assert_eq!(keys.iter().map(|key| &*key.key).collect::<Vec<_>>(), ["K2", "K1"]);
        assert_eq!(world.ledger.party("Nobody").unwrap(), None);
    });
}

#[test]
fn a_summary_names_every_place_once() {
    World::each(NOW, |world| {
        world.add_party("Acme");
        world.buy_stock("Acme", "oem", "OBM=50");
        world.buy_key("Acme", "oem", "OBM=20", "K1");
        world.buy_key("Acme", "standard", "OBM=3", "K2");
        let add = AddToPool { key: "K1".to_string(), licensee: "Acme Ltd".to_string() };
        world.run(&add).unwrap();
        let (party, pool) = ("Acme".to_string(), "north".to_string());
        world.run(&NewPool { party, pool, edition: Edition::Oem }).unwrap();
        let summary = world.ledger.summary().unwrap();
        let numbers: Vec<_> = summary
            .iter()
            .map(|one| (&*one.edition, one.sold, one.stock, one.keys, one.pooled))
            .collect();
        assert_eq!(numbers, [("oem", 70, 50, 0, 20), ("standard", 3, 0, 3, 0)]);
        let pools = world.ledger.pools("Acme").unwrap();
        assert_eq!((pools.len(), pools[0].free[0].count), (1, 20));
        assert_eq!((&*pools[0].pools[0].name, pools[0].pools[0].free.len()), ("north", 0));
        assert!(world.ledger.overview().unwrap().newest.is_some());
        assert_eq!(world.ledger.due(world.now).unwrap().lapsed, [] as [i64; 0]);
    });
}

/// Records a license as it is stored, without its movements.
fn answer(world: &mut World, number: u8, key: &str, turn: i64, expires: Option<i64>) {
    let (id, code) = (format!("{number:02x}").repeat(16), format!("AAAA-BBB{number}"));
    let order = "INSERT INTO ledger_order (id, actor, verb, arguments, instant, result) \
                 VALUES ($1, 'tester', 'issue', $2, 1, '')";
    let bytes = [number; 32];
    let db = &mut world.ledger.db;
    db.exec(order, values![&id, &bytes[..]]).unwrap();
    let request = "INSERT INTO request (hash, request_id, number, install_key, code, host, bytes, \
                   order_id) VALUES ($1, $2, 1, $1, $3, 'Server.example', $1, $2)";
    db.exec(request, values![&bytes[..], &id, &code]).unwrap();
    let answer = "INSERT INTO answer (license, request, answer, license_key, product, slot, turn, \
                  licensee, license_type, issued, expires, terms, bytes, order_id) \
                  SELECT $1, id, 1, $2, 'example', 'backup', $3, 'Acme Ltd', 'oem', 1, $4, $5, $5, \
                  $1 FROM request WHERE request_id = $1";
    db.exec(answer, values![&id, key, turn, expires, &bytes[..]]).unwrap();
}

#[test]
fn licenses_are_found_with_what_became_of_them() {
    World::each(NOW, |world| {
        let now = world.now;
        world.add_party("Acme");
        for key in ["K1", "K2", "K3"] {
            world.buy_key("Acme", "oem", "OBM=1", key);
        }
        let day = i64::from(now.day().number);
        answer(world, 1, "K1", 1, None);
        answer(world, 2, "K1", 2, Some(day + 10));
        answer(world, 3, "K2", 1, Some(day - 10));
        answer(world, 4, "K3", 1, None);
        let revoke = "INSERT INTO revocation (answer, cause, reason, instant, order_id) \
                      SELECT id, 'revoked', 'lost', 1, order_id FROM answer WHERE license = $1";
        world.ledger.db.exec(revoke, values!["04".repeat(16).as_str()]).unwrap();
        let mut list = |filter: LicenseFilter, now: Instant| {
            let found = world.ledger.licenses(&filter, now).unwrap();
            let one = |one: &crate::ledger::ListedLicense| {
                format!("{} {}", one.license_key, one.condition)
            };
            found.iter().map(one).collect::<Vec<_>>()
        };
        let all = LicenseFilter::default();
        assert_eq!(list(all.clone(), now), ["K1 in effect", "K2 expired", "K3 revoked"]);
        let party = |name: &str| LicenseFilter { party: Some(name.to_string()), ..all.clone() };
        assert_eq!(list(party("Acme"), now).len(), 3);
        assert_eq!(list(party("Nobody"), now).len(), 0);
        let soon = LicenseFilter {
            expires_until: Some((now.day().to_string()).parse().unwrap()),
            ..all.clone()
        };
        assert_eq!(list(soon, now).len(), 0);
        let module = LicenseFilter { module: Some("OBM".to_string()), ..all.clone() };
        assert_eq!(list(module, now).len(), 0, "nothing was counted on these");
        assert_eq!(list(LicenseFilter { in_effect: true, ..all }, now), ["K1 in effect"]);
        let mut find = |text: &str| {
            let found = world.ledger.find_licenses(text, now).unwrap();
            found.iter().map(|one| one.license.to_string()[..2].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(find("0101"), ["01"], "an older one, by its id");
        assert_eq!(find("K1"), ["02"]);
        assert_eq!(find("aaaabbb3"), ["03"]);
        assert_eq!(find("server.EX"), ["02", "03", "04"]);
        assert_eq!(find("acme l"), ["02", "03", "04"]);
        assert_eq!(find("ffff"), [] as [&str; 0]);
        assert_eq!(find(" "), [] as [&str; 0]);
        let stored = world.ledger.stored_licenses(0, 3).unwrap();
        assert_eq!((stored.len(), &*stored[2].2), (3, &[3; 32][..]));
        assert_eq!(world.ledger.stored_licenses(stored[2].0, 3).unwrap().len(), 1);
    });
}

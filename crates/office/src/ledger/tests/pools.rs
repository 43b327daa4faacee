//! Pools: the rules F1 to F8, and the case F10.

use crate::ledger::tests::world::{World, cals, catalog, new_key, other_type, purchased};
use crate::ledger::{
    AddParty, AddToPool, Booking, DeletePoolKey, LongerMaintenance, MoveCals, NewPool, NewPoolKey,
    PartyKind, PoolType, RenewMaintenance, SetKeyQuota, SetPoolQuota, Withdraw,
};
use olr_core::entitlement::Edition;
use olr_core::error::{Problem, Refusal};
use olr_core::time::Span;

fn add(key: &str) -> AddToPool {
    AddToPool { key: key.to_string(), licensee: "Acme Ltd".to_string() }
}

fn pool(name: &str, edition: Edition) -> NewPool {
    NewPool { party: "Acme".to_string(), pool: name.to_string(), edition }
}

fn pool_quota(name: &str, text: &str) -> SetPoolQuota {
    SetPoolQuota { party: "Acme".to_string(), pool: name.to_string(), quotas: cals(text) }
}

fn pool_key(pool: &str, name: &str, text: &str) -> NewPoolKey {
    NewPoolKey {
        party: "Acme".to_string(),
        pool: pool.to_string(),
        name: name.to_string(),
        licensee: "Acme Ltd".to_string(),
        product: "example".to_string(),
        slot: "backup".to_string(),
        license_type: PoolType::of(&catalog(), "pool-oem").unwrap(),
        quotas: cals(text),
    }
}

fn key_quota(key: &str, text: &str) -> SetKeyQuota {
    SetKeyQuota { key: key.to_string(), quotas: cals(text) }
}

#[track_caller]
fn refused<B: Booking>(world: &mut World, act: &B, word: Refusal, fact: &str)
where
    B::Booked: PartialEq + std::fmt::Debug,
{
    let error = world.run(act).unwrap_err();
    assert_eq!((error.refusal(), error.fact()), (Some(word), fact));
}

/// F10, from end to end as far as quotas go.
#[test]
fn the_case_of_the_domain() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_stock("Acme", "oem", "OBM=100 ACB=100");
        let withdraw = Withdraw {
            party: "Acme".to_string(),
            license_type: purchased("oem"),
            cals: cals("OBM=100 ACB=100"),
            to: new_key("K1"),
            longer: LongerMaintenance::Refuse,
        };
        world.run(&withdraw).unwrap();
        assert_eq!(world.run(&add("K1")).unwrap().cals, cals("ACB=100 OBM=100"));
        for name in ["A", "B", "C"] {
            world.run(&pool(name, Edition::Oem)).unwrap();
            world.run(&pool_quota(name, "OBM=20 ACB=20")).unwrap();
        }
        for (pool, key, quota) in [("A", "a1", 10), ("A", "a2", 10), ("B", "b", 20), ("C", "c", 20)]
        {
            let made = world.run(&pool_key(pool, key, &format!("OBM={quota} ACB={quota}")));
            assert_eq!(made.unwrap().key, format!("Acme-{key}"));
        }
        assert_eq!(world.total("sum"), "ACB=40 OBM=40");
        assert_eq!((world.total("pool"), world.total("key")), ("".into(), "ACB=60 OBM=60".into()));
        assert_eq!(world.total("sold"), "ACB=-100 OBM=-100");
    });
}

/// F3: no sum is exceeded at any level.
#[test]
fn sums_are_never_exceeded() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "ACB=50 OBM=80", "K1");
        world.buy_key("Acme", "oem", "ACB=20 OBM=30", "K2");
        world.run(&add("K1")).unwrap();
        world.run(&add("K2")).unwrap();
        assert_eq!(world.total("sum"), "ACB=70 OBM=110");
        world.run(&pool("P", Edition::Oem)).unwrap();
        let sum = "OBM: 111 wanted, 110 left in the sum of pooled licenses";
        refused(world, &pool_quota("P", "ACB=70 OBM=111"), Refusal::QuotaExceeded, sum);
        world.run(&pool_quota("P", "ACB=70 OBM=50")).unwrap();
        world.run(&pool_key("P", "one", "OBM=30")).unwrap();
        let left = "OBM: 21 wanted, 20 left in the pool";
        refused(world, &pool_key("P", "two", "OBM=21"), Refusal::QuotaExceeded, left);
        // A pool keeps what its keys have.
        let used = "OBM: 29 wanted, the keys of the pool have 30";
        refused(world, &pool_quota("P", "OBM=29"), Refusal::QuotaExceeded, used);
        let hint = world.run(&pool_quota("P", "OBM=29")).unwrap_err().next_step().to_string();
        assert!(hint.contains("quotas of its keys"), "{hint}");
        world.run(&pool_quota("P", "OBM=30")).unwrap();
        assert_eq!(world.total("pool"), "ACB=70");
        // F4: a quota of a key changes at any time, within its pool.
        let more = "OBM: 1 wanted, 0 left in the pool";
        refused(world, &key_quota("Acme-one", "OBM=31"), Refusal::QuotaExceeded, more);
        world.run(&key_quota("Acme-one", "OBM=10 ACB=5")).unwrap();
        assert_eq!(
            (world.total("pool"), world.total("key")),
            ("ACB=65 OBM=20".into(), "ACB=5 OBM=10".into())
        );
        world.run(&key_quota("Acme-one", "OBM=0")).unwrap();
        assert_eq!(world.total("key"), "ACB=5");
        let error = world.run(&pool("P", Edition::Standard)).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Exists));
    });
}

/// F1: OEM and Standard never mix.
#[test]
fn editions_never_mix() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "OBM=5", "K1");
        world.buy_key("Acme", "standard", "OBM=7", "S1");
        world.run(&add("K1")).unwrap();
        world.run(&add("S1")).unwrap();
        world.run(&pool("P", Edition::Standard)).unwrap();
        let left = "OBM: 8 wanted, 7 left in the sum of pooled licenses";
        refused(world, &pool_quota("P", "OBM=8"), Refusal::QuotaExceeded, left);
        world.run(&pool_quota("P", "OBM=7")).unwrap();
        assert_eq!(world.total("sum"), "OBM=5");
    });
}

/// F2: pooling is confirmed, final, and makes the key unusable.
#[test]
fn pooling_is_final() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "OBM=5", "K1");
        world.buy_key("Acme", "oem", "OBM=5", "K2");
        let typed = AddToPool { licensee: "acme ltd".to_string(), ..add("K1") };
        assert_eq!(world.run(&typed).unwrap_err().refusal(), Some(Refusal::WrongLicensee));
        world.run(&add("K1")).unwrap();
        assert_eq!(world.run(&add("K1")).unwrap_err().problem(), Some(Problem::Usage));
        for (from, to) in [("K1", "K2"), ("K2", "K1")] {
            let (from, to) = (from.to_string(), to.to_string());
            let act = MoveCals { from, to, cals: cals("OBM=1") };
            assert_eq!(world.run(&act).unwrap_err().problem(), Some(Problem::Usage));
        }
        let active = "UPDATE license_key SET state = 'active', holder = $1 WHERE key = 'K2'";
        world.ledger.db.exec(active, crate::ledger::db::values![&[7u8; 32][..]]).unwrap();
        assert_eq!(world.run(&add("K2")).unwrap_err().refusal(), Some(Refusal::AlreadyActivated));
    });
}

/// A pool key is of a type of the catalog that has the edition of its pool, and its modules.
#[test]
fn the_type_of_a_pool_key_is_that_of_its_pool() {
    assert_eq!(PoolType::of(&catalog(), "oem").unwrap_err().problem(), Some(Problem::Usage));
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "standard", "OBM=5", "K1");
        world.run(&add("K1")).unwrap();
        world.run(&pool("P", Edition::Standard)).unwrap();
        world.run(&pool_quota("P", "OBM=5")).unwrap();
        let mut act = pool_key("P", "a", "OBM=1");
        let error = world.run(&act).unwrap_err();
        assert_eq!(error.fact(), "license type pool-oem is oem, the pool is standard");
        act.license_type = PoolType::of(&catalog(), "pool-standard").unwrap();
        for (product, slot) in [("other", "backup"), ("example", "other")] {
            let (product, slot) = (product.to_string(), slot.to_string());
            let wrong = NewPoolKey { product, slot, ..act.clone() };
            let error = world.run(&wrong).unwrap_err();
            assert!(error.fact().contains("other"), "{error}");
        }
        world.run(&act).unwrap();
    });
}

/// F5: the name of a pool key.
#[test]
fn pool_keys_have_the_prefix_of_the_partner() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "OBM=5", "K1");
        world.run(&add("K1")).unwrap();
        world.run(&pool("P", Edition::Oem)).unwrap();
        world.run(&pool_quota("P", "OBM=5")).unwrap();
        for wrong in ["", "a b", "ä", "a.b", "a/b"] {
            let error = world.run(&pool_key("P", wrong, "OBM=1")).unwrap_err();
            assert_eq!(error.problem(), Some(Problem::Usage), "{wrong}");
        }
        assert_eq!(world.run(&pool_key("P", "a_B-9", "OBM=1")).unwrap().key, "Acme-a_B-9");
        let error = world.run(&pool_key("P", "a_B-9", "OBM=1")).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Exists));
        let error = world.run(&pool_key("Q", "x", "OBM=1")).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::NotFound));
    });
}

/// F5: a key tells whose it is, so no prefix begins with another.
#[test]
fn prefixes_do_not_begin_with_each_other() {
    World::each("2027-05-01", |world| {
        let party = |name: &str, prefix: &str| AddParty {
            prefix: Some(prefix.to_string()),
            ..AddParty::new(PartyKind::Partner, name)
        };
        world.run(&party("A", "AC-")).unwrap();
        for wrong in ["AC-ME-", "AC", "A", "AC-"] {
            let error = world.run(&party("B", wrong)).unwrap_err();
            assert_eq!(error.problem(), Some(Problem::Exists), "{wrong}: {error}");
        }
        for good in ["AB-", "AD-", "ac-", "x"] {
            world.run(&party(good, good)).unwrap();
        }
    });
}

/// F6: the earliest maintenance of all pooled licenses of a type. F7: none that is over.
#[test]
fn the_earliest_maintenance_is_that_of_the_pool_keys() {
    World::each("2024-02-01", |world| {
        world.add_party("Acme");
        for (license_type, edition, days, earliest) in [
            ("oem", Edition::Oem, ["2024-10-01", "2024-12-01", "2025-12-01"], "2024-10-01"),
            (
                "standard",
                Edition::Standard,
                ["2024-10-01", "2026-01-01", "2024-08-01"],
                "2024-08-01",
            ),
        ] {
            for (number, day) in days.into_iter().enumerate() {
                let key = format!("{license_type}-{number}");
                world.buy_key("Acme", license_type, "OBM=1", &key);
                world.ran_until(&key, day);
                world.run(&add(&key)).unwrap();
            }
            let found = world.ledger.pool_maintenance("Acme", edition).unwrap();
            assert_eq!(found.as_deref(), Some(earliest));
        }
        let renew = RenewMaintenance {
            key: "standard-2".to_string(),
            reference: "renewed".to_string(),
            span: Span::Years(1),
        };
        world.run(&renew).unwrap();
        let found = world.ledger.pool_maintenance("Acme", Edition::Standard).unwrap();
        assert_eq!(found.as_deref(), Some("2024-10-01"));
        world.buy_key("Acme", "oem", "OBM=1", "late");
        world.ran_until("late", "2024-03-01");
        world.today("2024-03-02T12:00:00Z");
        let error = world.run(&add("late")).unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::MaintenanceEnded));
        // Maintenance that has not started starts with the pooling.
        world.buy_key("Acme", "oem", "OBM=1", "new");
        assert_eq!(world.run(&add("new")).unwrap().maintenance, "2024-10-01");
        assert_eq!(world.ledger.pool_maintenance("Nobody", Edition::Oem).unwrap(), None);
    });
}

/// F7: what comes with a purchase may be over before it starts.
#[test]
fn included_maintenance_that_is_over_is_not_pooled() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        let mut buy = world.buying("Acme", "oem", "OBM=1", new_key("K1"));
        buy.license_type = other_type("oem", "2027-06-30", "oem");
        world.run(&buy).unwrap();
        world.today("2027-07-01T12:00:00Z");
        let error = world.run(&add("K1")).unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::MaintenanceEnded), "{error}");
        assert_eq!(world.total("sum"), "");
    });
}

/// Puts CALs of a key where a signed license has them, as issuing will do.
fn license(world: &mut World, key: &str, kind: &str) {
    if kind == "escrow" {
        return world.hold(key, "ACB");
    }
    world.exec(&format!(
        "INSERT INTO holding (kind, owner, module, edition, unit, balance) \
         SELECT '{kind}', id, 'ACB', 'oem', 'device', 1 FROM license_key WHERE key = '{key}'"
    ));
}

/// Neither pooling nor deleting takes a key of which a license may be in effect.
#[test]
fn what_a_license_uses_stays() {
    for kind in ["out", "escrow"] {
        World::each("2027-05-01", |world| {
            world.add_party("Acme");
            for key in ["K1", "K2"] {
                world.buy_key("Acme", "oem", "OBM=5", key);
            }
            world.run(&add("K1")).unwrap();
            world.run(&pool("P", Edition::Oem)).unwrap();
            world.run(&pool_quota("P", "OBM=5")).unwrap();
            world.run(&pool_key("P", "a", "OBM=3")).unwrap();
            license(world, "K2", kind);
            license(world, "Acme-a", kind);
            let order = |id: &str| crate::ledger::Order::new(id, "tester");
            if kind == "out" {
                let less = key_quota("Acme-a", "ACB=0");
                let error = world.ledger.order(&order("less"), &less, world.now).unwrap_err();
                assert_eq!(error.fact(), "ACB: 0 wanted, signed licenses have 1");
            }
            let delete = DeletePoolKey { key: "Acme-a".to_string() };
            let error = world.ledger.order(&order("delete"), &delete, world.now).unwrap_err();
            assert_eq!(error.problem(), Some(Problem::Usage), "{error}");
            assert!(error.fact().ends_with("may still use ACB"), "{error}");
            if kind == "escrow" {
                // What is in escrow stays there when its key is pooled.
                world.ledger.order(&order("pool"), &add("K2"), world.now).unwrap();
                assert_eq!(world.total("escrow"), "ACB=2");
            }
        });
    }
}

/// F8: a pool key on a machine is deleted only 14 days after its creation.
#[test]
fn pool_keys_in_use_are_kept_for_14_days() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "OBM=5", "K1");
        world.run(&add("K1")).unwrap();
        world.run(&pool("P", Edition::Oem)).unwrap();
        world.run(&pool_quota("P", "OBM=5")).unwrap();
        world.run(&pool_key("P", "a", "OBM=3")).unwrap();
        let active = "UPDATE license_key SET state = 'active', holder = $1 WHERE model = 'pool'";
        world.ledger.db.exec(active, crate::ledger::db::values![&[7u8; 32][..]]).unwrap();
        let delete = DeletePoolKey { key: "Acme-a".to_string() };
        world.today("2027-05-14T23:59:59Z");
        let error = world.run(&delete).unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::AlreadyActivated));
        assert!(error.next_step().to_string().contains("2027-05-15T00:00:00Z"), "{error:?}");
        world.today("2027-05-15");
        world.run(&delete).unwrap();
        assert_eq!(world.total("pool"), "OBM=5");
    });
}

/// F8: a pool key that is on no machine is deleted; its quotas return to the pool.
#[test]
fn idle_pool_keys_are_deleted() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "OBM=5", "K1");
        let delete = |key: &str| DeletePoolKey { key: key.to_string() };
        assert_eq!(world.run(&delete("K1")).unwrap_err().problem(), Some(Problem::Usage));
        world.run(&add("K1")).unwrap();
        world.run(&pool("P", Edition::Oem)).unwrap();
        world.run(&pool_quota("P", "OBM=5")).unwrap();
        world.run(&pool_key("P", "a", "OBM=3")).unwrap();
        world.run(&delete("Acme-a")).unwrap();
        assert_eq!((world.total("pool"), world.total("key")), ("OBM=5".into(), "".into()));
        assert_eq!(world.run(&delete("Acme-a")).unwrap_err().problem(), Some(Problem::Usage));
        let error = world.run(&key_quota("Acme-a", "OBM=1")).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Usage));
        assert_eq!(world.run(&delete("nothing")).unwrap_err().problem(), Some(Problem::NotFound));
    });
}

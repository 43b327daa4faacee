//! Purchases, stock and keys: the rules G1 to G3, C2, and what may not be mixed.

use crate::ledger::tests::world::{World, cals, catalog, new_key, other_type, purchased};
use crate::ledger::{
    Destination, ExchangeCals, KeyText, Lapse, LongerMaintenance, MoveCals, NewKey, Refund,
    RefundFrom, RenewMaintenance, Withdraw,
};
use olr_core::error::{Problem, Refusal};
use olr_core::time::Span;

fn withdraw(text: &str, to: Destination) -> Withdraw {
    Withdraw {
        party: "Acme".to_string(),
        license_type: purchased("oem"),
        cals: cals(text),
        to,
        longer: LongerMaintenance::Refuse,
    }
}

fn key(name: &str) -> Destination {
    Destination::Key(name.to_string())
}

/// G2: bought on 30 April, withdrawable up to and including 29 April of the next year.
#[test]
fn stock_is_withdrawn_in_parts_for_a_year() {
    World::each("2027-04-30", |world| {
        world.add_party("Acme");
        let buy = world.buying("Acme", "oem", "OBM=50", Destination::Stock);
        let bought = world.run(&buy).unwrap();
        assert_eq!(bought.stock_until.as_deref(), Some("2028-04-29"));
        world.today("2027-06-01");
        let done = world.run(&withdraw("OBM=20", new_key("K1"))).unwrap();
        assert_eq!((done.key.as_str(), done.maintenance.as_str()), ("K1", "not-started"));
        // Days end when they have ended everywhere.
        world.today("2028-04-30T11:59:59Z");
        world.run(&withdraw("OBM=10", key("K1"))).unwrap();
        assert_eq!((world.total("stock"), world.total("key")), ("OBM=20".into(), "OBM=30".into()));
        let lapse = Lapse { lot: bought.lot.unwrap() };
        assert_eq!(world.run(&lapse).unwrap_err().problem(), Some(Problem::Usage));
        assert_eq!(world.ledger.lots_to_lapse(world.now).unwrap(), []);
        world.today("2028-04-30T12:00:00Z");
        let error = world.run(&withdraw("OBM=1", key("K1"))).unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::QuotaExceeded));
        assert_eq!(error.fact(), "OBM: 1 wanted, 0 left in stock");
        // G3: 50 bought, 30 used, 20 are removed.
        assert_eq!(world.ledger.lots_to_lapse(world.now).unwrap(), [lapse.lot]);
        assert_eq!(world.run(&lapse).unwrap().cals, cals("OBM=20"));
        assert_eq!((world.total("stock"), world.total("lapsed")), ("".into(), "OBM=20".into()));
        assert_eq!(world.ledger.lots_to_lapse(world.now).unwrap(), []);
        assert_eq!(world.run(&lapse).unwrap().cals, []);
        assert_eq!(world.total("sold"), "OBM=-50");
    });
}

#[test]
fn the_oldest_lot_is_withdrawn_first() {
    World::each("2027-01-10", |world| {
        world.add_party("Acme");
        let newer = world.buy_stock("Acme", "oem", "OBM=5 ACB=5");
        let mut buy = world.buying("Acme", "oem", "OBM=5", Destination::Stock);
        buy.day = "2027-01-01".parse().unwrap();
        let older = world.run(&buy).unwrap().lot.unwrap();
        let done = world.run(&withdraw("OBM=7 ACB=1", new_key("K1"))).unwrap();
        assert_eq!(done.lots, [older, newer]);
        assert_eq!(world.total("stock"), "ACB=4 OBM=3");
        let error = world.run(&withdraw("OBM=4 ACB=1", key("K1"))).unwrap_err();
        assert_eq!(error.fact(), "OBM: 4 wanted, 3 left in stock");
        // The older lot has lapsed, the newer one has not.
        world.today("2028-01-05");
        world.run(&withdraw("OBM=3", key("K1"))).unwrap();
        let error = world.run(&withdraw("OBM=1", key("K1"))).unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::QuotaExceeded));
    });
}

/// G2: a key keeps its maintenance only within the first year of the CALs that join.
#[test]
fn longer_maintenance_is_confirmed_or_bought() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_stock("Acme", "oem", "OBM=50");
        world.buy_key("Acme", "oem", "OBM=1", "K1");
        world.ran_until("K1", "2028-04-30");
        assert_eq!(world.run(&withdraw("OBM=1", key("K1"))).unwrap().maintenance, "2028-04-30");
        world.ran_until("K1", "2029-01-01");
        let mut act = withdraw("OBM=1", key("K1"));
        let error = world.run(&act).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::NotConfirmed));
        assert!(error.fact().contains("2029-01-01") && error.fact().contains("2028-04-30"));
        act.longer = LongerMaintenance::Bought("difference".to_string());
        assert_eq!(world.run(&act).unwrap().maintenance, "2029-01-01");
        assert_eq!(world.run(&act).unwrap_err().problem(), Some(Problem::Exists));
        let line = "SELECT maintenance_from, maintenance_until FROM purchase_line \
                    WHERE maintenance_until IS NOT NULL";
        let row = world.ledger.db.rows(line, &[]).unwrap().remove(0);
        assert_eq!(row.integer(1).unwrap() - row.integer(0).unwrap(), 245); // 2028-05-01 and on
        act.longer = LongerMaintenance::Shorten;
        assert_eq!(world.run(&act).unwrap().maintenance, "2028-04-30");
        let mut buy = world.buying("Acme", "oem", "OBM=1", key("K1"));
        world.ran_until("K1", "2028-05-01");
        assert_eq!(world.run(&buy).unwrap_err().problem(), Some(Problem::NotConfirmed));
        buy.longer = LongerMaintenance::Shorten;
        assert_eq!(world.run(&buy).unwrap().maintenance.as_deref(), Some("2028-04-30"));
    });
}

/// G1: renewing extends maintenance, from the later of today and its end.
#[test]
fn maintenance_is_renewed() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "OBM=1", "K1");
        let mut renew = RenewMaintenance {
            key: "K1".to_string(),
            reference: "R1".to_string(),
            span: Span::Years(1),
        };
        assert_eq!(world.run(&renew).unwrap_err().problem(), Some(Problem::Usage));
        world.ran_until("K1", "2027-12-31");
        let done = world.run(&renew).unwrap();
        assert_eq!((&*done.from, &*done.until), ("2028-01-01", "2028-12-31"));
        assert_eq!(world.run(&renew).unwrap_err().problem(), Some(Problem::Exists));
        world.today("2030-02-01");
        renew.reference = "R2".to_string();
        let done = world.run(&renew).unwrap();
        assert_eq!((&*done.from, &*done.until), ("2030-02-01", "2031-01-31"));
    });
}

#[test]
fn refunds_take_only_what_is_on_no_machine() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        let lot = world.buy_stock("Acme", "oem", "OBM=5");
        world.buy_key("Acme", "oem", "OBM=5", "K1");
        let refund = |from, text| Refund { from, cals: cals(text), reason: "returned".to_string() };
        world.run(&refund(RefundFrom::Lot(lot), "OBM=2")).unwrap();
        let why = world.ledger.db.rows("SELECT reason FROM refund", &[]).unwrap();
        assert_eq!((why.len(), why[0].text(0)), (1, Ok("returned")));
        world.run(&refund(RefundFrom::Key("K1".to_string()), "OBM=2")).unwrap();
        assert_eq!(world.total("refunded"), "OBM=4");
        let error = world.run(&refund(RefundFrom::Lot(lot), "OBM=4")).unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::QuotaExceeded));
        // What an older license may still use is not refunded.
        world.hold("K1", "OBM");
        let order = crate::ledger::Order::new("with escrow", "tester");
        let act = refund(RefundFrom::Key("K1".to_string()), "OBM=1");
        let error = world.ledger.order(&order, &act, world.now).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Usage), "{error}");
        // What has lapsed is not refunded, even if nothing has removed it yet.
        world.today("2028-05-01T11:59:59Z");
        let order = crate::ledger::Order::new("in time", "tester");
        world.ledger.order(&order, &refund(RefundFrom::Lot(lot), "OBM=1"), world.now).unwrap();
        world.today("2028-05-01T12:00:00Z");
        let error = world.ledger.order(
            &crate::ledger::Order::new("lapsed", "tester"),
            &refund(RefundFrom::Lot(lot), "OBM=1"),
            world.now,
        );
        assert_eq!(error.unwrap_err().fact(), format!("lot {lot} lapsed after 2028-04-30"));
    });
}

#[test]
fn cals_move_between_keys_of_one_party_and_edition() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.add_party("Other");
        world.buy_key("Acme", "oem", "OBM=5", "K1");
        world.buy_key("Acme", "oem", "OBM=5", "K2");
        world.buy_key("Acme", "standard", "OBM=5", "S1");
        world.buy_key("Other", "oem", "OBM=5", "O1");
        let moving = |from: &str, to: &str, text: &str| MoveCals {
            from: from.to_string(),
            to: to.to_string(),
            cals: cals(text),
        };
        for (from, to) in [("K1", "S1"), ("K1", "O1"), ("K1", "K1"), ("K1", "nothing")] {
            let error = world.run(&moving(from, to, "OBM=1")).unwrap_err();
            assert_eq!(error.exit_status(), 2, "{from} {to}: {error}");
        }
        assert_eq!(world.run(&moving("K1", "K2", "OBM=2")).unwrap().maintenance, "not-started");
        // The taker gets the shorter maintenance of the two.
        world.ran_until("K1", "2027-09-09");
        assert_eq!(world.run(&moving("K1", "K2", "OBM=1")).unwrap().maintenance, "2027-09-09");
        world.ran_until("K2", "2027-08-08");
        assert_eq!(world.run(&moving("K1", "K2", "OBM=1")).unwrap().maintenance, "2027-08-08");
        world.ran_until("K2", "2035-01-01");
        world.buy_key("Acme", "oem", "OBM=1", "K3");
        assert_eq!(world.run(&moving("K3", "K2", "OBM=1")).unwrap().maintenance, "2028-04-30");
        // One CAL with long maintenance gives nothing to those of a key that has not started.
        world.buy_key("Acme", "oem", "OBM=1", "LONG");
        world.ran_until("LONG", "2040-01-01");
        world.buy_key("Acme", "oem", "OBM=9", "K4");
        assert_eq!(world.run(&moving("LONG", "K4", "OBM=1")).unwrap().maintenance, "2028-04-30");
        let error = world.run(&moving("K1", "K2", "OBM=2")).unwrap_err();
        assert_eq!(error.fact(), "OBM: 2 wanted, 1 left on the key");
    });
}

/// C2: VMware and Hyper-V share one quota.
#[test]
fn modules_of_one_pool_are_exchanged() {
    let catalog = catalog();
    for (given, taken) in [("VMware", "OBM"), ("VMware", "VMware"), ("OBM", "ACB"), ("x", "OBM")] {
        let error = ExchangeCals::new(&catalog, ("K1", given), ("K2", taken), 1).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Usage), "{error}");
    }
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "VMware=5 OBM=1", "K1");
        world.buy_key("Acme", "oem", "Hyper-V=1", "K2");
        let act = |from, to, count| {
            ExchangeCals::new(&catalog, (from, "VMware"), (to, "Hyper-V"), count).unwrap()
        };
        world.run(&act("K1", "K2", 2)).unwrap();
        world.run(&act("K1", "K1", 1)).unwrap();
        assert_eq!(world.total("key"), "Hyper-V=4 OBM=1 VMware=2");
        assert_eq!(world.total("exchange"), "Hyper-V=-3 VMware=3");
        let error = world.run(&act("K1", "K2", 3)).unwrap_err();
        assert_eq!(error.fact(), "VMware: 3 wanted, 2 left on the key");
    });
}

#[test]
fn types_and_references_are_not_mixed() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_stock("Acme", "oem", "OBM=5");
        world.buy_key("Acme", "standard", "OBM=5", "S1");
        let error = world.run(&withdraw("OBM=1", key("S1"))).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Usage), "{error}");
        let mut buy = world.buying("Acme", "oem", "OBM=1", new_key("S1"));
        assert_eq!(world.run(&buy).unwrap_err().problem(), Some(Problem::Exists));
        buy.to = Destination::Stock;
        buy.reference = "sale-1".to_string();
        assert_eq!(world.run(&buy).unwrap_err().problem(), Some(Problem::Exists));
        buy.reference = "later".to_string();
        buy.day = "2027-05-02".parse().unwrap();
        assert_eq!(world.run(&buy).unwrap_err().problem(), Some(Problem::Usage));
    });
}

/// Only what the catalog has is booked.
#[test]
fn modules_units_products_and_slots_are_those_of_the_catalog() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        let mut buy = world.buying("Acme", "oem", "OBM=1", Destination::Stock);
        for (module, unit) in [("OBX", "device"), ("OBM", "guest VM"), ("OBM", "")] {
            buy.cals = vec![crate::ledger::Cals::new(module, unit, 1)];
            let error = world.run(&buy).unwrap_err();
            assert_eq!(error.problem(), Some(Problem::Usage), "{module} {unit}: {error}");
        }
        buy.cals = cals("OBM=1");
        for (product, slot) in [("other", "backup"), ("example", "other")] {
            let Destination::NewKey(new) = new_key("K1") else { unreachable!() };
            let (product, slot) = (product.to_string(), slot.to_string());
            buy.to = Destination::NewKey(NewKey { product, slot, ..new });
            let error = world.run(&buy).unwrap_err();
            assert!(error.fact().contains("other"), "{error}");
            world.buy_stock("Acme", "oem", "OBM=1");
            let error = world.run(&withdraw("OBM=1", buy.to.clone())).unwrap_err();
            assert!(error.fact().contains("other"), "{error}");
        }
    });
}

/// A day begins in its first time zone, and a sale of a lot that has lapsed is refused.
#[test]
fn the_day_of_a_sale_has_begun_and_is_not_too_long_ago() {
    World::each("2027-05-01T09:59:59Z", |world| {
        world.add_party("Acme");
        let mut buy = world.buying("Acme", "oem", "OBM=1", Destination::Stock);
        buy.day = "2027-05-02".parse().unwrap();
        assert_eq!(world.run(&buy).unwrap_err().problem(), Some(Problem::Usage));
        world.today("2027-05-01T10:00:00Z");
        world.run(&buy).unwrap();
        buy.reference = "old".to_string();
        buy.day = "2026-04-30".parse().unwrap();
        let error = world.run(&buy).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Usage));
        assert!(error.fact().contains("2027-04-29"), "{error}");
        buy.to = new_key("K1");
        world.run(&buy).unwrap();
    });
}

/// A later catalog may give a type another edition; the editions still never mix (F1).
#[test]
fn a_type_with_another_edition_does_not_join() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "OBM=5", "K1");
        let standard = other_type("oem", "1 year", "standard");
        let mut buy = world.buying("Acme", "oem", "OBM=1", key("K1"));
        buy.license_type = standard.clone();
        let error = world.run(&buy).unwrap_err();
        assert_eq!(error.fact(), "key K1 is oem, the CALs are standard");
        buy.to = Destination::Stock;
        let lot = world.run(&buy).unwrap().lot.unwrap();
        let newer = world.buy_stock("Acme", "oem", "OBM=1");
        assert_eq!(world.run(&withdraw("OBM=1", key("K1"))).unwrap().lots, [newer]);
        let error = world.run(&withdraw("OBM=1", key("K1"))).unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::QuotaExceeded));
        assert_eq!(world.run(&withdraw("OBM=1", new_key("S1"))).unwrap().lots, [lot]);
    });
}

#[test]
fn a_random_key_is_not_an_argument() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        let with = |byte: u8| {
            let Destination::NewKey(new) = new_key("") else { unreachable!() };
            Destination::NewKey(NewKey { text: KeyText::Random([byte; 20]), ..new })
        };
        let order = crate::ledger::Order::new("random", "tester");
        let mut buy = world.buying("Acme", "oem", "OBM=1", with(255));
        let first = world.ledger.order(&order, &buy, world.now).unwrap();
        assert_eq!(first.key.as_deref(), Some("ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ"));
        buy.to = with(0);
        assert_eq!(world.ledger.order(&order, &buy, world.now).unwrap(), first);
    });
}

//! Maintenance that differs between CALs that share a key (G2).

use crate::ledger::tests::world::{World, cals, new_key, other_type, purchased};
use crate::ledger::{
    Destination, LongerMaintenance, MoveCals, RenewMaintenance, StockWithdrawn, Withdraw,
};
use olr_core::error::{Problem, Result};
use olr_core::time::Span;

/// Buys one CAL that comes with maintenance of its own, to stock or to a key.
fn buy(world: &mut World, maintenance: &str, to: Destination) -> Result<Option<String>> {
    let mut buy = world.buying("Acme", "oem", "OBM=1", to);
    buy.license_type = other_type("oem", maintenance, "oem");
    world.run(&buy).map(|bought| bought.maintenance)
}

fn withdraw(
    world: &mut World,
    to: Destination,
    longer: LongerMaintenance,
) -> Result<StockWithdrawn> {
    let (party, license_type) = ("Acme".to_string(), purchased("oem"));
    world.run(&Withdraw { party, license_type, cals: cals("OBM=2"), to, longer })
}

fn included(world: &mut World, key: &str) -> (String, String) {
    let find = format!("SELECT included, maintenance FROM license_key WHERE key = '{key}'");
    let row = world.ledger.db.rows(&find, &[]).unwrap().remove(0);
    (row.text(0).unwrap().to_string(), row.text(1).unwrap().to_string())
}

/// What a key gets when one CAL has `first` and the next `second`: `None` if nothing changes, else
/// its maintenance after a confirmation.
fn joined(world: &mut World, first: &str, second: &str) -> Option<(String, String)> {
    let name = format!("K{}", world.orders);
    buy(world, first, new_key(&name)).unwrap();
    let mut next = world.buying("Acme", "oem", "OBM=1", Destination::Key(name.clone()));
    next.license_type = other_type("oem", second, "oem");
    match world.run(&next) {
        Ok(_) => {
            assert_eq!(included(world, &name), (first.to_string(), "not-started".to_string()));
            None
        }
        Err(error) => {
            assert_eq!(error.problem(), Some(Problem::NotConfirmed), "{error}");
            next.longer = LongerMaintenance::Bought("difference".to_string());
            assert_eq!(world.run(&next).unwrap_err().problem(), Some(Problem::Usage));
            next.longer = LongerMaintenance::Shorten;
            world.run(&next).unwrap();
            Some(included(world, &name))
        }
    }
}

#[test]
fn what_has_not_started_is_compared() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        let pair = |one: &str, other: &str| Some((one.to_string(), other.to_string()));
        for (first, second, result) in [
            ("1 year", "1 year", None),
            ("1 year", "12 months", None),
            ("1 year", "3 years", None),
            ("1 year", "never", None),
            ("2027-12-31", "1 year", None),
            ("2027-12-31", "2028-12-31", None),
            ("3 years", "1 year", pair("1 year", "not-started")),
            ("never", "1 year", pair("1 year", "not-started")),
            ("never", "2028-12-31", pair("2028-12-31", "not-started")),
            ("2028-12-31", "2027-12-31", pair("2027-12-31", "not-started")),
            // A span that starts later ends later: these start now.
            ("2028-12-31", "1 year", pair("2028-12-31", "until")),
            ("1 year", "2028-12-31", pair("1 year", "until")),
        ] {
            assert_eq!(joined(world, first, second), result, "{first}, {second}");
        }
    });
}

/// A new key gets the shortest maintenance of its lots, not that of the oldest.
#[test]
fn lots_with_other_maintenance_join_a_new_key() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        for maintenance in ["3 years", "1 year"] {
            buy(world, maintenance, Destination::Stock).unwrap();
        }
        let error = withdraw(world, new_key("K1"), LongerMaintenance::Refuse).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::NotConfirmed));
        withdraw(world, new_key("K1"), LongerMaintenance::Shorten).unwrap();
        assert_eq!(included(world, "K1"), ("1 year".into(), "not-started".into()));
    });
}

#[test]
fn cals_that_move_bring_no_longer_maintenance() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        buy(world, "1 year", new_key("SHORT")).unwrap();
        buy(world, "3 years", new_key("LONG")).unwrap();
        let act = MoveCals { from: "SHORT".into(), to: "LONG".into(), cals: cals("OBM=1") };
        world.run(&act).unwrap();
        assert_eq!(included(world, "LONG"), ("1 year".into(), "not-started".into()));
    });
}

#[test]
fn a_difference_without_a_last_day_is_not_bought() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        buy(world, "never", new_key("K1")).unwrap();
        world.exec("UPDATE license_key SET maintenance = 'endless'");
        let mut next = world.buying("Acme", "oem", "OBM=1", Destination::Key("K1".to_string()));
        next.longer = LongerMaintenance::Bought("difference".to_string());
        let error = world.run(&next).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Usage), "{error}");
        assert!(!error.next_step().to_string().contains("buy"), "{error:?}");
    });
}

/// A renewal for n days adds n days.
#[test]
fn a_renewal_adds_what_it_says() {
    World::each("2027-05-01", |world| {
        world.add_party("Acme");
        world.buy_key("Acme", "oem", "OBM=1", "K1");
        for (span, from, until) in [
            (Span::Days(1), "2028-01-01", "2028-01-01"),
            (Span::Days(366), "2028-01-01", "2028-12-31"),
            (Span::Months(1), "2028-01-01", "2028-01-31"),
            (Span::Years(1), "2028-01-01", "2028-12-31"),
        ] {
            world.ran_until("K1", "2027-12-31");
            let reference = format!("for {span}");
            let done = world.run(&RenewMaintenance { key: "K1".to_string(), reference, span });
            let done = done.unwrap();
            assert_eq!((&*done.from, &*done.until), (from, until), "{span}");
        }
    });
}

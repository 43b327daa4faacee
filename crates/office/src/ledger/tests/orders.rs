//! Orders: done once, or not at all.

use crate::ledger::db::{DbError, DbResult, values};
use crate::ledger::holding::{Holder, Item};
use crate::ledger::movement::{Movement, post};
use crate::ledger::tests::engines::databases;
use crate::ledger::tests::world::{World, cals};
use crate::ledger::{
    AddParty, Arguments, Booking, Books, ConfirmDate, Destination, Done, Lapse, NewPool, Order,
    PartyKind, PurchasedType,
};
use olr_core::entitlement::Edition;
use olr_core::error::{Error, Problem, Refusal};
use olr_core::time::Instant;

#[test]
fn the_same_order_gives_the_first_result_and_another_is_refused() {
    World::each("2027-04-30", |world| {
        let order = Order::new("one", "sales");
        let acme = AddParty::new(PartyKind::Customer, "Acme");
        let first = world.ledger.order(&order, &acme, world.now).unwrap();
        let again = Order::new("one", "somebody else");
        assert_eq!(world.ledger.order(&again, &acme, world.now).unwrap(), first);
        let other = AddParty::new(PartyKind::Customer, "Other");
        let error = world.ledger.order(&order, &other, world.now).unwrap_err();
        assert_eq!((error.problem(), error.exit_status()), (Some(Problem::Usage), 2));
        assert!(error.fact().contains("one") && error.fact().contains("party-add"), "{error}");
        let second = Order::new("two", "sales");
        let error = world.ledger.order(&second, &acme, world.now).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Exists), "{error}");
        for wrong in ["", "x".repeat(201).as_str(), "zero\0byte", "line\nbreak", "\u{85}"] {
            for order in [Order::new(wrong, "sales"), Order::new("three", wrong)] {
                let error = world.ledger.order(&order, &other, world.now).unwrap_err();
                assert_eq!(error.problem(), Some(Problem::Usage), "{error}");
            }
        }
        // An order that failed left nothing behind: its id is free.
        world.ledger.order(&second, &other, world.now).unwrap();
    });
}

#[test]
fn an_order_is_never_earlier_than_the_newest_one() {
    World::each("2027-04-30", |world| {
        world.add_party("Acme");
        world.now = "2027-04-29T23:00:00Z".parse().unwrap();
        world.add_party("Other");
        let rows = world.ledger.db.rows("SELECT DISTINCT instant FROM ledger_order", &[]).unwrap();
        let earliest: Instant = "2027-04-30".parse().unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].integer(0), Ok(i64::try_from(earliest.seconds).unwrap()));
    });
}

/// A clock that is wrong by much is refused, because the ledger would remember it.
#[test]
fn a_clock_that_is_far_behind_or_ahead_is_refused() {
    World::each("2027-04-30", |world| {
        world.add_party("Acme");
        let first = world.now;
        let other = AddParty::new(PartyKind::Customer, "Other");
        for (clock, problem) in [
            ("2027-04-29T22:59:59Z", Problem::System),
            ("2027-05-31T00:00:01Z", Problem::NotConfirmed),
            ("2099-01-01", Problem::NotConfirmed),
        ] {
            world.now = clock.parse().unwrap();
            let error = world.run(&other).unwrap_err();
            assert_eq!((error.problem(), error.exit_status()), (Some(problem), 2));
            let times = [world.now, first].map(|time| time.to_string());
            assert!(times.iter().all(|time| error.fact().contains(time)), "{error}");
            // What is done is done, whatever the clock says.
            let again = Order::new("order-1", "tester");
            let mut acme = AddParty::new(PartyKind::Partner, "Acme");
            acme.prefix = Some("Acme-".to_string());
            world.ledger.order(&again, &acme, world.now).unwrap();
        }
        world.now = "2027-05-31".parse().unwrap();
        world.run(&other).unwrap();
    });
}

#[test]
fn the_date_is_confirmed_by_an_order() {
    World::each("2027-04-30", |world| {
        world.add_party("Acme");
        world.now = "2027-09-01".parse().unwrap();
        let order = Order::new("date", "owner");
        let confirm = |world: &mut World, day: &str| {
            world.ledger.order(&order, &ConfirmDate { day: day.parse().unwrap() }, world.now)
        };
        let error = confirm(world, "2027-09-03").unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Usage), "{error}");
        confirm(world, "2027-09-01").unwrap();
        confirm(world, "2027-09-01").unwrap();
        let find = "SELECT actor, verb FROM ledger_order WHERE id = 'date'";
        let row = world.ledger.db.rows(find, &[]).unwrap().remove(0);
        assert_eq!((row.text(0), row.text(1)), (Ok("owner"), Ok("clock")));
        world.add_party("Other");
        world.now = "2027-04-30".parse().unwrap();
        let back = ConfirmDate { day: world.now.day() };
        assert_eq!(world.run(&back).unwrap_err().problem(), Some(Problem::Usage));
    });
}

struct Panics;

impl Booking for Panics {
    const VERB: &'static str = "panics";
    type Booked = Done;
    fn arguments(&self, _: &mut Arguments) {}
    fn book(&self, _: &mut Books<'_>) -> DbResult<Done> {
        panic!("on purpose")
    }
}

/// A panic leaves no transaction open.
#[test]
fn a_panic_undoes_its_order() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    World::each("2027-04-30", |world| {
        let now = world.now;
        let order = Order::new("panics", "tester");
        let ledger = &mut world.ledger;
        let run = AssertUnwindSafe(|| ledger.order(&order, &Panics, now));
        catch_unwind(run).unwrap_err();
        let done = world.ledger.group(now, |group| {
            let run = AssertUnwindSafe(|| group.order(&order, &Panics));
            catch_unwind(run).unwrap_err();
            let acme = AddParty::new(PartyKind::Customer, "Acme");
            group.order(&Order::new("later", "tester"), &acme).map(drop)
        });
        assert_eq!(done.unwrap_err().problem(), Some(Problem::Fault));
        world.add_party("Acme");
        let rows = world.ledger.db.rows("SELECT id FROM ledger_order", &[]).unwrap();
        assert_eq!(rows.len(), 1);
    });
}

#[test]
fn in_a_group_one_order_fails_alone() {
    World::each("2027-04-30", |world| {
        let party = |name: &str| AddParty::new(PartyKind::Customer, name);
        let now = world.now;
        let done = world.ledger.group(now, |group| {
            let first = group.order(&Order::new("a", "sales"), &party("Acme"));
            let second = group.order(&Order::new("b", "sales"), &party("Acme"));
            let third = group.order(&Order::new("c", "sales"), &party("Other"));
            let repeated = group.order(&Order::new("a", "sales"), &party("Acme"));
            assert_eq!(repeated, first);
            [first.is_ok(), second.is_ok(), third.is_ok()]
        });
        assert_eq!(done.unwrap(), [true, false, true]);
        let rows = world.ledger.db.rows("SELECT id FROM ledger_order ORDER BY id", &[]).unwrap();
        let ids: Vec<_> = rows.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(ids, ["a", "c"]);
        assert_eq!(world.ledger.check().unwrap(), []);
    });
}

/// A transaction that the database undoes by itself ends the group: nothing is kept by halves.
#[test]
fn a_group_whose_transaction_is_lost_keeps_nothing() {
    World::each("2027-04-30", |world| {
        let party = |name: &str| AddParty::new(PartyKind::Customer, name);
        let now = world.now;
        let done = world.ledger.group(now, |group| {
            group.order(&Order::new("a", "sales"), &party("Acme")).unwrap();
            group.order(&Order::new("b", "sales"), &Undone).unwrap_err();
            group.order(&Order::new("c", "sales"), &party("Other")).unwrap_err();
        });
        done.unwrap_err();
        assert!(world.ledger.db.rows("SELECT id FROM ledger_order", &[]).unwrap().is_empty());
        world.add_party("Acme");
    });
}

struct Undone;

impl Booking for Undone {
    const VERB: &'static str = "undone";
    type Booked = Done;
    fn arguments(&self, _: &mut Arguments) {}
    fn book(&self, books: &mut Books<'_>) -> DbResult<Done> {
        books.exec("ROLLBACK", &[])?;
        books.exec("INSERT INTO no_such_table VALUES (1)", &[])?;
        Ok(Done {})
    }
}

/// Movements that are not acts of the ledger.
struct Raw(Vec<Movement>);

impl Booking for Raw {
    const VERB: &'static str = "raw";
    type Booked = Done;
    fn arguments(&self, _: &mut Arguments) {}
    fn book(&self, books: &mut Books<'_>) -> DbResult<Done> {
        post(books, &self.0).map(|()| Done {})
    }
}

#[test]
fn a_movement_that_exceeds_a_balance_undoes_its_order() {
    World::each("2027-04-30", |world| {
        world.add_party("Acme");
        let lot = world.buy_stock("Acme", "oem", "OBM=10 ACB=5");
        let item = |module: &str| Item {
            module: module.to_string(),
            edition: Edition::Oem,
            unit: "device".to_string(),
        };
        let moves = |module: &str, count| Movement {
            from: Holder::Stock(lot),
            to: Holder::Lapsed(1),
            item: item(module),
            count,
        };
        let error = world.run(&Raw(vec![moves("ACB", 5), moves("OBM", 11)])).unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::QuotaExceeded));
        assert_eq!(error.fact(), "OBM: 11 wanted, 10 left in stock");
        assert_eq!(world.total("stock"), "ACB=5 OBM=10");
        // Two movements of one order add up.
        let error = world.run(&Raw(vec![moves("OBM", 6), moves("OBM", 6)])).unwrap_err();
        assert_eq!(error.fact(), "OBM: 12 wanted, 10 left in stock");
        world.run(&Raw(vec![moves("OBM", 6), moves("OBM", 4)])).unwrap();
        assert_eq!(
            (world.total("stock"), world.total("lapsed")),
            ("ACB=5".into(), "OBM=10".into())
        );
    });
}

/// The database itself refuses what no act does (F1).
#[test]
fn the_database_refuses_mixed_movements_and_negative_balances() {
    World::each("2027-04-30", |world| {
        world.add_party("Acme");
        world.buy_stock("Acme", "oem", "OBM=10");
        world.buy_stock("Acme", "standard", "OBM=10");
        let db = &mut *world.ledger.db;
        let find = "SELECT id FROM holding WHERE kind = 'stock' AND edition = $1";
        let id = |db: &mut dyn crate::ledger::db::Db, edition: &str| {
            db.rows(find, values![edition]).unwrap()[0].integer(0).unwrap()
        };
        let (oem, standard) = (id(db, "oem"), id(db, "standard"));
        let mixed = "INSERT INTO movement (order_id, giver, taker, module, edition, unit, amount) \
                     VALUES ('order-2', $1, $2, 'OBM', 'oem', 'device', 1)";
        assert_eq!(db.exec(mixed, values![oem, standard]), Err(DbError::Check));
        assert_eq!(db.exec(mixed, values![oem, oem]), Err(DbError::Check));
        let less = "UPDATE holding SET balance = -1 WHERE id = $1";
        assert_eq!(db.exec(less, values![oem]), Err(DbError::Check));
    });
}

#[test]
fn the_check_finds_what_is_wrong() {
    for (damage, id) in [
        ("UPDATE holding SET balance = balance + 1 WHERE kind = 'stock'", "ledger-2"),
        ("UPDATE holding SET balance = balance + 1 WHERE kind = 'stock'", "ledger-3"),
        ("UPDATE holding SET balance = balance + 1 WHERE kind = 'pool'", "ledger-5"),
        ("UPDATE ledger_order SET result = NULL", "ledger-9"),
        (
            "INSERT INTO purchase (party, reference, day, order_id) VALUES (1, '', 0, 'order-1'); \
             INSERT INTO purchase_line (purchase, lot, module, unit, amount) \
             SELECT max(purchase.id), max(lot.id), 'OBM', 'device', 1 FROM purchase, lot",
            "ledger-11",
        ),
        (
            "INSERT INTO purchase_line (purchase, lot, module, unit, amount) \
             VALUES (1, 1, 'OBM', 'device', 1)",
            "ledger-12",
        ),
        (
            "INSERT INTO holding (kind, owner, module, edition, unit) \
             VALUES ('escrow', 77, 'OBM', 'oem', 'device')",
            "ledger-13",
        ),
        (
            "INSERT INTO holding (kind, owner, module, edition, unit) \
             VALUES ('stock', 1, 'OBM', 'standard', 'device')",
            "ledger-13",
        ),
        (
            "INSERT INTO movement (order_id, giver, taker, module, edition, unit, amount) \
             SELECT 'order-1', a.id, b.id, 'OBM', 'oem', 'device', 1 FROM holding a, holding b \
             WHERE a.kind = 'stock' AND b.kind = 'sum'",
            "ledger-14",
        ),
        ("UPDATE party SET prefix = 'Acme-Other' WHERE id = 2", "ledger-15"),
    ] {
        World::each("2027-04-30", |world| {
            world.add_party("Acme");
            world.buy_stock("Acme", "oem", "OBM=10");
            world.add_party("Other");
            let pool = NewPool { party: "Acme".into(), pool: "P".into(), edition: Edition::Oem };
            world.run(&pool).unwrap();
            world.exec(
                "INSERT INTO holding (kind, owner, module, edition, unit) \
                 VALUES ('pool', 1, 'OBM', 'oem', 'device'), ('sum', 2, 'OBM', 'oem', 'device')",
            );
            assert_eq!(world.ledger.check().unwrap(), []);
            world.exec(damage);
            let found = world.ledger.check().unwrap();
            assert!(found.iter().any(|violation| violation.id == id), "{id}: {found:?}");
        });
    }
}

#[test]
fn what_callers_give_is_checked() {
    World::each("2027-04-30", |world| {
        world.add_party("Acme");
        let mut buy = world.buying("Acme", "oem", "OBM=1", Destination::Stock);
        for wrong in ["OBM=0", "OBM=1 OBM=2", "OBM=1000000000001", ""] {
            buy.cals = cals(wrong);
            assert_eq!(world.run(&buy).unwrap_err().exit_status(), 2, "{wrong}");
        }
        buy.cals = cals("OBM=1");
        for name in ["nobody", "zero\0byte"] {
            let mut other = buy.clone();
            other.party = name.to_string();
            let error = world.run(&other).unwrap_err();
            assert!(error.problem() != Some(Problem::Fault), "{error}");
        }
        for wrong in ["", "line\nbreak", "zero\0byte"] {
            buy.reference = wrong.to_string();
            assert_eq!(world.run(&buy).unwrap_err().problem(), Some(Problem::Usage), "{wrong}");
        }
    });
    let catalog = crate::ledger::tests::world::catalog();
    for wrong in ["meter", "evaluation", "nothing"] {
        let error = PurchasedType::of(&catalog, wrong).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Usage), "{error}");
    }
    assert_eq!(Error::from(DbError::Retry).problem(), Some(Problem::Locked));
}

/// Arguments that differ only in their sign or their type are different.
#[test]
fn arguments_have_one_form_each() {
    let lapse = |lot| {
        let mut arguments = Arguments::default();
        Lapse { lot }.arguments(&mut arguments);
        format!("{arguments:?}")
    };
    assert_ne!(lapse(5), lapse(-5));
    World::each("2027-04-30", |world| {
        world.add_party("Acme");
        let lot = world.buy_stock("Acme", "oem", "OBM=10");
        world.today("2029-01-01");
        let order = Order::new("lapse", "tester");
        world.ledger.order(&order, &Lapse { lot }, world.now).unwrap();
        let error = world.ledger.order(&order, &Lapse { lot: -lot }, world.now).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Usage));
    });
}

/// Only one statement of the ledger changes a balance.
#[test]
fn one_statement_changes_balances() {
    let sources = [
        include_str!("../movement.rs"),
        include_str!("../holding.rs"),
        include_str!("../order.rs"),
        include_str!("../party.rs"),
        include_str!("../key.rs"),
        include_str!("../maintenance.rs"),
        include_str!("../purchase.rs"),
        include_str!("../offer.rs"),
        include_str!("../clock.rs"),
        include_str!("../stock.rs"),
        include_str!("../transfer.rs"),
        include_str!("../pool.rs"),
        include_str!("../pool_key.rs"),
        include_str!("../check.rs"),
        include_str!("../mod.rs"),
    ];
    let count = |source: &&str| source.matches("UPDATE holding").count();
    let changes: Vec<_> = sources.iter().map(count).collect();
    assert_eq!((changes[0], changes.iter().sum::<usize>()), (1, 1), "{changes:?}");
}

#[test]
fn there_is_a_database_of_each_engine_that_was_built() {
    let sqlite = databases().iter().filter(|database| database.file().is_some()).count();
    assert_eq!(sqlite, 1);
}

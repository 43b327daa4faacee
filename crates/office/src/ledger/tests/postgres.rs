//! What only PostgreSQL does: connections that are lost, users with few rights, and its errors.

use crate::ledger::db::{Db, Postgres};
use crate::ledger::tests::engines::databases;
use crate::ledger::tests::world::World;
use crate::ledger::{AddParty, AddToPool, Ledger, Order, PartyKind};
use olr_core::error::{Error, Problem};

/// Runs `test` on an empty ledger in PostgreSQL, if this machine has one.
fn each(test: impl Fn(&mut World)) {
    let postgres = databases().into_iter().filter(|database| database.file().is_none());
    postgres.for_each(|database| test(&mut World::new(database, "2027-04-30")));
}

fn other_connection(world: &World) -> Postgres {
    Postgres::connect(world.database.address().unwrap()).unwrap()
}

#[test]
fn a_lost_connection_is_made_again() {
    each(|world| {
        let acme = AddParty::new(PartyKind::Customer, "Acme");
        let end = "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        assert_eq!(other_connection(world).rows(end, &[]).unwrap().len(), 1);
        world.ledger.order(&Order::new("add", "tester"), &acme, world.now).unwrap();
        // What only reads is tried once, and works the next time.
        other_connection(world).rows(end, &[]).unwrap();
        let error = world.ledger.check().unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Network), "{error}");
        assert_eq!(world.ledger.check().unwrap(), []);
    });
}

/// Two licenses are pooled at once: the second waits, and tells the date that both have.
#[test]
fn pooling_waits_for_the_same_party() {
    each(|world| {
        world.add_party("Acme");
        // They share no module, so no balance makes one wait for the other.
        for (key, until, cals) in [("K1", "2027-12-31", "OBM=1"), ("K2", "2029-12-31", "ACB=1")] {
            world.buy_key("Acme", "oem", cals, key);
            world.ran_until(key, until);
        }
        let (now, add) = (world.now, |key: &str| AddToPool {
            key: key.to_string(),
            licensee: "Acme Ltd".to_string(),
        });
        let mut other = world.database.ledger();
        let second = world.ledger.group(now, |group| {
            group.order(&Order::new("first", "tester"), &add("K1")).unwrap();
            let order = Order::new("second", "tester");
            let waits = std::thread::spawn(move || other.order(&order, &add("K2"), now));
            std::thread::sleep(std::time::Duration::from_millis(300));
            waits
        });
        let second = second.unwrap().join().unwrap().unwrap();
        assert_eq!(second.maintenance, "2027-12-31");
    });
}

#[test]
fn a_lost_commit_is_unknown_and_the_same_order_tells() {
    each(|world| {
        world.exec(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; \
             CREATE CONSTRAINT TRIGGER die AFTER INSERT ON party DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION die()",
        );
        let (order, now) = (Order::new("add", "tester"), world.now);
        let acme = AddParty::new(PartyKind::Customer, "Acme");
        let error = world.ledger.order(&order, &acme, now).unwrap_err();
        assert_eq!((error.problem(), error.exit_status()), (Some(Problem::Network), 2));
        assert!(error.fact().contains("unknown"), "{error}");
        assert!(error.next_step().to_string().contains("same order again"), "{error:?}");
        other_connection(world).batch("DROP TRIGGER die ON party").unwrap();
        world.ledger.order(&order, &acme, now).unwrap();
    });
}

/// A user who may not create tables can use the ledger once it exists.
#[test]
fn the_right_to_create_tables_is_not_needed() {
    each(|world| {
        let name = world.database.address().unwrap().rsplit('=').next().unwrap().to_string();
        world.exec(&format!(
            "CREATE ROLE app_{name} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
             GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO app_{name}; \
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app_{name}"
        ));
        let address = world.database.address().unwrap();
        let address = address.replace("user=ledger", &format!("user=app_{name}"));
        let mut ledger = Ledger::open(Postgres::connect(&address).unwrap()).unwrap();
        let acme = AddParty::new(PartyKind::Customer, "Acme");
        ledger.order(&Order::new("add", "tester"), &acme, world.now).unwrap();
    });
}

/// What an administrator can mend is not called a bug.
#[test]
fn errors_have_the_right_words() {
    each(|world| {
        for (state, problem, word) in [
            ("25006", Problem::Permission, "read-only"),
            ("25P03", Problem::Network, "waited too long"),
            ("57P05", Problem::Network, "waited too long"),
            ("53000", Problem::Io, "resource"),
            ("53100", Problem::Io, "disk"),
            ("53200", Problem::Io, "memory"),
            ("53300", Problem::Locked, "free connection"),
            ("57P01", Problem::Network, "shut down"),
            ("57P02", Problem::Network, "shut down"),
            ("57P03", Problem::Network, "starting"),
            ("42501", Problem::Permission, "does not allow"),
            ("42601", Problem::Fault, "statement"),
        ] {
            let raise = format!("DO $$ BEGIN RAISE 'x' USING ERRCODE = '{state}'; END $$");
            let error = Error::from(other_connection(world).batch(&raise).unwrap_err());
            assert_eq!(error.problem(), Some(problem), "{state}: {error}");
            assert!(error.fact().contains(word), "{state}: {error}");
        }
        let mut db = other_connection(world);
        db.batch("SET default_transaction_read_only = on").unwrap();
        let error = Error::from(db.batch("CREATE TABLE t (a INT)").unwrap_err());
        assert_eq!(error.problem(), Some(Problem::Permission), "{error}");
    });
}

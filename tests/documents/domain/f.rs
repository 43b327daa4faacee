//! Rules F4 to F9: pools, as far as a server sees them.

use super::{DAY, SELF_HOSTED, Sale, World, by_file};

fn pool_key(lines: &'static str, modules: &'static str) -> Sale<'static> {
    Sale { lines, ..Sale::of("pool-oem", modules) }
}

const UNTIL: &str = "maintenance = \"2028-10-01\"";

fn sold(sale: Sale<'_>) -> World {
    World::sold(&by_file(SELF_HOSTED), sale)
}

#[test]
fn f4_a_changed_key_quota_counts_from_the_next_check() {
    let world = sold(pool_key(UNTIL, "CBS = 1\nOBM = 10"));
    world.home("report OBM=10").done();
    world.home("check OBM").refused("quota-exceeded", "OBM: 10 granted, 10 used, 1 more wanted");
    world.after(DAY).renew(pool_key(UNTIL, "CBS = 1\nOBM = 20"), "").done();
    world.home("check OBM 10").done();
    world.home("check OBM 11").refused("quota-exceeded", "20 granted, 10 used, 11 more wanted");
    // Granting less than is in use needs the operator's consent.
    let fewer = pool_key(UNTIL, "CBS = 1\nOBM = 5");
    world.request("home", fewer, "--renew").done();
    world.issue("home", fewer, "").done();
    world.import("home", "").refused("quota-exceeded", "grants 5 of OBM, but 10 are in use");
    world.home("check OBM 10").done();
    world.import("home", "--accept-over-quota").done();
    world.verify().grace("over-quota", "2026-11-24T21:00:00Z");
}

#[test]
fn f6_a_pool_key_ends_in_14_days_and_its_grant_says_the_maintenance() {
    let world = World::new(&by_file(SELF_HOSTED));
    let modules = "CBS = 1\nOBM = 10";
    // The vendor must state the earliest end in the pool: only the pool knows it.
    world.request("home", pool_key("", modules), "").done();
    let missing = "maintenance is missing here and in the type";
    world.issue("home", pool_key("", modules), "").unable(missing);
    for (lines, maintenance) in [
        ("maintenance = \"2028-10-01\"", "2028-10-01"),
        ("maintenance = \"2027-08-01\"", "2027-08-01"),
    ] {
        world.activate("home", pool_key(lines, modules)).done();
        let json = world.verify().done().clone();
        assert_eq!(
            (&json["expires"], &json["maintenance"]),
            (&"2026-12-07".into(), &maintenance.into())
        );
    }
    world.home("check --release 2027-08-01").done();
    world
        .home("check --release 2027-08-02")
        .refused("maintenance-ended", "covers releases until 2027-08-01");
}

#[test]
fn f7_a_pool_key_ends_with_the_maintenance_of_its_pool() {
    // The pool sets both dates; the earlier end applies, instead of the 14 days.
    let lines = "maintenance = \"2026-11-30\"\nexpires = \"2026-11-30\"";
    let world = sold(pool_key(lines, "CBS = 1\nOBM = 10"));
    world.at("2026-12-01T11:59:59Z").verify().licensed();
    world.at("2026-12-01T12:00:00Z").verify().refused("expired", "expired on 2026-11-30");
    world.home("check --operation run").refused("expired", "");
}

#[test]
fn f9_pool_keys_need_version_7_or_a_later_one() {
    let modules = "CBS = 1\nOBM = 10\nVMware-Socket = 2";
    let world = sold(pool_key(UNTIL, modules));
    let check = |module: &str, version: &str| {
        world.home(&format!("check {module} --product-version {version}"))
    };
    for module in ["CBS", "OBM"] {
        for version in ["7", "7.0", "7.5.1", "10.1"] {
            check(module, version).done();
        }
        for version in ["6.29", "6.99.9", "0"] {
            let says = format!("module {module} is granted only for release 7 and later");
            check(module, version).refused("not-entitled", &says);
        }
    }
    // Modules that need a later release still need it.
    check("VMware-Socket", "7.6").refused("not-entitled", "release 7.7 and later");
    check("VMware-Socket", "7.7").done();
    // A purchased key also serves older releases, and a pool key can be renewed by files as well as
    // online.
    let bought = World::sold(SELF_HOSTED, Sale::of("purchased-oem", modules));
    bought.home("check OBM --product-version 6.29").done();
    world.after(13 * DAY).renew(pool_key(UNTIL, modules), "").done();
    world.after(26 * DAY).verify().licensed();
}

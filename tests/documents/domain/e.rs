//! Rules E1 to E6: grace periods.

use super::{DAY, HOUR, SELF_HOSTED, Sale, World, by_file};

const WITHOUT_SERVER: &str = "OBM = 10";
const WITH_SERVER: &str = "CBS = 1\nOBM = 10";

#[test]
fn e1_without_the_server_module_60_days_over_quota() {
    let world = World::sold(SELF_HOSTED, Sale::of("purchased-oem", WITHOUT_SERVER));
    world.home("report OBM=10").done();
    world.verify().licensed();
    world.home("report OBM=12").done();
    let until = "2027-01-22T09:00:00Z";
    world.verify().grace("upgraded", until);
    world.after(60 * DAY - 1).verify().grace("upgraded", until);
    world.home("check --operation backup").done();
    let says = "the grace period ended at 2027-01-22T09:00:00Z: OBM: 12 used, 10 granted";
    world.after(60 * DAY).verify().refused("quota-exceeded", says);
    world.home("check --operation restore").refused("quota-exceeded", "");
    // Back within the quota, the server runs again. A new excess gets one hour; only after 60 days
    // within the quota does it get its full 60 days again.
    world.home("report OBM=10").done();
    world.verify().licensed();
    world.home("report OBM=11").done();
    world.verify().grace("upgraded", "2027-01-22T10:00:00Z");
    world.home("report OBM=10").done();
    // Check every day, because a jump of the clock counts as one day only.
    for day in 61..=120 {
        world.after(day * DAY).verify().licensed();
    }
    world.home("report OBM=11").done();
    world.verify().grace("upgraded", "2027-05-22T09:00:00Z");
}

#[test]
fn e2_with_the_server_module_12_hours_and_a_countdown_in_the_last() {
    let world = World::sold(SELF_HOSTED, Sale::of("purchased-oem", WITH_SERVER));
    std::fs::write(world.path("home/alerts.toml"), "[command]\nprogram = \"/bin/true\"\n").unwrap();
    world.home("report OBM=12").done();
    let until = "2026-11-23T21:00:00Z";
    world.verify().grace("over-quota", until);
    world.after(11 * HOUR - 1).verify().says("in a grace period until 2026-11-23T21:00:00Z");
    let alerts = |stage: &str| {
        let json = world.home("alert --dry-run").done().clone();
        let all = json["alerts"].as_array().unwrap().clone();
        all.iter().filter(|alert| alert["stage"] == stage).count()
    };
    assert_eq!(alerts("countdown"), 0);
    world
        .after(11 * HOUR)
        .verify()
        .says("the server stops at 2026-11-23T21:00:00Z, within the hour");
    assert_eq!(alerts("countdown"), 1);
    // Returning within the quota stops the countdown.
    world.after(12 * HOUR - 1).verify().grace("over-quota", until);
    world.home("report OBM=10").done();
    world.verify().licensed();
    assert_eq!(alerts("countdown"), 0);
    world.after(12 * HOUR).verify().licensed();
    // An unresolved excess stops the server: time over the quota adds up, and one hour is left.
    world.home("report OBM=11").done();
    world.after(13 * HOUR - 1).verify().grace("over-quota", "2026-11-23T22:00:00Z");
    world.home("check --operation run").done();
    world.after(13 * HOUR).verify().refused("quota-exceeded", "OBM: 11 used, 10 granted");
    world.home("check --operation run").refused("quota-exceeded", "");
    assert_eq!(alerts("ended"), 1);
}

#[test]
fn e3_the_grace_is_what_whoever_logs_in_reads_first() {
    let world = World::sold(SELF_HOSTED, Sale::of("purchased-oem", WITH_SERVER));
    let calm = world.home("status");
    assert!(calm.text.starts_with("state "), "{}", calm.text);
    world.home("report OBM=12").done();
    let first = "in a grace period until 2026-11-23T21:00:00Z: OBM: 12 used, 10 granted; then the server stops";
    for line in ["status", "verify"] {
        let said = world.home(line);
        assert_eq!(said.text.lines().next(), Some(first), "{line}");
    }
    // Of two grace periods, the one that ends first is shown.
    let said = world.on("copy").home("status");
    assert_eq!(said.text.lines().next(), Some(first));
    world.home("report OBM=10").done();
    let said = world.home("status");
    assert!(
        said.text.starts_with("in a grace period until 2026-12-07T09:00:00Z: "),
        "{}",
        said.text
    );
}

#[test]
fn e4_a_meter_license_lasts_30_days_and_works_14_more_when_it_is_not_renewed() {
    let sale = Sale::of("meter-oem", WITH_SERVER);
    let world = World::sold(&by_file(SELF_HOSTED), sale);
    assert_eq!(world.verify().done()["expires"], "2026-12-23");
    world.at("2026-12-24T11:59:59Z").verify().licensed();
    let until = "2027-01-07T12:00:00Z";
    world.at("2026-12-24T12:00:00Z").verify().grace("expired", until);
    world.home("check OBM 10 --operation create-user").done();
    world.at("2027-01-07T11:59:59Z").verify().grace("expired", until);
    world.home("check --operation backup").done();
    world.at("2027-01-07T12:00:00Z").verify().refused("expired", "expired on 2026-12-23");
    world.home("check --operation backup").refused("expired", "");
    // A renewal lasts 30 days from its own date.
    world.renew(sale, "").done();
    assert_eq!(world.verify().done()["expires"], "2027-02-06");
    world.verify().licensed();
}

#[test]
fn e5_each_check_gives_a_pool_key_14_days_and_without_one_it_stops() {
    let sale = Sale { lines: "maintenance = \"2028-10-01\"", ..Sale::of("pool-oem", WITH_SERVER) };
    let world = World::sold(&by_file(SELF_HOSTED), sale);
    assert_eq!(world.verify().done()["expires"], "2026-12-07");
    world.after(10 * DAY).renew(sale, "").done();
    assert_eq!(world.verify().done()["expires"], "2026-12-17");
    world.at("2026-12-18T11:59:59Z").verify().licensed();
    world.at("2026-12-18T12:00:00Z").verify().refused("expired", "expired on 2026-12-17");
    world.home("check --operation run").refused("expired", "");
    world.renew(sale, "").done();
    world.verify().licensed();
}

#[test]
fn e6_a_pooled_license_has_14_days_where_it_runs_and_none_elsewhere() {
    let sale = Sale::of("purchased-oem", WITH_SERVER);
    let world = World::sold(SELF_HOSTED, sale);
    let id = world.verify().done()["license_id"].as_str().unwrap().to_string();
    let revoke =
        format!("revoke {id} --pooled --reason pooled --yes --vendor ./vendor -o ./revoked.olr");
    world.after(HOUR).olr(&revoke).done();
    // The server learns of the revocation only when it imports the list.
    world.verify().licensed();
    world.after(DAY).home("import ./revoked.olr").done();
    let until = "2026-12-08T09:00:00Z";
    world.verify().grace("pooled", until);
    world.after(15 * DAY - 1).verify().grace("pooled", until);
    world.home("check --operation backup").done();
    world.after(15 * DAY).verify().refused("revoked", "the grace period ended at");
    // The vendor does not issue the pooled license again. A new installation refuses to import a
    // pooled license, even if the license was issued for it before.
    world.issue("home", sale, "").refused("revoked", &id);
    let other = Sale { key: "EfGh-5678", ..sale };
    world.request("new", other, "").done();
    let issued = world.issue("new", other, "");
    let id = issued.done()["license"]["license_id"].as_str().unwrap().to_string();
    let revoke = format!("revoke {id} --pooled --reason p --yes --vendor ./vendor -o ./r2.olr");
    world.olr(&revoke).done();
    world.olr("import ./r2.olr --home ./new").done();
    world.import("new", "").refused("revoked", &id);
    world.olr("verify --home ./new").refused("not-activated", "");
}

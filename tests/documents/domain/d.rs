//! Rules D1 to D4: quotas.

use super::{HOUR, SELF_HOSTED, Sale, World, by_file};

const SALE: Sale<'_> = Sale {
    kind: "purchased-oem",
    key: "AbCd-1234",
    slot: "backup",
    lines: "",
    modules: "CBS = 1\nOBM = 10\nACB = 10",
};

#[test]
fn d1_what_would_exceed_a_quota_is_blocked_and_says_the_amounts() {
    let world = World::sold(SELF_HOSTED, SALE);
    let operations =
        ["create-user", "create-backup-set", "import-users", "update-user", "update-license"];
    for (used, wanted, allowed) in [(9, 1, true), (9, 2, false), (10, 1, false), (0, 10, true)] {
        world.home(&format!("report OBM={used}")).done();
        for operation in operations {
            let asked = world.home(&format!("check OBM {wanted} --operation {operation}"));
            if allowed {
                asked.done();
                continue;
            }
            let says = format!("OBM: 10 granted, {used} used, {wanted} more wanted");
            asked.refused("quota-exceeded", &says);
        }
    }
    // An exhausted quota does not block questions that add nothing, or other modules.
    world.home("report OBM=10").done();
    world.home("check OBM 0 --operation update-user").done();
    world.home("check ACB 10 --operation create-user").done();
    world.home("check --operation backup").done();
    world.home("check UBS --unlisted").refused("not-entitled", "module UBS is not granted");

    // A license that grants less than is in use is refused, unless the operator accepts it.
    world.after(HOUR);
    let fewer = Sale { modules: "CBS = 1\nOBM = 9\nACB = 10", ..SALE };
    world.request("home", fewer, "--renew").done();
    world.issue("home", fewer, "").done();
    let says = "this license grants 9 of OBM, but 10 are in use";
    world.import("home", "").refused("quota-exceeded", says);
    world.verify().licensed();
    world.import("home", "--accept-over-quota").done();
    world.verify().grace("over-quota", "2026-11-23T22:00:00Z");
    world.home("check OBM").refused("quota-exceeded", "OBM: 9 granted, 10 used, 1 more wanted");
    world.after(13 * HOUR).verify().refused("quota-exceeded", "OBM: 10 used, 9 granted");
}

#[test]
fn d2_a_sub_administrator_may_be_given_from_what_he_uses_to_what_is_granted() {
    let world = World::sold(SELF_HOSTED, SALE);
    let check = |module: &str, uses: u64, limit: u64| {
        world.home(&format!("check {module} --admin-uses {uses} --admin-limit {limit}"))
    };
    for limit in [3, 4, 10] {
        check("OBM", 3, limit).done();
    }
    for limit in [0, 2, 11, u64::MAX] {
        let says = format!("OBM: a sub-administrator may be given 3 to 10, not {limit}");
        check("OBM", 3, limit).refused("quota-exceeded", &says);
    }
    check("OBM", 0, 0).done();
    assert!(check("OBM", 3, 10).done()["wanted"].is_null());
    // The limit is the whole question: there is nothing to add, and nothing to install.
    for more in ["OBM 5", "OBM --release 2026-12-01"] {
        let line = format!("check {more} --admin-uses 3 --admin-limit 10");
        world.home(&line).unable("cannot be used with");
    }
    let unlisted = world.home("check UBS --unlisted --admin-uses 0 --admin-limit 0");
    unlisted.refused("not-entitled", "module UBS is not granted");
    // A grant may set a lower maximum for sub-administrators.
    let lower = Sale { modules: "CBS = 1\nOBM = 10\n[administrators]\nOBM = 5", ..SALE };
    world.after(HOUR).renew(lower, "").done();
    check("OBM", 3, 5).done();
    check("OBM", 3, 6).refused("quota-exceeded", "may be given 3 to 5, not 6");
    let more = Sale { modules: "CBS = 1\nOBM = 10\n[administrators]\nOBM = 11", ..SALE };
    world.request("home", more, "--renew").done();
    world.issue("home", more, "").unable("administrators: 11 OBM, but only 10 are granted");
}

#[test]
fn d3_people_are_told_of_an_error_once_a_change_and_not_once_a_check() {
    let world = World::sold(SELF_HOSTED, SALE);
    let settings = "[command]\nprogram = \"/bin/true\"\n";
    std::fs::write(world.path("home/alerts.toml"), settings).unwrap();
    let told = || {
        let json = world.home("alert").done().clone();
        let all = json["alerts"].as_array().unwrap().clone();
        let stages = all.iter().map(|alert| alert["stage"].as_str().unwrap().to_string());
        stages.collect::<Vec<_>>()
    };
    let nothing: [&str; 0] = [];
    assert_eq!(told(), nothing);
    world.home("report OBM=12").done();
    // Many checks, one mail.
    for minute in 0..20 {
        world.after(60 * minute).verify().grace("over-quota", "2026-11-23T21:00:00Z");
        let expected: &[&str] = if minute == 0 { &["grace"] } else { &[] };
        assert_eq!(told(), expected, "minute {minute}");
    }
    // Exceeding the quota further is not a change.
    world.home("report OBM=13").done();
    assert_eq!(told(), nothing);
    world.after(11 * HOUR);
    assert_eq!((told(), told()), (vec!["countdown".to_string()], vec![]));
    world.home("report OBM=10").done();
    assert_eq!((told(), told()), (vec!["solved".to_string()], vec![]));
    // One hour of the grace period is left.
    world.home("report OBM=11").done();
    assert_eq!((told(), told()), (vec!["countdown".to_string()], vec![]));
}

#[test]
fn d4_an_evaluation_is_never_stopped_by_being_over_quota() {
    let trial = Sale { kind: "evaluation-standard", ..SALE };
    for modules in ["CBS = 1\nOBM = 10", "OBM = 10"] {
        let world = World::sold(&by_file(SELF_HOSTED), Sale { modules, ..trial });
        world.home("report OBM=99").done();
        // Up to the last second.
        for instant in ["2026-11-23T09:00:00Z", "2026-11-23T21:00:00Z", "2027-01-23T11:59:59Z"] {
            world.at(instant);
            let verify = world.verify();
            verify.licensed();
            verify.says("licensed, with a warning: OBM: 99 used, 10 granted");
            world.home("check --operation backup").done();
        }
        // Adding to the excess is still blocked.
        world.home("check OBM").refused("quota-exceeded", "OBM: 10 granted, 99 used");
        world.at("2027-01-23T12:00:00Z").verify().refused("expired", "");
    }
    // With a purchased license, the same excess stops the server.
    let world = World::sold(SELF_HOSTED, SALE);
    world.home("report OBM=99").done();
    world.after(12 * HOUR).verify().refused("quota-exceeded", "");
}

//! Modules that no license names: a typed name is questioned; with `--unlisted` it is accepted, and
//! the reported usage is recorded and shown.

use crate::words::World;

#[test]
fn a_module_that_the_license_does_not_name_is_questioned_with_the_nearest_name() {
    let world = World::activated();
    for (typed, near) in [
        ("obm", "did you mean OBM?"),
        ("Obm", "did you mean OBM?"),
        ("OBN", "did you mean OBM?"),
        ("0BM", "did you mean OBM?"),
        ("OBM\u{a0}X", "OBM"),
        ("ОBM", "did you mean OBM?"), // Cyrillic
        ("Exchange-2019", "name a known module"),
    ] {
        let counted = format!("{typed}=9");
        let used = format!("2090-01-01 use {counted}");
        let runs = [
            world.olr(&["report", &counted]),
            world.olr(&["report", "ACB=1", &counted]),
            world.olr(&["check", typed]),
            world.olr(&["check", typed, "2", "--used", "3"]),
            world.olr(&["request", "--module", &counted]),
            world.olr(&["request", "--module", &counted, "--dry-run"]),
        ];
        for run in &runs {
            run.unable("the license has no module").hint(near);
            run.hint("--unlisted");
        }
        if !typed.contains('\u{a0}') {
            let run = world.olr(&["simulate", "--until", "2091-01-01", "--event", &used]);
            run.unable("the license has no module").hint(near);
        }
    }
    world.olr(&["report", "ОBM=1"]).unable("U+041E 'О' (Cyrillic)");
    // Nothing was stored, not even the valid part of the report.
    assert_eq!(world.olr(&["status"]).done().json["modules"]["ACB"]["used"], 0);
    assert_eq!(
        world.olr(&["request"]).done().json["sealed"]["wanted"].as_object().unwrap().len(),
        0
    );
}

#[test]
fn a_module_that_is_meant_counts_and_has_a_row_everywhere() {
    let world = World::activated();
    world.olr(&["check", "obm", "--unlisted"]).refused("not-entitled");
    world.olr(&["report", "--unlisted", "obm=3", "OBM=2"]).done();
    for verb in ["status", "verify"] {
        let json = world.olr(&[verb]).json;
        let row = &json["modules"]["obm"];
        let row = (&row["quota"], &row["used"], &row["available"]);
        assert_eq!(row, (&0.into(), &3.into(), &(-3).into()), "{verb}: {json}");
        assert_eq!(json["modules"]["OBM"]["used"], 2);
        assert_eq!(json["grace"]["cause"], "over-quota");
    }
    for args in [&["status"][..], &["report", "OBM=2"]] {
        let text = world.text(args);
        let row = text.lines().find(|line| line.trim_start().starts_with("obm ")).unwrap();
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(words, ["obm", "(not", "granted)", "0", "3", "-3"], "{text}");
    }
    let check = world.olr(&["check", "obm"]);
    check.refused("not-entitled");
    let json = (&check.json["quota"], &check.json["used"], &check.json["available"]);
    assert_eq!(json, (&0.into(), &3.into(), &(-3).into()));
    // The name was reported, so from now on it is known and can be corrected.
    world.olr(&["report", "obm=4"]).done();
    let ahead = world.olr(&["simulate"]);
    let first = ahead.done().json["timeline"][0]["new"].to_string();
    assert!(first.contains("not granted: obm (4 used)"), "{first}");
    assert_eq!(ahead.json["modules"]["obm"]["used"], 4);
    world.olr(&["report", "OBM=11"]).done();
    world.write("home/alerts.toml", "[command]\nprogram = \"/bin/true\"\n");
    let alerts = world.olr(&["alert", "--dry-run"]).done().json.to_string();
    assert!(alerts.contains("OBM: 11 used, 10 granted; obm: 4 used, 0 granted"), "{alerts}");
    world.olr(&["report", "obm=0", "OBM=0"]).done();
    let json = world.olr(&["status"]).json;
    assert_eq!((json["state"].as_str(), &json["modules"]["obm"]), (Some("licensed"), &().into()));
    world.olr(&["report", "obm=0"]).unable("the license has no module");
}

#[test]
fn what_a_license_names_without_granting_it_may_be_typed() {
    let world = World::new();
    let catalog = world.read("vendor/catalog.toml");
    let more = "[module.Proxy]\nname = \"Proxy\"\nunit = \"device\"\nrequires = [\"OBM\"]\n\
        includes = [\"Relay\"]\npool = \"nets\"\n[module.Proxy2]\nname = \"P\"\nunit = \"device\"\n\
        pool = \"nets\"\n";
    world.write("vendor/catalog.toml", format!("{catalog}\n{more}"));
    world.edit("vendor/grant.toml", "[modules]", "[modules]\nProxy = 1");
    world.request(&[]).done();
    world.issue(&[]).done();
    world.olr(&["import", "license.olr"]).done();
    for named in ["Relay", "nets", "Proxy2", "OBM"] {
        let run = world.olr(&["check", named]);
        assert_ne!(run.status, 2, "{named}: {}", run.json);
    }
    // The module is included in a granted one, and has a row without a limit.
    world.olr(&["report", "Relay=100"]).done();
    let json = world.olr(&["status"]).json;
    assert_eq!(json["state"], "licensed");
    assert_eq!(
        (&json["modules"]["Relay"]["quota"], &json["modules"]["Relay"]["used"]),
        (&"unlimited".into(), &100.into())
    );
}

#[test]
fn before_the_first_license_any_module_may_be_asked_for_and_is_shown() {
    let world = World::new();
    let run = world.request(&["--module", "obm=7"]);
    assert_eq!(run.done().json["sealed"]["wanted"]["obm"], 7);
    let text = world.text(&["request", "--module", "anything=1", "--dry-run"]);
    assert!(text.contains("anything=1"), "{text}");
    world.issue(&[]).done();
    world.olr(&["import", "license.olr"]).done();
    world.olr(&["request", "--module", "obm=7"]).unable("has no module obm").hint("OBM");
    world.olr(&["request", "--module", "obm=7", "--unlisted"]).done();
    // The other slot and a new installation have no license yet, so any name is accepted.
    world
        .olr(&["request", "--slot", "redirector", "--key", "k-2", "--module", "obm=7", "--dry-run"])
        .done();
    world.request(&["--new-identity", "--module", "obm=7"]).done();
}

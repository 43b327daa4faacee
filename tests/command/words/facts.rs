//! Messages are true: about the vendor, the installed license, and what was written.

use crate::words::World;
use serde_json::Value;
use std::fs::File;

/// The JSON of every command that uses a home names the vendor that the home trusts.
#[test]
fn every_answer_of_a_home_names_its_vendor() {
    let world = World::new();
    let code = world.request(&[]).done().json["vendor_code"].clone();
    let named = |args: &[&str]| {
        let run = world.olr(args);
        assert_eq!(run.json["vendor_code"], code, "{args:?}: {}", run.json);
        assert!(run.json["vendor_id"].as_str().is_some_and(|id| id.len() == 32), "{}", run.json);
        assert_eq!(run.json["home"].as_str(), Some("home"), "{args:?}");
    };
    world.write("alerts.toml", "[command]\nprogram = \"/bin/true\"\n");
    std::fs::copy(world.path("alerts.toml"), world.path("home/alerts.toml")).unwrap();
    let all = [
        &["verify"][..],
        &["status"],
        &["check", "OBM"],
        &["report", "OBM=1"],
        &["simulate"],
        &["machine"],
        &["alert", "--dry-run"],
        &["alert"],
        &["deactivate", "--yes"],
        &["import", "vendor/grant.toml"],
    ];
    all.iter().for_each(|args| named(args));
    world.issue(&[]).done();
    world.olr(&["import", "license.olr"]).done();
    let all = all.iter().filter(|args| args[0] != "deactivate");
    all.clone().for_each(|args| named(args));
    named(&["verify", "license.olr"]);
    named(&["machine", "--against", "license.olr"]);
    // The output names no vendor if the home has none, and no home if the command uses none.
    let run = world.olr(&["verify", "--home", "nowhere"]);
    assert_eq!((&run.json["vendor_code"], &run.json["home"]), (&Value::Null, &"nowhere".into()));
    assert!(world.olr(&["inspect", "nowhere"]).json["home"].is_null());
    let run = world.olr(&["machine", "--home", "nowhere"]);
    assert!(run.done().json["vendor_code"].is_null() && run.json["factors"].is_array());
}

#[test]
fn the_file_of_the_installed_license_is_judged_as_what_is_installed() {
    let world = World::new();
    let rule = "\n[type.oem.on.over-quota]\nafter = \"12 hours\"\nthen = \"stop\"\n";
    world.write("vendor/catalog.toml", world.read("vendor/catalog.toml") + rule);
    world.request(&[]).done();
    world.issue(&[]).done();
    world.olr(&["verify", "license.olr"]).done();
    world.olr(&["import", "license.olr"]).done();
    world.olr(&["verify", "license.olr"]).done();
    world.olr(&["report", "OBM=11"]).done();
    for args in [&["verify"][..], &["verify", "license.olr"]] {
        let run = world.olr(args);
        assert_eq!(run.json["state"], "grace", "{args:?}: {}", run.json);
        assert_eq!(run.json["grace"]["cause"], "over-quota", "{args:?}");
    }
    assert!(
        world.text(&["verify", "license.olr"]).contains("the answer includes the current usage")
    );
    // Another license is judged as if it were imported.
    world.olr(&["request", "--renew", "-o", "again.olr"]).done();
    let again = ["issue", "again.olr", "--grant", "vendor/grant.toml", "-o", "two.olr", "--yes"];
    world.olr(&again).done();
    world.olr(&["verify", "two.olr"]).refused("quota-exceeded").hint("--accept-over-quota");
}

#[test]
fn a_code_with_a_character_that_no_code_has_is_told_so() {
    let world = World::activated();
    let run = world.olr(&["verify", "--vendor-code", "S2PM-WQNJ-2R40"]);
    run.unable("a code never contains the character 0").hint("try S2PM-WQNJ-2R4O");
    let issue = ["issue", "req.olr", "--grant", "vendor/grant.toml", "--code", "S2PM-WQNJ-2R41"];
    world
        .olr(&issue)
        .unable("never contains the character 1")
        .hint("S2PM-WQNJ-2R4I or S2PM-WQNJ-2R4L");
    world.olr(&["verify", "--vendor-code", "S2PM-WQNJ"]).unable("this one has 8").hint("ABCD-EFGH");
}

/// With a full disk behind stdout, no message says that the output was written.
#[cfg(target_os = "linux")]
#[test]
fn what_could_not_be_written_is_not_said_to_be() {
    let world = World::new();
    world.request(&[]).done();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for args in [
        &["request", "-o", "-"][..],
        &["issue", "req.olr", "--grant", "vendor/grant.toml", "-o", "-"],
        &["vendor", "time-anchor", "req.olr", "-o", "-"],
        &["key", "paper", "vendor/keys/issuer.key", "-o", "-"],
        &["key", "export", "vendor/keys/issuer.key", "--plain", "-o", "-"],
    ] {
        for json in [false, true] {
            let mut command = world.command(args);
            if json {
                command.arg("--json");
            }
            let output = command.stdout(full()).output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
            assert!(stderr.contains("the output cannot be written"), "{args:?}: {stderr}");
            let says = ["Wrote", "stdout", "\"file\""];
            assert!(!says.iter().any(|word| stderr.contains(word)), "{args:?}: {stderr}");
        }
        // If the output arrives, the message is printed.
        let output = world.command(args).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn a_page_and_an_object_do_not_share_stdout() {
    let world = World::new();
    let key = "vendor/keys/issuer.key";
    world.olr(&["key", "paper", key]).unable("stdout is for the JSON object").hint("-o");
    let run = world.olr(&["key", "paper", key, "-o", "page.txt"]);
    assert_eq!(run.done().json["file"], "page.txt");
    assert!(world.read("page.txt").lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn a_shorter_maintenance_than_before_is_asked_about() {
    let world = World::activated();
    world.olr(&["request", "--renew", "-o", "again.olr"]).done();
    let issue = |more: &[&str]| {
        let args = ["issue", "again.olr", "--grant", "vendor/grant.toml", "-o", "two.olr"];
        world.olr(&[&args[..], more].concat())
    };
    let about = |run: &crate::words::Run| -> Vec<String> {
        let all = run.json["concerns"].as_array().unwrap().clone();
        all.iter().map(|one| one["about"].as_str().unwrap().to_string()).collect()
    };
    assert!(about(issue(&["--dry-run"]).done()).is_empty());
    world.edit("vendor/grant.toml", "maintenance = \"1 year\"", "maintenance = \"30 days\"");
    issue(&[]).unable("earlier than in the previous license").hint("correct `maintenance`");
    assert_eq!(about(issue(&["--dry-run"]).done()), ["maintenance"]);
    assert_eq!(about(issue(&["--yes"]).done()), ["maintenance"]);
    // A longer or unlimited term raises no concern; after an unlimited one, any end date does.
    for (from, to, concerns) in [("30 days", "never", 0), ("never", "90 years", 1)] {
        world.edit(
            "vendor/grant.toml",
            &format!("maintenance = \"{from}\""),
            &format!("maintenance = \"{to}\""),
        );
        world.olr(&["request", "--renew", "-o", "again.olr"]).done();
        let run = issue(&["--yes"]);
        assert_eq!(about(run.done()).len(), concerns, "{to}");
    }
}

#[test]
fn a_count_written_with_the_module_is_told_apart() {
    let world = World::activated();
    for (typed, hint) in [
        ("obm=1", "write: olr check OBM 1"),
        ("OBM=1", "write: olr check OBM 1"),
        ("OBN=2", "write: olr check OBM 2"),
        ("Exchange=3", "write: olr check Exchange 3"),
    ] {
        world.olr(&["check", typed]).unable("MODULE and COUNT must be two words").hint(hint);
    }
    world.olr(&["check", "obm"]).unable("no module obm").hint("did you mean OBM?");
    world.olr(&["check", "OBM", "1"]).done();
}

#[test]
fn a_state_in_the_place_of_a_file_is_named() {
    let world = World::activated();
    for args in [&["import", "home/state"][..], &["verify", "home/state"]] {
        let run = world.olr(args);
        assert_eq!(run.json["refusal"], "unknown-version", "{}", run.json);
        assert!(run.fact().contains("this is the state of a home"), "{}", run.fact());
        run.hint("a home is named separately (--home DIR)");
    }
    let state = std::fs::read(world.path("home/state")).unwrap();
    for (version, who, hint) in
        [(4, "an older olr", "the olr that wrote it"), (99, "a newer olr", "update olr")]
    {
        let mut other = state.clone();
        other[4] = version;
        for copy in ["home/state", "home/state.copy"] {
            world.write(copy, &other);
        }
        for args in [&["verify"][..], &["status"], &["import", "license.olr"]] {
            let run = world.olr(args);
            run.unable(who).hint(hint);
            assert!(run.fact().contains(&format!("state version {version}")), "{}", run.fact());
        }
    }
}

#[test]
fn more_limits_than_a_delegation_has_are_told() {
    let world = World::new();
    world.olr(&["key", "new", "--role", "issuer", "-o", "two.key", "--no-passphrase"]).done();
    let max: Vec<_> = (0..4097).map(|n| format!("--max=M{n}=1")).collect();
    let mut args = vec!["key", "delegate", "two.pub", "--act", "license", "-o", "two.olr"];
    args.extend(max.iter().map(String::as_str));
    world.olr(&args).unable("--max: 4097 entries, but at most 4096 are allowed").hint("omit --max");
    world.request(&[]).done();
    world.issue(&[]).done();
    world.olr(&["import", "license.olr"]).done();
    let counts: Vec<_> = (0..4097).map(|n| format!("M{n}=1")).collect();
    let counts = || counts.iter().map(String::as_str);
    let report: Vec<_> = ["report", "--unlisted"].into_iter().chain(counts()).collect();
    world.olr(&report).unable("modules in use: 4097 entries").hint("name at most 4096");
    let wanted = counts().flat_map(|count| ["--module", count]);
    let request: Vec<_> =
        ["request", "--unlisted", "--dry-run"].into_iter().chain(wanted).collect();
    world.olr(&request).unable("--module: 4097 entries").hint("name at most 4096");
}

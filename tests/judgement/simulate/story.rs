//! The command `olr simulate`.
#![cfg(feature = "cli")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn olr(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
    command.current_dir(folder).args(args);
    command.env("OLR_HOME", "home").env("OLR_VENDOR", "vendor");
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

fn done(folder: &Path, args: &[&str]) -> String {
    let output = olr(folder, args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path, args: &[&str]) -> (i32, Value) {
    let output = olr(folder, &[args, &["--json"]].concat());
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), json)
}

fn home(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(folder.join("home")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

#[test]
fn a_server_looks_ahead_and_changes_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let (status, early) = json(folder, &["simulate"]);
    assert_eq!((status, early["refusal"].as_str()), (1, Some("not-activated")));
    done(folder, &["vendor", "init", "vendor", "--name", "V", "--no-passphrase"]);
    let pins = ["--pin", "rack=B12", "--pin", "asset=4711"];
    let who = ["--trust", "vendor/vendor.trust", "--licensee", "ACME Ltd", "--key", "AbCd-1234"];
    done(folder, &[&["request"], &who[..], &pins].concat());
    done(folder, &["issue", "req.olr", "--grant", "vendor/grant.toml"]);
    done(folder, &["import", "license.olr"]);
    let before = home(folder);

    // Far enough in the future that the real clock does not matter.
    let until = ["--until", "9000-01-01"];
    let ahead = ["--event", "8000-03-01 use OBM=11", "--event", "8000-03-02 use OBM=10"];
    let args = [&["simulate"], &until[..], &ahead].concat();
    let text = done(folder, &args);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for says in [
        "example (backup)",
        "in-effect",
        "licensed, no end date",
        "maintenance ended on",
        "8000-03-01T00:00:00Z warned",
        "event: use OBM=11",
        "OBM: 11 used, 10 granted (only a warning)",
        "resolved: back within the quota",
        "Nothing else changes until 9000-01-01T00:00:00Z.",
    ] {
        assert!(text.contains(says), "{says:?} is missing in\n{text}");
    }
    let (status, told) = json(folder, &[&args[..], &["--svg", "year.svg"]].concat());
    assert_eq!(status, 0);
    assert_eq!(
        (told["until"].as_str(), told["svg"].as_str()),
        (Some("9000-01-01T00:00:00Z"), Some("year.svg"))
    );
    let timeline = told["timeline"].as_array().unwrap();
    assert_eq!(timeline.len(), 7, "{told}");
    assert_eq!(timeline[1]["new"][0]["what"], "maintenance-ends-soon");
    assert_eq!(timeline[5]["events"][0], "use OBM=11");
    assert_eq!(
        (&timeline[5]["new"][0]["what"], &timeline[5]["new"][0]["about"]),
        (&"warned".into(), &"over-quota".into())
    );
    let conditions: Vec<_> =
        timeline.iter().map(|entry| entry["condition"].as_str().unwrap()).collect();
    assert_eq!(conditions[..5], ["in-effect"; 5]);
    assert_eq!(conditions[5..], ["warned", "in-effect"]);

    // Possible actions of the vendor, and a file that it has sent.
    done(
        folder,
        &["issue", "req.olr", "--grant", "vendor/grant.toml", "--again", "-o", "more.olr"],
    );
    let withdrawn = ["--event", "8000-03-01 pool", "--event", "8000-03-02 import more.olr"];
    let (status, told) = json(folder, &[&["simulate"], &until[..], &withdrawn].concat());
    assert_eq!(status, 0, "{told}");
    let timeline = told["timeline"].as_array().unwrap();
    let conditions: Vec<_> =
        timeline.iter().map(|entry| entry["condition"].as_str().unwrap()).collect();
    assert_eq!(conditions[4..], ["in-effect", "stopped", "in-effect"], "{told}");
    assert_eq!(timeline[6]["new"][0]["what"], "imported");
    assert_eq!(timeline[6]["events"][0], "import more.olr");
    let missing = ["simulate", "--event", "8000-03-01 import missing.olr"];
    let (status, missing) = json(folder, &[&missing[..], &until].concat());
    assert_eq!(status, 2);
    assert!(missing["fact"].as_str().unwrap().contains("missing.olr"), "{missing}");

    // Without `--force` only an older picture is overwritten, and some files never are.
    let svg = std::fs::read_to_string(folder.join("year.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("use OBM=11"));
    done(folder, &["simulate", "--svg", "year.svg"]);
    let newer = std::fs::read_to_string(folder.join("year.svg")).unwrap();
    assert!(newer.starts_with("<svg ") && !newer.contains("use OBM=11"));
    std::fs::write(folder.join("mine.txt"), "mine").unwrap();
    let (status, taken) = json(folder, &["simulate", "--svg", "mine.txt"]);
    assert_eq!(status, 2);
    assert!(taken["hint"].as_str().unwrap().contains("--force"), "{taken}");
    for kept in ["home/state", "req.olr", "vendor/vendor.trust", "vendor/catalog.toml"] {
        let (status, kept) = json(folder, &["simulate", "--svg", kept, "--force"]);
        assert_eq!(status, 2, "{kept}");
        assert!(kept["fact"].as_str().unwrap().contains("even with --force"), "{kept}");
    }
    let shown = olr(folder, &["simulate", "--svg", "-"]);
    assert!(shown.stdout.starts_with(b"<svg "));
    assert!(String::from_utf8(shown.stderr).unwrap().contains("Nothing else changes"));
    assert!(home(folder) == before, "looking ahead has changed the home");
}

#[test]
fn an_event_that_does_not_exist_is_told_which_do() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    done(folder, &["vendor", "init", "vendor", "--name", "V", "--no-passphrase"]);
    let who = ["--trust", "vendor/vendor.trust", "--licensee", "ACME Ltd", "--key", "AbCd-1234"];
    let pins = ["--pin", "rack=B12", "--pin", "asset=4711"];
    done(folder, &[&["request"], &who[..], &pins].concat());
    done(folder, &["issue", "req.olr", "--grant", "vendor/grant.toml"]);
    done(folder, &["import", "license.olr"]);
    let (status, wrong) = json(folder, &["simulate", "--event", "8000-03-01 earthquake"]);
    assert_eq!((status, wrong["state"].as_str()), (2, Some("unknown")));
    assert!(wrong["fact"].as_str().unwrap().contains("\"earthquake\""), "{wrong}");
    let help = done(folder, &["simulate", "--help"]);
    for (event, _) in olr_core::simulate::EVENTS {
        assert!(wrong["hint"].as_str().unwrap().contains(event), "{event}: {wrong}");
        assert!(help.contains(event), "{event}: {help}");
    }
}

#[test]
fn a_machine_that_changes_and_still_matches_drifts() {
    let state =
        crate::simulate::server(&crate::world::World::new(), |body| body.expires = None, None);
    let told = crate::simulate::events(&["2027-11-24 hostname mail1", "2027-11-25 repaired"]);
    let timeline = crate::simulate::play(&state, &told, crate::simulate::at("2027-11-26")).unwrap();
    let drifts = timeline.entries.iter().map(|entry| {
        let drifts = entry.turns.iter().find(|turn| turn.word == "drifts");
        drifts.map(|turn| turn.text.as_str())
    });
    let renamed = "the machine still matches, but has changed: the host was renamed";
    assert_eq!(drifts.collect::<Vec<_>>(), [None, Some(renamed), None]);
}

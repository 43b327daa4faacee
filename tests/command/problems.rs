//! The word for the problem when the command cannot answer: a program relies on that word alone.

#![cfg(all(feature = "cli", feature = "vendor", target_os = "linux"))]

use olr::Home;
use std::fs::{self, File};

use crate::refused::World;
use crate::world::scenario::Scenario;

#[track_caller]
fn problem(world: &World, call: &str, word: &str) {
    let run = world.olr(&call.split(' ').collect::<Vec<_>>());
    let got = (run.status, run.json["state"].as_str(), run.json["problem"].as_str());
    assert_eq!(got, (2, Some("unknown"), Some(word)), "{call}: {}", run.json);
    assert_eq!(run.json.get("refusal"), None, "{call}");
}

#[test]
fn arguments_and_files() {
    let world = World::activated();
    fs::write(world.path("broken.toml"), "product = 7").unwrap();
    fs::create_dir(world.path("folder")).unwrap();
    for (call, word) in [
        ("report OBM", "usage"),
        ("report obm=3", "usage"),
        ("frobnicate", "usage"),
        ("vendor check-catalog broken.toml", "content"),
        ("issue req.olr --grant broken.toml --again", "content"),
        ("inspect nowhere.olr", "not-found"),
        ("verify nowhere.olr", "not-found"),
        ("vendor issued --vendor nowhere", "not-found"),
        ("key new --role root -o vendor/keys/root.key --no-passphrase", "exists"),
        ("vendor init vendor --name Again --no-passphrase", "exists"),
        ("inspect folder", "io"),
        ("deactivate", "not-confirmed"),
        (
            "issue req.olr --grant vendor/grant.toml --again --issuer vendor/keys/root.key",
            "wrong-key",
        ),
    ] {
        problem(&world, call, word);
    }
}

#[test]
fn passphrases() {
    let world = World::new();
    fs::write(world.path("right"), "four words of mine").unwrap();
    fs::write(world.path("wrong"), "four words of yours").unwrap();
    fs::write(world.path("latin"), b"caf\xe9").unwrap();
    let made = ["key", "new", "--role", "issuer", "-o", "i.key", "--passphrase-file", "right"];
    world.olr(&made).done();
    let passwd = "key passwd i.key --no-passphrase";
    problem(&world, passwd, "needs-passphrase");
    problem(&world, &format!("{passwd} --passphrase-file wrong"), "wrong-passphrase");
    problem(&world, &format!("{passwd} --passphrase-file nowhere"), "not-found");
    problem(&world, &format!("{passwd} --passphrase-file latin"), "content");
    world.olr(&format!("{passwd} --passphrase-file right").split(' ').collect::<Vec<_>>()).done();
}

/// The command waits for a lock that another process holds, but not for one that the system
/// refuses.
#[test]
fn locks() {
    let world = World::activated();
    let alerts = "[command]\nprogram = \"/bin/true\"\n";
    fs::write(world.path("home/alerts.toml"), alerts).unwrap();
    let hold = |name: &str| {
        let path = world.path(name);
        let lock = File::options().create(true).truncate(false).write(true).open(path).unwrap();
        lock.lock().unwrap();
        lock
    };
    let held = [hold("home/lock"), hold("home/alerts.lock")];
    problem(&world, "report OBM=1", "locked");
    problem(&world, "alert", "locked");
    drop(held);
    world.olr(&["report", "OBM=1"]).done();
    for name in ["home/lock", "home/alerts.lock", "vendor/ledger.lock"] {
        let path = world.path(name);
        let _ = fs::remove_file(&path);
        fs::create_dir(&path).unwrap();
    }
    problem(&world, "report OBM=2", "io");
    problem(&world, "alert", "io");
    problem(&world, "issue req.olr --grant vendor/grant.toml --again", "io");
}

#[test]
fn states_of_other_versions() {
    let world = World::new();
    for name in ["state/version-5", "state/version-7"] {
        let home = world.path("home");
        fs::create_dir_all(&home).unwrap();
        for file in Home::at(&home).state_files() {
            fs::write(file, Scenario::read(name).bytes).unwrap();
        }
        problem(&world, "status", "newer-version");
        fs::remove_dir_all(&home).unwrap();
    }
}

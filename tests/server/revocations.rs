//! Revocation of licenses, as people do it: real processes, a vendor's folder, homes.

#![cfg(all(feature = "cli", feature = "vendor"))]

use olr::Home;
use olr_core::state::Surroundings;
use olr_core::time::Instant;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Result of a process, as JSON or text.
struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.status, self.stdout, self.stderr)
    }
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    #[track_caller]
    fn done(&self) -> Value {
        assert_eq!(self.status, 0, "{self:?}");
        self.json()
    }

    #[track_caller]
    fn refused(&self, word: &str, says: &str) {
        let json = self.json();
        assert_eq!((self.status, json["refusal"].as_str()), (1, Some(word)), "{self:?}");
        assert!(json["fact"].as_str().unwrap().contains(says), "{self:?} should say {says:?}");
    }

    #[track_caller]
    fn unable(&self, says: &str, hint: &str) {
        let json = self.json();
        assert_eq!((self.status, json["state"].as_str()), (2, Some("unknown")), "{self:?}");
        assert!(json["fact"].as_str().unwrap().contains(says), "{self:?} should say {says:?}");
        assert!(json["hint"].as_str().unwrap().contains(hint), "{self:?} should hint {hint:?}");
    }
}

/// Returns a text with its line breaks undone.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A vendor's office, and servers whose homes are folders in it.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        world.olr("vendor init vendor --name Northwind --no-passphrase").done();
        world
    }

    /// Creates a world in which licenses of the default type have this rule for a revocation.
    fn saying(rule: &str) -> Self {
        let world = Self::new();
        let path = world.path("vendor/catalog.toml");
        let catalog = fs::read_to_string(&path).unwrap();
        let rule = format!("[type.oem]\non.revoked = {rule}\n");
        let changed = catalog.replacen("[type.oem]\n", &rule, 1);
        assert_ne!(changed, catalog);
        fs::write(&path, changed).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a line; `_` in a word stands for a space.
    fn run(&self, line: &str) -> Run {
        let words = line.split_whitespace().map(|word| word.replace('_', " "));
        let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
        command.current_dir(self.folder.path()).args(words);
        command.env_remove("OLR_HOME").env("OLR_VENDOR", "vendor");
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let status = output.status.code().expect("killed by a signal");
        Run { status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    fn olr(&self, line: &str) -> Run {
        self.run(&format!("{line} --json"))
    }

    /// Requests a license with key `key` for server `name`, and installs it. Returns its id.
    fn activate(&self, name: &str, key: &str) -> String {
        self.ask(name, key);
        let issued = self.issue(name, "").done();
        self.olr(&format!("import {name}.license --home {name}")).done();
        self.verify(name).done();
        issued["license"]["license_id"].as_str().unwrap().to_string()
    }

    fn ask(&self, name: &str, key: &str) {
        self.olr(&format!(
            "request --home {name} --trust vendor/vendor.trust --licensee ACME_Ltd --key {key} \
             --pin rack=B12 --pin asset=4711 -o {name}.req --force"
        ))
        .done();
        let grant = fs::read_to_string(self.path("vendor/grant.toml")).unwrap();
        let grant = grant.replace("AbCd-1234", key);
        fs::write(self.path(&format!("{name}.toml")), grant).unwrap();
    }

    fn issue(&self, name: &str, more: &str) -> Run {
        self.olr(&format!("issue {name}.req --grant {name}.toml -o {name}.license --force {more}"))
    }

    fn revoke(&self, id: &str) -> Value {
        self.olr(&format!("revoke {id} --reason stolen_card -o revoked.olr --force --yes")).done()
    }

    fn import(&self, file: &str, name: &str) -> Run {
        self.olr(&format!("import {file} --home {name}"))
    }

    fn verify(&self, name: &str) -> Run {
        self.olr(&format!("verify --home {name}"))
    }

    /// Raises the server's high-water mark by `days`.
    fn days_later(&self, name: &str, days: u64) {
        let home = Home::at(self.path(name));
        let mut state = home.require_state().unwrap();
        let clock = Instant::new(state.memory().mark.seconds + days * 86_400);
        state.observe(&Surroundings { clock, ..Surroundings::default() });
        for copy in home.state_files() {
            fs::write(copy, &*state.to_bytes()).unwrap();
        }
    }
}

/// Returns the only file of revocations in the form that licenses carry.
fn attached(world: &World) -> String {
    let names = fs::read_dir(world.path("vendor/revocations")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.filter(|name| name.starts_with("attached")).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    format!("vendor/revocations/{}", names[0])
}

#[test]
fn a_license_that_is_taken_back_stops() {
    let world = World::new();
    let id = world.activate("a", "AbCd-1234");
    let revoked = world.revoke(&id);
    assert_eq!(revoked["already"], false);
    assert_eq!((&revoked["version"], &revoked["sequence"]), (&1.into(), &1.into()));
    assert_eq!(revoked["revoked_licenses"], 1);
    // A revoked license is not given out again.
    world.issue("a", "").refused("revoked", &id);

    world.verify("a").done();
    assert_eq!(world.import("revoked.olr", "a").done()["new"], true);
    world.verify("a").refused("revoked", &id);
    world.import("a.license", "a").refused("revoked", &id);
    let again = world.import("revoked.olr", "a").done();
    assert_eq!((&again["new"], &again["revoked_licenses"]), (&false.into(), &1.into()));
    world.verify("a").refused("revoked", &id);

    // A new answer to the same request is another license, and is valid; the reason for the
    // revocation is shown first.
    world.issue("a", "--again").unable("stolen card", "--yes");
    let other = world.issue("a", "--again --yes").done();
    assert_ne!(other["license"]["license_id"], id.as_str());
    world.import("a.license", "a").done();
    world.verify("a").done();
}

#[test]
fn what_a_person_reads() {
    let world = World::new();
    let id = world.activate("a", "AbCd-1234");
    let said = world.run(&format!("revoke {id} --reason stolen_card --yes"));
    let expected = format!(
        "License {id} of ACME Ltd is now revoked. Servers learn this from their next license.\n\
         Wrote list 1 under trust 1, with 1 license, to revoked.olr: give it to servers that get \
         no new license soon.\n"
    );
    assert_eq!((said.status, flat(&said.stdout)), (0, flat(&expected)));
    world.import("revoked.olr", "a").done();

    let said = world.run("verify --home a");
    let expected = format!(
        "refused: revoked: license {id} was revoked by the vendor\nhint: contact the vendor\n"
    );
    assert_eq!((said.status, flat(&said.stdout)), (1, flat(&expected)));
    let said = world.run("status --home a");
    let expected = format!("\n\nrefused: revoked: license {id} was revoked by the vendor\n");
    assert!(said.status == 1 && said.stdout.starts_with("state "), "{said:?}");
    assert!(flat(&said.stdout).contains(&flat(&expected)), "{said:?}");
    assert!(!said.stdout.contains("it does not expire"), "nothing comes next: {said:?}");

    let said = world.run("inspect revoked.olr");
    for line in [
        "kind       revocations\n",
        "attached   delegation\n",
        "list       1 under trust 1\n",
        "revoked    1 license, listed by the digest of its id\n",
        "verified   yes\n",
    ] {
        let is_said = flat(&said.stdout).contains(&flat(line));
        assert!(said.status == 0 && is_said, "{line:?}: {said:?}");
    }
    assert!(!said.stdout.contains(&id), "nobody learns who was revoked");
    let said = world.run(&format!("inspect {}", attached(&world)));
    assert!(flat(&said.stdout).contains("verified not checked"), "{said:?}");
    let said = world.run("vendor issued");
    assert!(said.stdout.contains("Z: stolen card\n"), "{said:?}");
    let issued = world.olr("vendor issued").done();
    assert_eq!(issued["issued"][0]["revoked"]["reason"], "stolen card");
}

#[test]
fn a_license_may_say_how_long_it_goes_on() {
    let world = World::saying("{ after = \"14 days\", then = \"stop\" }");
    let id = world.activate("a", "AbCd-1234");
    world.revoke(&id);
    world.import("revoked.olr", "a").done();
    let json = world.verify("a").done();
    assert_eq!((&json["state"], &json["grace"]["cause"]), (&"grace".into(), &"revoked".into()));
    assert_eq!(json["grace"]["then"], "stop");
    assert_eq!(json["grace"]["overlooked"], "revoked");
    let instant = |field: &str| json["grace"][field].as_str().unwrap().parse::<Instant>().unwrap();
    assert_eq!(instant("until").seconds - instant("since").seconds, 14 * 86_400);
    let said = world.run("verify --home a");
    let until = json["grace"]["until"].as_str().unwrap();
    let expected = format!(
        "in a grace period until {until}: license {id} was revoked by the vendor; then the server stops\n"
    );
    assert_eq!((said.status, flat(&said.stdout)), (0, flat(&expected)));
    assert!(flat(&world.run("status --home a").stdout).contains(&flat(&expected)));

    // A later list does not restart the grace period.
    world.olr("revoke --again -o revoked.olr --force").done();
    world.import("revoked.olr", "a").done();
    assert_eq!(world.verify("a").done()["grace"]["since"], json["grace"]["since"]);
    world.days_later("a", 14);
    world.verify("a").refused("revoked", "the grace period ended at");
}

#[test]
fn a_license_may_only_warn() {
    let world = World::saying("{ then = \"warn\" }");
    let id = world.activate("a", "AbCd-1234");
    world.revoke(&id);
    world.import("revoked.olr", "a").done();
    world.days_later("a", 1);
    let json = world.verify("a").done();
    assert_eq!((&json["state"], &json["grace"]["then"]), (&"licensed".into(), &"warn".into()));
    assert!(json["grace"]["until"].is_null());
    let said = world.run("verify --home a");
    let expected = format!("licensed, with a warning: license {id} was revoked by the vendor\n");
    // The next event is in another sentence.
    assert!(said.status == 0 && flat(&said.stdout).starts_with(&flat(&expected)), "{said:?}");
    assert!(flat(&world.run("status --home a").stdout).contains(&flat(&expected)));
}

#[test]
fn a_later_license_carries_the_list() {
    let world = World::new();
    let id = world.activate("a", "AbCd-1234");
    world.activate("b", "EfGh-5678");
    world.revoke(&id);
    world.issue("b", "--again").done();
    let said = world.olr("inspect b.license").done();
    assert_eq!(said["attached"], serde_json::json!(["revocations", "delegation"]));
    world.import("b.license", "b").done();
    world.verify("b").done();

    // The server now knows this list, and refuses any older one.
    assert_eq!(world.import("revoked.olr", "b").done()["new"], false);
    fs::copy(world.path("revoked.olr"), world.path("older.olr")).unwrap();
    let again = world.olr("revoke --again -o revoked.olr --force").done();
    assert_eq!((&again["sequence"], &again["revoked_licenses"]), (&2.into(), &1.into()));
    assert_eq!(world.import("revoked.olr", "b").done()["new"], true);
    world.import("older.olr", "b").refused("superseded", "newer revocations");
    assert_eq!(world.import("revoked.olr", "b").done()["new"], false);
    world.verify("b").done();
    // The license that carried the older list stays valid, and is already installed.
    assert_eq!(world.import("b.license", "b").done()["imported"], "already");
    let attached = world.import(&attached(&world), "b");
    attached.refused("untrusted-signer", "this list of revocations is signed by unknown key");
    assert_eq!(
        attached.json()["hint"],
        "this list is only for attaching to licenses: ask the vendor for revoked.olr, and import \
         that file"
    );
}

#[test]
fn what_cannot_be_revoked() {
    let world = World::new();
    let id = world.activate("a", "AbCd-1234");
    let revoke = |more: &str| world.olr(&format!("revoke {more} --yes"));
    revoke(&format!("{id} --reason _"))
        .unable("the reason for the revocation is empty", "--reason");
    revoke(&id).unable("the reason for the revocation is missing", "--reason");
    let unknown = "00112233445566778899aabbccddeeff";
    revoke(&format!("{unknown} --reason x")).unable(unknown, "olr vendor issued");
    revoke("ABCD --reason x").unable("ABCD is not a license id", "olr vendor issued");
    let said = world.run("revoke");
    assert!(said.status == 2 && said.stderr.contains("<ID>"), "{said:?}");
    assert!(
        !world.path("revoked.olr").exists()
            && fs::read_dir(world.path("vendor/revocations")).unwrap().next().is_none()
    );

    // A file with a given name is never overwritten by mistake. Without a given name, an old file
    // does not stop a revocation (`vendor_roots::emergency`).
    fs::write(world.path("revoked.olr"), "a letter").unwrap();
    revoke(&format!("{id} --reason x -o revoked.olr")).unable("revoked.olr", "");
    assert_eq!(fs::read_to_string(world.path("revoked.olr")).unwrap(), "a letter");
    fs::remove_file(world.path("revoked.olr")).unwrap();

    world.revoke(&id);
    let again = world.revoke(&id);
    assert_eq!((&again["already"], &again["sequence"]), (&true.into(), &1.into()));
}

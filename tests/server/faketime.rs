//! Real processes, run at faked times by libfaketime, on a machine that changes.
//!
//! This needs libfaketime and namespaces, as root or where users may create them:
//! `cargo test --test server faketime -- --ignored`.
#![cfg(all(feature = "cli", feature = "vendor", target_os = "linux"))]

use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// Another host name and no cards: sysfs shows the cards of the namespace in which it is mounted.
const ELSEWHERE: &str = "mount -t sysfs sysfs /sys && hostname elsewhere && exec \"$0\" \"$@\"";

struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// Creates a vendor whose license type gives a changed machine two weeks of grace, and a server
    /// licensed for a year.
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        let start = "2027-01-01 09:00:00";
        let init = ["vendor", "init", "vendor", "--name", "Northwind", "--no-passphrase"];
        world.olr(start, true, &init);
        world.edit(
            "vendor/catalog.toml",
            "# [type.oem.on.conflict]\n# after = \"14 days\"\n# then",
            "[type.oem.on.conflict]\nafter = \"14 days\"\nthen",
        );
        // Only factors that a namespace can change have weight, whatever this machine shows.
        world.edit("vendor/catalog.toml", "machine-id = 3\nfilesystem = 2\n", "");
        world.edit("vendor/catalog.toml", "product-uuid = 4\nplatform-uuid = 4\n", "");
        world.edit("vendor/catalog.toml", "cloud-instance = 4\ntpm = 4\n", "");
        world.edit("vendor/catalog.toml", "product-serial = 3\nboard-serial = 3\n", "");
        world.edit("vendor/catalog.toml", "disk-serial = 3\n", "");
        world.edit("vendor/grant.toml", "\"never\"", "\"1 year\"");
        let asked = ["--licensee", "ACME Ltd", "--key", "AbCd-1234"];
        let request = [&["request", "--trust", "vendor/vendor.trust"][..], &asked].concat();
        world.olr(start, true, &request);
        world.olr(start, true, &["issue", "req.olr", "--grant", "vendor/grant.toml"]);
        world.olr(start, true, &["import", "license.olr"]);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        std::fs::write(self.path(name), text.replacen(from, to, 1)).unwrap();
    }

    /// Runs a command at `time`; if not `at_home`, in namespaces with another name and no card.
    fn run(&self, time: &str, at_home: bool, args: &[&str]) -> (i32, Value) {
        let olr = env!("CARGO_BIN_EXE_olr");
        let mut command = match at_home {
            true => Command::new(olr),
            false => {
                let mut command = Command::new("unshare");
                command.args([
                    "--map-root-user",
                    "--net",
                    "--uts",
                    "--mount",
                    "sh",
                    "-c",
                    ELSEWHERE,
                    olr,
                ]);
                command
            }
        };
        let fake = faketime().display().to_string();
        command.args(args).arg("--json").current_dir(self.folder.path());
        command.env("OLR_HOME", "home").env("OLR_VENDOR", "vendor").env("TZ", "UTC");
        command.env("LD_PRELOAD", fake).env("FAKETIME", format!("@{time}"));
        let output = command.output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let json = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout:?} {stderr}"));
        (output.status.code().unwrap(), json)
    }

    #[track_caller]
    fn olr(&self, time: &str, at_home: bool, args: &[&str]) -> Value {
        let (status, json) = self.run(time, at_home, args);
        assert_eq!(status, 0, "{args:?} at {time}: {json}");
        json
    }

    /// Returns the state, or the refusal word, of `olr verify`.
    fn verify(&self, time: &str, at_home: bool) -> String {
        let (status, json) = self.run(time, at_home, &["verify"]);
        let word = json["refusal"].as_str().or(json["state"].as_str()).unwrap().to_string();
        assert_eq!(status, i32::from(json["refusal"].is_string()), "{json}");
        word
    }
}

/// Returns the library's path on Debian and its derivatives.
fn faketime() -> PathBuf {
    let places = ["x86_64-linux-gnu", "aarch64-linux-gnu", "."];
    let file = |place: &str| PathBuf::from(format!("/usr/lib/{place}/faketime/libfaketime.so.1"));
    let found = places.map(file).into_iter().find(|path| path.exists());
    found.expect("install libfaketime")
}

#[test]
#[ignore = "needs libfaketime and namespaces"]
fn a_changed_machine_has_its_fortnight_and_no_more() {
    let world = World::new();
    assert_eq!(world.verify("2027-01-02 09:00:00", true), "licensed");
    assert_eq!(world.verify("2027-01-03 09:00:00", false), "grace");
    let (_, grace) = world.run("2027-01-10 09:00:00", false, &["status"]);
    assert!(grace["grace"]["until"].as_str().unwrap().starts_with("2027-01-16T09:00"), "{grace}");
    assert_eq!(world.verify("2027-01-16 08:00:00", false), "grace");
    assert_eq!(world.verify("2027-01-16 10:00:00", false), "wrong-machine");
    // Back on its own machine nothing is lost, and the next grace period starts later.
    assert_eq!(world.verify("2027-02-01 09:00:00", true), "licensed");
    assert_eq!(world.verify("2027-02-10 09:00:00", false), "grace");
}

#[test]
#[ignore = "needs libfaketime and namespaces"]
fn a_snapshot_brings_no_new_fortnight() {
    let world = World::new();
    assert_eq!(world.verify("2027-01-02 09:00:00", true), "licensed");
    let copies = ["home/state", "home/state.copy"].map(|name| world.path(name));
    let snapshot = copies.clone().map(|copy| std::fs::read(copy).unwrap());
    for day in [5, 10, 15] {
        assert_eq!(world.verify(&format!("2027-01-{day:02} 09:00:00"), false), "grace", "{day}");
        copies.iter().zip(&snapshot).for_each(|(copy, old)| std::fs::write(copy, old).unwrap());
    }
    assert_eq!(world.verify("2027-01-17 09:00:00", false), "wrong-machine");
}

#[test]
#[ignore = "needs libfaketime and namespaces"]
fn a_license_that_was_never_here_has_no_grace() {
    let world = World::new();
    let request = world.olr("2027-01-02 09:00:00", true, &["request", "-o", "again.olr"]);
    assert_eq!(request["sealed"]["number"], 2);
    let issue = ["issue", "again.olr", "--grant", "vendor/grant.toml", "-o", "second.olr"];
    world.olr("2027-01-02 09:00:00", true, &issue);
    let (status, json) = world.run("2027-01-03 09:00:00", false, &["import", "second.olr"]);
    assert_eq!((status, json["refusal"].as_str()), (1, Some("wrong-machine")), "{json}");
}

#[test]
#[ignore = "needs libfaketime and namespaces"]
fn a_clock_that_went_wrong_is_set_right_by_the_vendor() {
    let world = World::new();
    // A wrong clock: the license has expired by that clock, but the home does not remember the
    // time.
    let (_, far) = world.run("2099-01-01 00:00:00", true, &["verify"]);
    assert_eq!(
        (far["refusal"].as_str(), far["clock_pending"].as_bool()),
        (Some("expired"), Some(true))
    );
    assert_eq!(world.verify("2027-01-02 09:00:00", true), "licensed");
    // A clock less than a year ahead is believed; then it is set right.
    assert_eq!(world.verify("2027-12-01 09:00:00", true), "licensed");
    assert_eq!(world.verify("2027-01-03 09:00:00", true), "clock-rolled-back");
    let right = "2027-01-03 10:00:00";
    world.olr(right, true, &["request", "-o", "clock.olr"]);
    world.olr(right, true, &["vendor", "time-anchor", "clock.olr", "-o", "time.olr"]);
    assert_eq!(world.olr(right, true, &["import", "time.olr"])["new"], true);
    assert_eq!(world.verify("2027-01-03 11:00:00", true), "licensed");
    assert_eq!(world.olr("2027-01-03 11:00:00", true, &["import", "time.olr"])["new"], false);
    assert_eq!(world.verify("2028-01-03 09:00:00", true), "expired");
}

//! License keys that move between machines, and timestamps for a server whose clock was wrong, with
//! real processes, a vendor's folder and homes.

#![cfg(all(feature = "cli", feature = "vendor"))]

use olr::Home;
use olr_core::armor::{armor, dearmor};
use olr_core::key::install::InstallSecret;
use olr_core::receipt::{Receipt, ReceiptBody};
use olr_core::state::Surroundings;
use olr_core::time::Instant;
use olr_core::wire::codec::Text;
use olr_core::wire::frame::Kind;
use olr_core::wire::id::{LicenseId, VendorId};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

struct Run {
    status: i32,
    json: Value,
    stderr: String,
}

impl Run {
    #[track_caller]
    fn refused(&self, word: &str, says: &str) {
        let got = (self.status, self.json["refusal"].as_str());
        assert_eq!(got, (1, Some(word)), "{} {}", self.json, self.stderr);
        let fact = self.json["fact"].as_str().unwrap();
        assert!(fact.contains(says), "{fact:?} should say {says:?}");
    }

    #[track_caller]
    fn unable(&self, says: &str) {
        assert_eq!((self.status, self.json["state"].as_str()), (2, Some("unknown")), "{self:?}");
        let fact = self.json["fact"].as_str().unwrap();
        assert!(fact.contains(says), "{fact:?} should say {says:?}");
    }

    #[track_caller]
    fn done(&self) -> &Value {
        assert_eq!(self.status, 0, "{self:?}");
        &self.json
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.status, self.json, self.stderr)
    }
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command line at the vendor; `_` within a word stands for a space.
    fn olr(&self, line: &str) -> Run {
        self.run(line, Some("vendor"))
    }

    /// Runs a command line without a vendor's folder.
    fn alone(&self, line: &str) -> Run {
        self.run(&format!("{line} --home nowhere"), None)
    }

    fn run(&self, line: &str, vendor: Option<&str>) -> Run {
        let words = line.split_whitespace().map(|word| word.replace('_', " "));
        let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
        command.current_dir(self.folder.path()).args(words).arg("--json");
        command.env_remove("OLR_VENDOR").env_remove("OLR_HOME");
        command.envs(vendor.map(|vendor| ("OLR_VENDOR", vendor)));
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let json = serde_json::from_str(&stdout)
            .unwrap_or_else(|_| panic!("not one JSON object: {stdout:?} {stderr}"));
        Run { status: output.status.code().expect("killed by a signal"), json, stderr }
    }

    /// Writes the request of server `name` to `name.req`.
    fn ask(&self, name: &str) {
        self.olr(&format!(
            "request --home {name} --trust vendor/vendor.trust --licensee ACME_Ltd --key AbCd-1234 \
             --pin rack=B12 --pin asset=4711 -o {name}.req --force"
        ))
        .done();
    }

    fn issue(&self, name: &str, more: &str) -> Run {
        self.olr(&format!(
            "issue {name}.req --grant vendor/grant.toml -o {name}.license --force {more}"
        ))
    }

    /// Like [`World::issue`], and checks that nothing in the vendor's folder changed.
    fn untouched(&self, name: &str, more: &str) -> Run {
        let before = self.vendor_files();
        let run = self.issue(name, more);
        assert!(self.vendor_files() == before, "{name} {more} changed the vendor's folder");
        run
    }

    fn vendor_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut folders, mut files) = (vec![self.path("vendor")], Vec::new());
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push((path.clone(), fs::read(path).unwrap())),
                }
            }
        }
        files.sort();
        files
    }

    fn import(&self, name: &str) {
        self.olr(&format!("import {name}.license --home {name}")).done();
        self.verify(name).done();
    }

    fn verify(&self, name: &str) -> Run {
        self.olr(&format!("verify --home {name}"))
    }

    /// Deactivates the license of server `name`, and writes `name.receipt`.
    fn deactivate(&self, name: &str) -> Run {
        self.olr(&format!("deactivate --home {name} --yes -o {name}.receipt"))
    }

    fn activated(name: &str) -> Self {
        let world = Self::new();
        world.ask(name);
        world.issue(name, "").done();
        world.import(name);
        world
    }

    fn binary(&self, name: &str) -> Vec<u8> {
        dearmor(None, &fs::read(self.path(name)).unwrap()).unwrap().into_owned()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), armor(Kind::Receipt, bytes)).unwrap();
    }

    fn issued(&self) -> Vec<Value> {
        self.olr("vendor issued").done()["issued"].as_array().unwrap().clone()
    }
}

#[test]
fn a_key_moves_to_another_machine_and_back() {
    let world = World::activated("a");
    world.ask("b");
    let refused = world.untouched("b", "");
    refused.refused("already-activated", "in use on another installation");
    let hint = refused.json["hint"].as_str().unwrap();
    assert!(hint.contains("--receipt") && hint.contains("--transfer"), "{hint}");
    world.untouched("b", "--dry-run").refused("already-activated", "issued 20");

    world.deactivate("a").done();
    world.verify("a").refused("deactivated", "");
    let receipt = fs::read(world.path("a.receipt")).unwrap();
    assert_eq!(world.deactivate("a").done()["again"], true);
    assert_eq!(fs::read(world.path("a.receipt")).unwrap(), receipt, "the same bytes again");

    let tried = world.untouched("b", "--dry-run --receipt a.receipt");
    assert!(tried.done()["moves_from"].is_string());
    let moved = world.issue("b", "--receipt a.receipt");
    assert!(moved.done()["moves_from"].is_string());
    assert!(moved.stderr.contains("does not prove that no copy"), "{}", moved.stderr);
    world.import("b");

    // The same order returns the stored answer, with or without its receipt.
    for more in ["", "--receipt a.receipt"] {
        assert_eq!(world.untouched("b", more).done()["stored"], true);
    }
    let old = world.untouched("a", "");
    assert_eq!(old.done()["stored"], true);
    assert!(old.stderr.contains("has since moved to installation"), "{}", old.stderr);
    world.untouched("a", "--again").refused("already-activated", "");

    // Back to the first server, by a new request and the receipt of the current holder.
    world.ask("a");
    world.untouched("a", "").refused("already-activated", "");
    world.untouched("a", "--receipt a.receipt").refused("wrong-machine", "is in use on");
    world.deactivate("b").done();
    world.issue("a", "--receipt b.receipt").done();
    world.import("a");
    world.verify("b").refused("deactivated", "");

    // The first receipt does not apply to the license that was issued later.
    world.ask("b");
    world
        .untouched("b", "--receipt a.receipt")
        .refused("already-activated", "answered after this receipt");
    world.deactivate("a").done();
    world.issue("b", "--receipt a.receipt").done();
    world.import("b");

    let issued = world.issued();
    let moves: Vec<_> = issued.iter().map(|entry| entry["moved_from"].clone()).collect();
    let ids: Vec<_> = issued.iter().map(|entry| entry["license_id"].clone()).collect();
    assert_eq!(moves, [Value::Null, ids[0].clone(), ids[1].clone(), ids[2].clone()]);
    assert!(issued[1..].iter().all(|entry| entry["receipt"] == true));
}

#[test]
fn a_reason_moves_a_key_from_a_machine_that_is_lost() {
    let world = World::activated("a");
    // The home is lost, and the same machine starts over.
    fs::remove_dir_all(world.path("a")).unwrap();
    world.ask("a");
    world.untouched("a", "").refused("already-activated", "");
    world.olr("issue a.req --grant vendor/grant.toml --transfer _").unable("is empty");
    world.untouched("a", "--transfer x --receipt y").unable("cannot be used with");
    let moved = world.issue("a", "--transfer disk_lost,_ticket_17 --yes");
    moved.done();
    let unfolded = moved.stderr.replace("\n     ", " ");
    assert!(unfolded.contains("without a receipt"), "{unfolded}");
    world.import("a");
    let issued = world.issued();
    assert_eq!(issued[1]["transfer"], "disk lost, ticket 17");
    assert_eq!(issued[1]["moved_from"], issued[0]["license_id"]);
    assert_eq!(issued[1]["receipt"], false);
    let found = world.olr("vendor issued ticket_17");
    assert_eq!(found.done()["issued"].as_array().unwrap().len(), 1);

    // An unnecessary reason is recorded, but does not count as a transfer.
    world.ask("a");
    let again = world.issue("a", "--transfer just_in_case");
    again.done();
    assert!(again.stderr.contains("was not needed"), "{}", again.stderr);
    assert_eq!(world.issued()[2]["moved_from"], Value::Null);
}

#[test]
fn a_receipt_that_is_not_needed_is_kept() {
    let world = World::activated("a");
    world.deactivate("a").done();
    world.ask("a");
    let again = world.issue("a", "--receipt a.receipt");
    assert_eq!(again.done()["moves_from"], Value::Null);
    assert!(again.stderr.contains("was not needed"), "{}", again.stderr);
    world.import("a");
    let last = &world.issued()[1];
    assert_eq!((&last["receipt"], &last["moved_from"]), (&Value::Bool(true), &Value::Null));
}

#[test]
fn other_keys_and_slots_do_not_disturb() {
    let world = World::activated("a");
    let slot = "request --home b --trust vendor/vendor.trust --licensee ACME_Ltd --key Redi-1234 \
                --pin a=1 --pin b=2 --slot redirector -o b.req";
    world.olr(slot).done();
    let grant = fs::read_to_string(world.path("vendor/grant.toml")).unwrap();
    let grant = grant.replace("\"backup\"", "\"redirector\"").replace("AbCd-1234", "Redi-1234");
    fs::write(world.path("slot.toml"), grant).unwrap();
    world.olr("issue b.req --grant slot.toml -o b.license").done();
    world.ask("c");
    world.untouched("c", "").refused("already-activated", "");
    world.issue("c", "--transfer moved --yes").done();
    // The installation that was answered last holds the key, even if the clock does not show which
    // answer was later.
    world.ask("a");
    world.untouched("a", "").refused("already-activated", "");
    world.ask("c");
    world.issue("c", "").done();
}

#[test]
fn a_damaged_ledger_leaves_open_who_holds_a_key() {
    let world = World::activated("a");
    world.ask("b");
    let ledger = world.path("vendor/ledger.db");
    let good = fs::read(&ledger).unwrap();
    fs::write(&ledger, vec![b'x'; good.len()]).unwrap();
    for (name, flags) in [("b", "--transfer lost"), ("a", "")] {
        let run = world.untouched(name, flags);
        run.unable("ledger.db");
        assert!(run.json["hint"].as_str().unwrap().contains("backup"), "{run:?}");
    }
    fs::write(&ledger, good).unwrap();
    assert_eq!(world.untouched("a", "").done()["stored"], true);
}

#[test]
fn of_several_at_once_one_gets_the_key() {
    let world = World::new();
    let names = ["a", "b", "c", "d"];
    names.iter().for_each(|name| world.ask(name));
    let runs: Vec<_> = std::thread::scope(|scope| {
        let world = &world;
        let begun = names.map(|name| scope.spawn(move || world.issue(name, "")));
        begun.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let (got, rest): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.status == 0);
    assert_eq!(got.len(), 1, "{runs:?}");
    rest.iter().for_each(|run| run.refused("already-activated", ""));
    assert_eq!(world.issued().len(), 1);
}

/// A receipt that is changed before the server's own key signs it.
fn forged(
    good: &Receipt,
    install: &InstallSecret,
    vendor: VendorId,
    change: impl FnOnce(&mut ReceiptBody),
) -> Vec<u8> {
    let mut body = good.body().clone();
    change(&mut body);
    body.install_key = install.signing_key().public();
    Receipt::sign(vendor, &body, install).unwrap().bytes().to_vec()
}

#[test]
fn a_wrong_receipt_frees_nothing() {
    let world = World::activated("a");
    world.deactivate("a").done();
    world.ask("b");
    world.ask("other");
    let bytes = world.binary("a.receipt");
    let good = Receipt::verify(&bytes).unwrap();
    let state = |name: &str| Home::at(world.path(name)).require_state().unwrap();
    let (a, b, other) = (state("a"), state("b"), state("other"));
    let vendor = good.vendor();
    let by_a = |change: fn(&mut ReceiptBody)| forged(&good, a.install(), vendor, change);
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    let swapped = {
        // The last 80 bytes are a key id and a signature: replace the key id.
        let at = bytes.len() - 80;
        [&bytes[..at], &b.install_id().0, &bytes[at + 16..]].concat()
    };
    let bad: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "of another vendor",
            forged(&good, a.install(), VendorId([7; 16]), |_| {}),
            "wrong-vendor",
        ),
        ("of a third server", forged(&good, other.install(), vendor, |_| {}), "wrong-machine"),
        ("of the server that asks", forged(&good, b.install(), vendor, |_| {}), "wrong-machine"),
        ("for another license", by_a(|r| r.license = LicenseId([9; 16])), "already-activated"),
        ("for another file", by_a(|r| r.license_hash = [9; 32]), "already-activated"),
        (
            "older than the license",
            by_a(|r| (r.number, r.earlier) = (1, Default::default())),
            "already-activated",
        ),
        ("of another product", by_a(|r| r.product = Text::new("x").unwrap()), "wrong-product"),
        ("of another slot", by_a(|r| r.slot = Text::new("redirector").unwrap()), "wrong-slot"),
        ("with a changed signature", flipped(bytes.len() - 1), "wrong-signature"),
        ("with a changed body", flipped(bytes.len() - 100), "malformed"),
        ("signed by another", swapped, "untrusted-signer"),
        ("cut off", bytes[..bytes.len() - 1].to_vec(), "malformed"),
    ];
    assert!(bad.len() >= 10);
    for (what, bytes, word) in bad {
        world.write("bad.receipt", &bytes);
        for more in ["--receipt bad.receipt", "--dry-run --receipt bad.receipt"] {
            let run = world.untouched("b", more);
            let got = run.json["refusal"].as_str();
            let fits = got == Some(word) || (word == "malformed" && got == Some("wrong-signature"));
            assert!(run.status == 1 && fits, "{what}: {run:?}");
            assert!(!world.path("b.license").exists(), "{what}");
        }
    }
    world.untouched("b", "--receipt a.license").refused("wrong-kind", "");
    world.untouched("b", "--receipt missing").unable("no such file");
    world.issue("b", "--receipt a.receipt").done();
    world.import("b");
}

#[test]
fn a_look_at_a_receipt_says_what_it_ends() {
    let world = World::new();
    let grant = fs::read_to_string(world.path("vendor/grant.toml")).unwrap();
    fs::write(world.path("vendor/grant.toml"), grant.replace("\"never\"", "\"2 years\"")).unwrap();
    world.ask("a");
    world.issue("a", "").done();
    world.import("a");
    world.deactivate("a").done();
    let alone = world.alone("inspect a.receipt");
    assert_eq!((&alone.done()["verified"], alone.json.get("issued")), (&"yes".into(), None));
    let look = world.olr("inspect a.receipt");
    let issued = &look.done()["issued"];
    let license = &world.issued()[0];
    assert_eq!(issued["license_id"], license["license_id"]);
    assert_eq!(issued["copy_could_run_until"], license["expires"]);
    assert_eq!(issued["answered_since"], false);
    assert_eq!((&look.json["number"], &look.json["slot"]), (&2.into(), &"backup".into()));
    world.ask("a");
    world.issue("a", "").done();
    assert_eq!(world.olr("inspect a.receipt").done()["issued"]["answered_since"], true);

    let good = Receipt::verify(&world.binary("a.receipt")).unwrap();
    let state = Home::at(world.path("a")).require_state().unwrap();
    let unknown = forged(&good, state.install(), good.vendor(), |r| r.license = LicenseId([9; 16]));
    world.write("unknown.receipt", &unknown);
    assert_eq!(world.olr("inspect unknown.receipt").done()["issued"], Value::Null);
    let foreign = forged(&good, state.install(), VendorId([7; 16]), |_| {});
    world.write("foreign.receipt", &foreign);
    let foreign = world.olr("inspect foreign.receipt");
    foreign.refused("wrong-vendor", "");
    assert_eq!(foreign.json["verified"], "no");
    let mut broken = good.bytes().to_vec();
    *broken.last_mut().unwrap() ^= 1;
    world.write("broken.receipt", &broken);
    world.alone("inspect broken.receipt").refused("wrong-signature", "");
}

/// Raises the server's high-water mark by `days`, as a clock that was temporarily wrong does.
fn once_wrong(home: &Home, days: u64) {
    let mut state = home.require_state().unwrap();
    let clock = Instant::new(state.memory().mark.seconds + days * 86_400);
    state.observe(&Surroundings { clock, ..Surroundings::default() });
    assert_eq!(state.memory().mark, clock);
    for copy in home.state_files() {
        fs::write(copy, &*state.to_bytes()).unwrap();
    }
}

#[test]
fn a_server_that_lived_in_the_future_is_told_the_time() {
    let world = World::activated("a");
    once_wrong(&Home::at(world.path("a")), 300);
    world.verify("a").refused("clock-rolled-back", "");
    world.ask("a");
    world.olr("vendor time-anchor a.req --code AAAA-AAAA-AAAA").refused("wrong-request", "");
    assert!(!world.path("time.olr").exists());
    let told = world.olr("vendor time-anchor a.req");
    let told = told.done();
    assert_eq!((&told["file"], &told["number"]), (&"time.olr".into(), &2.into()));
    assert!(told["server_ahead_seconds"].as_i64().unwrap().abs() < 3600);
    let armored = fs::read_to_string(world.path("time.olr")).unwrap();
    assert!(armored.starts_with("-----BEGIN OLR TIME-----"), "{armored}");

    let look = world.olr("inspect time.olr");
    assert_eq!(look.done()["verified"], "yes");
    for field in ["code", "number", "install_id", "time", "request"] {
        assert_eq!(look.json[field], told[field], "{field}");
    }
    let alone = world.alone("inspect time.olr");
    assert_eq!(alone.done()["verified"], "not checked");

    assert_eq!(world.olr("import time.olr --home a").done()["new"], true);
    world.verify("a").done();
    assert_eq!(world.olr("import time.olr --home a").done()["new"], false);

    // The timestamp is for server `a` only, and one for another server does not overwrite its file.
    world.ask("b");
    world.olr("import time.olr --home b").refused("wrong-machine", "");
    world.olr("vendor time-anchor b.req").unable("a different file");
    // A second timestamp for the same request needs another instant, and instants are whole
    // seconds.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    world.olr("vendor time-anchor a.req").done();
    world.olr("import time.olr --home a").refused("superseded", "");
    world.ask("a");
    world.olr("vendor time-anchor a.req").done();
    world.olr("import time.olr --home a").done();
    world.verify("a").done();
}

#[test]
fn requests_are_compared() {
    let world = World::new();
    world.ask("a");
    fs::copy(world.path("a.req"), world.path("first.req")).unwrap();
    for (name, to) in [("state", "copy/state"), ("state.copy", "copy/state.copy")] {
        fs::create_dir_all(world.path("copy")).unwrap();
        fs::copy(world.path("a").join(name), world.path(to)).unwrap();
    }
    world.ask("a");
    world.ask("copy");
    world.ask("other");
    let verdict = |first: &str, second: &str, verdict: &str, fork: bool| {
        let run = world.olr(&format!("vendor compare {first}.req {second}.req"));
        let json = run.done();
        assert_eq!((&json["verdict"], &json["fork"]), (&verdict.into(), &fork.into()), "{json}");
        assert!(!json["next"].as_str().unwrap().is_empty());
    };
    verdict("a", "a", "same", false);
    verdict("first", "a", "continuing", false);
    verdict("copy", "first", "continuing", false);
    verdict("other", "a", "unrelated", false);
    let fork = world.olr("vendor compare a.req copy.req");
    assert_eq!(fork.done()["fork"], true);
    assert_eq!(fork.json["proof"]["number"], 2);
    for _ in 0..17 {
        world.ask("a");
    }
    let far = world.olr("vendor compare first.req a.req");
    far.unable("lists no request before number");
    assert_eq!(far.json["verdict"], "cannot-tell");
    world.olr("vendor compare first.req missing").unable("no such file");
}

/// A restored home knows nothing of its deactivation: see docs/threats.md.
#[test]
fn a_home_restored_after_its_deactivation_runs_until_its_license_ends_and_gets_no_other() {
    let world = World::activated("a");
    let copy = |from: &str, to: &str| {
        fs::create_dir_all(world.path(to)).unwrap();
        for file in ["state", "state.copy"] {
            fs::copy(world.path(from).join(file), world.path(to).join(file)).unwrap();
        }
    };
    copy("a", "restored");
    world.deactivate("a").done();
    world.ask("b");
    world.issue("b", "--receipt a.receipt").done();
    world.import("b");
    // The restored home is not stopped: two servers run with one key.
    world.verify("restored").done();
    world.olr("import a.license --home restored").done();
    world.verify("a").refused("deactivated", "");
    world.olr("import a.license --home a").refused("replayed", "");
    // The restored home gets no new license: the key is in use elsewhere, and the request of this
    // home reveals the fork.
    world.ask("restored");
    world.untouched("restored", "").refused("already-activated", "");
    world.untouched("restored", "--receipt a.receipt").refused("wrong-machine", "");
    world.ask("a");
    let fork = world.olr("vendor compare a.req restored.req");
    assert_eq!(fork.done()["fork"], true);
    // The vendor can revoke the license that the receipt ended, provided that the file of
    // revocations reaches the restored home.
    let ended = world.issued()[0]["license_id"].as_str().unwrap().to_string();
    world.olr(&format!("revoke {ended} --reason deactivated --yes -o revoked.olr")).done();
    world.olr("import revoked.olr --home restored").done();
    world.verify("restored").refused("revoked", "");
    world.verify("b").done();
}

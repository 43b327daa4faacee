//! Bad input at the command line: each case gives its word or exit status 2 and one hint, leaves no
//! file behind, and damages no existing one.

#![cfg(all(feature = "cli", feature = "vendor"))]

use crate::world::alone;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Result of running `olr`.
pub struct Run {
    pub status: i32,
    pub json: Value,
    stderr: String,
}

impl Run {
    #[track_caller]
    fn refused(&self, word: &str) {
        assert_eq!(
            (self.status, self.json["refusal"].as_str()),
            (1, Some(word)),
            "{} {}",
            self.json,
            self.stderr
        );
        assert!(!self.json["hint"].as_str().unwrap().is_empty());
    }

    #[track_caller]
    fn unable(&self, says: &str) {
        assert_eq!(
            (self.status, self.json["state"].as_str()),
            (2, Some("unknown")),
            "{} {}",
            self.json,
            self.stderr
        );
        assert!(
            self.json["fact"].as_str().unwrap().contains(says),
            "{} should say {says:?}",
            self.json
        );
        assert!(!self.json["hint"].as_str().unwrap().is_empty());
    }

    #[track_caller]
    pub fn done(&self) {
        assert_eq!(self.status, 0, "{} {}", self.json, self.stderr);
    }
}

/// A vendor's office and a server, in temporary folders.
pub struct World {
    folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        world.olr(&["vendor", "init", "vendor", "--name", "Northwind", "--no-passphrase"]).done();
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn olr(&self, args: &[&str]) -> Run {
        let mut command = alone::alone(env!("CARGO_BIN_EXE_olr"));
        command.current_dir(self.folder.path()).args(args).arg("--json");
        command.env("OLR_HOME", "home").env("OLR_VENDOR", "vendor");
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let json = serde_json::from_str(&stdout)
            .unwrap_or_else(|_| panic!("not one JSON object: {stdout:?} {stderr}"));
        Run { status: output.status.code().expect("killed by a signal"), json, stderr }
    }

    pub fn request(&self, more: &[&str]) -> Run {
        let args = [
            "request",
            "--trust",
            "vendor/vendor.trust",
            "--licensee",
            "ACME Ltd",
            "--key",
            "AbCd-1234",
            "--pin",
            "rack=B12",
            "--pin",
            "asset=4711",
        ];
        self.olr(&[&args, more].concat())
    }

    pub fn issue(&self, more: &[&str]) -> Run {
        self.olr(&[&["issue", "req.olr", "--grant", "vendor/grant.toml"], more].concat())
    }

    pub fn activated() -> Self {
        let world = Self::new();
        world.request(&[]).done();
        world.issue(&[]).done();
        world.olr(&["import", "license.olr"]).done();
        world
    }

    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from:?}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    /// Returns every file with its content, to check that nothing changed.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut folders, mut files) = (vec![self.folder.path().to_path_buf()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path)
                } else {
                    files.push((path.clone(), fs::read(path).unwrap()))
                }
            }
        }
        files.sort();
        files
    }

    /// Runs a command and checks that no file appears, vanishes or changes.
    fn untouched(&self, args: &[&str]) -> Run {
        let before = self.files();
        let run = self.olr(args);
        assert!(self.files() == before, "{args:?} changed a file");
        run
    }
}

/// Returns the binary form of an armored file.
fn binary(path: &Path) -> Vec<u8> {
    let text = fs::read(path).unwrap();
    olr_core::armor::dearmor(None, &text).unwrap().into_owned()
}

#[test]
fn damaged_files_are_refused_and_nothing_changes() {
    let world = World::activated();
    let license = fs::read_to_string(world.path("license.olr")).unwrap();
    let raw = binary(&world.path("license.olr"));
    let newer = {
        let mut raw = raw.clone();
        raw[4] = 2;
        raw
    };
    let suite = {
        let mut raw = raw.clone();
        raw[5] = 9;
        raw
    };
    let body = {
        let mut raw = raw.clone();
        let at = raw.len() - 200;
        raw[at] ^= 1;
        raw
    };
    for (content, word) in [
        (Vec::new(), "malformed"),
        (b"\n".to_vec(), "malformed"),
        (b"hello".to_vec(), "malformed"),
        (raw[..raw.len() - 1].to_vec(), "malformed"),
        ([raw.as_slice(), b"x"].concat(), "malformed"),
        (license[..license.len() / 2].into(), "malformed"),
        (license.replace("LICENSE", "REQUEST").into(), "malformed"),
        (license.replacen('A', "*", 1).into(), "malformed"),
        (newer, "unknown-version"),
        (suite, "unknown-version"),
        (body, "wrong-signature"),
        (fs::read(world.path("req.olr")).unwrap(), "wrong-kind"),
        (fs::read(world.path("vendor/delegations/issuer.olr")).unwrap(), "wrong-kind"),
    ] {
        fs::write(world.path("bad.olr"), &content).unwrap();
        world.untouched(&["import", "bad.olr"]).refused(word);
        world.untouched(&["verify", "bad.olr"]).refused(word);
        world.olr(&["verify"]).done();
    }
}

#[test]
fn what_couriers_do_is_undone() {
    let world = World::new();
    world.request(&[]).done();
    world.issue(&[]).done();
    let license = fs::read_to_string(world.path("license.olr")).unwrap();
    let quoted: String = license.lines().map(|line| format!("> {line}\r\n")).collect();
    let mail = format!("Hi,\r\nhere it is:\r\n\r\n{quoted}\r\nRegards\r\n");
    fs::write(world.path("mail.txt"), mail).unwrap();
    world.olr(&["import", "mail.txt"]).done();
    let reply =
        format!("{license}\n\nYou wrote:\n{}", fs::read_to_string(world.path("req.olr")).unwrap());
    fs::write(world.path("reply.txt"), reply).unwrap();
    assert_eq!(world.olr(&["import", "reply.txt"]).json["imported"], "already");
    fs::write(world.path("binary.olr"), binary(&world.path("license.olr"))).unwrap();
    assert_eq!(world.olr(&["import", "binary.olr"]).json["imported"], "already");
}

#[test]
fn a_gigabyte_is_refused_without_being_read() {
    let world = World::activated();
    let file = fs::File::create(world.path("huge.olr")).unwrap();
    file.set_len(1 << 30).unwrap();
    world.olr(&["import", "huge.olr"]).refused("malformed");
    world.olr(&["inspect", "huge.olr"]).refused("malformed");
    world.issue(&["--code", "AAAA-AAAA-AAAA"]).refused("wrong-request");
}

#[test]
fn requests_say_what_is_missing_or_wrong() {
    let world = World::new();
    world.untouched(&["request"]).unable("the vendor's trust");
    let no_pins = ["request", "--trust", "vendor/vendor.trust", "--licensee", "A"];
    world.olr(&no_pins).unable("license key was never given");
    let dry = world.files();
    let run = world.request(&["--dry-run"]);
    run.done();
    assert!(world.files() == dry, "a dry run wrote something");
    assert_eq!(run.json["sealed"]["license_key"], "…1234");
    world.request(&["--product", "nope"]).refused("wrong-product");
    world.request(&["--slot", "nope"]).refused("wrong-slot");
    world.request(&["--vendor-code", "AAAA-AAAA-AAAA"]).refused("wrong-vendor");
    world.request(&["--vendor-code", "x"]).unable("12 letters");
    let trust = world.olr(&["inspect", "vendor/vendor.trust"]).json;
    for code in ["vendor_code", "whole_vendor_code"] {
        let code = trust[code].as_str().unwrap();
        world.request(&["--vendor-code", &code.to_lowercase(), "--dry-run"]).done();
        let cut = &code[..code.len() - 1];
        world.request(&["--vendor-code", cut, "--dry-run"]).unable("12 letters");
    }
    world.request(&["--pin", "nothing"]).unable("NAME=VALUE");
    world.olr(&["request", "--licensee", &"x".repeat(300), "--key", "k"]).unable("256");
    assert!(!world.path("req.olr").exists());
    world.request(&["-o", "missing/req.olr"]).unable("no such folder");
    fs::write(world.path("mine.txt"), "precious").unwrap();
    world.request(&["-o", "mine.txt"]).unable("a different file");
    assert_eq!(fs::read_to_string(world.path("mine.txt")).unwrap(), "precious");
    world.request(&["-o", "mine.txt", "--force"]).done();
    world.request(&[]).done();
    let second = world.request(&[]);
    assert_eq!(second.json["first_contact"], false);
    assert_eq!(second.json["sealed"]["earlier"][0]["number"], 1);
}

#[test]
fn the_grant_decides() {
    let world = World::new();
    world.request(&[]).done();
    let grant = fs::read_to_string(world.path("vendor/grant.toml")).unwrap();
    for (from, to, word) in [
        ("ACME Ltd", "Acme Ltd", Some("wrong-licensee")),
        ("AbCd-1234", "ABCD-1234", Some("wrong-licensee")),
        ("\"backup\"", "\"redirector\"", Some("wrong-slot")),
        ("\"example\"", "\"other\"", Some("wrong-product")),
        ("\"oem\" ", "\"standard\" ", Some("offline-not-allowed")),
        ("\"oem\" ", "\"meter\" ", Some("offline-not-allowed")),
        ("licensee ", "licencee ", None),
        ("OBM = 10", "OBN = 10", None),
        ("OBM = 10", "OBM = \"lots\"", None),
        ("OBM = 10", "OBM = -1", None),
        ("maintenance = \"1 year\"", "maintenance = \"1 century\"", None),
        ("\"never\" ", "\"2001-01-01\" ", None),
        ("[modules]", "[modules", None),
        ("\"today\"", "5", None),
    ] {
        assert!(grant.contains(from), "{from}");
        fs::write(world.path("bad.toml"), grant.replacen(from, to, 1)).unwrap();
        let run = world.untouched(&["issue", "req.olr", "--grant", "bad.toml"]);
        match word {
            Some(word) => run.refused(word),
            None => run.unable("grant"),
        }
    }
    let case = {
        world.edit("vendor/grant.toml", "ACME", "acme");
        world.issue(&[])
    };
    assert!(case.json["fact"].as_str().unwrap().contains("only in upper and lower case"));
}

#[test]
fn answers_are_given_once_unless_asked_again() {
    let world = World::activated();
    let first = fs::read(world.path("license.olr")).unwrap();
    assert_eq!(world.issue(&[]).json["stored"], true);
    assert_eq!(fs::read(world.path("license.olr")).unwrap(), first);
    world.edit("vendor/grant.toml", "OBM = 10", "OBM = 20");
    world.untouched(&["issue", "req.olr", "--grant", "vendor/grant.toml"]).unable("another grant");
    world.issue(&["--again", "-o", "second.olr"]).done();
    assert_eq!(world.olr(&["import", "second.olr"]).json["imported"], "installed");
    world.untouched(&["import", "license.olr"]).refused("superseded");
    assert_eq!(world.olr(&["status"]).json["modules"]["OBM"]["quota"], 20);
    assert_eq!(world.olr(&["vendor", "issued"]).json["issued"].as_array().unwrap().len(), 2);
    assert_eq!(
        world.olr(&["vendor", "issued", "nobody"]).json["issued"].as_array().unwrap().len(),
        0
    );
}

#[test]
fn licenses_of_others_are_refused() {
    let world = World::activated();
    let other = World::activated();
    let theirs = fs::read(other.path("license.olr")).unwrap();
    fs::write(world.path("theirs.olr"), theirs).unwrap();
    world.untouched(&["import", "theirs.olr"]).refused("wrong-vendor");
    world
        .untouched(&["issue", "req.olr", "--grant", "vendor/grant.toml", "--vendor", "vendor"])
        .done();
    fs::copy(other.path("req.olr"), world.path("their-req.olr")).unwrap();
    world
        .untouched(&["issue", "their-req.olr", "--grant", "vendor/grant.toml"])
        .refused("wrong-vendor");
    // The same vendor, but another machine.
    world.olr(&["import", "license.olr", "--home", "second"]).unable("trusts no vendor yet");
    world.request(&["--home", "second", "-o", "second.olr"]).done();
    world.untouched(&["import", "license.olr", "--home", "second"]).refused("wrong-machine");
    // The same machine, but another slot.
    world.request(&["--home", "third", "--slot", "redirector", "-o", "third.olr"]).done();
    world.untouched(&["import", "license.olr", "--home", "third"]).refused("wrong-slot");
    // The answer to a request of an earlier installation: this home is a new installation now.
    world.request(&["--new-identity", "-o", "new.olr"]).done();
    world.olr(&["verify"]).refused("not-activated");
    world.olr(&["import", "license.olr"]).refused("wrong-machine");
}

#[test]
fn renewals_wait_for_their_start() {
    let world = World::activated();
    world.request(&["--renew", "-o", "renew.olr"]).done();
    world.edit("vendor/grant.toml", "\"today\"", "\"2999-01-01\"");
    world.olr(&["issue", "renew.olr", "--grant", "vendor/grant.toml", "-o", "next.olr"]).done();
    world.untouched(&["verify", "next.olr"]).refused("not-yet-valid");
    assert_eq!(world.olr(&["import", "next.olr"]).json["imported"], "next");
    world.untouched(&["verify", "next.olr"]).refused("not-yet-valid");
    let status = world.olr(&["status"]);
    status.done();
    assert_eq!(status.json["waiting"]["starts"], "2999-01-01");
    assert_eq!(status.json["next"]["what"], "maintenance", "that comes first");
    assert_eq!(world.olr(&["import", "next.olr"]).json["imported"], "already");
}

#[test]
fn a_file_is_judged_also_where_it_is_installed() {
    let world = World::new();
    world.edit("vendor/grant.toml", "\"never\"", "\"1 year\"");
    world.request(&[]).done();
    world.issue(&[]).done();
    world.untouched(&["verify", "license.olr"]).done();
    world.olr(&["import", "license.olr"]).done();
    world.untouched(&["verify", "license.olr"]).done();
    world.untouched(&["verify", "vendor/vendor.trust"]).refused("wrong-kind");
    let home = olr::Home::at(world.path("home"));
    let year = "2027-01-01".parse::<olr_core::time::Instant>().unwrap().seconds
        - "2026-01-01".parse::<olr_core::time::Instant>().unwrap().seconds;
    let issued = home.require_state().unwrap().memory().mark.seconds;
    let clock = olr_core::time::Instant::new(issued + year + 3 * 86_400);
    let later = olr_core::state::Surroundings {
        clock,
        factors: olr::probe(true).factors,
        ..Default::default()
    };
    let license = binary(&world.path("license.olr"));
    let refused = |around: &_| home.decide_file(&license, around).unwrap().refusal().cloned();
    assert_eq!(refused(&later).and_then(|error| error.refusal()).unwrap().word(), "expired");
}

#[test]
fn a_refusal_stays_one_when_nobody_reads_it() {
    let world = World::new();
    world.request(&[]).done();
    for args in [&["verify"][..], &["verify", "--json"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
        command.current_dir(world.folder.path()).args(args).env("OLR_HOME", "home");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = command.stdout(writer.try_clone().unwrap()).stderr(writer).status().unwrap();
        assert_eq!(status.code(), Some(1), "{args:?}");
    }
}

#[test]
fn what_may_be_the_only_one_is_never_replaced() {
    let world = World::activated();
    for there in [
        "vendor/keys/root.key",
        "home/state",
        "home/state.copy",
        "vendor/vendor.trust",
        "vendor/trusts/1.trust",
        "vendor/delegations/issuer.olr",
        "vendor/catalog.toml",
        "vendor/grant.toml",
        "./vendor/../vendor/grant.toml",
        "vendor/ledger.db",
        "license.olr",
    ] {
        world.untouched(&["request", "--force", "-o", there]).unable("even with --force");
        let svg = ["simulate", "--svg", there, "--force"];
        world.untouched(&svg).unable("even with --force");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("vendor/catalog.toml", world.path("link")).unwrap();
        world.untouched(&["request", "--force", "-o", "link"]).unable("even with --force");
    }
    // Nor is a private key of another program.
    for (name, label) in [("a.pem", "PRIVATE KEY"), ("b.pem", "ENCRYPTED PRIVATE KEY")] {
        let pem = format!("# of Ann\n-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        fs::write(world.path(name), pem).unwrap();
        world.untouched(&["request", "--force", "-o", name]).unable("even with --force");
        world.untouched(&["simulate", "--svg", name, "--force"]).unable("even with --force");
    }
    // With --force, an older request or a file from another program is replaced.
    fs::write(world.path("mine.txt"), "mine").unwrap();
    for there in ["req.olr", "mine.txt"] {
        world.olr(&["request", "--force", "-o", there]).done();
    }
}

#[cfg(unix)]
#[test]
fn the_lock_is_no_link() {
    let world = World::activated();
    fs::remove_file(world.path("home/lock")).unwrap();
    std::os::unix::fs::symlink(world.path("elsewhere"), world.path("home/lock")).unwrap();
    world.olr(&["request"]).unable("cannot be locked");
    assert!(!world.path("elsewhere").exists());
}

#[test]
fn a_damaged_key_proves_nothing_about_a_request() {
    let world = World::activated();
    fs::write(world.path("vendor/keys/a.key"), "nothing").unwrap();
    world.untouched(&["inspect", "req.olr", "--vendor", "vendor"]).unable("a.key");
    world.untouched(&["issue", "req.olr", "--grant", "vendor/grant.toml"]).unable("a.key");
}

#[test]
fn a_damaged_home_is_refused_and_kept() {
    let world = World::activated();
    let copies = ["home/state", "home/state.copy"].map(|copy| world.path(copy));
    let good = fs::read(&copies[0]).unwrap();
    for bad in [good[..good.len() - 1].to_vec(), Vec::new(), b"junk".to_vec(), {
        let mut b = good.clone();
        b[60] ^= 4;
        b
    }] {
        copies.iter().for_each(|copy| fs::write(copy, &bad).unwrap());
        world.olr(&["verify"]).refused("damaged-state");
        world.olr(&["status"]).refused("damaged-state");
        world.olr(&["import", "license.olr"]).refused("damaged-state");
        world.request(&["-o", "new.olr"]).refused("damaged-state");
        copies.iter().for_each(|copy| assert_eq!(fs::read(copy).unwrap(), bad));
    }
    world.request(&["--new-identity", "-o", "new.olr"]).done();
    copies.iter().for_each(|copy| fs::write(copy, &good).unwrap());
    world.olr(&["verify"]).done();
}

#[test]
fn files_that_cannot_be_read_or_written() {
    let world = World::activated();
    world.olr(&["import", "missing.olr"]).unable("no such file");
    world.olr(&["import", "home"]).unable("folder");
    world.olr(&["issue", "req.olr", "--grant", "missing.toml"]).unable("no such file");
    world
        .olr(&["issue", "req.olr", "--grant", "vendor/grant.toml", "--vendor", "nowhere"])
        .unable("not a vendor folder");
    world
        .untouched(&["vendor", "init", "vendor", "--name", "Again", "--no-passphrase"])
        .unable("already exists");
    fs::write(world.path("file"), "").unwrap();
    world.olr(&["request", "--home", "file/home", "--trust", "vendor/vendor.trust"]).unable("file");
    fs::rename(world.path("vendor/keys/sealing.key"), world.path("away.key")).unwrap();
    world.issue(&["--again"]).unable("sealed to key");
}

#[test]
fn passphrases_protect_and_never_show() {
    let world = World::new();
    world.olr(&["vendor", "init", "locked", "--name", "L"]).unable("root passphrase is missing");
    assert!(!world.path("locked").exists());
    fs::write(world.path("root.txt"), "correct horse\n").unwrap();
    fs::write(world.path("staff.txt"), "battery staple\n").unwrap();
    fs::write(world.path("wrong.txt"), "wrong\n").unwrap();
    fs::write(world.path("empty.txt"), "\n").unwrap();
    world
        .olr(&[
            "vendor",
            "init",
            "locked",
            "--name",
            "L",
            "--root-passphrase-file",
            "root.txt",
            "--passphrase-file",
            "staff.txt",
        ])
        .done();
    let request = [
        "request",
        "--home",
        "h2",
        "--trust",
        "locked/vendor.trust",
        "--licensee",
        "ACME Ltd",
        "--key",
        "AbCd-1234",
        "--pin",
        "a=1",
        "--pin",
        "b=2",
    ];
    world.olr(&request).done();
    let issue = ["issue", "req.olr", "--vendor", "locked", "--grant", "locked/grant.toml"];
    world.untouched(&issue).unable("needs the staff passphrase");
    let with = |file| world.olr(&[&issue[..], &["--passphrase-file", file]].concat());
    let wrong = with("wrong.txt");
    wrong.unable("passphrase is wrong");
    assert!(!format!("{}{}", wrong.json, wrong.stderr).contains("battery"));
    with("empty.txt").unable("empty");
    with("root.txt").unable("passphrase is wrong");
    with("staff.txt").done();
}

#[test]
fn inspect_says_what_it_could_check() {
    let world = World::activated();
    let at = |args: &[&str]| world.olr(args);
    assert_eq!(at(&["inspect", "license.olr", "--vendor", "vendor"]).json["verified"], "yes");
    let request = at(&["inspect", "req.olr", "--vendor", "vendor"]);
    assert_eq!(
        (&request.json["verified"], &request.json["request"]["licensee"]),
        (&"yes".into(), &"ACME Ltd".into())
    );
    assert_eq!(at(&["inspect", "vendor/vendor.trust"]).json["verified"], "yes");
    assert_eq!(at(&["inspect", "vendor/delegations/issuer.olr"]).json["verified"], "yes");
    assert_eq!(at(&["inspect", "vendor/keys/root.key"]).json["role"], "root");
    let other = World::activated();
    let path = other.path("license.olr");
    at(&["inspect", path.to_str().unwrap()]).refused("wrong-vendor");
    at(&["inspect", "home/state"]).unable("a server's state");
}

#[test]
fn usage_errors_and_help() {
    let world = World::new();
    world.olr(&["frobnicate"]).unable("frobnicate");
    world.olr(&["explain", "no-such-word"]).unable("no word");
    world.olr(&["explain", "Wrong-Kind"]).done();
    world.olr(&["issue"]).unable("<REQUEST>");
    for word in olr_core::error::Refusal::ALL {
        let text = world.olr(&["explain", word.word()]).json["text"].as_str().unwrap().to_string();
        assert!(text.len() > 100, "{word}: {text:?}");
    }
    let help = Command::new(env!("CARGO_BIN_EXE_olr")).arg("--help").output().unwrap();
    assert!(help.status.success() && help.stderr.is_empty());
    let man = world.olr(&["man", "pages"]);
    man.done();
    assert!(world.path("pages/olr-request.1").exists());
    world.olr(&["completions", "bash"]).done();
}

#[test]
fn people_are_told_what_they_mixed_up() {
    let world = World::activated();
    let says = |run: &Run, what: &str| {
        let text = format!("{} {}", run.json, run.stderr);
        assert!(text.contains(what), "{text} should say {what:?}");
    };
    let trust = world.untouched(&["verify", "vendor/vendor.trust"]);
    trust.refused("wrong-kind");
    for verb in ["verify", "status"] {
        let run = world.untouched(&[verb, "--slot", "nope"]);
        run.refused("not-activated");
        says(&run, "home: ");
        says(&run, "only for example/backup");
    }
    world.untouched(&["verify", "--home", "req.olr"]).unable("not a folder");
    let swapped = world.untouched(&["issue", "--grant", "req.olr", "vendor/grant.toml"]);
    swapped.refused("malformed");
    says(&swapped, "the request comes first");
    let hidden = world.untouched(&["request", "--licensee", "ACME\u{200b} Ltd"]);
    hidden.unable("U+200B");
    world.untouched(&["request", "--key", "-"]).unable("on stdin is empty");
    world
        .untouched(&["vendor", "init", "v2", "--name", "a\nb", "--no-passphrase"])
        .unable("U+000A");
    world.olr(&["request", "--licensee", "Acme Ltd"]).done();
    let other = world.issue(&["--dry-run"]);
    other.refused("wrong-licensee");
    says(&other, "Acme Ltd");
    world.edit("vendor/grant.toml", "OBM =", "OMB =");
    world.olr(&["request", "--licensee", "ACME Ltd"]).done();
    world.issue(&["--dry-run"]).unable("vendor/grant.toml: grant line");
}

/// These tests mount a disk of their own that can be full or read-only. Ordinary users may mount
/// one only in a namespace of their own.
#[cfg(target_os = "linux")]
mod limits {
    use super::*;

    /// Runs a script as root of its own namespaces, with a disk of 64 KiB mounted at `disk`. `None`
    /// if the system does not allow that.
    fn unshared(world: &World, script: &str) -> Option<String> {
        let bin = env!("CARGO_BIN_EXE_olr");
        let script = format!(
            "set -e; mkdir disk; mount -t tmpfs -o size=64k tmpfs disk; olr() {{ {bin} \"$@\"; }}; {script}"
        );
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script]).current_dir(world.folder.path());
        let output =
            command.env("OLR_HOME", "disk/home").env("OLR_VENDOR", "vendor").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        // Exit status 32: `mount` was refused. `unshare:`: namespaces are not available.
        (output.status.code() != Some(32) && !text.contains("unshare:")).then_some(text)
    }

    #[test]
    fn a_full_disk_leaves_everything_as_it_was() {
        let world = World::new();
        let ask = "olr request --trust vendor/vendor.trust --licensee 'ACME Ltd' --key AbCd-1234 --pin a=1 --pin b=2";
        let script = format!(
            "{ask} -o disk/req.olr >/dev/null 2>&1; before=$(sha256sum disk/home/state disk/req.olr); \
             dd if=/dev/zero of=disk/fill bs=1k >/dev/null 2>&1 || true; \
             {ask} -o disk/req.olr && exit 9 || echo \"status $?\"; \
             {ask} --new-identity -o disk/req.olr && exit 9 || echo \"status $?\"; \
             test \"$before\" = \"$(sha256sum disk/home/state disk/req.olr)\" && echo same; ls -A disk/home"
        );
        let Some(text) = unshared(&world, &script) else {
            eprintln!("skipped: no namespaces for ordinary users here");
            return;
        };
        assert!(text.contains("status 2") && text.contains("the disk is full"), "{text}");
        assert!(text.contains("same") && !text.contains(".tmp"), "{text}");
    }

    #[test]
    fn a_read_only_folder_is_named() {
        let world = World::activated();
        let script = "mount -o remount,ro disk; olr request --home disk/home -o disk/new.olr --trust vendor/vendor.trust --licensee A --key B --pin a=1 --pin b=2 && exit 9 || echo \"status $?\"; \
             olr import license.olr --home disk/home && exit 9 || echo \"status $?\"";
        let Some(text) = unshared(&world, script) else {
            eprintln!("skipped: no namespaces for ordinary users here");
            return;
        };
        assert!(text.contains("status 2") && text.contains("read-only"), "{text}");
    }
}

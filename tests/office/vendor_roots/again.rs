//! Commands of the office that are repeated (perhaps after an interruption), run twice at the same
//! time, or misused: the messages and the next steps.

use olr_core::key::Role;
use std::fs;
use std::path::Path;

use crate::vendor_roots::office::{Run, Town};
use crate::vendor_roots::story::Vendor;

/// A vendor with one root and no passphrases, and a server that has made a request.
fn office() -> Town {
    let town = Town::new();
    town.run("office", "vendor init vendor --name Northwind --no-passphrase").done();
    ask(&town, "home");
    town
}

fn ask(town: &Town, home: &str) {
    let who = "--licensee ACME_Ltd --key AbCd-1234 --pin a=1 --pin b=2";
    let trust = "--trust vendor/vendor.trust";
    let line = format!("request --home {home} {trust} {who} -o {home}.req --force");
    town.run("office", &line).done();
}

const ISSUE: &str = "issue home.req --grant vendor/grant.toml -o license.olr --force";

fn id_of(town: &Town, file: &str) -> String {
    let shown = town.run("office", &format!("key show {file}"));
    shown.done()["id"].as_str().unwrap().to_string()
}

#[test]
fn a_key_that_was_revoked_before_is_said_to_be_so() {
    let town = office();
    let office = |line: &str| town.run("office", line);
    office(ISSUE).done();
    let issuer = id_of(&town, "vendor/keys/issuer.key");
    let first = office(&format!("revoke {issuer} --yes"));
    assert_eq!(
        (&first.done()["already"], &first.json["published"]["trust"]),
        (&false.into(), &2.into())
    );
    for more in ["", "--yes", "--yes --reason again"] {
        let again = office(&format!("revoke {issuer} {more}"));
        assert_eq!(again.done()["already"], true, "{more}");
        assert_eq!(again.json["signed_by_it"], first.json["signed_by_it"]);
        assert_eq!(again.json["revoked_key"], issuer.as_str());
    }
    assert!(!town.path("office/vendor/trusts/3.trust").exists());
    // A revocation that was interrupted after writing the copy of the next trust, but before
    // writing the trust itself, is done again.
    let copy = town.path("office/vendor/trusts/1.trust");
    fs::copy(copy, town.path("office/vendor/vendor.trust")).unwrap();
    assert_eq!(office(&format!("revoke {issuer} --yes")).done()["already"], false);
    // For a key of another role, the message names the role and how to replace the key.
    for role in ["root", "sealing"] {
        let key = id_of(&town, &format!("vendor/keys/{role}.key"));
        let other = office(&format!("revoke {key} --yes"));
        other.unable(&format!("is a {role} key"));
        hints(&other, &format!("olr key rotate {role}"));
    }
    let unknown = "0123456789abcdef0123456789abcdef";
    office(&format!("revoke {unknown}")).unable("there is no issuer key");
}

#[test]
fn a_proposal_that_is_made_again_keeps_its_signatures() {
    let vendor = Vendor::new();
    vendor.licensed("a");
    let issuer = &vendor.issuer;
    fs::remove_file(vendor.town.path("office/proposal.olr")).unwrap();
    vendor.town.run("office", &format!("revoke {issuer}")).done();
    vendor.sign("proposal.olr", "alice", true).done();
    vendor.town.carry("office/alice.olr", "office/proposal.olr");
    let again = vendor.town.run("office", &format!("revoke {issuer}"));
    assert_eq!(again.done()["signed_by"].as_array().unwrap().len(), 1, "{again:?}");
    vendor.sign("proposal.olr", "bob", true).done();
    vendor.publish(&["bob"], "next.trust").done();
    assert_eq!(vendor.town.run("office", &format!("revoke {issuer}")).done()["already"], true);
}

#[test]
fn a_rotation_to_a_key_that_is_there_changes_nothing() {
    let town = office();
    let office = |line: &str| town.run("office", line);
    for (role, name) in [(Role::Root, "r"), (Role::Sealing, "s"), (Role::Issuer, "i")] {
        town.key("office", role, name);
    }
    let old_root = id_of(&town, "vendor/keys/root.key");
    let sealing = "key rotate sealing --public s.pub --yes";
    assert_eq!(office(sealing).done()["published"]["trust"], 2);
    let again = office("key rotate sealing --public s.pub");
    assert_eq!(
        (&again.done()["already"], &again.json["published"]["new"]),
        (&true.into(), &false.into())
    );
    // If the trust has the key, but no longer as its first sealing key, the rotation is refused.
    office("key rotate sealing --no-passphrase --yes").done();
    office(sealing).unable("the trust already has");

    let issuer = "key rotate issuer --public i.pub --yes";
    assert_eq!(office(issuer).done()["published"]["new"], true);
    assert_eq!(office(issuer).done()["published"]["new"], false);

    // A root that was created elsewhere normally signs there. Here its key file is in the office.
    let root = format!(
        "key rotate root --public r.pub --remove {old_root} --root root --root r.key --yes"
    );
    let moved = office(&root);
    assert_eq!(moved.done()["published"]["trust"], 4, "{moved:?}");
    for again in [
        format!("key rotate root --public r.pub --remove {old_root}"),
        "key rotate root --public r.pub".to_string(),
        format!("key rotate root --remove {old_root} --no-passphrase"),
    ] {
        let again = office(&again);
        assert_eq!(
            (&again.done()["already"], &again.json["published"]["trust"]),
            (&true.into(), &4.into())
        );
    }
    office(&format!("key rotate root --remove {} --no-passphrase", "00".repeat(16)))
        .unable("has no root key");
    assert!(!town.path("office/vendor/keys/root-2.key").exists());
}

#[test]
fn a_delegation_that_has_ended_is_neither_made_nor_called_good() {
    let town = office();
    let office = |line: &str| town.run("office", line);
    town.key("office", Role::Issuer, "second");
    let delegate = "key delegate second.pub --act license --yes";
    for until in ["2020-01-01", "1970-01-01", "2026-01-01"] {
        office(&format!("{delegate} --until {until}")).unable("has already ended");
        office(&format!("{delegate} --until {until} -o late.olr")).unable("has already ended");
    }
    let run = office(&format!("{delegate} --until 2999-12-31"));
    assert_eq!(run.done()["published"]["new"], true);
    // For a delegation that begins later, the message does not claim that it is in effect now.
    let text = |line: &str| {
        let mut command = crate::world::alone::alone(env!("CARGO_BIN_EXE_olr"));
        let words = line.split_whitespace();
        command.current_dir(town.path("office")).env("OLR_VENDOR", "vendor").args(words);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let said = text(&format!("{delegate} --from 2998-01-01 --until 2999-12-31"));
    assert!(said.contains("may issue from\n2997-12-31") && !said.contains("issue now"), "{said}");
    let said = text(delegate);
    assert!(said.contains("may issue now"), "{said}");
}

/// Number of processes that have this file open.
fn processes_with(path: &Path) -> usize {
    let path = path.canonicalize().unwrap();
    let holds = |process: &fs::DirEntry| {
        let files = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| file == path)
    };
    let is_process = |entry: &fs::DirEntry| {
        entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit())
    };
    fs::read_dir("/proc").unwrap().flatten().filter(is_process).filter(holds).count()
}

/// Runs the command twice at once, both held at the lock after reading and before writing.
fn both(town: &Town, line: &str) -> [Run; 2] {
    let path = town.path("office/vendor/lock");
    let lock = fs::File::options().write(true).create(true).truncate(false).open(&path).unwrap();
    lock.lock().unwrap();
    let mut runs = std::thread::scope(|scope| {
        let runs = [(); 2].map(|()| scope.spawn(|| town.run("office", line)));
        // This process and both commands. A process that another test is just starting has the file
        // open for a moment too.
        let mut seen = 0;
        while seen < 10 {
            std::thread::sleep(std::time::Duration::from_millis(10));
            seen = if processes_with(&path) == 3 { seen + 1 } else { 0 };
        }
        drop(lock);
        runs.map(|run| run.join().unwrap())
    });
    runs.sort_by_key(|run| run.status);
    runs
}

#[test]
fn of_two_commands_at_once_the_second_says_that_something_changed() {
    let town = office();
    town.run("office", ISSUE).done();
    for line in [
        "key rotate issuer --no-passphrase --yes",
        "key rotate sealing --no-passphrase --yes",
        "key rotate root --no-passphrase --yes",
    ] {
        let [won, lost] = both(&town, line);
        won.done();
        lost.unable("another command changed this folder at the same time");
        assert!(lost.json["hint"].as_str().unwrap().contains("run this again"), "{line}");
        if line.contains("root") {
            fs::remove_file(town.path("office/vendor/keys/root.key")).unwrap();
        }
        town.run("office", line).done();
    }
}

#[test]
fn of_two_answers_at_once_one_is_issued() {
    let town = office();
    let answers = || town.run("office", "vendor issued").done()["issued"].as_array().unwrap().len();
    for (line, count) in [(ISSUE.to_string(), 1), (format!("{ISSUE} --again"), 2)] {
        let runs = std::thread::scope(|scope| {
            let runs = [(); 2].map(|()| scope.spawn(|| town.run("office", &line)));
            runs.map(|run| run.join().unwrap())
        });
        for run in runs.iter().filter(|run| run.status != 0) {
            run.unable("another license was issued for this key at the same time");
        }
        assert!(runs.iter().any(|run| run.status == 0), "{runs:?}");
        // `--again` issues another answer each time, unless both began with the same newest one.
        let least = runs.iter().filter(|run| run.status == 0).count();
        assert!(answers() >= count && answers() < count + least.max(2), "{runs:?}");
    }
}

#[test]
fn an_office_is_never_told_to_ask_its_vendor() {
    let town = office();
    let office = |line: &str| town.run("office", line);
    office(ISSUE).done();
    town.key("office", Role::Issuer, "weak");
    let delegate = "key delegate weak.pub --act license --max OBM=1 --yes";
    office(delegate).done();
    fs::copy(town.path("office/weak.key"), town.path("office/vendor/keys/weak.key")).unwrap();
    ask(&town, "home");
    let limited = office(&format!("{ISSUE} --issuer weak"));
    limited.refused("not-delegated", "");
    hints(&limited, "olr key delegate");
    // A license signed by a key that was revoked later, and one of another vendor.
    let issuer = id_of(&town, "vendor/keys/issuer.key");
    office(&format!("revoke {issuer} --yes")).done();
    let looked = office("inspect license.olr");
    assert_eq!(looked.json["refusal"], "revoked", "{looked:?}");
    hints(&looked, "issue this file again with a valid key");
    let revoked = office(&format!("{ISSUE} --issuer issuer"));
    revoked.refused("revoked", "");
    hints(&revoked, "key");
    office("vendor init other --name Other --no-passphrase").done();
    let other = office("inspect license.olr --vendor other");
    assert_eq!(other.json["refusal"], "wrong-vendor", "{other:?}");
    hints(&other, "--vendor");
    hints(&office(&format!("{ISSUE} --vendor other")), "--vendor");
    // Without a vendor's folder, `inspect` verifies the license against the home, which does not
    // know of the revocation.
    let mut command = crate::world::alone::alone(env!("CARGO_BIN_EXE_olr"));
    command.current_dir(town.path("office")).env_remove("OLR_VENDOR");
    command.args(["inspect", "license.olr", "--home", "home", "--json"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "the home knows of no revocation yet");
}

#[track_caller]
fn hints(run: &Run, says: &str) {
    let hint = run.json["hint"].as_str().unwrap_or_else(|| panic!("{run:?}"));
    assert!(hint.contains(says), "{hint:?} should say {says:?}");
    for customer in ["ask the vendor", "your vendor", "contact the vendor"] {
        assert!(!hint.contains(customer), "{hint}");
    }
}

#[test]
fn two_catalogs_for_one_trust_are_both_kept() {
    let town = office();
    let office = |line: &str| town.run("office", line);
    let path = |name: &str| town.path(&format!("office/{name}"));
    let read = |name: &str| fs::read_to_string(path(name)).unwrap_or_default();
    let starter = read("vendor/catalog.toml");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/catalogs");
    let one = fs::read_to_string(examples.join("self-hosted.toml")).unwrap();
    let two = format!("# Another one.\n{one}");
    fs::write(path("one.toml"), &one).unwrap();
    fs::write(path("two.toml"), &two).unwrap();
    // The later proposal is the pending one, and the earlier one is kept.
    office("key propose --catalog one.toml -o next.olr").done();
    office("key propose --catalog two.toml -o other.olr").done();
    let waiting = |text: &str| {
        let all = fs::read_dir(path("vendor")).unwrap().map(|entry| entry.unwrap().path());
        let texts = all.filter(|path| path.is_file()).map(|path| fs::read(path).unwrap());
        texts.filter(|bytes| bytes == text.as_bytes()).count()
    };
    assert_eq!((waiting(&one), waiting(&two)), (1, 1));
    office("key propose --catalog two.toml -o other.olr --force").done();
    assert_eq!((waiting(&one), waiting(&two)), (1, 1), "nothing is kept twice");
    office("key sign next.olr --key root --yes").done();
    office("key combine next.olr -o next.trust").done();
    office("vendor publish next.trust").done();
    assert_eq!(read("vendor/catalog.toml"), two);
    assert_eq!(read("vendor/catalog-before-2.toml"), starter);
    // Published again with another catalog: neither earlier catalog is lost.
    office("vendor publish next.trust --catalog one.toml").done();
    assert_eq!(read("vendor/catalog.toml"), one);
    assert_eq!(read("vendor/catalog-before-2.toml"), starter);
    assert_eq!(read("vendor/catalog-before-2-2.toml"), two);
    for catalog in ["two.toml", "one.toml", "two.toml"] {
        office(&format!("vendor publish next.trust --catalog {catalog}")).done();
    }
    assert_eq!(read("vendor/catalog-before-2.toml"), starter);
    assert_eq!(read("vendor/catalog-before-2-2.toml"), two);
    assert_eq!(read("vendor/catalog-before-2-3.toml"), one);
    assert!(!path("vendor/catalog-before-2-4.toml").exists());
}

#[test]
fn after_the_only_issuer_key_was_revoked_the_next_step_is_a_new_one() {
    let town = office();
    let office = |line: &str| town.run("office", line);
    let rotate = "olr key rotate issuer";
    let license = office(ISSUE).done()["license"]["license_id"].as_str().unwrap().to_string();
    let issuer = id_of(&town, "vendor/keys/issuer.key");
    for _ in 0..2 {
        let revoked = office(&format!("revoke {issuer} --yes"));
        revoked.done();
        assert!(revoked.stderr.contains(rotate), "{revoked:?}");
    }
    ask(&town, "other");
    let issue = "issue other.req --grant vendor/grant.toml -o license.olr --force --yes --again --transfer lost";
    for more in ["", " --issuer issuer"] {
        let refused = office(&format!("{issue}{more}"));
        refused.refused("revoked", &issuer);
        hints(&refused, rotate);
    }
    for line in [format!("revoke {license} --reason stolen --yes"), "revoke --again".to_string()] {
        let unsigned = office(&line);
        unsigned.unable("cannot sign the list of revocations: ");
        hints(&unsigned, rotate);
    }
    // The former key is already revoked, so nobody is asked to revoke it.
    let rotated = office("key rotate issuer --no-passphrase --yes");
    rotated.done();
    assert!(!rotated.stderr.contains("stays valid"), "{rotated:?}");
    office(issue).done();
    office(&format!("revoke {license} --reason stolen --yes")).done();
    // With a valid key available, the hint is to leave out the revoked one.
    let refused = office(&format!("{issue} --issuer issuer"));
    refused.refused("revoked", &issuer);
    assert!(!refused.json["hint"].as_str().unwrap().contains(rotate), "{refused:?}");
    let rotated = office("key rotate issuer --no-passphrase --yes");
    rotated.done();
    assert!(rotated.stderr.contains("stays valid"), "{rotated:?}");
}

#[test]
fn a_trust_that_was_replaced_is_copied_from_those_that_are_kept() {
    let town = office();
    let office = |line: &str| town.run("office", line);
    let issue = format!("{ISSUE} --vendor vendor");
    office("key rotate sealing --no-passphrase --yes").done();
    office("vendor init other --name Other --no-passphrase").done();
    let (path, kept) = (town.path("office/vendor/vendor.trust"), "vendor/trusts/2.trust");
    let other = fs::read(town.path("office/other/vendor.trust")).unwrap();
    for (content, says) in [
        (Some(&b"junk"[..]), "vendor.trust"),
        (Some(&b""[..]), "vendor.trust"),
        (Some(&other[..]), "not to vendor"),
        (None, "is missing"),
    ] {
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let refused = office(&issue);
        refused.unable(says);
        hints(&refused, kept);
    }
    // A trust that is itself damaged is not suggested.
    fs::write(town.path("office/vendor/trusts/2.trust"), "junk").unwrap();
    hints(&office(&issue), "vendor/trusts/1.trust");
    fs::remove_dir_all(town.path("office/vendor/trusts")).unwrap();
    office(&issue).unable("is not a vendor folder");
    fs::write(&path, "junk").unwrap();
    hints(&office(&issue), "restore it from a backup");
}

#[test]
fn the_folder_of_a_customer_is_no_vendor_folder() {
    let town = office();
    fs::create_dir(town.path("office/server")).unwrap();
    let trust = town.path("office/vendor/vendor.trust");
    fs::copy(trust, town.path("office/server/vendor.trust")).unwrap();
    for line in ["issue home.req --grant vendor/grant.toml", "vendor issued"] {
        let refused = town.run("office", &format!("{line} --vendor server"));
        refused.unable("server is not a vendor folder: it has no ");
    }
}

//! Irreversible actions and passphrases are asked about on the terminal itself, even if streams are
//! redirected. `script` gives a command its own terminal; `setsid` takes it away.

#![cfg(all(feature = "cli", feature = "vendor", target_os = "linux"))]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Exit status, and everything that was printed.
#[derive(Debug)]
struct Run {
    status: i32,
    said: String,
}

impl Run {
    #[track_caller]
    fn says(&self, status: i32, all: &[&str]) -> &Self {
        assert_eq!(self.status, status, "{self:#?}");
        for text in all {
            assert!(self.said.contains(text), "{text:?} is missing: {self:#?}");
        }
        // Questions, warnings and errors fit the terminal; only text to be copied, alone on its
        // line, may be wider. Text after an answer follows its question on the same line here,
        // because the newline was typed by the test.
        let text = if self.said.starts_with('{') { "" } else { self.said.as_str() };
        for line in text.lines().flat_map(|line| line.split("[y/N] ")).map(str::trim_end) {
            let is_alone = line.trim_start_matches("olr: ").split_whitespace().count() == 1;
            let is_command = line.trim_start().starts_with('`');
            assert!(line.chars().count() <= 80 || is_alone || is_command, "{line:?}: {self:#?}");
        }
        self
    }
}

/// A vendor's office, and the servers `a` and `b` with a license each.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        world.done("olr vendor init vendor --name Northwind --no-passphrase");
        for name in ["a", "b"] {
            world.done(&format!(
                "sed s/AbCd-1234/AbCd-123-{name}/ vendor/grant.toml >{name}.toml && \
                 olr request --home {name} --trust vendor/vendor.trust --licensee 'ACME Ltd' \
                 --key AbCd-123-{name} --pin rack=B12 --pin asset=4711 -o {name}.req && \
                 olr issue {name}.req --grant {name}.toml -o {name}.license && \
                 olr import {name}.license --home {name}"
            ));
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn shell(&self, program: &str, arguments: &[&str]) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_olr")).parent().unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env("PATH", path);
        command.env_remove("OLR_HOME").env("OLR_VENDOR", "vendor").env("SHELL", "/bin/sh");
        command
    }

    /// Runs a shell line without a terminal, as a service or a cron job does.
    fn alone(&self, line: &str) -> Run {
        let mut command = self.shell("setsid", &["--wait", "sh", "-c", line]);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        Run { status: output.status.code().expect("killed by a signal"), said }
    }

    #[track_caller]
    fn done(&self, line: &str) -> Run {
        let run = self.alone(line);
        run.says(0, &[]);
        run
    }

    /// Runs a shell line on a terminal, and types `typed`.
    fn typing(&self, typed: &str, line: &str) -> Run {
        let mut command = self.shell("script", &["-q", "-e", "-c", line, "/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        Run { status: output.status.code().expect("killed by a signal"), said }
    }

    /// Runs a shell line on a terminal, waits for its question, runs `happens`, and answers yes.
    fn meanwhile(&self, line: &str, happens: impl FnOnce()) -> Run {
        self.answering("[y/N] ", "y\n", line, happens)
    }

    /// Runs a shell line on a terminal, waits for the question `asked`, runs `before`, and types
    /// the answer.
    fn answering(&self, asked: &str, typed: &str, line: &str, before: impl FnOnce()) -> Run {
        let mut command = self.shell("script", &["-q", "-e", "-c", line, "/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut out, mut said) = (child.stdout.take().unwrap(), Vec::new());
        while !said.ends_with(asked.as_bytes()) {
            let mut byte = [0];
            assert_eq!(out.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&said));
            said.extend(byte);
        }
        before();
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        out.read_to_end(&mut said).unwrap();
        let status = child.wait().unwrap().code().expect("killed by a signal");
        Run { status, said: String::from_utf8(said).unwrap() }
    }

    fn is_active(&self, name: &str) -> bool {
        self.alone(&format!("olr verify --home {name}")).status == 0
    }

    fn license(&self, name: &str) -> String {
        let run = self.done(&format!("olr inspect {name}.license --json 2>/dev/null"));
        let json: serde_json::Value = serde_json::from_str(&run.said).unwrap();
        let id = json["license"]["license_id"].as_str().or(json["license_id"].as_str());
        id.expect("no license id").to_string()
    }

    fn issuer(&self) -> String {
        let run = self.done("olr key show vendor/keys/issuer.key --json 2>/dev/null");
        let json: serde_json::Value = serde_json::from_str(&run.said).unwrap();
        json["id"].as_str().unwrap().to_string()
    }
}

const NOBODY: &str = "must be confirmed, but there is no terminal";

/// Redirections that must not count as a yes.
const REDIRECTED: [&str; 6] = [
    "{ }",
    "{ } </dev/null",
    "{ } 2>/dev/null",
    "echo y | { }",
    "{ } </dev/null >out 2>&1",
    "{ } --json </dev/null 2>/dev/null",
];

#[test]
fn deactivating_asks_on_the_terminal_whatever_is_redirected() {
    let world = World::new();
    for how in REDIRECTED {
        let line = how.replace("{ }", "olr deactivate --home a");
        let run = world.typing("n\n", &line);
        run.says(2, &["ACME Ltd", "-a", "OBM 10", "home", "Deactivate this license? [y/N]"]);
        assert!(world.is_active("a") && !world.path("receipt.olr").exists(), "{line}");
        assert!(!run.said.contains("AbCd-123-a"), "{run:?}");
    }
    for typed in ["", "\n", "\u{4}", "no\n", "yesterday\n", "yy\n", "n\ny\n"] {
        world.typing(typed, "olr deactivate --home a").says(2, &["nothing was changed"]);
        assert!(world.is_active("a"), "{typed:?}");
    }
    world.typing("Y\n", "echo n | olr deactivate --home a 2>/dev/null").says(0, &["[y/N]"]);
    assert!(!world.is_active("a") && world.path("receipt.olr").exists());
    // The license is already deactivated, so there is no question.
    world.done("olr deactivate --home a").says(0, &["already deactivated"]);
}

#[test]
fn without_a_terminal_nothing_is_done_unasked() {
    let world = World::new();
    let (license, issuer) = (world.license("a"), world.issuer());
    world.done("olr key propose --threshold 1 --name Southwind -o next.olr");
    world.done("olr key new --role issuer -o second.key --no-passphrase");
    let before = world.done("cat next.olr; ls -R vendor; cat vendor/vendor.trust").said;
    for verb in [
        "olr deactivate --home a".to_string(),
        format!("olr revoke {license} --reason stolen"),
        format!("olr revoke {license} --reason sold --pooled"),
        format!("olr revoke {issuer}"),
        "olr key sign next.olr --key root.key".to_string(),
        "olr key delegate second.pub --act license".to_string(),
        "olr key rotate issuer --no-passphrase".to_string(),
        "olr key rotate sealing --no-passphrase".to_string(),
        "olr key rotate root --no-passphrase".to_string(),
    ] {
        for how in ["{ }", "yes | { }", "{ } 2>&1", "{ } --json"] {
            let line = how.replace("{ }", &verb);
            world.alone(&line).says(2, &[NOBODY, "--yes"]);
        }
    }
    assert!(world.is_active("a"));
    assert_eq!(world.done("cat next.olr; ls -R vendor; cat vendor/vendor.trust").said, before);
    world.done(&format!("olr revoke {license} --reason stolen --yes"));
    // It is already revoked: the list may be written again without a question.
    world.done(&format!("olr revoke {license} --reason stolen -o again.olr"));
    world.done(&format!("olr revoke {issuer} --yes"));
}

#[test]
fn what_is_revoked_is_shown_first() {
    let world = World::new();
    let (license, issuer) = (world.license("a"), world.issuer());
    let line = format!("olr revoke {license} --reason stolen </dev/null >/dev/null 2>&1");
    let hit = ["ACME Ltd", "…23-a", "ACB 10, OBM 10", "install id", "Revoke this license? [y/N]"];
    world.typing("n\n", &line).says(2, &hit);
    let line = format!("olr revoke {issuer} </dev/null >/dev/null 2>&1");
    let hit = ["2 licenses of 1 licensee: each ends", &license, "…23-b", "Sign this trust? [y/N]"];
    world.typing("n\n", &line).says(2, &hit);
    assert!(!world.path("vendor/trusts/2.trust").exists());
    world.typing("y\n", &line).says(0, &hit);
    assert!(world.path("vendor/trusts/2.trust").exists());
}

#[test]
fn a_key_that_moves_without_a_receipt_is_asked_about() {
    let world = World::new();
    world.done(
        "olr request --home c --trust vendor/vendor.trust --licensee 'ACME Ltd' --key AbCd-123-a \
         --pin rack=B13 --pin asset=4712 -o c.req",
    );
    let line = "olr issue c.req --grant a.toml --transfer lost -o c.license";
    let hit = ["ACME Ltd", &world.license("a"), "Move this license key without a receipt? [y/N]"];
    world.typing("n\n", &format!("{line} </dev/null 2>/dev/null")).says(2, &hit);
    world.alone(line).says(2, &[NOBODY]);
    assert!(!world.path("c.license").exists());
    world.typing("y\n", &format!("{line} </dev/null 2>/dev/null")).says(0, &hit);
    // The request is already answered: the stored answer moves no key, so nothing is asked.
    world.done(&format!("{line} --force"));
}

#[test]
fn what_changes_while_a_question_waits_is_not_agreed_to() {
    const CHANGED: &str = "at the same time";
    let world = World::new();
    let ask = |home: &str| {
        world.done(&format!(
            "olr request --home {home} --trust vendor/vendor.trust --licensee 'ACME Ltd' \
             --key AbCd-123-a --pin rack=B13 --pin asset=4712 -o {home}.req"
        ));
    };
    ["c", "d"].into_iter().for_each(ask);
    let issue = |home: &str| {
        format!("olr issue {home}.req --grant a.toml --transfer lost -o {home}.license")
    };
    // The license key has moved to a different installation than the one shown.
    let run = world.meanwhile(&issue("c"), || {
        world.done(&format!("{} --yes", issue("d")));
    });
    run.says(2, &[CHANGED, "run this again"]);
    assert!(!world.path("c.license").exists());
    world.meanwhile(&issue("c"), || ()).says(0, &["Signed, verified and stored"]);
    // Another command publishes a trust while the question waits: the answer must not publish one
    // too.
    let issuer = world.issuer();
    let revoke = format!("olr revoke {issuer}");
    let run = world.meanwhile(&revoke, || {
        world.done("olr key rotate sealing --no-passphrase --yes");
    });
    run.says(2, &[CHANGED, "run this again"]);
    assert!(!world.path("vendor/trusts/3.trust").exists());
    let run = world.meanwhile("olr key rotate issuer --no-passphrase", || {
        world.done("olr key rotate issuer --no-passphrase --yes");
    });
    run.says(2, &[CHANGED]);
    // The license shown is not the one that would be deactivated now.
    let run = world.meanwhile("olr deactivate --home b", || {
        world.done(
            "olr request --home b --renew -o r.req && olr issue r.req --grant b.toml -o r.license \
             --yes && olr import r.license --home b",
        );
    });
    run.says(2, &["another command changed the installed licenses", "run this again"]);
    assert!(world.is_active("b"));
    world.meanwhile("olr deactivate --home b", || ()).says(0, &[]);
}

#[test]
fn a_weak_passphrase_is_warned_of_and_six_words_are_drawn_instead() {
    let world = World::new();
    let make = "olr key new --role root -o k.key </dev/null >/dev/null 2>&1";
    // A weak passphrase is reported while it can still be changed.
    let run = world.typing("abc\nabd\n", make);
    run.says(2, &["easy to guess", "four words", "passphrase again"]);
    assert!(!world.path("k.key").exists());
    // Generated words are typed once, to confirm them.
    let run = world.typing("\nwrong\n", make);
    run.says(2, &["generates six words", "Write it down"]);
    let line = run
        .said
        .lines()
        .find(|line| line.split_whitespace().count() == 6 && line.starts_with("  "));
    assert!(line.is_some(), "{run:#?}");
    assert!(!world.path("k.key").exists());
    for (name, words, warned) in [
        ("a", "xyz", true), // cannot be part of a printed key id, which is hexadecimal
        ("b", "four words of mine", false),
        ("c", "kX2#pQ9z!mW4", false),
    ] {
        fs::write(world.path("words"), words).unwrap();
        let line = format!("olr key new --role root -o {name}.key --passphrase-file words");
        let run = world.done(&line);
        assert_eq!(run.said.contains("easy to guess"), warned, "{run:#?}");
        assert!(!run.said.contains(words), "{run:#?}");
    }
}

#[test]
fn whatever_the_umask_says_keys_are_for_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    world.done(
        "umask 000 && olr vendor init deep/down/v --name N --no-passphrase && \
         olr request --home far/off/home --trust vendor/vendor.trust --licensee A --key AbCd-1234 \
         --pin rack=B12 --pin asset=4711 -o r.req && olr key new --role root --no-passphrase && \
         olr vendor publish vendor/vendor.trust --vendor w && \
         olr issue a.req --grant a.toml --again -o again.license && \
         olr key rotate issuer --no-passphrase --yes",
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut seen = 0;
    for (folder, wanted) in [
        ("deep", 0o755),
        ("deep/down", 0o755),
        ("deep/down/v", 0o700),
        ("deep/down/v/keys", 0o700),
        ("deep/down/v/trusts", 0o700),
        ("w", 0o700),
        ("w/keys", 0o700),
        ("far/off", 0o755),
        ("far/off/home", 0o700),
    ] {
        assert_eq!(mode(&world.path(folder)), wanted, "{folder}");
        seen += 1;
    }
    assert_eq!(seen, 9);
    let mut folders = vec![world.path("deep/down/v"), world.path("w"), world.path("vendor/keys")];
    folders.push(world.path("far/off/home"));
    let mut keys = vec![world.path("root.key")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            assert_eq!(mode(&path) & 0o022, 0, "{path:?}");
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|e| e == "key") => keys.push(path),
                false
                    if path
                        .file_name()
                        .is_some_and(|name| name.to_str().unwrap().starts_with("state")) =>
                {
                    keys.push(path)
                }
                false => {}
            }
        }
    }
    assert!(keys.len() >= 9, "{keys:?}");
    assert!(keys.iter().all(|path| mode(path) == 0o600), "{keys:?}");
}

#[test]
fn passphrases_are_asked_for_on_the_terminal_itself() {
    let world = World::new();
    let words = "correct horse battery staple";
    let twice = format!("{words}\n{words}\n");
    let line = "olr key new --role issuer -o k.key </dev/null >/dev/null 2>&1";
    world.typing(&twice, line).says(0, &["New staff passphrase", "passphrase again"]);
    fs::write(world.path("words"), words).unwrap();
    world.done("olr key passwd k.key --passphrase-file words --new-passphrase-file words");
    let line = "echo wrong | olr key paper k.key -o k.txt 2>/dev/null";
    world.typing(&format!("{words}\n"), line).says(0, &["The staff passphrase"]);
    world.alone("olr key paper k.key -o k2.txt").says(2, &["needs the staff passphrase"]);
    let run = world.typing("wrong\n", "olr key paper k.key -o k2.txt");
    run.says(2, &["the passphrase is wrong"]);
}

#[test]
fn a_license_key_is_asked_for_without_being_shown() {
    let world = World::new();
    let line = "olr request --home c --trust vendor/vendor.trust --licensee 'ACME Ltd' --key - \
                --pin rack=B12 --pin asset=4711 -o c.req";
    let run = world.answering("License key: ", "AbCd-1234\n", line, || {});
    assert!(!run.says(0, &["Wrote c.req"]).said.contains("AbCd-1234"), "{run:#?}");
    world.done("olr issue c.req --grant vendor/grant.toml -o c.license");
    // From a file or a pipe, it is read as it is.
    let line = line.replace("--home c", "--home d").replace("c.req", "d.req");
    world.done(&format!("echo AbCd-1234 | {line}"));
}

#[test]
fn ctrl_c_at_a_passphrase_leaves_the_terminal_as_it_was() {
    let world = World::new();
    fs::write(world.path("words"), "correct horse battery staple").unwrap();
    world.done("olr key new --role issuer -o k.key --passphrase-file words");
    for (line, asked) in [
        ("olr key new --role root -o n.key", "olr generates six words): "),
        ("olr key paper k.key -o k.txt", "The staff passphrase (issuer key): "),
        ("olr request --home n --trust vendor/vendor.trust --key - -o n.req", "License key: "),
    ] {
        let line = format!("trap : INT; stty -a >before; {line}; echo status $?; stty -a >after");
        // If the tests run in the background, the shell makes them ignore SIGINT: undo that.
        let line = format!("env --default-signal=INT sh -c '{line}'");
        // The last input is not an interrupt: the error is reported, and the terminal is restored
        // too.
        for (typed, ended) in
            [("\u{3}", "status 130"), ("half\u{3}", "status 130"), ("\n\n", "status 2")]
        {
            let run = world.answering(asked, typed, &line, || {});
            assert!(run.said.contains(ended), "{typed:?}: {run:#?}");
            let modes =
                ["before", "after"].map(|name| fs::read_to_string(world.path(name)).unwrap());
            assert_eq!(modes[0], modes[1], "{typed:?}: {run:#?}");
            assert!(modes[0].contains(" echo "), "{modes:#?}");
        }
        assert!(!world.path("n.key").exists() && !world.path("k.txt").exists());
        assert!(!world.path("n.req").exists());
    }
}

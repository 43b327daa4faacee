//! Every verb that changes something outside its process is interrupted at each system call that
//! does so: killed there, or given an error there. Afterwards the same command must work, and so
//! must the verbs that follow it; the exit status is a documented one, no file is incomplete and no
//! temporary file is left.
//!
//! This needs `strace` to stop a program at a chosen call. A sample takes half a minute;
//! `bash .ci/long kills` interrupts all verbs at all these calls.

#![cfg(all(target_os = "linux", feature = "cli", feature = "vendor"))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

mod strace;
mod verbs;

use strace::{Call, Fault};
use verbs::{VERBS, Verb};

/// A folder with a vendor, a server and the files that they exchange.
struct World {
    folder: tempfile::TempDir,
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(status.success());
}

impl World {
    fn copy_of(folder: &Path) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        copy(folder, world.folder.path());
        world
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Splits a line into words, and replaces `{license}` and the like by the content of that file.
    fn words(&self, line: &str) -> Vec<String> {
        let named = |word: &str| match word.strip_prefix('{').and_then(|w| w.strip_suffix('}')) {
            Some(name) => fs::read_to_string(self.path().join(name)).unwrap(),
            None => word.replace('_', " "),
        };
        line.split_whitespace().map(named).collect()
    }

    fn command(&self, before: &[String], line: &str) -> Command {
        let mut words = before.to_vec();
        words.push(env!("CARGO_BIN_EXE_olr").to_string());
        words.extend(self.words(line));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(self.path()).stdin(Stdio::null());
        command.env("OLR_HOME", "home").env("OLR_VENDOR", "vendor");
        command
    }

    fn olr(&self, line: &str) -> Output {
        self.command(&[], line).output().unwrap()
    }

    #[track_caller]
    fn done(&self, line: &str) -> Output {
        let output = self.olr(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", text(&output));
        output
    }

    /// Creates the state from which every verb starts.
    fn begun() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        for line in verbs::BEGIN {
            world.done(line);
        }
        let issued = world.done("vendor issued --json");
        let issued: serde_json::Value = serde_json::from_slice(&issued.stdout).unwrap();
        let id = issued["issued"][0]["license_id"].as_str().unwrap();
        fs::write(world.path().join("license"), id).unwrap();
        let key = world.done("key show vendor/keys/issuer.key --json");
        let key: serde_json::Value = serde_json::from_slice(&key.stdout).unwrap();
        fs::write(world.path().join("issuer"), key["id"].as_str().unwrap()).unwrap();
        world
    }

    fn left(&self) -> Vec<PathBuf> {
        let (mut left, mut folders) = (Vec::new(), vec![self.path().to_path_buf()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_name().to_string_lossy().starts_with(".olr-") {
                    left.push(entry.path());
                }
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        left
    }

    /// Checks that the verbs after a fault work.
    #[track_caller]
    fn goes_on(&self, verb: &Verb, repeat: bool, what: &str) {
        let mut is_refused = false;
        if repeat {
            let again = self.olr(verb.line);
            let status = again.status.code().unwrap_or(-1);
            assert!(verb.again.contains(&status), "{what}, again: {status} {}", text(&again));
            is_refused = status != 0;
        }
        for line in verb.next {
            let next = self.olr(line);
            assert_eq!(next.status.code(), Some(0), "{what}, then {line}: {}", text(&next));
        }
        // A refused command wrote nothing, so it did not clean up where it would have written.
        if repeat && !is_refused {
            assert_eq!(self.left(), [] as [PathBuf; 0], "{what}");
        }
    }
}

fn is_long() -> bool {
    std::env::var_os("OLR_LONG").is_some()
}

/// Prepares a verb, and lists the calls by which it changes something.
fn start(begun: &World, verb: &Verb) -> (World, Vec<Call>) {
    let start = World::copy_of(begun.path());
    for line in verb.before {
        match line.strip_prefix("rm ") {
            Some(name) => fs::remove_dir_all(start.path().join(name))
                .or_else(|_| fs::remove_file(start.path().join(name)))
                .unwrap(),
            None => drop(start.done(line)),
        }
    }
    let traced = World::copy_of(start.path());
    let (output, calls) = strace::calls(|before| traced.command(before, verb.line));
    assert_eq!(output.status.code(), Some(0), "{}: {}", verb.line, text(&output));
    let last = World::copy_of(traced.path());
    last.goes_on(verb, false, verb.line);
    (start, calls)
}

/// Runs `try_one` for each verb, even after a failure, and adds up its counts.
#[track_caller]
fn each(try_one: impl Fn(&World, &Verb) -> usize) -> usize {
    let begun = World::begun();
    let mut failed = Vec::new();
    let mut count = 0;
    for verb in VERBS.iter().filter(|verb| is_long() || verb.sample) {
        let tried = || try_one(&begun, verb);
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(tried)) {
            Ok(more) => count += more,
            Err(_) => failed.push(verb.line),
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    count
}

#[test]
fn what_is_killed_anywhere_goes_on() {
    if !strace::is_here(is_long()) {
        return;
    }
    let kills = each(|begun, verb| {
        let (start, calls) = start(begun, verb);
        assert!(calls.len() > 3, "{}: {} calls", verb.line, calls.len());
        println!("{}: {} calls", verb.line, calls.len());
        let calls = calls.iter().filter(|call| is_long() || call.moves());
        let kill = |call: &Call| {
            let what = format!("{} killed at {call}", verb.line);
            let world = World::copy_of(start.path());
            let before = strace::inject(call, Fault::Kill);
            let killed = world.command(&before, verb.line).output().unwrap();
            assert_ne!(killed.status.code(), Some(0), "{what}: {}", text(&killed));
            if is_long() && verb.alone {
                World::copy_of(world.path()).goes_on(verb, false, &what);
            }
            world.goes_on(verb, true, &what);
        };
        calls.map(kill).count()
    });
    println!("{kills} kills");
    assert!(kills > 30, "only {kills} kills");
}

#[test]
fn what_the_system_refuses_is_said_and_leaves_nothing() {
    if !strace::is_here(is_long()) {
        return;
    }
    // The sample takes one call in eleven, a different one for each verb.
    let (step, most) = if is_long() { (1, 9) } else { (11, 1) };
    let faults = each(|begun, verb| {
        let (start, calls) = start(begun, verb);
        let calls = calls.iter().skip(verb.line.len() % step).step_by(step);
        let faults = calls.flat_map(|call| call.faults().iter().take(most).map(move |f| (call, f)));
        let refuse = |(call, fault): (&Call, &Fault)| {
            let what = format!("{} with {fault:?} at {call}", verb.line);
            let world = World::copy_of(start.path());
            let before = strace::inject(call, *fault);
            let run = world.command(&before, verb.line).output().unwrap();
            let status = run.status.code().unwrap_or(-1);
            assert!(matches!(status, 0 | 2), "{what}: {status} {}", text(&run));
            // Line breaks depend on the length of the path.
            let said = text(&run).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(!said.contains("panicked"), "{what}: {said}");
            // If writing to the terminal or a pipe fails, only the general message is expected.
            // SQLite reports only that it failed.
            let general = ["the output cannot be written", "the ledger cannot be"];
            let words = [&[fault.words()][..], &general].concat();
            assert!(status == 0 || words.iter().any(|w| said.contains(w)), "{what}: {said}");
            world.goes_on(verb, status != 0, &what);
        };
        faults.map(refuse).count()
    });
    println!("{faults} faults");
    assert!(faults > 15, "only {faults} faults");
}

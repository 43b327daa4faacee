//! Temporary files of a killed process hold secrets: they are removed, and nothing else is.

#![cfg(all(unix, feature = "cli", feature = "vendor"))]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        world.done("vendor init vendor --name Northwind --no-passphrase");
        world.done(
            "request --trust vendor/vendor.trust --licensee ACME_Ltd --key AbCd-1234 --pin a=1 \
             --pin b=2",
        );
        world.done("issue req.olr --grant vendor/grant.toml");
        world.done("import license.olr");
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
        command.args(line.split_whitespace().map(|word| word.replace('_', " ")));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("OLR_HOME", "home").env("OLR_VENDOR", "vendor");
        command
    }

    #[track_caller]
    fn done(&self, line: &str) -> Output {
        let output = self.command(line).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Leaves a file, as a killed process does.
    fn leave(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, "a secret").unwrap();
        path
    }
}

#[test]
fn what_was_left_goes_with_the_next_verb() {
    let world = World::new();
    for (name, line) in [
        ("home/.olr-aB3xY9.tmp", "verify"),
        ("home/.olr-aB3xY9.tmp", "status"),
        ("home/.olr-aB3xY9.tmp", "report OBM=1"),
        (".olr-aB3xY9.tmp", "request"),
        ("vendor/.olr-aB3xY9.tmp", "revoke --again --yes"),
        ("vendor/keys/.olr-aB3xY9.tmp", "revoke --again --yes"),
        ("vendor/revocations/.olr-aB3xY9.tmp", "revoke --again --yes"),
        ("vendor/trusts/.olr-aB3xY9.tmp", "vendor publish vendor/vendor.trust"),
        ("vendor/delegations/.olr-aB3xY9.tmp", "vendor publish vendor/vendor.trust"),
        ("vendor/keys/.olr-aB3xY9.tmp", "key rotate sealing --no-passphrase --yes"),
    ] {
        let left = world.leave(name);
        world.done(line);
        assert!(!left.exists(), "{name} after {line}");
    }
    // A vendor that was never completed, with its keys.
    fs::create_dir_all(world.path(".olr-dRaft1/keys")).unwrap();
    world.leave(".olr-dRaft1/keys/root.key");
    world.leave(".olr-dRaft1/.olr-aB3xY9.tmp");
    world.done("vendor init second --name Second --no-passphrase");
    assert!(!world.path(".olr-dRaft1").exists());
}

#[test]
fn what_is_not_ours_or_at_work_stays() {
    let world = World::new();
    let mut kept = vec![
        // Files with other names.
        world.leave("home/.olr-notes.tmp.txt"),
        world.leave("home/.olr-12345.tmp"),
        world.leave("home/.olr-1234567.tmp"),
        world.leave("home/.olr-12-456.tmp"),
        world.leave("home/olr-aB3xY9.tmp"),
        world.leave("home/.olr-aB3xY9"),
        world.leave("home/tmp"),
    ];
    // Links, and their target.
    let precious = world.leave("precious");
    symlink(&precious, world.path("home/.olr-Link01.tmp")).unwrap();
    fs::hard_link(&precious, world.path("home/.olr-Hard01.tmp")).unwrap();
    // Folders and a pipe with such names, one folder with other content.
    fs::create_dir(world.path("home/.olr-Folder.tmp")).unwrap();
    fs::create_dir(world.path("home/.olr-Folder")).unwrap();
    kept.push(world.leave("home/.olr-Folder/photo.jpg"));
    let pipe = world.path("home/.olr-Pipe01.tmp");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    kept.extend([precious, world.path("home/.olr-Link01.tmp"), world.path("home/.olr-Hard01.tmp")]);
    kept.extend([world.path("home/.olr-Folder.tmp"), pipe]);
    // The file of another process that is still running.
    let held = world.leave("home/.olr-Held01.tmp");
    let lock = fs::File::open(&held).unwrap();
    lock.lock().unwrap();
    // The file of another user stays, until the home is that user's too: then root removes it.
    if rustix::process::geteuid().is_root() {
        let others = world.leave("home/.olr-Other1.tmp");
        std::os::unix::fs::chown(&others, Some(65_533), None).unwrap();
        kept.push(others);
    }
    for line in ["verify", "report OBM=1", "request", "import license.olr"] {
        world.done(line);
        for path in kept.iter().chain([&held]) {
            assert!(fs::symlink_metadata(path).is_ok(), "{} after {line}", path.display());
        }
    }
    drop(lock);
    world.done("verify");
    assert!(!held.exists());
    if rustix::process::geteuid().is_root() {
        let others = world.path("home/.olr-Other1.tmp");
        std::os::unix::fs::chown(world.path("home"), Some(65_533), None).unwrap();
        world.done("report OBM=2");
        assert!(!others.exists(), "root cleans the home of a service");
    }
}

#[test]
fn a_setting_aside_that_was_stopped_leaves_no_names() {
    let world = World::new();
    for name in ["state", "state.copy"] {
        let aside = world.path(&format!("home/{name}.aside-1"));
        fs::hard_link(world.path(&format!("home/{name}")), aside).unwrap();
    }
    fs::write(world.path("home/state.aside-2"), "of an older day").unwrap();
    world.done(
        "request --new-identity --trust vendor/vendor.trust --licensee ACME_Ltd --key AbCd-1234 \
         --pin a=1 --pin b=2",
    );
    let names = fs::read_dir(world.path("home")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let aside: Vec<_> = names.filter(|name| name.contains(".aside-")).collect();
    assert_eq!(aside.len(), 3, "{aside:?}");
    assert!(!aside.iter().any(|name| name.ends_with("-1")), "{aside:?}");
}

#[test]
fn nobody_removes_what_another_one_writes() {
    let world = World::new();
    // All processes write into one folder, both outputs and copies of the state.
    let run = |turn: usize| {
        (0..6).map(move |n| {
            if n % 2 == 0 {
                format!("report OBM={}", n + turn)
            } else {
                format!("request -o {n}.olr")
            }
        })
    };
    for turn in 0..4 {
        let children = run(turn).map(|line| {
            let mut command = world.command(&line);
            (command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap(), line)
        });
        for (child, line) in children.collect::<Vec<_>>() {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{line}: {said}");
        }
    }
    let names = fs::read_dir(world.path("home")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "two copies and a lock: {names:?}");
}

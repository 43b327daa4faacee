//! Files that are not regular: pipes, terminals, devices, standard input by name. Also errors of
//! the system: each has its own message, and no command waits forever.

#![cfg(all(unix, feature = "cli", feature = "vendor"))]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Time after which a process is considered to hang.
const LONG: Duration = Duration::from_secs(30);

struct World {
    folder: tempfile::TempDir,
}

/// Splits a command line at spaces.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Waits for the process to end, and kills it after [`LONG`].
#[track_caller]
fn finish(mut child: Child, what: &str) -> Output {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > LONG {
            child.kill().unwrap();
            panic!("it hangs: {what}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

impl World {
    /// Creates a vendor, a licensed server, and the files that they exchanged.
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        for line in [
            "vendor init vendor --name Northwind --no-passphrase",
            "request --trust vendor/vendor.trust --licensee Acme --key K-1 --pin a=1 --pin b=2",
        ] {
            world.done(line);
        }
        let grant = fs::read_to_string(world.path("vendor/grant.toml")).unwrap();
        let grant = grant.replace("ACME Ltd", "Acme").replace("AbCd-1234", "K-1");
        fs::write(world.path("grant.toml"), grant).unwrap();
        world.done("issue req.olr --grant grant.toml");
        world.done("import license.olr");
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
        command.current_dir(self.folder.path()).args(words(line));
        command.env("OLR_HOME", "home").env("OLR_VENDOR", "vendor").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[track_caller]
    fn olr(&self, line: &str) -> Output {
        finish(self.command(line).spawn().unwrap(), line)
    }

    #[track_caller]
    fn done(&self, line: &str) -> Output {
        let output = self.olr(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", text(&output));
        output
    }

    /// Runs a line, and checks for exit status 2 and these words.
    #[track_caller]
    fn unable(&self, line: &str, says: &str) {
        let output = self.olr(line);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains(says) && said.contains("hint"), "{line} should say {says:?}: {said}");
    }

    /// Runs a line with these bytes on standard input.
    #[track_caller]
    fn fed(&self, line: &str, bytes: &[u8]) -> Output {
        let mut child = self.command(line).stdin(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(bytes);
        finish(child, line)
    }

    fn pipe(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }
}

/// One verb for each place where a file is named, marked by `FILE`, and the content for it.
const READERS: &[(&str, &str)] = &[
    ("import FILE", "license.olr"),
    ("verify FILE", "license.olr"),
    ("inspect FILE", "license.olr"),
    ("machine --against FILE", "license.olr"),
    ("request --dry-run --trust FILE", "vendor/vendor.trust"),
    ("issue FILE --grant grant.toml --dry-run", "req.olr"),
    ("issue req.olr --grant FILE --dry-run", "grant.toml"),
    ("vendor compare FILE req.olr", "req.olr"),
    ("vendor compare req.olr FILE", "req.olr"),
    ("vendor time-anchor FILE -o time.olr --force", "req.olr"),
    ("vendor publish FILE", "vendor/vendor.trust"),
    ("vendor check-catalog FILE", "vendor/catalog.toml"),
    ("key show FILE", "vendor/keys/issuer.key"),
    ("key paper FILE", "vendor/keys/issuer.key"),
    ("key export FILE --plain -o -", "vendor/keys/issuer.key"),
    ("key propose --catalog FILE -o proposal.olr --force", "vendor/catalog.toml"),
];

#[test]
fn a_pipe_with_too_much_in_it_is_read_once() {
    let world = World::new();
    let pipe = world.pipe("pipe");
    for (line, _) in READERS {
        // The writer writes once, and ends when the reader closes the pipe.
        let mut writer = Command::new("sh");
        writer.args(["-c", "exec head -c 3000000 /dev/zero >\"$0\" 2>&-"]).arg(&pipe);
        let mut writer = writer.spawn().unwrap();
        let output = finish(world.command(&line.replace("FILE", "pipe")).spawn().unwrap(), line);
        assert_ne!(output.status.code(), Some(0), "{line}: {}", text(&output));
        let _ = writer.kill();
        writer.wait().unwrap();
    }
}

/// If a user may not read a file of the office, the message names its owner, and does not suggest a
/// backup.
#[test]
fn who_may_not_read_a_file_of_the_office_is_told_whose_it_is() {
    let is_root = rustix::process::geteuid().is_root();
    let files = ["keys/issuer.key", "keys/sealing.key", "vendor.trust", "ledger.db"];
    for file in files {
        let world = World::new();
        let path = world.path("vendor").join(file);
        // Root can read everything. If the tests run as root, another user runs the command, in an
        // office that belongs to that user.
        let olr = world.path("olr");
        copied_to(&olr);
        let mut command = Command::new(&olr);
        let says = if is_root {
            let all = fs::Permissions::from_mode(0o755);
            fs::set_permissions(world.folder.path(), all).unwrap();
            let mut owned = Command::new("chown");
            owned.arg("-R").arg("65534").arg(world.folder.path());
            assert!(owned.status().unwrap().success());
            assert!(Command::new("chown").arg("0").arg(&path).status().unwrap().success());
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            command = Command::new("setpriv");
            command.args(["--reuid", "65534", "--clear-groups"]).arg(&olr);
            "chown 65534"
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
            "chmod u+rwX"
        };
        command.current_dir(world.folder.path()).stdin(Stdio::null());
        command.args(words("issue req.olr --grant grant.toml --again -o - --vendor vendor"));
        let output = command.output().unwrap();
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{file}: {said}");
        assert!(said.contains(says) && !said.contains("backup"), "{file}: {said}");
    }
    // A damaged file gives another message.
    let world = World::new();
    fs::write(world.path("vendor/keys/issuer.key"), "junk").unwrap();
    world.unable("issue req.olr --grant grant.toml --again -o -", "issuer.key");
    let said = text(&world.olr("issue req.olr --grant grant.toml --again -o -"));
    assert!(said.contains("restore this key from a backup"), "{said}");
}

#[test]
fn standard_input_is_read_wherever_a_file_is_named() {
    let world = World::new();
    for (line, file) in READERS {
        let bytes = fs::read(world.path(file)).unwrap();
        let named = world.olr(&line.replace("FILE", file));
        for dash in ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
            let fed = world.fed(&line.replace("FILE", dash), &bytes);
            assert_eq!(fed.status.code(), named.status.code(), "{line} {dash}: {}", text(&fed));
        }
        let junk = world.fed(&line.replace("FILE", "-"), b"\xff\xfejunk");
        assert_ne!(junk.status.code(), Some(0), "{line}");
    }
    for (line, file, says) in [
        ("issue - --grant -", "req.olr", "needed twice"),
        ("vendor compare - -", "req.olr", "needed twice"),
        ("vendor compare - /dev/stdin", "req.olr", "needed twice"),
        ("request --key - --trust - --dry-run", "vendor/vendor.trust", "needed twice"),
        ("key passwd - --no-passphrase", "vendor/keys/issuer.key", "cannot be replaced"),
    ] {
        let twice = world.fed(line, &fs::read(world.path(file)).unwrap());
        assert_eq!(twice.status.code(), Some(2), "{line}: {}", text(&twice));
        assert!(text(&twice).contains(says), "{line}: {}", text(&twice));
    }
}

#[test]
fn a_passphrase_comes_on_standard_input() {
    let world = World::new();
    let new = "key new --role issuer -o a.key --passphrase-file -";
    assert_eq!(world.fed(new, b"six words and a few more\n").status.code(), Some(0));
    let paper = world.fed("key paper a.key --passphrase-file -", b"six words and a few more\n");
    assert_eq!(paper.status.code(), Some(0), "{}", text(&paper));
    let wrong = world.fed("key paper a.key --passphrase-file -", b"other words\n");
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong));
    // For several roots, the command reads the passphrase only once.
    let init = "vendor init v2 --name N --roots 2 --threshold 2 --root-passphrase-file - \
                --passphrase-file staff";
    fs::write(world.path("staff"), "the staff's own words\n").unwrap();
    assert_eq!(world.fed(init, b"six words for all roots\n").status.code(), Some(0));
    let rotate = "key rotate sealing --vendor v2 --no-passphrase --root-passphrase-file - --yes";
    let rotated = world.fed(rotate, b"six words for all roots\n");
    assert_eq!(rotated.status.code(), Some(0), "{}", text(&rotated));
    assert!(world.path("v2/trusts/2.trust").exists());
}

#[test]
fn a_pipe_is_read_and_nobody_waits_for_one_without_a_writer() {
    let world = World::new();
    let pipe = world.pipe("pipe");
    for (line, file) in READERS {
        let line = line.replace("FILE", "pipe");
        world.unable(&line, "no program wrote to it");
        let bytes = fs::read(world.path(file)).unwrap();
        let named = world.olr(&line.replace("pipe", file));
        let (to, slowly) = (pipe.clone(), bytes.len() / 2);
        let writer = std::thread::spawn(move || {
            // Opened for reading too, so that this does not wait for a reader.
            let mut file = fs::OpenOptions::new().read(true).write(true).open(to).unwrap();
            std::thread::sleep(Duration::from_millis(50));
            file.write_all(&bytes[..slowly]).unwrap();
            std::thread::sleep(Duration::from_millis(100));
            file.write_all(&bytes[slowly..]).unwrap();
            std::thread::sleep(Duration::from_millis(100));
        });
        std::thread::sleep(Duration::from_millis(20));
        let piped = world.olr(&line);
        writer.join().unwrap();
        assert_eq!(piped.status.code(), named.status.code(), "{line}: {}", text(&piped));
    }
}

#[test]
fn what_is_no_file_is_named_for_what_it_is() {
    let world = World::new();
    let socket = std::os::unix::net::UnixListener::bind(world.path("socket")).unwrap();
    fs::create_dir(world.path("folder")).unwrap();
    for (line, _) in READERS {
        // Paths that these verbs cannot read.
        for (name, says) in [
            ("socket", "it is a socket"),
            ("folder", "it is a folder"),
            ("/dev/tty", "it is a device"),
            ("/dev/zero", "it is a device"),
        ] {
            world.unable(&line.replace("FILE", name), says);
        }
    }
    drop(socket);
    for name in ["socket", "folder"] {
        world.unable(&format!("request -o {name} --force"), name);
    }
}

#[test]
fn a_state_or_a_lock_that_is_a_pipe_keeps_nobody_waiting() {
    for name in ["state", "state.copy", "lock"] {
        let world = World::new();
        fs::remove_file(world.path(&format!("home/{name}"))).unwrap();
        world.pipe(&format!("home/{name}"));
        let report = world.olr("report OBM=1");
        assert_eq!(report.status.code(), Some(2), "{name}: {}", text(&report));
        assert!(text(&report).contains("pipe"), "{name}: {}", text(&report));
        let found = fs::symlink_metadata(world.path(&format!("home/{name}"))).unwrap();
        assert!(found.file_type().is_fifo(), "{name} was replaced");
        for line in ["status", "verify", "request", "deactivate --yes", "import license.olr"] {
            let run = world.olr(line);
            assert!(matches!(run.status.code(), Some(0 | 2)), "{name}, {line}: {}", text(&run));
        }
    }
}

#[test]
fn an_output_goes_into_a_pipe_and_waits_for_no_reader() {
    let world = World::new();
    let pipe = world.pipe("pipe");
    world.unable("request -o pipe", "no program reads");
    world.unable("request -o pipe --force", "no program reads");
    let reader = std::thread::spawn(move || {
        let (mut file, mut text) = (fs::File::open(pipe).unwrap(), String::new());
        file.read_to_string(&mut text).unwrap();
        text
    });
    // The command succeeds only once the reader has opened the pipe.
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(20));
        if world.olr("request -o pipe").status.code() == Some(0) {
            break;
        }
    }
    assert!(reader.join().unwrap().starts_with("-----BEGIN OLR"));
    assert!(fs::symlink_metadata(world.path("pipe")).unwrap().file_type().is_fifo());
}

#[test]
#[cfg(target_os = "linux")]
fn standard_output_by_name_is_standard_output() {
    let world = World::new();
    // In a separate /dev: a failure here would damage that of the machine.
    let script = "mount -t tmpfs t /dev; ln -s /proc/self/fd /dev/fd; \
        mknod -m 666 /dev/null c 1 3; mknod -m 444 /dev/urandom c 1 9; \
        for n in in out err; do ln -s /proc/self/fd/$((i)) /dev/std$n; i=$((i + 1)); done; \
        for o in - /dev/stdout /dev/fd/1 /proc/self/fd/1; do \
          olr request -o $o 2>/dev/null | head -1; \
          olr request -o $o 2>/dev/null > out; head -1 out; \
          olr key paper vendor/keys/root.key -o $o 2>/dev/null | wc -l; \
          olr key export --plain vendor/keys/root.key -o $o 2>/dev/null | head -1; \
          olr simulate --until 2040-01-01 --svg $o 2>/dev/null | head -c 4; echo; \
        done > all; \
        olr request -o /dev/stderr --force > said 2> err; grep -c BEGIN err; \
        olr request -o /dev/fd/7 --force 7> seven > said; head -1 seven; \
        olr request -o /dev/fd/7 --force 7>> home/state && exit 9 || echo \"secret $?\"; \
        cat all; test -L /dev/stdout -a -L /dev/stderr -a -L /dev/fd && echo kept";
    let Some(said) = apart(&world, script) else { return };
    let lines: Vec<_> = said.lines().collect();
    let count = |line: &str| lines.iter().filter(|other| **other == line).count();
    assert_eq!(count("-----BEGIN OLR REQUEST-----"), 9, "{said}");
    assert_eq!(count("-----BEGIN PRIVATE KEY-----"), 4, "{said}");
    assert_eq!(count("<svg"), 4, "{said}");
    assert!(said.contains("secret 2") && said.contains("even with --force"), "{said}");
    assert!(lines.contains(&"kept"), "{said}");
}

#[test]
fn an_empty_setting_is_as_none() {
    let world = World::new();
    let user = tempfile::tempdir().unwrap();
    for (name, line) in [
        ("OLR_HOME", "verify"),
        ("OLR_HOME", "status"),
        ("OLR_VENDOR", "inspect license.olr"),
        ("OLR_PKCS11_MODULE", "vendor issued"),
        ("XDG_STATE_HOME", "verify"),
    ] {
        let run = |empty: bool| {
            let mut command = world.command(line);
            command.env("HOME", user.path()).env_remove("XDG_STATE_HOME").env_remove(name);
            if empty {
                command.env(name, "");
            }
            let output = finish(command.spawn().unwrap(), line);
            (output.status.code(), text(&output))
        };
        assert_eq!(run(true), run(false), "{name} {line}");
    }
    // With a flag, an empty value is a mistake.
    for flag in ["--home", "--vendor"] {
        let mut command = world.command("inspect license.olr");
        let output = finish(command.args([flag, ""]).spawn().unwrap(), flag);
        assert_eq!(output.status.code(), Some(2), "{flag}: {}", text(&output));
    }
}

/// Runs a script as root of its own mount namespace, if the system allows that.
#[cfg(target_os = "linux")]
fn apart(world: &World, script: &str) -> Option<String> {
    let bin = env!("CARGO_BIN_EXE_olr");
    let script =
        format!("set -e; i=0; mkdir -p disk; olr() {{ timeout 20 {bin} \"$@\"; }}; {script}");
    let is_root = rustix::process::geteuid().is_root();
    let flags = if is_root { "-m" } else { "-rm" };
    let mut command = Command::new("unshare");
    command.args([flags, "sh", "-c", &script]).current_dir(world.folder.path());
    let output = command.env("OLR_HOME", "home").env("OLR_VENDOR", "vendor").output().ok()?;
    let said = text(&output);
    let allowed = output.status.code() != Some(32) && !said.contains("unshare:");
    if !allowed || said.contains("Operation not permitted") && said.contains("mknod") {
        eprintln!("skipped: no namespaces here, or no devices in them: {said}");
        return None;
    }
    Some(said)
}

#[test]
#[cfg(target_os = "linux")]
fn a_device_stays_a_device() {
    let world = World::new();
    let script = "mount -t tmpfs t disk; mknod -m 666 disk/null c 1 3; mknod -m 666 disk/full c 1 7; \
        mknod -m 666 disk/sda b 7 200; ln -s null disk/link; \
        for o in null link; do for f in '' --force; do \
          olr request -o disk/$o $f >/dev/null; echo \"$o status $?\"; done; done; \
        olr simulate --svg disk/null --force >/dev/null; echo \"svg status $?\"; \
        for o in full sda; do olr request -o disk/$o --force && exit 9 || echo \"$o status $?\"; done; \
        olr key export vendor/keys/root.key --plain -o disk/null && exit 9 || echo \"key status $?\"; \
        rm home/state; mknod home/state c 1 3; olr verify && exit 9 || echo \"state status $?\"; \
        test -c home/state -a -c disk/null -a -c disk/full -a -b disk/sda -a -L disk/link && echo kept";
    let Some(said) = apart(&world, script) else { return };
    for line in [
        "null status 0",
        "link status 0",
        "svg status 0",
        "full status 2",
        "the disk is full",
        "sda status 2",
        "it is a disk",
        "key status 2",
        "state status 2",
        "it is a device",
        "kept",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_read_only_home_says_so_and_still_answers() {
    let world = World::new();
    let script = "mount --bind home home; mount -o remount,ro,bind home; \
        olr verify; echo \"verify $?\"; \
        for v in 'report OBM=1' request 'deactivate --yes' 'import license.olr'; do \
          olr $v && exit 9 || echo \"$v: $?\"; done; echo end";
    let Some(said) = apart(&world, script) else { return };
    assert!(said.contains("verify 0"), "{said}");
    assert_eq!(said.matches("the filesystem is read-only").count(), 4, "{said}");
    assert!(said.contains("end") && !said.contains("run as"), "{said}");
}

/// Files of a service that root rewrites keep their owner.
#[test]
fn files_go_on_belonging_to_whom_they_belonged() {
    use std::os::unix::fs::MetadataExt;
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    const USER: u32 = 65_533;
    let world = World::new();
    let state = ["home/state", "home/state.copy"];
    for name in state {
        std::os::unix::fs::chown(world.path(name), Some(USER), Some(USER + 1)).unwrap();
    }
    let before = state.map(|name| fs::read(world.path(name)).unwrap());
    world.olr("report OBM=1");
    for (name, before) in state.iter().zip(before) {
        let (path, file) = (world.path(name), fs::metadata(world.path(name)).unwrap());
        assert_ne!(fs::read(path).unwrap(), before, "it was written");
        assert_eq!((file.uid(), file.gid()), (USER, USER + 1), "{name}");
    }
}

/// Root is never denied access, so the commands run as an ordinary user. Only root can switch to
/// an ordinary user.
#[test]
fn who_may_not_is_told_why() {
    use std::os::unix::process::CommandExt;
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    const USER: u32 = 65_533;
    let world = World::new();
    let bin = world.path("olr");
    copied_to(&bin);
    fs::set_permissions(world.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let chown = |owner: u32, name: &str| {
        std::os::unix::fs::chown(world.path(name), Some(owner), Some(owner)).unwrap();
    };
    let mode = |mode: u32, name: &str| {
        fs::set_permissions(world.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let as_user = |line: &str, says: &[&str]| {
        let mut command = Command::new(&bin);
        command.args(words(line)).current_dir(world.folder.path()).env("OLR_HOME", "home");
        let output = command.uid(USER).gid(USER).stdin(Stdio::null()).output().unwrap();
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(says.iter().all(|says| said.contains(says)), "{line} should say {says:?}: {said}");
        assert!(!said.contains(&format!("run as user {USER}")), "{said}");
    };
    // The home of another user.
    as_user("verify", &["home belongs to user 0", "run as user 0"]);
    // The user's own home, with files that root left there.
    chown(USER, "home");
    as_user("verify", &["the owners are mixed", "chown 65533 home/state"]);
    chown(USER, "home/state");
    chown(USER, "home/state.copy");
    as_user("report OBM=1", &["the owners are mixed", "chown 65533 home/lock"]);
    chown(USER, "home/lock");
    // The user's own file, with a mode that denies access.
    mode(0o000, "home/state");
    as_user("verify", &["has mode 0000", "chmod u+rwX home/state"]);
    mode(0o600, "home/state");
    mode(0o500, "home");
    as_user("report OBM=1", &["home has mode 0500", "chmod u+rwX home"]);
    mode(0o000, "home");
    as_user("verify", &["home has mode 0000", "chmod u+rwX home"]);
    mode(0o700, "home");
    // A folder in the path.
    fs::create_dir(world.path("shut")).unwrap();
    mode(0o700, "shut");
    as_user("inspect shut/license.olr", &["shut belongs to user 0"]);
    as_user("request -o shut/req.olr", &["shut belongs to user 0"]);
    as_user("request -o no/such/folder", &["there is no such folder"]);
}

#[test]
fn a_name_that_no_filesystem_takes_is_named() {
    let world = World::new();
    std::os::unix::fs::symlink("circle", world.path("circle")).unwrap();
    let long = "x".repeat(300);
    for (name, says) in [
        (long.as_str(), "the name is too long"),
        ("circle/a", "form a loop"),
        ("grant.toml/a", "a part of the path is not a folder"),
    ] {
        world.unable(&format!("inspect {name}"), says);
        world.unable(&format!("request -o {name}"), says);
        world.unable(&format!("verify --home {name}"), says);
        world.unable(&format!("issue req.olr --grant grant.toml --vendor {name}"), says);
    }
}

/// A completed action is reported even if its file could not be written: the next attempt writes
/// it.
#[test]
fn an_act_whose_file_cannot_be_written_is_said_to_be_done() {
    let world = World::new();
    let status = text(&world.done("vendor issued --json"));
    let id = status.split("\"license_id\": \"").nth(1).unwrap().split('"').next().unwrap();
    let revoke = format!("revoke {id} --reason test --yes -o");
    world.unable(&format!("{revoke} nowhere/revoked.olr"), "the revocation is recorded, but");
    world.done("revoke --again -o revoked.olr");
    world.unable("deactivate --yes -o nowhere/receipt.olr", "the license is deactivated, but");
    world.done("deactivate -o receipt.olr");
}

/// Copies the command in a separate process: a child that another thread starts during the copy
/// would inherit the open file, and running it would fail with "text file busy".
fn copied_to(path: &Path) {
    assert!(
        Command::new("cp").arg(env!("CARGO_BIN_EXE_olr")).arg(path).status().unwrap().success()
    );
}

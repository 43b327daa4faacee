//! Naughty strings as command-line input: no command panics or exits with 1, and no control, bidi
//! or zero-width character is printed unescaped.

use olr_core::display::is_shown;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use unicode_normalization::UnicodeNormalization;

use crate::naughty::strings;
use crate::world::scenario::root;

/// Result of a run of `olr` whose output passed the checks.
struct Run {
    done: bool,
    stdout: String,
}

fn olr(folder: &Path, args: &[String]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
    command.current_dir(folder).args(args).stdin(Stdio::null());
    command.env("OLR_HOME", "home").env_remove("OLR_VENDOR");
    let output = command.output().unwrap();
    let status = output.status.code().expect("killed by a signal");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    for line in stdout.lines().chain(stderr.lines()) {
        assert!(line.chars().all(is_shown), "{args:?} prints {line:?}");
    }
    assert!(matches!(status, 0 | 2), "{args:?} ends with {status}: {stdout}{stderr}");
    assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    Run { done: status == 0, stdout }
}

/// Arguments of a request. Each string is passed as `--name=STRING`, because some begin with a
/// dash.
fn request(more: &[String]) -> Vec<String> {
    let trust = root().join("keys/snakeoil/vendor.trust");
    let trust = format!("--trust={}", trust.to_str().unwrap());
    let mut args = vec!["request".into(), "--dry-run".into(), trust];
    args.extend_from_slice(more);
    args
}

/// The text that the command stores for typed input.
fn typed(string: &str) -> String {
    string.trim().nfc().collect()
}

#[test]
fn names_and_notes_as_json() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut taken, mut refused, mut with_nul) = (0, 0, 0);
    for string in strings() {
        if string.contains('\0') {
            with_nul += 1; // no argument can hold it
            continue;
        }
        let flag = |name: &str| format!("{name}={string}");
        let names = [flag("--licensee"), flag("--product-version"), flag("--note")];
        let others = ["--key=AbCd-1234", "--json"].map(String::from);
        let run = olr(scratch.path(), &request(&[&names[..], &others].concat()));
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        let name = typed(&string);
        if run.done {
            assert_eq!(json["sealed"]["licensee"], name);
            assert_eq!(json["sealed"]["note"], name);
            taken += 1;
        } else {
            let hidden = name.chars().any(|c| !is_shown(c));
            assert!(name.is_empty() || name.len() > 256 || hidden, "{string:?}: {json}");
            refused += 1;
        }
    }
    assert_eq!((taken, refused, with_nul), (486, 29, 0), "515 in all");
}

#[test]
fn notes_and_pins_as_text() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut notes, mut pins) = (0, 0);
    let plain = |string: &String| string.chars().all(|c| matches!(c, ' '..='~'));
    for string in strings().iter().filter(|string| !plain(string)) {
        let run = |flag: &str| {
            let flags = ["--licensee=ACME", "--key=AbCd-1234", &format!("{flag}={string}")];
            olr(scratch.path(), &request(&flags.map(String::from)))
        };
        assert!(run("--note").done, "{string:?}");
        notes += 1;
        let pin = run("--pin=rack");
        let name = typed(string);
        assert_eq!(pin.done, !name.is_empty() && name.len() <= 256, "{string:?}");
        pins += usize::from(pin.done);
    }
    assert_eq!((notes, pins), (100, 93));
}

/// A vendor's name is either refused before anything is written, or stored in its trust.
#[test]
fn names_of_vendors() {
    let scratch = tempfile::tempdir().unwrap();
    let (mut made, mut refused) = (0, 0);
    for (number, string) in strings().iter().enumerate() {
        let name = typed(string);
        let hidden = name.chars().any(|c| !is_shown(c));
        if !hidden && name.len() <= 256 && number % 20 != 0 {
            continue; // each run writes ten files
        }
        let folder = format!("vendor-{number}");
        let args = ["vendor", "init", &folder, &format!("--name={string}"), "--no-passphrase"];
        let run = olr(scratch.path(), &args.map(String::from));
        assert_eq!(scratch.path().join(&folder).exists(), run.done, "{string:?}");
        if run.done {
            let trust = format!("{folder}/vendor.trust");
            let shown = olr(scratch.path(), &["inspect".into(), trust, "--json".into()]);
            let json: Value = serde_json::from_str(&shown.stdout).unwrap();
            assert!(json.to_string().contains(&Value::from(name).to_string()), "{json}");
            made += 1;
        } else {
            refused += 1;
        }
    }
    assert_eq!((made, refused), (26, 28));
}

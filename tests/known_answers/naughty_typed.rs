//! Naughty strings as command-line input: no command panics or exits with 1, and no control, bidi
//! or zero-width character is printed unescaped.

use olr_core::crypto::digest::sha256;
use olr_core::display::is_shown;
use olr_core::machine::Machine;
use serde_json::Value;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use unicode_normalization::UnicodeNormalization;

use crate::naughty::strings;
use crate::world::called::Around;
use crate::world::machine;
use crate::world::scenario::root;

/// Result of a run of `olr` whose output passed the checks.
struct Run {
    done: bool,
    text: String,
}

fn olr(args: &[String]) -> Run {
    let around = machine::around("server", "2027-11-23T09:00:00Z".parse().unwrap());
    let found = Machine { factors: around.factors, ..Machine::default() };
    let around = Around { now: around.clock, seed: sha256(b"naughty strings"), found };
    let (status, text) = around.run(args.iter().map(OsString::from));
    for line in text.lines() {
        assert!(line.chars().all(is_shown), "{args:?} prints {line:?}");
    }
    let statuses = [ExitCode::SUCCESS, ExitCode::from(2)];
    assert!(statuses.contains(&status), "{args:?} ends with {status:?}: {text}");
    Run { done: status == ExitCode::SUCCESS, text }
}

/// Returns the JSON object at the beginning of the output. Notes for people follow it.
fn object(text: &str) -> Value {
    serde_json::Deserializer::from_str(text).into_iter().next().unwrap().unwrap()
}

/// Arguments of a request. Each string is passed as `--name=STRING`, because some begin with a
/// dash.
fn request(folder: &Path, more: &[String]) -> Vec<String> {
    let home = format!("--home={}", folder.join("home").display());
    let trust = root().join("keys/snakeoil/vendor.trust");
    let trust = format!("--trust={}", trust.to_str().unwrap());
    let mut args = vec!["request".into(), "--dry-run".into(), home, trust];
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
        let run = olr(&request(scratch.path(), &[&names[..], &others].concat()));
        let json = object(&run.text);
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
            olr(&request(scratch.path(), &flags.map(String::from)))
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
        let folder = scratch.path().join(format!("vendor-{number}"));
        let place = folder.to_str().unwrap();
        let args = ["vendor", "init", place, &format!("--name={string}"), "--no-passphrase"];
        let run = olr(&args.map(String::from));
        assert_eq!(folder.exists(), run.done, "{string:?}");
        if run.done {
            let trust = format!("{place}/vendor.trust");
            let shown = olr(&["inspect".into(), trust, "--json".into()]);
            let json = object(&shown.text);
            assert!(json.to_string().contains(&Value::from(name).to_string()), "{json}");
            made += 1;
        } else {
            refused += 1;
        }
    }
    assert_eq!((made, refused), (26, 28));
}

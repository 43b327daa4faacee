//! Snapshots of the command line: every `--help`, and the shape of every `--json` object, so that a
//! change of either shows in review.
//!
//! `OLR_MINT=1 cargo test --test command snapshots` writes them again.
#![cfg(all(feature = "cli", feature = "smtp", feature = "vendor", not(feature = "pkcs11")))]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use olr_core::machine::Machine;

use crate::printed::{printed, verbs};
use crate::world::NOW;
use crate::world::called::Around;

/// Compares texts, by name, with the files of a folder. With `OLR_MINT`, writes the files first.
fn compare(folder: &str, found: &BTreeMap<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/snapshots").join(folder);
    let path = |name: &str| folder.join(name.replace(' ', "-")).with_extension("txt");
    if std::env::var_os("OLR_MINT").is_some() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        found.iter().for_each(|(name, text)| fs::write(path(name), text).unwrap());
    }
    let wanted: BTreeSet<_> = found.keys().map(|name| path(name)).collect();
    let there: BTreeSet<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(there, wanted, "a snapshot is missing, or belongs to no command");
    for (name, text) in found {
        let file = path(name);
        let snapshot = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
        assert_eq!(&snapshot, text, "{} is not what is printed", file.display());
    }
}

/// Collects every command that has a `--help`, including groups: `olr`, `olr key`, `olr key new`.
fn all(command: &clap::Command, name: &str, into: &mut Vec<String>) {
    into.push(name.to_string());
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        all(sub, &format!("{name} {}", sub.get_name()), into);
    }
}

#[test]
fn every_help_is_its_snapshot() {
    let mut commands = Vec::new();
    all(&olr::cli::command(), "olr", &mut commands);
    let help = |name: &String| {
        let words = name.split(' ').skip(1).chain(["--help"]).map(OsString::from);
        let (now, found) = (NOW.parse().unwrap(), Machine::default());
        let (status, text) = Around { now, seed: [0; 32], found }.run(words);
        assert_eq!(status, std::process::ExitCode::SUCCESS, "{name}: {text}");
        (name.clone(), text)
    };
    let found: BTreeMap<_, _> = commands.iter().map(help).collect();
    assert!(found.len() > 40, "only {}", found.len());
    compare("help", &found);
}

/// Returns the type of a value, or the word that means "no limit".
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_string(),
        Value::Bool(_) => "bool".to_string(),
        Value::Number(_) => "number".to_string(),
        Value::String(text) if matches!(&**text, "any" | "never" | "unlimited") => {
            format!("{text:?}")
        }
        Value::String(_) => "text".to_string(),
        Value::Array(_) => "list".to_string(),
        Value::Object(_) => "object".to_string(),
    }
}

/// Objects whose keys are names chosen by the vendor or the operator, such as modules.
const BY_NAME: [&str; 4] = ["modules", "facts", "used", "wanted"];

#[derive(Default)]
struct Shape {
    kinds: BTreeSet<String>,
    /// How often the field was present.
    seen: usize,
    /// How often the value of the field was an object.
    objects: usize,
}

/// Adds a value and everything inside it: `modules.*.quota`, `factors[].kind`.
fn add(path: &str, value: &Value, shapes: &mut BTreeMap<String, Shape>) {
    let shape = shapes.entry(path.to_string()).or_default();
    shape.kinds.insert(kind(value));
    shape.seen += 1;
    shape.objects += usize::from(value.is_object());
    let last = path.rsplit('.').next().unwrap();
    let below =
        |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    match value {
        Value::Array(entries) => {
            entries.iter().for_each(|one| add(&format!("{path}[]"), one, shapes))
        }
        Value::Object(object) => {
            for (name, one) in object {
                let name = if BY_NAME.contains(&last) { "*" } else { name };
                add(&below(name), one, shapes);
            }
        }
        _ => {}
    }
}

/// Lists one field per line, with `?` for a field that some objects lack.
fn shape(objects: &[&Value]) -> String {
    let mut shapes = BTreeMap::new();
    objects.iter().for_each(|object| add("", object, &mut shapes));
    let line = |(path, shape): (&String, &Shape)| {
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let is_entry = path.ends_with("[]") || path.ends_with('*');
        let always = is_entry || shape.seen == shapes[parent].objects;
        let kinds: Vec<_> = shape.kinds.iter().cloned().collect();
        format!("{path}{}: {}\n", if always { "" } else { "?" }, kinds.join(" | "))
    };
    shapes.iter().filter(|(path, _)| !path.is_empty()).map(line).collect()
}

#[test]
fn the_shape_of_every_object_is_its_snapshot() {
    let printed = printed();
    let mut objects: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for (verb, _, output) in &printed {
        objects.entry(verb.to_string()).or_default().push(&output.json);
    }
    let mut all = Vec::new();
    verbs(&olr::cli::command(), "olr", &mut all);
    let missing: Vec<_> = all.iter().filter(|verb| !objects.contains_key(*verb)).collect();
    assert!(missing.is_empty(), "no call of {missing:?} in printed.rs");
    compare("json", &objects.iter().map(|(verb, all)| (verb.clone(), shape(all))).collect());
}

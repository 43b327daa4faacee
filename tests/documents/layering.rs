//! The order of the house: a module may name only modules on lines above its own.
//!
//! rustc accepts import cycles between modules of one crate, so this test is what forbids them.
//! In the command, `cli`, a verb may name what verbs share, and no other verb.

use std::fs;
use std::path::Path;

/// Bottom first. Modules on one line are siblings and may not name each other.
const ORDER: &[&[&str]] = &[
    &["error"],
    &["wire", "display"],
    &["armor", "time", "file"],
    &["crypto", "toml_text"],
    &["key", "entitlement"],
    &["trust", "machine"],
    &["catalog", "request", "timestamp", "revocation"],
    &["receipt"],
    &["license"],
    &["state", "proposal"],
    &["judge", "issue"],
    &["import"],
    &["home", "office"],
    &["alert", "guard", "simulate"],
    &["cli"],
    &["lib", "main"],
];

/// What the verbs of the command share, bottom first; siblings as above. `mod` runs the verbs, and
/// `vendor` those that stand below it on the command line.
const SHARED: &[&[&str]] = &[
    &["layout", "known", "unseen"],
    &["env"],
    &["context"],
    &["output", "terminal"],
    &["show", "passphrase", "files", "concern", "page"],
    &["license", "delegation", "args"],
    &["decision", "proposal"],
];
const BELOW_VENDOR: &[&str] = &["check_catalog", "compare", "publish", "time_anchor"];

/// No source file is longer than this.
const CEILING: usize = 400;

#[test]
fn modules_look_only_down() {
    let (mut faults, mut seen) = (vec![], 0);
    walk(Path::new("src"), None, &mut faults, &mut seen);
    assert!(seen > 40, "only {seen} sources found: this test must not pass on an empty house");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn walk(dir: &Path, top: Option<&str>, faults: &mut Vec<String>, seen: &mut usize) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let module = top.unwrap_or(stem);
        if path.is_dir() {
            walk(&path, Some(module), faults, seen);
            continue;
        }
        *seen += 1;
        let text = fs::read_to_string(&path).unwrap();
        if text.lines().count() > CEILING {
            faults.push(format!("{}: longer than {CEILING} lines", path.display()));
        }
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.collect::<Vec<_>>().join("\n");
        let climbs = if top.is_some() && stem != "mod" { "super::super::" } else { "super::" };
        if code.replace("use super::*;", "").contains(climbs) {
            faults.push(format!("{}: write `crate::`, not `{climbs}`", path.display()));
        }
        for name in named(&code).iter().filter(|name| *name != module) {
            if rank(name) >= rank(module) {
                faults.push(format!("{}: `{module}` may not name `{name}`", path.display()));
            }
        }
    }
}

fn rank(module: &str) -> usize {
    let found = ORDER.iter().position(|row| row.contains(&module));
    found.unwrap_or_else(|| panic!("`{module}` has no place in ORDER"))
}

/// The modules that follow `crate::`, written `crate::a::X` or `crate::{a::X, b}`.
fn named(code: &str) -> Vec<String> {
    let pieces = code.split("crate::").skip(1).flat_map(|piece| match piece.strip_prefix('{') {
        Some(group) => split_group(group),
        None => vec![piece.to_string()],
    });
    let word = |item: String| {
        item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    pieces.map(word).filter(|w| w.starts_with(char::is_lowercase)).collect()
}

/// Splits `a::{X, Y}, b} …` at its top-level commas, up to the brace that closes the group.
fn split_group(group: &str) -> Vec<String> {
    let (mut depth, mut items) = (0, vec![String::new()]);
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => items.push(String::new()),
            _ => {
                depth += (c == '{') as usize;
                depth -= (c == '}') as usize;
                items.last_mut().unwrap().push(c);
            }
        }
    }
    items
}

#[test]
fn no_verb_names_another() {
    let (mut faults, mut seen) = (vec![], 0);
    for entry in fs::read_dir("src/cli").unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_string();
        if module == "mod" {
            continue; // it knows them all
        }
        for file in files(&path) {
            seen += 1;
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let code = code.replace("crate::cli::", "CLI").replace("crate::", "library::");
            let code = code.replace("CLI", "crate::");
            let is_top = !path.is_dir();
            let code = if is_top { code.replace("super::", "crate::") } else { code };
            let shared = |name: &str| SHARED.iter().position(|row| row.contains(&name));
            for name in named(&code).iter().filter(|name| **name != module && is_module(name)) {
                let below = module == "vendor" && BELOW_VENDOR.contains(&name.as_str());
                let fine = match (shared(&module), shared(name)) {
                    (_, None) => below,
                    (None, Some(_)) => true,
                    (Some(own), Some(other)) => other < own,
                };
                if !fine {
                    faults.push(format!("{}: `{module}` may not name `{name}`", file.display()));
                }
            }
        }
    }
    assert!(seen > 30, "only {seen} sources found");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn is_module(name: &str) -> bool {
    let path = Path::new("src/cli").join(name);
    path.is_dir() || path.with_extension("rs").is_file()
}

fn files(path: &Path) -> Vec<std::path::PathBuf> {
    match path.is_dir() {
        false => vec![path.to_path_buf()],
        true => {
            let entries = fs::read_dir(path).unwrap();
            entries.flat_map(|entry| files(&entry.unwrap().path())).collect()
        }
    }
}

#[test]
fn names_are_found_however_they_are_written() {
    let code = "use crate::a::X; use crate::{b::{Y, Z}, c, d::W}; crate::e::f(); $crate::g::H";
    assert_eq!(named(code), ["a", "b", "c", "d", "e", "g"]);
    assert!(rank("wire") < rank("time") && rank("time") < rank("lib"));
    assert_eq!(rank("wire"), rank("display"));
}

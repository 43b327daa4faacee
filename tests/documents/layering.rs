//! Module order: a module may name only modules on lines above its own.
//!
//! rustc accepts import cycles between modules of one crate, so this test forbids them. In the
//! command, a verb in `cli` may name what the verbs share, but no other verb.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::world::sources::{self, sources};

type Order = &'static [&'static [&'static str]];

/// Modules of `olr-core`, bottom first. Modules on one line are siblings and may not name each
/// other. [`OFFICE`] and [`OLR`] list the modules of other crates in the same way.
const CORE: Order = &[
    &["error"],
    &["wire", "display"],
    &["armor", "time"],
    &["crypto"],
    &["key", "entitlement"],
    &["trust", "machine"],
    &["request", "timestamp", "revocation"],
    &["receipt"],
    &["license"],
    &["state", "proposal"],
    &["judge"],
    &["import", "report"],
    &["simulate"],
    &["lib"],
];
const OFFICE: Order =
    &[&["audit", "key"], &["catalog"], &["issue"], &["ledger"], &["folder"], &["lib"]];
const OLR: Order = &[&["probe"], &["home"], &["alert", "guard"], &["cli"], &["lib", "main"]];

/// Modules that the verbs of the command share, bottom first; siblings as above. `mod` runs the
/// verbs, and `vendor` those of its subcommand.
const SHARED: &[&[&str]] = &[
    &["layout", "known", "hint", "unseen"],
    &["env"],
    &["context"],
    &["output", "terminal"],
    &["show", "passphrase", "files", "concern", "page"],
    &["args"],
    &["booking", "decision", "proposal"],
];
const BELOW_VENDOR: &[&str] = &["check_catalog", "compare", "publish", "time_anchor"];

/// Maximum lines of a source file.
const CEILING: usize = 400;

/// Crates that each crate may name. `olr-files` is too small to need an order.
const CRATES: &[(&str, Order, &[&str])] = &[
    ("crates/core/src", CORE, &[]),
    ("crates/files/src", &[], &["olr_core"]),
    ("crates/office/src", OFFICE, &["olr_core", "olr_files"]),
    ("src", OLR, &["olr_core", "olr_files", "olr_office"]),
];

/// Maximum lines of a function.
const LONGEST: usize = 80;

/// Names and lengths of the functions in `text` that are too long, found by the indentation of
/// rustfmt.
fn long_functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let mut long = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let start = line.trim_start();
        let indent = &line[..line.len() - start.len()];
        let Some((before, after)) = start.split_once("fn ") else { continue };
        let is_head = before.is_empty() || before.ends_with(' ') && !before.contains("//");
        let end = format!("{indent}}}");
        let length = lines[at..].iter().position(|line| **line == end).map_or(0, |end| end + 1);
        if is_head && !line.ends_with(['}', ';']) && length > LONGEST {
            let name = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_');
            long.push((name.collect(), length));
        }
    }
    long
}

#[test]
fn no_function_is_longer_than_a_screen_or_two() {
    let body = |lines: usize| format!("    pub fn f(\n{}    }}\n", "        x;\n".repeat(lines));
    assert_eq!(long_functions(&body(78)), []);
    assert_eq!(long_functions(&body(79)), [("f".to_string(), 81)]);
    for path in sources::all_sources() {
        let long = long_functions(&fs::read_to_string(&path).unwrap());
        assert!(long.is_empty(), "{}: {long:?}", path.display());
    }
}

/// Exceptions: the verbs in `src/cli` each have their `Args`; `define.rs` holds macros; `raw.rs` is
/// private to its reader; `absent.rs` repeats the names of what a system lacks.
#[test]
fn no_two_public_types_share_a_name() {
    let mut homes = BTreeMap::<String, Vec<String>>::new();
    for path in sources::all_sources() {
        if path.starts_with("src/cli")
            || path.ends_with("raw.rs")
            || path.ends_with("absent.rs")
            || path.ends_with("define.rs")
        {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().map(str::trim_start) {
            let words: Vec<_> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            if let ["pub", "struct" | "enum" | "trait" | "type", name, ..] = words[..] {
                homes.entry(name.to_string()).or_default().push(path.display().to_string());
            }
        }
    }
    assert!(homes.len() > 150, "only {} types found", homes.len());
    let shared: Vec<_> = homes.iter().filter(|(_, homes)| homes.len() > 1).collect();
    assert!(shared.is_empty(), "{shared:#?}");
}

/// A type of a third-party codec in a public signature would make replacing the codec a breaking
/// change for users of `olr-core`.
#[test]
fn one_file_names_the_codec_of_others() {
    let names = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        code.any(|line| line.contains("bincode::"))
    };
    let found: Vec<_> = sources::all_sources().into_iter().filter(names).collect();
    assert_eq!(found, [Path::new("crates/core/src/wire/codec/stream.rs")]);
    let text = fs::read_to_string(&found[0]).unwrap();
    let of_trait = text.split("pub trait Record").nth(1).unwrap().split("\n}\n").next().unwrap();
    assert!(of_trait.contains("fn decode") && !of_trait.contains("bincode"));
}

#[test]
fn the_core_knows_no_operating_system() {
    let (mut faults, mut seen) = (vec![], 0);
    for path in sources("crates/core/src") {
        seen += 1;
        if path.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for name in ["fs", "env", "net", "process", "thread", "time", "os"] {
            let paths =
                [format!("std::{name}::"), format!("std::{name};"), format!("use std::{name}")];
            if paths.iter().any(|path| text.contains(path)) {
                faults.push(format!("{}: may not use std::{name}", path.display()));
            }
        }
        assert!(!text.contains("use std::{"), "{}: one line each", path.display());
    }
    assert!(seen > 60, "only {seen} sources found");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn modules_look_only_down() {
    let (mut faults, mut seen) = (vec![], 0);
    for (folder, order, below) in CRATES {
        for path in sources(folder) {
            seen += 1;
            let text = fs::read_to_string(&path).unwrap();
            if text.lines().count() > CEILING {
                faults.push(format!("{}: longer than {CEILING} lines", path.display()));
            }
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let code = code.collect::<Vec<_>>().join("\n");
            let within = path.strip_prefix(folder).unwrap();
            let module = within.iter().next().unwrap().to_str().unwrap();
            let module = module.trim_end_matches(".rs");
            let is_deep = within.iter().count() > 1 && !within.ends_with("mod.rs");
            let climbs = if is_deep { "super::super::" } else { "super::" };
            let is_files = *folder == "crates/files/src";
            if !is_files && code.replace("use super::*;", "").contains(climbs) {
                faults.push(format!("{}: write `crate::`, not `{climbs}`", path.display()));
            }
            for other in ["olr_core", "olr_files", "olr_office"] {
                if code.contains(&format!("{other}::")) && !below.contains(&other) {
                    faults.push(format!("{}: may not name `{other}`", path.display()));
                }
            }
            if is_files {
                continue;
            }
            let own = rank(order, module);
            for name in named(&code).iter().filter(|name| *name != module) {
                // A name without a rank is not a module of this crate.
                if rank(order, name).is_some_and(|other| Some(other) >= own) {
                    let path = path.display();
                    faults.push(format!("{path}: `{module}` may not name `{name}`"));
                }
            }
            assert!(own.is_some(), "`{module}` of {folder} has no place in its order");
        }
    }
    assert!(seen > 200, "only {seen} sources found: were all folders read?");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn rank(order: Order, module: &str) -> Option<usize> {
    order.iter().position(|row| row.contains(&module))
}

/// Modules that follow `crate::`, written `crate::a::X` or `crate::{a::X, b}`.
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
            continue; // this file names all modules
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
    assert!(rank(CORE, "wire") < rank(CORE, "time") && rank(CORE, "time") < rank(CORE, "lib"));
    assert_eq!(rank(CORE, "wire"), rank(CORE, "display"));
}

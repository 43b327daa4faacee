//! Texts of the library name no command or flag, because products, pages and callers in other
//! languages show them too. `src/cli/hint.rs` adds the commands.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Exceptions: the end of the file's path, part of the literal, and the reason.
const EXCEPT: &[(&str, &str, &str)] = &[
    ("key/paper.rs", "olr key restore FILE", "a page is read years later, by itself"),
    ("issue/starter.rs", "olr issue req.olr", "the head of a file for the vendor's staff"),
    ("simulate/event.rs", "--accept-over-quota", "a word of the language of events"),
];

#[test]
fn the_library_names_no_command_and_no_flag() {
    let verbs: Vec<_> =
        olr::cli::command().get_subcommands().map(|verb| verb.get_name().to_string()).collect();
    assert!(verbs.len() > 15, "only {verbs:?}");
    let (mut faults, mut used, mut seen) = (Vec::new(), BTreeSet::new(), 0);
    let files = library();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        for literal in literals(product(&text)) {
            seen += 1;
            let Some(named) = named(&literal, &verbs) else { continue };
            let is_known =
                |(end, has, _): &&(&str, &str, &str)| file.ends_with(end) && literal.contains(has);
            match EXCEPT.iter().find(is_known) {
                Some(except) => drop(used.insert(except.0)),
                None => faults.push(format!("{}: {named:?} in {literal:?}", file.display())),
            }
        }
    }
    assert!(files.len() > 150 && seen > 3000, "only {} files, {seen} literals", files.len());
    assert!(faults.is_empty(), "say it with a Remedy:\n{}", faults.join("\n"));
    assert_eq!(used.len(), EXCEPT.len(), "only {used:?} are still needed");
}

/// Source files of the library, without the tests.
fn library() -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut left = vec![PathBuf::from("src"), PathBuf::from("crates")];
    let apart = ["src/cli", "src/main.rs", "crates/testkit"].map(Path::new);
    while let Some(path) = left.pop() {
        let name = path.file_name().unwrap().to_str().unwrap();
        if apart.contains(&path.as_path()) || ["tests", "tests.rs", "target"].contains(&name) {
            continue;
        }
        match fs::read_dir(&path) {
            Ok(entries) => left.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) if name.ends_with(".rs") => all.push(path),
            Err(_) => {}
        }
    }
    all
}

/// The part of a file before its tests.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap()
}

/// Returns the command or flag that the literal names, if any.
fn named(literal: &str, verbs: &[String]) -> Option<String> {
    let command = literal.match_indices("olr ").find_map(|(at, _)| {
        let is_word = !literal[..at].ends_with(|c: char| c.is_alphanumeric() || "._-".contains(c));
        let word = literal[at + 4..].split(|c: char| !(c.is_alphanumeric() || c == '-')).next()?;
        (is_word && verbs.iter().any(|verb| verb == word)).then(|| format!("olr {word}"))
    });
    let flag = || {
        literal.match_indices("--").find_map(|(at, _)| {
            let is_start = !literal[..at].ends_with('-');
            let word =
                literal[at + 2..].split(|c: char| !(c.is_alphanumeric() || c == '-')).next()?;
            let is_flag = is_start && word.starts_with(|c: char| c.is_ascii_lowercase());
            is_flag.then(|| format!("--{word}"))
        })
    };
    command.or_else(flag)
}

/// String literals of a source file, unescaped. Comments are skipped.
fn literals(source: &str) -> Vec<String> {
    let (mut all, mut rest) = (Vec::new(), source);
    while let Some(at) = rest.find(['"', '/', '\'', 'r']) {
        let from = &rest[at..];
        let before = &source[..source.len() - from.len()];
        let is_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        rest = &from[1..];
        if from.starts_with("//") {
            rest = from.split_once('\n').map_or("", |(_, rest)| rest);
        } else if from.starts_with("/*") {
            rest = from.split_once("*/").map_or("", |(_, rest)| rest);
        } else if from.starts_with("'\\") {
            rest = from[3..].split_once('\'').map_or("", |(_, rest)| rest);
        } else if from.starts_with('\'') {
            // A character literal or a lifetime.
            let mut chars = from.chars().skip(1);
            if let (Some(c), Some('\'')) = (chars.next(), chars.next()) {
                rest = &from[2 + c.len_utf8()..];
            }
        } else if let Some(raw) = from.strip_prefix('r') {
            let hashes = raw.chars().take_while(|c| *c == '#').count();
            let Some(raw) = raw[hashes..].strip_prefix('"').filter(|_| !is_word) else {
                continue;
            };
            let end = format!("\"{}", "#".repeat(hashes));
            let (literal, after) = raw.split_once(&end).unwrap();
            all.push(literal.to_string());
            rest = after;
        } else if from.starts_with('"') {
            let (literal, after) = quoted(rest);
            all.push(literal);
            rest = after;
        }
    }
    all
}

/// Reads a literal from behind its opening quote, and returns it with the text after its closing
/// quote. Joins continued lines.
fn quoted(source: &str) -> (String, &str) {
    let mut literal = String::new();
    let mut chars = source.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (literal, &source[at + 1..]),
            '\\' => match chars.next().unwrap().1 {
                '\n' => {
                    while chars.as_str().starts_with(char::is_whitespace) {
                        chars.next();
                    }
                }
                'n' => literal.push('\n'),
                other => literal.push(other),
            },
            _ => literal.push(c),
        }
    }
    panic!("a literal without an end: {}", &source[..40]);
}

#[test]
fn a_command_or_flag_is_found_wherever_it_stands() {
    let verbs = ["request".to_string(), "time-anchor".to_string()];
    let source = r##"
        // "olr request" in a comment is not text.
        let [a, b] = ['"', '\''].map(|err| 1 / err);
        say::<'a>("run `olr \
                   request` here");
        /* "--not" */
        say(r#"take "--again" then"#, "add --yes", "a file of olr requests", "-----begin");
        say("see /usr/bin/olr request", "the olr time-anchor", "molr request", "a -- b");
    "##;
    let found: Vec<_> = literals(source).iter().filter_map(|text| named(text, &verbs)).collect();
    assert_eq!(found, ["olr request", "--again", "--yes", "olr request", "olr time-anchor"]);
    assert_eq!(literals(source).len(), 9);
}

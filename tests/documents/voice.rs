//! Phrases that may not come back: comments, messages and pages use plain English of the trade, as
//! CONTRIBUTING.md asks. The list holds only phrases that have a plain replacement everywhere.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::scenario::root;

/// Each phrase, in lower case and with single spaces between its words, and what to write instead.
const PHRASES: &[(&str, &str)] = &[
    ("he", "they, or name the person: the operator, the customer"),
    ("his", "their"),
    ("him", "them"),
    ("whoever", "anyone who"),
    ("is looked at", "is checked"),
    ("are looked at", "are checked"),
    ("was looked at", "was checked"),
    ("is taken in", "is imported"),
    ("are taken in", "are imported"),
    ("is taken up", "is adopted"),
    ("what is in use", "usage"),
    ("what is at hand", "name the thing"),
    ("stands there", "is there, or appears"),
    ("stands in", "is in"),
    ("stands twice", "appears twice"),
    ("stands here", "is here"),
    ("stands at", "is at"),
    ("counts now", "is now in effect"),
    ("counts no longer", "is no longer valid"),
    ("counts no more", "is no longer valid"),
    ("counts here", "is valid here"),
    ("counts from now", "is in effect from now on"),
    ("is overlooked", "is tolerated"),
    ("overlooked for", "tolerated for"),
    ("it is no key", "it is not a key"),
    ("is no text", "is not text"),
    ("is said to", "name who says it"),
    ("what is said", "the message"),
    ("is told from", "is distinguished from"),
    ("are told from", "are distinguished from"),
    ("goes on", "continues"),
    ("once more", "again"),
    ("nothing but", "only"),
    ("for the time being", "until …"),
    ("honest key", "genuine key"),
    ("licence", "license"),
    ("licences", "licenses"),
    ("licensed without an end", "licensed, no end date"),
    ("in force", "in effect"),
];

/// Places that need a phrase: the file, and the phrase.
const NEEDED: &[(&str, &str)] = &[
    // A misspelled marker that the reader must refuse.
    ("tests/couriers/carried/refused.rs", "licence"),
];

/// Folders of pages, sources and tests. `fixtures/kat` and `benches/peers/target` below them are
/// left out: they contain other people's words.
const FOLDERS: &[&str] =
    &["docs", "src", "crates", "tests", "examples", "benches", "fixtures", "fuzz/fuzz_targets"];
/// Minimum number of files: with fewer, some folder was not searched.
const AT_LEAST: usize = 1_700;

#[test]
fn no_phrase_of_the_private_voice_comes_back() {
    let (mut files, mut found) = (0, Vec::new());
    for file in all_files() {
        let Ok(text) = fs::read_to_string(root().join(&file)) else { continue };
        files += 1;
        let name = file.to_str().unwrap();
        let prose = prose(name, &text);
        for (phrase, instead) in PHRASES {
            if !NEEDED.contains(&(name, phrase)) && prose.contains(&format!(" {phrase} ")) {
                found.push(format!("{name}: \"{phrase}\": write \"{instead}\""));
            }
        }
    }
    assert!(found.is_empty(), "{} phrases:\n{}", found.len(), found.join("\n"));
    assert!(files >= AT_LEAST, "only {files} files");
    for (file, phrase) in NEEDED {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(prose(file, &text).contains(&format!(" {phrase} ")), "{file} has no {phrase}");
    }
}

#[test]
fn phrases_are_found_across_lines_and_not_inside_code() {
    let source =
        "/// Checks what is in\n/// use.\nfn he(whoever: u8) {\n    fail(\"it is no key\");\n}\n";
    let prose = prose("x.rs", source);
    for phrase in ["what is in use", "it is no"] {
        assert!(prose.contains(&format!(" {phrase} ")), "{phrase}: {prose}");
    }
    assert!(!prose.contains(" he ") && !prose.contains(" whoever "), "{prose}");
}

fn all_files() -> Vec<PathBuf> {
    let top = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "Cargo.toml"];
    let mut files: Vec<_> = top.map(PathBuf::from).into();
    FOLDERS.iter().for_each(|folder| walk(Path::new(folder), &mut files));
    let other = |file: &PathBuf| {
        file.starts_with("fixtures/kat") || file.ends_with("tests/documents/voice.rs")
    };
    files.retain(|file| !other(file));
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap()) {
        let path = folder.join(entry.file_name());
        let is = |endings: &[&str]| {
            path.extension().is_some_and(|is| endings.iter().any(|ending| *is == **ending))
        };
        if entry.file_type().unwrap().is_dir() {
            if !path.ends_with("benches/peers/target") {
                walk(&path, files);
            }
        } else if is(&["rs", "md", "toml", "py", "txt"]) {
            files.push(path);
        }
    }
}

/// Comments and texts of a source file, or the whole of another file, as lower-case words between
/// single spaces.
fn prose(name: &str, text: &str) -> String {
    let mut kept = String::new();
    for line in text.lines() {
        let line = line.trim_start();
        match (name.ends_with(".rs"), line.strip_prefix("//")) {
            (true, Some(comment)) => kept += comment.trim_start_matches(['/', '!']),
            // The texts of a line are between every other pair of quotation marks.
            (true, None) => {
                kept.extend(line.split('"').skip(1).step_by(2).flat_map(|text| [text, " | "]))
            }
            (false, _) => kept += line,
        }
        kept.push(' ');
    }
    let words =
        kept.split(|c: char| c.is_whitespace() || (!c.is_alphanumeric() && !"'|-_".contains(c)));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    format!(" {} ", words.join(" ").to_lowercase())
}

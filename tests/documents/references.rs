//! References to the specification lead to a page, and to a section or a rule on it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::world::specification::{
    PAGES, anchors, headings, links, rules, section, without_links, words,
};

/// Files that refer to the specification: source, tests, the second implementation and pages.
fn referring() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> =
        ["crates", "docs", "examples", "src", "tests"].map(|folder| top.join(folder)).into();
    let mut files: Vec<_> =
        ["CONTRIBUTING.md", "Cargo.toml", "README.md", "SECURITY.md", "fixtures/README.md"]
            .map(|file| top.join(file))
            .into();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let is_read = path
                .extension()
                .is_some_and(|kind| ["rs", "py", "md"].iter().any(|read| kind == *read));
            match path.is_dir() {
                true => folders.push(path),
                false if is_read => files.push(path),
                false => {}
            }
        }
    }
    files
}

/// The words of a file on one line, without comment markers.
fn flat(text: &str) -> String {
    let words = text.split_whitespace();
    words.filter(|word| !["//!", "///", "//", "#"].contains(word)).collect::<Vec<_>>().join(" ")
}

/// Sections named right after a reference to a page: `section "A"`, `sections "A" and "B"`, or,
/// after a link, `"A" and "B"`.
fn named(after: &str) -> Vec<&str> {
    let mut rest = after.trim_start_matches(['`', ',', ' ']);
    rest = rest.strip_prefix("sections ").or(rest.strip_prefix("section ")).unwrap_or(rest);
    let mut sections = Vec::new();
    while let Some((section, more)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        // In source, a quotation mark also ends the literal of a path.
        if !section.starts_with(|c: char| c.is_ascii_uppercase()) {
            break;
        }
        sections.push(section);
        let more = more.trim_start_matches([',', ' ']);
        rest = more.strip_prefix("and ").unwrap_or(more);
    }
    sections
}

#[test]
fn every_section_that_is_named_is_on_that_page() {
    let mut seen = 0;
    for file in referring() {
        let text = flat(&fs::read_to_string(&file).unwrap());
        for (name, page) in PAGES {
            let prefixes = [format!("docs/{name}"), format!("({name})")];
            for prefix in prefixes {
                for (at, _) in text.match_indices(&prefix) {
                    for section in named(&text[at + prefix.len()..]) {
                        let there = headings(page).any(|heading| heading == section);
                        assert!(there, "{}: {name} has no section {section:?}", file.display());
                        seen += 1;
                    }
                }
            }
        }
    }
    assert!(seen >= 110, "only {seen} sections found");
}

#[test]
fn every_link_of_the_specification_leads_somewhere() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut seen = 0;
    for (name, page) in PAGES {
        for (label, target) in links(page) {
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() { name } else { file };
            assert!(docs.join(file).exists(), "{name}: there is no {target}");
            if !anchor.is_empty() {
                let other = fs::read_to_string(docs.join(file)).unwrap();
                assert!(anchors(&other).contains(anchor), "{name}: {file} has no {anchor}");
            }
            let is_rule = rules().iter().any(|rule| rule.id == anchor);
            assert!(!is_rule || label.to_lowercase() == anchor, "{name}: {label} is not {anchor}");
            seen += 1;
        }
    }
    assert!(seen >= 240, "only {seen} links found");
}

/// Links from other pages to a section or a rule lead there.
#[test]
fn every_link_to_the_specification_leads_somewhere() {
    let mut seen = 0;
    for file in referring() {
        if file.extension().is_none_or(|kind| kind != "md") {
            continue;
        }
        for (_, target) in links(&fs::read_to_string(&file).unwrap()) {
            let target = target.rsplit('/').next().unwrap();
            let Some((name, anchor)) = target.split_once('#') else { continue };
            let Some((_, page)) = PAGES.iter().find(|(page, _)| *page == name) else { continue };
            assert!(anchors(page).contains(anchor), "{}: {name} has no {anchor}", file.display());
            seen += 1;
        }
    }
    assert!(seen >= 100, "only {seen} links found");
}

/// A person who reads one page can follow a link to a rule of another page.
#[test]
fn a_rule_of_another_page_is_a_link() {
    let rules = rules();
    for (name, page) in PAGES {
        let linked = links(page);
        let plain = without_links(page);
        for rule in rules.iter().filter(|rule| rule.page != name) {
            let is_named = |text: &str| {
                let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
                words.filter(|word| word.eq_ignore_ascii_case(&rule.id)).count()
            };
            let links = linked.iter().filter(|(label, _)| label.eq_ignore_ascii_case(&rule.id));
            assert_eq!(is_named(&plain), links.count(), "{name}: {} without a link", rule.id);
        }
    }
}

/// Maximum number of words that the author of a verifier should have to read.
const MOST: usize = 3500;

/// The sections that a reading path names, each once. `start` is the start of its row on the page.
fn path(page: &str, start: &str) -> Vec<String> {
    let row = page.lines().find(|line| line.starts_with(start)).unwrap();
    let names: Vec<_> = links(row).into_iter().map(|(label, _)| label).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{start} names one twice");
    names
}

#[test]
fn the_path_of_a_verifier_has_the_words_that_it_names() {
    let (_, page) = PAGES[0];
    let start = "| a verifier of licenses";
    let words: usize = path(page, start).iter().map(|name| words(section(page, name))).sum();
    let row = page.lines().find(|line| line.starts_with(start)).unwrap();
    let named: String = row.rsplit('|').nth(1).unwrap().split_whitespace().collect();
    assert_eq!(named, words.to_string(), "the number in the row");
    assert!(words <= MOST, "{words} words");
}

/// A reading path names its sections in the order of the page.
#[test]
fn a_path_follows_the_page() {
    let (_, page) = PAGES[0];
    let path = path(page, "| a verifier of licenses");
    assert!(path.len() > 20, "{path:?}");
    let place = |name: &String| headings(page).position(|heading| heading == name).unwrap();
    let places: Vec<_> = path.iter().map(place).collect();
    assert!(places.is_sorted(), "{path:?}");
}

/// The pages are versions of one specification.
#[test]
fn every_page_names_the_same_version() {
    let version = |page: &'static str| page.lines().next().unwrap().split_once(", ").unwrap().1;
    for (name, page) in PAGES {
        assert_eq!(version(page), version(PAGES[0].1), "{name}");
    }
}

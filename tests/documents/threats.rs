//! Every rule, fixture and test that `docs/threats.md` names exists.

use crate::world::sources::all_sources;
use crate::world::specification;
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../../docs/threats.md");

/// Texts between backquotes.
fn quoted() -> Vec<&'static str> {
    PAGE.split('`').skip(1).step_by(2).filter(|text| !text.contains('\n')).collect()
}

fn rust_sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            rust_sources(&entry, into);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(&entry).unwrap());
        }
    }
}

#[test]
fn every_rule_is_one_of_the_specification() {
    let is_rule = |word: &&str| {
        let (part, number) = word.rsplit_once('-').unwrap_or_default();
        part.chars().all(|c| c.is_ascii_lowercase())
            && !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
    };
    let words = PAGE.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let rules: Vec<_> = words.filter(is_rule).collect();
    assert!(rules.len() > 50, "only {} rules found", rules.len());
    let known = specification::rules();
    for rule in rules {
        assert!(known.iter().any(|known| known.id == rule), "there is no rule {rule}");
    }
}

#[test]
fn every_fixture_and_test_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    rust_sources(&root.join("tests"), &mut sources);
    for path in all_sources() {
        sources.push_str(&fs::read_to_string(root.join(path)).unwrap());
    }
    let (mut fixtures, mut tests) = (0, 0);
    for name in quoted() {
        if name.starts_with("olr ") || name.starts_with("cargo ") || name.starts_with("--") {
            continue;
        }
        if name.contains('_') && !name.contains(['/', '.']) {
            assert!(sources.contains(&format!("fn {name}()")), "there is no test {name}");
            tests += 1;
        } else if let Some((folder, _)) = name.split_once('/')
            && root.join("fixtures").join(folder).is_dir()
        {
            let file = root.join("fixtures").join(format!("{name}.txt"));
            assert!(file.is_file(), "there is no fixture {name}");
            fixtures += 1;
        } else if name.contains('/') {
            assert!(root.join(name).exists(), "there is no {name}");
        }
    }
    assert!(fixtures > 30 && tests > 15, "only {fixtures} fixtures and {tests} tests found");
}

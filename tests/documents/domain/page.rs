//! `docs/domain.md` lists every rule that a server sees, and the code, tests and commands that it
//! names exist.

use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = include_str!("../../../docs/domain.md");
const CATALOG: &str = include_str!("../../../docs/catalog.md");

/// Rules that a server sees.
const RULES: &str = "A1 A2 A3 A4 A5 B1 B2 B3 B4 C1 C2 C3 C4 C5 C6 C7 D1 D2 D3 D4 E1 E2 E3 E4 E5 E6 \
     F4 F6 F7 F9 G1 H5 H6 H7 J1 J4 J5";
/// Rules that a server does not see.
const LATER: &str = "F1 F2 F3 F5 F8 F10 G2 G3 H1 H4 I1 I2 J2 J3";

/// Cells of the rows about rules.
fn rows() -> Vec<Vec<&'static str>> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id "));
    let cells = |line: &'static str| {
        let inside = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')).unwrap();
        inside.split('|').map(str::trim).collect()
    };
    let rows: Vec<Vec<_>> = lines.map(cells).collect();
    rows.into_iter().filter(|row| row.len() != 2).collect()
}

/// Texts between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Names of the tests in this folder.
fn tests() -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join("tests/documents/domain")).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let text = texts.collect::<String>();
    let names = text.split("#[test]\nfn ").skip(1);
    names.map(|rest| rest.split('(').next().unwrap().to_string()).collect()
}

#[test]
fn the_page_has_a_row_for_every_rule_that_a_server_sees() {
    let rows = rows();
    let ids: Vec<_> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(ids, RULES.split_whitespace().collect::<Vec<_>>());
    for row in &rows {
        assert_eq!(row.len(), 6, "{row:?}");
        assert!(row[1].ends_with('.') && row[1].len() > 40, "{row:?}");
    }
    for id in LATER.split_whitespace() {
        let (_, later) = PAGE.split_once("\n## What belongs to the vendor").unwrap();
        let words = later.split(|c: char| !c.is_ascii_alphanumeric());
        assert!(words.clone().any(|word| word == id), "{id} is not named");
    }
    // Every scenario is named after a rule of the page.
    let scenarios = std::fs::read_dir(root().join("tests/scenarios")).unwrap();
    for file in scenarios.map(|file| file.unwrap().path()) {
        let id = file.file_stem().unwrap().to_str().unwrap().to_string();
        assert!([RULES, LATER].join(" ").split_whitespace().any(|rule| rule == id), "{id}");
    }
}

#[test]
fn every_file_test_and_key_of_the_page_is_there() {
    let (mut tests, mut seen) = (tests(), 0);
    for row in rows() {
        let [id, _, keys, code, test, _] = row[..] else { panic!("{row:?}") };
        for key in quoted(keys) {
            assert!(CATALOG.contains(&format!("`{key}`")), "{id}: there is no key {key}");
        }
        let files: Vec<_> = quoted(code).collect();
        assert!(
            !files.is_empty() && files.iter().all(|f| root().join(f).is_file()),
            "{id}: {code}"
        );
        let names: Vec<_> = quoted(test).collect();
        assert!(!names.is_empty(), "{id} has no test");
        for name in names {
            assert!(name.starts_with(&format!("{}_", id.to_lowercase())), "{id}: {name}");
            assert!(tests.remove(name), "{id}: there is no test {name}");
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} tests");
    // Every test of a rule is named on the page.
    tests.retain(|name| name.split_once('_').is_some_and(|(id, _)| id.len() == 2 && is_id(id)));
    assert!(tests.is_empty(), "not on the page: {tests:?}");
}

fn is_id(word: &str) -> bool {
    word.starts_with(|c: char| ('a'..='j').contains(&c))
        && word.ends_with(|c: char| c.is_ascii_digit())
}

#[test]
fn every_command_of_the_page_is_one() {
    let mut seen = 0;
    for row in rows() {
        let commands: Vec<_> = quoted(row[5]).collect();
        assert!(!commands.is_empty(), "{}: the page names no command", row[0]);
        for command in commands {
            // A text between quotation marks is one word.
            let pieces = command.split('"').enumerate();
            let words = pieces.flat_map(|(at, piece)| match at % 2 {
                0 => piece.split_whitespace().collect(),
                _ => vec![piece],
            });
            let parsed = olr::cli::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{command}: {}", parsed.err().unwrap());
            seen += 1;
        }
    }
    assert!(seen > 35, "only {seen} commands");
}

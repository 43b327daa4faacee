//! `docs/couriers.md` contains the tables of these tests, row for row.

use std::collections::BTreeSet;

use crate::carried::refused::REFUSED;
use crate::carried::whole::WHOLE;

const PAGE: &str = include_str!("../../../docs/couriers.md");

/// A table row as written on the page.
fn row(cells: &[&str]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A table: heading, rule and rows.
fn table(heading: &[&str], rows: impl Iterator<Item = String>) -> String {
    row(heading) + &"|---".repeat(heading.len()) + "|\n" + &rows.collect::<String>()
}

#[test]
fn the_page_has_these_tables_and_no_other_rows() {
    let whole = WHOLE.iter().map(|(by, damage, _)| row(&[by, damage]));
    let refused = REFUSED.iter().map(|refused| {
        let words: Vec<_> = refused.words.iter().map(|word| format!("`{word}`")).collect();
        let words = words.join(", ").replace("`no word`", "no word");
        row(&[refused.by, refused.damage, &words, refused.why])
    });
    let tables = [
        table(&["by", "what happened"], whole),
        table(&["by", "what happened", "answer", "because"], refused),
    ];
    for table in &tables {
        assert!(PAGE.contains(table.as_str()), "docs/couriers.md should have\n{table}");
    }
    let rows = PAGE.lines().filter(|line| line.starts_with('|'));
    assert!(rows.eq(tables.concat().lines()), "docs/couriers.md has other rows too");
}

#[test]
fn no_row_stands_twice_and_the_corpus_is_large() {
    let whole = WHOLE.iter().map(|(by, damage, _)| (*by, *damage));
    let all: BTreeSet<_> = whole.chain(REFUSED.iter().map(|r| (r.by, r.damage))).collect();
    assert_eq!(all.len(), WHOLE.len() + REFUSED.len());
    assert_eq!((WHOLE.len(), REFUSED.len()), (91, 62));
}

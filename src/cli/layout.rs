//! Text in columns: tables, names with values, sentences. Lines fit 80 columns, or the terminal if
//! it is wider.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

use olr_core::display::{shown, wrapped};

/// Default maximum line length, in columns; a wider terminal gets longer lines.
pub const COLUMNS: usize = 80;
/// Length of the longest words that a table never breaks, such as a UUID.
const WHOLE: usize = 36;
/// Spaces between two columns.
const GAP: usize = 2;

thread_local! {
    static WIDTH: std::cell::Cell<usize> = const { std::cell::Cell::new(COLUMNS) };
}

/// Returns the maximum line length for stdout, in columns.
pub fn columns() -> usize {
    WIDTH.get()
}

/// Sets [`columns`] for this thread.
pub fn set_columns(columns: usize) {
    WIDTH.set(columns);
}

/// Lays out a table with aligned columns and no frame. If its words alone are too wide, each row
/// becomes a paragraph of names and values, so that no id is broken.
pub fn table(header: &[&str], rows: &[Vec<String>], numbers: &[usize]) -> String {
    table_within(header, rows, numbers, columns())
}

fn table_within(header: &[&str], rows: &[Vec<String>], numbers: &[usize], width: usize) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
    let words: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(at, title)| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            let longest = cells.map(|cell| longest_word(cell)).max().unwrap_or(0);
            longest.min(WHOLE).max(title.chars().count())
        })
        .collect();
    let gaps = GAP.saturating_mul(header.len().saturating_sub(1));
    if words.iter().sum::<usize>().saturating_add(gaps) > width {
        let paragraph = |row: &Vec<String>| {
            let named = header.iter().copied().zip(row.iter().cloned());
            let named: Vec<_> = named.filter(|(_, value)| !value.is_empty()).collect();
            pairs_within(&named, width)
        };
        return rows.iter().map(paragraph).collect::<Vec<_>>().join("\n\n");
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width.saturating_add(GAP)).unwrap_or(u16::MAX));
    table.set_header(header.iter().map(|title| title.to_uppercase()));
    for row in &rows {
        table.add_row(row.iter().enumerate().map(|(at, text)| {
            let cell = Cell::new(text);
            if numbers.contains(&at) { cell.set_alignment(CellAlignment::Right) } else { cell }
        }));
    }
    for (column, word) in table.column_iter_mut().zip(words) {
        let least = u16::try_from(word.saturating_add(GAP)).unwrap_or(u16::MAX);
        column
            .set_padding((0, 2))
            .set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
    let text = table.to_string();
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Escapes a cell, except for its line breaks.
fn escaped(cell: &str) -> String {
    cell.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

fn longest_word(text: &str) -> usize {
    text.split([' ', '\n']).map(|word| word.chars().count()).max().unwrap_or(0)
}

/// Lays out names and values in two columns; a long value continues below itself.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    pairs_within(pairs, columns())
}

fn pairs_within(pairs: &[(&str, String)], columns: usize) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let room = columns.saturating_sub(width).saturating_sub(GAP).max(20);
    let line = |(name, value): &(&str, String)| {
        let value = wrapped(value, room).join(&format!("\n{:width$}  ", ""));
        format!("{name:width$}  {value}").trim_end().to_string()
    };
    pairs.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Wraps sentences to [`columns`]; an indented line keeps its indentation. A longer word, such as a
/// path or a command, is never broken.
pub fn sentences(text: &str) -> String {
    sentences_within(text, columns())
}

fn sentences_within(text: &str, columns: usize) -> String {
    let line = |line: &str| {
        if width(line) <= columns {
            return line.to_string();
        }
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        hanging(&indent, &indent, line.trim_start(), columns)
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Formats a message for stderr: it begins with `olr: `, and further lines are indented.
pub fn said(text: &str, columns: usize) -> String {
    hanging("olr: ", "     ", text, columns)
}

/// Wraps the words of `text` to `columns`: the first line begins with `first`, all others with
/// `rest`.
pub fn hanging(first: &str, rest: &str, text: &str, columns: usize) -> String {
    let mut out = first.to_string();
    let mut used = width(first);
    let mut is_start = true;
    for word in words(text) {
        let len = width(&word);
        if is_start {
            is_start = false;
        } else if used.saturating_add(len).saturating_add(1) > columns {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(rest);
            used = width(rest);
        } else {
            out.push(' ');
            used = used.saturating_add(1);
        }
        out.push_str(&word);
        used = used.saturating_add(len);
    }
    out
}

/// Returns the columns that a text takes, without its colour codes.
fn width(text: &str) -> usize {
    let mut count = 0usize;
    let mut is_colour = false;
    for c in text.chars() {
        match c {
            '\u{1b}' => is_colour = true,
            'm' if is_colour => is_colour = false,
            _ if is_colour => {}
            _ => count = count.saturating_add(1),
        }
    }
    count
}

/// Splits a line at spaces. A command in backquotes, or `'olr …'`, is one word, to be copied whole.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let is_open = |word: &str| {
        let is_quoted = word.starts_with("'olr ") || word == "'olr";
        word.matches('`').count() % 2 == 1 || is_quoted && word.matches('\'').count() == 1
    };
    for piece in line.split(' ') {
        match words.last_mut() {
            Some(open) if is_open(open) => {
                open.push(' ');
                open.push_str(piece);
            }
            _ => words.push(piece.to_string()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn fits(text: &str) {
        let wide = text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "in\n{text}");
    }

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn a_table_fits_or_becomes_paragraphs() {
        let id = "1a2b3c4d5e6f708192a3b4c5d6e7f809";
        let narrow = table_within(&["a", "b"], &rows(&[&["one", "2"], &["three", "10"]]), &[1], 80);
        assert_eq!(narrow, "A      B\none     2\nthree  10");
        let sentence = "a sentence with many words ".repeat(5);
        let wrapping = table_within(&["id", "why"], &rows(&[&[id, &sentence]]), &[], 80);
        fits(&wrapping);
        assert!(wrapping.contains(id) && wrapping.lines().count() > 2, "{wrapping}");
        let wide = rows(&[&[id, id, id, ""], &[id, id, id, "more"]]);
        let paragraphs = table_within(&["one", "two", "three", "four"], &wide, &[], 80);
        fits(&paragraphs);
        assert!(paragraphs.starts_with(&format!("one    {id}\ntwo    {id}\nthree  {id}\n\n")));
        assert!(paragraphs.ends_with("four   more"), "{paragraphs}");
        fits(&table_within(&["one"], &rows(&[&["x".repeat(256).as_str()]]), &[], 80));
        assert_eq!(table_within(&["one"], &wide, &[], 200).lines().count(), 3);
    }

    #[test]
    fn names_and_sentences_go_on_below() {
        let long = "word ".repeat(40);
        let text = pairs_within(&[("licensee", long.clone()), ("x", "y".repeat(200))], 80);
        fits(&text);
        assert!(text.lines().nth(1).unwrap().starts_with("          word"), "{text}");
        let text = sentences_within(&format!("one\n  {long}\n{}", "z".repeat(90)), 80);
        fits(&text.replace(&"z".repeat(90), ""));
        assert!(text.starts_with("one\n  word") && text.contains("\n  word"), "{text}");
        let command =
            sentences_within("seven words stand before it here `olr request --renew`", 40);
        assert_eq!(command, "seven words stand before it here\n`olr request --renew`");
        assert_eq!(sentences_within("short  line\n\n", 80), "short  line\n\n");
        let hung = hanging("olr: ", "     ", &long, 40);
        assert!(hung.lines().all(|line| line.len() <= 40), "{hung}");
        assert!(hung.lines().skip(1).all(|line| line.starts_with("     word")), "{hung}");
        let hung = hanging("olr: ", "     ", "a tip says that 'olr request --renew' helps", 30);
        assert_eq!(hung, "olr: a tip says that\n     'olr request --renew'\n     helps");
        // A colour code takes no columns, and a path is never broken.
        assert_eq!(hanging("", "", "\u{1b}[1mone\u{1b}[0m two", 7), "\u{1b}[1mone\u{1b}[0m two");
        let path = format!("/{}", "x".repeat(50));
        assert_eq!(
            hanging("olr: ", "     ", &format!("a {path} b"), 20),
            format!("olr: a\n     {path}\n     b")
        );
    }
}

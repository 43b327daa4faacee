//! Documentation pages as text for a terminal: Markdown without its links, in columns.

use super::layout::{columns, hanging, table};

/// Function that replaces a link, given its label and its target.
pub type Leads<'a> = &'a dyn Fn(&str, &str) -> String;

/// Returns a page without its links, each replaced by the result of `leads`.
pub fn plain(page: &str, leads: Leads<'_>) -> String {
    let mut text = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((target, next)) = after.split_once(')') else { break };
        // The label is what the innermost bracket holds; the `[` of an array before it stays.
        let (head, label) = before.rsplit_once('[').unwrap_or((before, ""));
        text.push_str(head);
        text.push_str(&leads(label, target));
        rest = next;
    }
    text + rest
}

/// Fits a page to the terminal: wraps paragraphs and lists, aligns tables. Code blocks stay as they
/// are, since they are there to be copied.
pub fn in_columns(page: &str) -> String {
    in_columns_within(page, columns())
}

fn in_columns_within(page: &str, columns: usize) -> String {
    let mut blocks: Vec<String> = Vec::new();
    let mut lines = page.lines().peekable();
    let mut is_apart = true;
    while let Some(line) = lines.next() {
        if line.trim().is_empty() || line.starts_with("<!--") {
            is_apart = true;
            continue;
        }
        if line.trim_start().starts_with("```") {
            let code: Vec<_> =
                lines.by_ref().take_while(|line| !line.trim_start().starts_with("```")).collect();
            blocks.push(code.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"));
            continue;
        }
        if line.starts_with('|') {
            let mut rows = vec![cells(line)];
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                rows.push(cells(row));
            }
            blocks.push(aligned(&rows));
            continue;
        }
        if line.starts_with('#') {
            blocks.push(line.to_string());
            continue;
        }
        let (first, rest, start) = marker(line);
        let mut text = start.trim_end().to_string();
        let goes_on = |next: &&str| {
            let is_block = next.starts_with(['|', '#']) || next.trim_start().starts_with("```");
            !next.trim().is_empty() && !is_block && marker(next).0.trim().is_empty()
        };
        while let Some(next) = lines.next_if(goes_on) {
            text.push(' ');
            text.push_str(next.trim());
        }
        let block = hanging(&first, &rest, &text, columns);
        // List entries follow each other without blank lines, unless the page has them.
        let follows = !std::mem::take(&mut is_apart);
        match blocks.last_mut() {
            Some(before) if follows => {
                before.push('\n');
                before.push_str(&block);
            }
            _ => blocks.push(block),
        }
    }
    blocks.join("\n\n")
}

/// Splits a line into the marker of its paragraph or list entry, the indentation of the following
/// lines, and the text.
fn marker(line: &str) -> (String, String, &str) {
    let text = line.trim_start();
    let indent = line.len().saturating_sub(text.len());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text.get(digits..).is_some_and(|rest| digits > 0 && rest.starts_with(". "));
    let len = match number {
        true => digits.saturating_add(2),
        false if text.starts_with("- ") || text.starts_with("* ") => 2,
        false => 0,
    };
    let (mark, text) = text.split_at_checked(len).unwrap_or(("", text));
    let indent = if len > 0 { indent } else { 0 };
    let first = format!("{:indent$}{mark}", "");
    let rest = " ".repeat(first.len());
    (first, rest, text)
}

/// Splits a table row into cells; `\|` does not end a cell.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\u{0}");
    let inside = row.trim().trim_start_matches('|').trim_end_matches('|');
    inside.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

fn aligned(rows: &[Vec<String>]) -> String {
    let is_ruler =
        |row: &Vec<String>| row.iter().all(|cell| cell.chars().all(|c| "-: ".contains(c)));
    let mut rows = rows.iter().filter(|row| !is_ruler(row)).cloned();
    let header = rows.next().unwrap_or_default();
    let header: Vec<_> = header.iter().map(String::as_str).collect();
    let rows: Vec<_> = rows.collect();
    table(&header, &rows, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_filled_and_code_stays() {
        let long = "word ".repeat(30);
        let page = format!(
            "# Title\n\n{long}\nand on\nand on.\n\n- one\n  continues\n- {long}\n\n1. first\n2. second\n\n\
             ```console\n$ {long}\n```\n\n<!-- made -->\n| a | b |\n|---|--:|\n| x \\| y | {long} |\n"
        );
        let text = in_columns_within(&page, 80);
        let code = text.lines().filter(|line| line.starts_with("  $ "));
        assert_eq!(code.count(), 1);
        for line in text.lines().filter(|line| !line.starts_with("  $ ")) {
            assert!(line.chars().count() <= 80 && line.trim_end() == line, "{line:?}");
        }
        assert!(text.contains("\n\n- one continues\n- word word"), "{text}");
        assert!(text.contains("\n\n1. first\n2. second\n\n"), "{text}");
        assert!(
            text.contains("x | y") && !text.contains("---") && !text.contains("<!--"),
            "{text}"
        );
    }
}

//! Rows as CSV (RFC 4180), for spreadsheets.

/// Characters at the start of a cell that make a spreadsheet run it as a formula, alone or after
/// it has removed spaces.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Formats a header and rows. The last line lacks its line feed, which printing adds.
pub fn csv(header: &[&str], rows: &[Vec<String>]) -> String {
    let header = header.iter().map(|name| cell(name)).collect::<Vec<_>>().join(",");
    let row = |row: &Vec<String>| row.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",");
    let lines: Vec<_> = std::iter::once(header).chain(rows.iter().map(row)).collect();
    lines.join("\r\n") + "\r"
}

fn cell(text: &str) -> String {
    let is_formula = text.trim_start_matches(' ').starts_with(FORMULA);
    let text = if is_formula { format!("'{text}") } else { text.to_string() };
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_out() {
        for (text, written) in [
            ("Acme", "Acme"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("one\ntwo", "\"one\ntwo\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@A1", "'@A1"),
            (" =1", "' =1"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("=a,b", "\"'=a,b\""),
            ("a=b", "a=b"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
        let rows = [vec!["x".to_string(), "y".to_string()]];
        assert_eq!(csv(&["a", "b"], &rows), "a,b\r\nx,y\r");
    }
}

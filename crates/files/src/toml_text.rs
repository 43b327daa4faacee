//! TOML parsing with error messages of our own, which name the line if it is known.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::display::shown;
use crate::error::{Error, Problem, Result};

mod other;
mod slip;

use slip::Wants;

/// Size limit of a text: fits a catalog with the maximum number of modules and long names.
pub const TOML_CAP: usize = 8 * 1024 * 1024;
/// Limit for the number of tokens: 128 for each of 4096 modules. Parsing takes up to 170 bytes of
/// memory per token, however short it is.
pub const TOML_TOKENS_CAP: usize = 512 * 1024;

/// Deserializes `text` as a `T`. `what` names the file in errors.
///
/// # Errors
/// Exit 2: over [`TOML_CAP`] or [`TOML_TOKENS_CAP`], or an error that names the reason, and the
/// line if it is known.
pub fn read_toml<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    if text.len() > TOML_CAP {
        let fact = format!("{what}: {} bytes, more than {TOML_CAP}", text.len());
        return Err(Error::unable(Problem::TooLarge, fact, "check that you named the right file"));
    }
    if tokens(text) > TOML_TOKENS_CAP {
        let fact = format!("{what}: more than {TOML_TOKENS_CAP} words, signs and line breaks");
        return Err(Error::unable(Problem::TooLarge, fact, "check that you named the right file"));
    }
    // Notepad writes a byte order mark, which has no meaning in UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    toml::from_str(text).map_err(|error| {
        if let Some(other) = other::other(what, text) {
            return other;
        }
        if let Some(slip) = slip_at(what, text, &error) {
            return slip;
        }
        let problem = describe(error.message());
        let line = error.span().filter(|span| span.start < text.len());
        let place = line.map(|span| format!(" line {}", line_at(text, span.start)));
        let place = place.unwrap_or_default();
        let is_end = error.span().is_some_and(|span| span.start >= text.len());
        let hint = hint(error.message(), is_end);
        Error::unable(Problem::Content, format!("{what}{place}: {problem}"), hint)
    })
}

/// Looks for a known mistake in the line of the error: either the text is not TOML, or a value has
/// the wrong type.
fn slip_at(what: &str, text: &str, error: &toml::de::Error) -> Option<Error> {
    let start = error.span()?.start.min(text.len());
    let wants = Wants::said(error.message());
    let is_toml = DeTable::parse(text).is_ok();
    if is_toml && !Wants::is_said(error.message()) {
        return None;
    }
    let (line, (fact, hint)) = slip::slip(text, start, wants, is_toml)?;
    Some(Error::unable(Problem::Content, format!("{what} line {line}: {fact}"), hint))
}

/// A text that [`read_toml`] parsed, for errors that name the line.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// Name of the file in errors.
    pub what: &'static str,
    /// Kind of problem that errors report.
    pub problem: Problem,
    /// The text.
    pub text: &'a str,
}

impl Written<'_> {
    /// Error for the entry at `path`, or at its deepest part that exists.
    pub fn wrong(self, path: &[&str], fact: &str, hint: &str) -> Error {
        Error::unable(self.problem, fact, hint.to_string()).within(self.place(path))
    }

    /// Place of an entry: `catalog line 7`.
    pub fn place(self, path: &[&str]) -> String {
        match line_of(self.text, path) {
            Some(line) => format!("{} line {line}", self.what),
            None => self.what.to_string(),
        }
    }
}

/// Line of the entry at `path`, or of its deepest part that exists. Array indexes are written as
/// numbers.
pub(crate) fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = DeTable::parse(text).ok()?;
    let (first, rest) = path.split_first()?;
    let (at, mut value) = entry(root.get_ref(), first)?;
    let mut at = at.filter(|at| *at < text.len());
    for name in rest {
        let next = match value.get_ref() {
            DeValue::Table(table) => entry(table, name),
            DeValue::Array(list) => {
                let value = name.parse().ok().and_then(|index: usize| list.get(index));
                value.map(|value| (Some(value.span().start), value))
            }
            _ => None,
        };
        let Some((next, below)) = next else { break };
        at = next.filter(|at| *at < text.len()).or(at);
        value = below;
    }
    at.map(|at| line_at(text, at))
}

type Entry<'a, 'i> = (Option<usize>, &'a Spanned<DeValue<'i>>);

fn entry<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<Entry<'a, 'i>> {
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    Some((Some(key.span().start), value))
}

/// Counts tokens: a bare word, a quoted text, a comment, a run of blanks, and every other character
/// are one token each.
fn tokens(text: &str) -> usize {
    let mut rest = text;
    let mut count = 0usize;
    while let Some(first) = rest.chars().next() {
        count = count.saturating_add(1);
        let run = |is_part: fn(char) -> bool| rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let length = match first {
            '"' | '\'' => quoted(rest, first),
            '#' => run(|c| c != '\n'),
            ' ' | '\t' => run(|c| matches!(c, ' ' | '\t')),
            c if is_bare(c) => run(is_bare),
            c => c.len_utf8(),
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    count
}

fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || !c.is_ascii()
}

/// Length of the quoted text at the start of `text`: up to the closing quote, or else the end of
/// the line. After three quotes: up to the next three, or else the end of the text.
fn quoted(text: &str, quote: char) -> usize {
    let three = [quote; 3].iter().collect::<String>();
    let (inside, close, is_long) = match text.strip_prefix(&three) {
        Some(inside) => (inside, three.as_str(), true),
        None => (text.get(1..).unwrap_or_default(), three.get(..1).unwrap_or_default(), false),
    };
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        let (ends, rest) = (c == '\n' && !is_long, inside.get(at..).unwrap_or_default());
        if ends || (rest.starts_with(close) && !is_escaped) {
            let open = text.len().saturating_sub(inside.len());
            let close = if ends { 0 } else { close.len() };
            return open.saturating_add(at).saturating_add(close);
        }
        is_escaped = quote == '"' && c == '\\' && !is_escaped;
    }
    text.len()
}

fn line_at(text: &str, start: usize) -> usize {
    let before = text.get(..start).unwrap_or_default();
    before.matches('\n').count().saturating_add(1)
}

/// Replaces the parser's message, which is not meant for users, and keeps the names in it.
fn describe(message: &str) -> String {
    let name = message.split('`').nth(1).map(|name| shown(name).into_owned()).unwrap_or_default();
    let starts = |with: &str| message.starts_with(with);
    if starts("unknown field") {
        format!("unknown key {name:?}")
    } else if starts("unknown variant") {
        format!("{name:?} is not a valid value for this key")
    } else if starts("missing field") {
        format!("the key {name:?} is missing")
    } else if starts("duplicate") {
        "a key is defined twice".to_string()
    } else if starts("data did not match") {
        "a number or \"unlimited\" is needed".to_string()
    } else if starts("invalid") || starts("wanted") {
        match Wants::said(message) {
            Wants::Unknown => "a value of the wrong kind".to_string(),
            wants => format!("a value of the wrong kind: {} is needed", wants.words()),
        }
    } else {
        "this is not TOML".to_string()
    }
}

fn hint(message: &str, is_end: bool) -> String {
    let known: Vec<_> = message.split('`').skip(3).step_by(2).collect();
    if message.starts_with("unknown field") && !known.is_empty() {
        return format!("the keys are {}", known.join(", "));
    }
    if message.starts_with("unknown variant") && !known.is_empty() {
        return format!("write one of {}", known.join(", "));
    }
    if message.starts_with("missing field") {
        return "add it".to_string();
    }
    match is_end {
        true => "complete the last line, or close the text, list or table that is still open"
            .to_string(),
        false => "correct this line".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_toml() {
        for (text, count) in [
            ("", 0),
            ("a = 1\n", 6),
            ("name=\"a b, [c]\"#x,y\n", 5),
            ("'a\\','b'", 3),
            ("\"a\\\"b\",", 2),
            ("\"\"\"a\n\"b, \\\"\"\"\",[]", 4),
            ("\"\"\"a\n\"b, \\\"\"\"\",\"\"\",[]", 3),
            ("\'\'\'a\n\'\',\\\'\'\',[]", 4),
            ("\"a,b\n[],", 5),
            ("\"\"\"a,b\n[],", 1),
            ("größe \t = “x”", 5),
            ("[,[,", 4),
        ] {
            assert_eq!(tokens(text), count, "{text:?}");
        }
    }

    #[test]
    fn the_line_of_a_path_is_found_however_it_is_written() {
        let text = "a = 1\n\n[[product]]\nid = \"x\"\n[[product]]\n\"id\" = \"y\"\nslots = [\"m\",\n  \
            \"n\"]\n[[product.release]]\nversion = \"1\"\n[type.oem]\non.expired.then = \"stop\"\n\
            [type.'m e'.on.expired]\nthen = \"stop\"\n";
        for (path, line) in [
            (&["a"][..], 1),
            (&["product", "0", "id"], 4),
            (&["product", "1"], 5),
            (&["product", "1", "id"], 6),
            (&["product", "1", "slots", "0"], 7),
            (&["product", "1", "slots", "1"], 8),
            (&["product", "1", "release", "0", "version"], 10),
            (&["type", "oem"], 11),
            (&["type", "oem", "on", "expired", "then"], 12),
            (&["type", "oem", "term"], 11),
            (&["type", "m e", "on", "expired", "after"], 13),
            (&["type", "m e", "on", "expired", "then"], 14),
        ] {
            assert_eq!(line_of(text, path), Some(line), "{path:?}");
        }
        assert_eq!(line_of(text, &["policy", "server"]), None);
        assert_eq!(line_of("[", &["a"]), None);
    }
}

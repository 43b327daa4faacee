//! Detects common mistakes in a line of TOML, each with its own message.

use toml::de::DeTable;

use crate::display::{code_point, shown};

mod value;
mod wants;

use value::Place;
pub(super) use wants::Wants;

/// Description of the mistake, and the correction.
pub(super) type Slip = (String, String);

/// Finds the mistake in the line of `text` that contains `at`, or in the line above, because a
/// parser may notice a mistake late. `wants` is the type that the deserializer needs there;
/// `is_toml` tells whether `text` is valid TOML.
pub(super) fn slip(text: &str, at: usize, wants: Wants, is_toml: bool) -> Option<(usize, Slip)> {
    let before = text.get(..at)?;
    let number = before.matches('\n').count();
    let of = |number: usize| {
        let line = text.lines().nth(number)?;
        // A line that is valid on its own can stop the parser only because of an earlier line.
        let is_right = !is_toml && is_toml_alone(line);
        let line = Line::new(line);
        let slip = || line.slip(text, number, wants, is_toml);
        let slip = if is_right { None } else { slip() };
        let slip = slip.or_else(|| twice(text, number, &line));
        Some((number.saturating_add(1), slip?))
    };
    let above = || {
        let above = number.checked_sub(1).filter(|_| !is_toml)?;
        of(above).or_else(|| open_list(text, above, number))
    };
    of(number).or_else(above)
}

fn is_toml_alone(line: &str) -> bool {
    DeTable::parse(line).is_ok()
}

/// Heading above a line, without its brackets.
fn heading(text: &str, number: usize) -> String {
    let above = text.lines().take(number).map(Line::new);
    let heading = above.filter(|line| line.value.is_none() && line.code.starts_with('[')).last();
    heading.map(|line| line.code.trim_matches(['[', ']']).to_string()).unwrap_or_default()
}

/// Detects a list that starts in line `above` and is not closed before the next key.
fn open_list(text: &str, above: usize, number: usize) -> Option<(usize, Slip)> {
    let (line, next) = (text.lines().nth(above)?, text.lines().nth(number)?);
    let (line, next) = (Line::new(line), Line::new(next));
    let value = line.value.filter(|value| value.starts_with('[') && !value.contains(']'))?;
    if next.value.is_none() && !next.code.starts_with('[') {
        return None;
    }
    let fact = "the list is opened with [ but never closed".to_string();
    let key = shown(line.key).into_owned();
    let list = value::list_of(value);
    Some((above.saturating_add(1), (fact, format!("write {key} = {list}"))))
}

/// A line, split into its parts inside and outside of straight quotes.
struct Line<'a> {
    /// Without comment and surrounding blanks.
    code: &'a str,
    key: &'a str,
    /// Text after the first `=`; `None` if there is no `=`.
    value: Option<&'a str>,
    /// A quote that is not closed.
    open: Option<char>,
    /// Characters outside of quotes.
    outside: Vec<char>,
    /// True if a backslash in double quotes does not start a valid escape.
    bad_escape: bool,
}

impl<'a> Line<'a> {
    fn new(line: &'a str) -> Self {
        let (mut open, mut outside, mut bad_escape) = (None, Vec::new(), false);
        let (mut end, mut equals) = (line.len(), None);
        let mut chars = line.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match open {
                Some('"') if c == '\\' => {
                    let next = chars.next().map(|(_, c)| c);
                    bad_escape |= !next.is_some_and(|c| "btnfre\"\\uUx".contains(c));
                    // A path such as `C:\Users`: `\U` would need hexadecimal digits.
                    let digits = line.get(at.saturating_add(2)..).unwrap_or_default();
                    let is_hex = digits.chars().take(4).all(|c| c.is_ascii_hexdigit());
                    bad_escape |= matches!(next, Some('u' | 'U')) && !is_hex;
                }
                Some(quote) if c == quote => open = None,
                Some(_) => {}
                None if c == '#' => {
                    end = at;
                    break;
                }
                None => {
                    if matches!(c, '"' | '\'') {
                        open = Some(c);
                    }
                    if c == '=' {
                        equals = equals.or(Some(at));
                    }
                    outside.push(c);
                }
            }
        }
        let code = line.get(..end).unwrap_or_default();
        let (key, value) = match equals.and_then(|at| code.split_at_checked(at)) {
            Some((key, value)) => (key, value.get(1..)),
            None => (code, None),
        };
        let trim = |text: &'a str| text.trim_matches([' ', '\t', '\r']);
        let (code, key, value) = (trim(code), trim(key), value.map(trim));
        Self { code, key, value, open, outside, bad_escape }
    }

    /// Finds the mistake in this line, which is line `number` of `text`, counted from 0.
    fn slip(&self, text: &str, number: usize, wants: Wants, is_toml: bool) -> Option<Slip> {
        if self.code.is_empty() || self.code.starts_with("\"\"\"") {
            return None;
        }
        let heading = heading(text, number);
        let place = self.value.map(|value| Place::of(&heading, self.key, value, wants, is_toml));
        let quantity = place.as_ref().filter(|place| place.wants == Wants::Number);
        // Check numbers first: a currency sign after a number is a mistake in the number.
        let quantity = quantity.and_then(|place| place.number());
        let first = quantity.or_else(|| self.foreign_character());
        let first = first.or_else(|| self.quotes()).or_else(|| self.brackets(wants));
        first.or_else(|| self.entry(text, number)).or_else(|| self.shape(place))
    }

    /// Detects a heading with one pair of brackets where two are needed, or vice versa.
    fn brackets(&self, wants: Wants) -> Option<Slip> {
        let name = self.code.strip_prefix('[').filter(|_| self.value.is_none())?;
        let name = shown(name.trim_matches(['[', ']'])).into_owned();
        match (wants, self.code.starts_with("[[")) {
            (Wants::List, false) => {
                let fact = format!("there can be several {name} tables");
                Some((fact, format!("write [[{name}]]")))
            }
            (Wants::Table, true) => {
                Some((format!("there can be only one {name} table"), format!("write [{name}]")))
            }
            _ => None,
        }
    }

    /// Detects a line of a multi-line list with an entry that lacks its quotes.
    fn entry(&self, text: &str, number: usize) -> Option<Slip> {
        let is_text = self.code.starts_with(|c: char| c.is_ascii_alphabetic() || "\"'".contains(c));
        let is_bare = self.outside.iter().any(char::is_ascii_alphabetic);
        let is_entry = is_text && is_bare && !self.outside.iter().any(|c| "[]".contains(*c));
        if self.value.is_some() || !is_entry {
            return None;
        }
        let above = text.lines().take(number).map(Line::new).filter(|line| !line.code.is_empty());
        let opens = |line: &Line<'_>| line.value.is_some_and(|value| value.starts_with('['));
        let list = above.collect::<Vec<_>>().into_iter().rev().find(|line| {
            line.code.contains(']') || line.code.starts_with('[') || line.value.is_some()
        });
        let list = list.filter(|line| opens(line) && !line.code.contains(']'))?;
        let word = self.code.trim_end_matches(',').trim_end();
        if word.contains([',', ';', '"', '\'']) {
            let fact = format!("an entry of {} lacks quotes or a comma", shown(list.key));
            let entries = value::list_of(word);
            return Some((fact, format!("write {},", entries.trim_matches(['[', ']']))));
        }
        let word = shown(word).into_owned();
        Some((format!("the text {word} needs quotes"), format!("write \"{word}\",")))
    }

    /// Detects a character outside of quotes that is not ASCII, such as a curly quote.
    fn foreign_character(&self) -> Option<Slip> {
        let c = *self.outside.iter().find(|c| !c.is_ascii())?;
        let named = code_point(c);
        Some(match c {
            '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' | '«' | '»' | '\u{2033}' => (
                format!("{named} is not a quotation mark in TOML"),
                "use straight quotes, \"like this\": word processors make them curly".into(),
            ),
            c if c.is_whitespace() || shown(c.encode_utf8(&mut [0; 4])).starts_with('\\') => (
                format!("{named} is not allowed outside quotes"),
                "delete it, and type a space instead if one is needed".into(),
            ),
            _ if self.value.is_some_and(|value| value.contains(c)) => (
                format!("{named} is not allowed outside quotes"),
                "put the text in quotes: \"…\"".into(),
            ),
            _ => (
                format!("{named} is not allowed outside quotes"),
                "put the name in quotes: only A to Z, a to z, digits, - and _ need none".into(),
            ),
        })
    }

    fn quotes(&self) -> Option<Slip> {
        if self.bad_escape {
            return Some((
                "a backslash in \"…\" starts an escape sequence, but this one is not valid".into(),
                "write the text in single quotes, such as 'C:\\Users', or double each \\".into(),
            ));
        }
        let quote = self.open?;
        let value = self.value.unwrap_or(self.code);
        if value.starts_with("\"\"\"") || value.starts_with("'''") {
            return None;
        }
        Some((
            format!("the quote {quote} is opened but not closed in this line"),
            "put the whole text in \"…\" on one line; if it contains \" itself, in '…'".into(),
        ))
    }

    /// Detects mistakes in key, equals sign or value.
    fn shape(&self, place: Option<Place<'_>>) -> Option<Slip> {
        let Some(place) = place else { return self.without_equals() };
        let key = shown(self.key).into_owned();
        if self.key.is_empty() {
            return Some(("there is no key before =".into(), "write KEY = VALUE".into()));
        }
        let signs = [':', '+', '=', '>', '<', '!', '?', '-'];
        let bare = self.key.trim_end_matches([':', '+', '!', '?']).trim_end();
        let value = place.value.trim_start_matches(['=', '>', ' ']);
        if bare != self.key || place.value.starts_with(['=', '>']) {
            let sign: String = self.code.get(bare.len()..).unwrap_or_default().chars().collect();
            let sign: String =
                sign.trim_start().chars().take_while(|c| signs.contains(c)).collect();
            let fact = format!("there is {} where = is needed", shown(&sign));
            return Some((fact, format!("write {} = {}", shown(bare), shown(value))));
        }
        if self.key.contains([' ', '\t']) && !self.key.contains(['"', '\'', '.']) {
            let fact = format!("the key {key:?} contains a space");
            return Some((fact, format!("put it in quotes: \"{key}\" = …")));
        }
        if place.value.is_empty() {
            return Some((format!("there is no value after {key} ="), "write KEY = VALUE".into()));
        }
        place.slip()
    }

    fn without_equals(&self) -> Option<Slip> {
        if let Some(heading) = self.code.strip_prefix('[') {
            let (open, close) = if heading.starts_with('[') { (2, "]]") } else { (1, "]") };
            if self.code.ends_with(close) || self.code.contains(',') {
                return None;
            }
            let fact = format!("the heading does not end with {close}");
            let name = shown(self.code.trim_matches(['[', ']'])).into_owned();
            return Some((fact, format!("write {}{name}{close}", "[".repeat(open))));
        }
        if self.code.starts_with("//") || self.code.starts_with(';') || self.code.starts_with("--")
        {
            let fact = "this comment does not start with #".to_string();
            return Some((fact, "start a comment with #".into()));
        }
        // A line of a multi-line list has no key.
        if self.code.starts_with(['"', '\'', ']', '{', '}']) && !self.code.contains(':') {
            return None;
        }
        if self.code.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (key, value) = self.code.split_once([':', ' ', '\t'])?;
        let (key, value) =
            (shown(key).into_owned(), shown(value.trim_matches([':', ' ', '\t'])).into_owned());
        let fact = format!("there is no = between {key} and its value");
        let value = if value.is_empty() { "VALUE" } else { &value };
        Some((fact, format!("write {key} = {value}")))
    }
}

/// Detects a key or heading that occurs in an earlier line too.
fn twice(text: &str, number: usize, line: &Line<'_>) -> Option<Slip> {
    let is_heading = line.value.is_none() && line.code.starts_with('[');
    if is_heading == line.code.starts_with("[[") && is_heading {
        return None;
    }
    let mut first = None;
    for (at, other) in text.lines().take(number).enumerate() {
        let other = Line::new(other);
        let other_heading = other.value.is_none() && other.code.starts_with('[');
        if !is_heading && other_heading {
            // Under another heading, the same key is a different one.
            first = None;
        }
        let is_same = match is_heading {
            true => other_heading && other.code == line.code,
            false => line.value.is_some() && other.value.is_some() && other.key == line.key,
        };
        if is_same {
            first = first.or(Some(at.saturating_add(1)));
        }
    }
    let what = shown(if is_heading { line.code } else { line.key }).into_owned();
    let hint = "keep one of the two".to_string();
    first.map(|first| (format!("{what} is defined twice, first in line {first}"), hint))
}

//! What people write wrong in TOML, found in the line itself: each slip with its own words.

use crate::display::{code_point, shown};

/// What is wrong, and what would be right.
pub(super) type Slip = (String, String);

/// The slip in the line of `text` in which `at` stands, or in the one above it, where a parser notices
/// something late.
pub(super) fn slip(text: &str, at: usize) -> Option<(usize, Slip)> {
    let before = text.get(..at)?;
    let number = before.matches('\n').count();
    let of = |number: usize| {
        let line = Line::new(text.lines().nth(number)?);
        let slip = line.slip().or_else(|| twice(text, number, &line));
        Some((number.saturating_add(1), slip?))
    };
    of(number).or_else(|| of(number.checked_sub(1)?))
}

/// A line, its parts outside and inside of straight quotes told apart.
struct Line<'a> {
    /// Without comment and blanks around.
    code: &'a str,
    key: &'a str,
    /// What follows the first `=`; nothing where there is none.
    value: Option<&'a str>,
    /// The quote that is never closed.
    open: Option<char>,
    /// Characters outside of quotes.
    outside: Vec<char>,
    /// Whether a backslash in double quotes begins nothing that TOML knows.
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
                    // A path under `C:\Users`, where a number of hexadecimal digits is wanted.
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

    fn slip(&self) -> Option<Slip> {
        if self.code.is_empty() || self.code.starts_with("\"\"\"") {
            return None;
        }
        self.foreign_character().or_else(|| self.quotes()).or_else(|| self.shape())
    }

    /// A character outside of quotes that looks like another one.
    fn foreign_character(&self) -> Option<Slip> {
        let c = *self.outside.iter().find(|c| !c.is_ascii())?;
        let named = code_point(c);
        Some(match c {
            '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' | '«' | '»' | '\u{2033}' => (
                format!("{named} is no quote of TOML"),
                "write straight quotes, \"like this\"; a word processor makes them curly".into(),
            ),
            c if c.is_whitespace() || shown(c.encode_utf8(&mut [0; 4])).starts_with('\\') => (
                format!("{named} stands outside of quotes"),
                "delete it, and type a blank where one belongs".into(),
            ),
            _ if self.value.is_some_and(|value| value.contains(c)) => {
                (format!("{named} stands outside of quotes"), "put a text in quotes: \"…\"".into())
            }
            _ => (
                format!("{named} stands outside of quotes"),
                "put a name that has more than letters A to Z, digits, - and _ in quotes".into(),
            ),
        })
    }

    fn quotes(&self) -> Option<Slip> {
        if self.bad_escape {
            return Some((
                "a backslash in \"…\" begins an escape".into(),
                "write a path in single quotes, 'C:\\Users', or each \\ twice".into(),
            ));
        }
        let quote = self.open?;
        let value = self.value.unwrap_or(self.code);
        if value.starts_with("\"\"\"") || value.starts_with("'''") {
            return None;
        }
        Some((
            format!("the quote {quote} is opened and never closed in this line"),
            format!("add {quote} at the end of the text"),
        ))
    }

    /// Key, sign and value.
    fn shape(&self) -> Option<Slip> {
        let Some(value) = self.value else { return self.without_equals() };
        let key = shown(self.key).into_owned();
        if self.key.is_empty() {
            return Some(("no key stands before =".into(), "write KEY = VALUE".into()));
        }
        if self.key.contains([' ', '\t']) && !self.key.contains(['"', '\'', '.']) {
            let fact = format!("the key {key:?} has a blank in it");
            return Some((fact, format!("put it in quotes: \"{key}\" = …")));
        }
        if value.is_empty() {
            return Some((format!("no value follows {key} ="), "write KEY = VALUE".into()));
        }
        self.value_slip(&key, value)
    }

    fn value_slip(&self, key: &str, value: &str) -> Option<Slip> {
        let written = shown(value).into_owned();
        if let Some(bare) = value.strip_suffix([',', ';']).filter(|v| !v.contains('[')) {
            let last = if value.ends_with(',') { "comma" } else { "semicolon" };
            let slip = self.value_slip(key, bare.trim_end());
            return slip.filter(|_| value.ends_with(';')).or_else(|| {
                let hint = format!("write {key} = {}", shown(bare.trim_end()));
                Some((format!("a {last} stands at the end of the line"), hint))
            });
        }
        if is_like_a_day(value) {
            let fact = format!("the day {written} stands without quotes");
            return Some((fact, format!("write {key} = \"{written}\"")));
        }
        if is_grouped(value) {
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            let fact = format!("the number {written} has something between its digits");
            return Some((fact, format!("write {key} = {digits}")));
        }
        let lower = value.to_lowercase();
        if ["true", "false"].contains(&lower.as_str()) && lower != value {
            let fact = format!("{written} is not written in lower case");
            return Some((fact, format!("write {key} = {lower}")));
        }
        for (words, right) in [(["yes", "on"], "true"), (["no", "off"], "false")] {
            if words.contains(&lower.as_str()) {
                let fact = format!("{written} is neither true nor false");
                return Some((fact, format!("write {key} = {right}, or a text in quotes")));
            }
        }
        let is_number = value.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c));
        let is_word = value.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_known = ["true", "false", "inf", "nan"].contains(&value);
        if (is_word && !is_known)
            || (is_number
                && value.contains(|c: char| c.is_ascii_alphabetic() && !"eExob".contains(c)))
        {
            let fact = format!("the text {written} stands without quotes");
            return Some((fact, format!("write {key} = \"{written}\"")));
        }
        None
    }

    fn without_equals(&self) -> Option<Slip> {
        if let Some(heading) = self.code.strip_prefix('[') {
            let (open, close) = if heading.starts_with('[') { (2, "]]") } else { (1, "]") };
            if self.code.ends_with(close) || self.code.contains(',') {
                return None;
            }
            let fact = format!("the heading lacks its {close}");
            let name = shown(self.code.trim_matches(['[', ']'])).into_owned();
            return Some((fact, format!("write {}{name}{close}", "[".repeat(open))));
        }
        if self.code.starts_with("//") || self.code.starts_with(';') || self.code.starts_with("--")
        {
            let fact = "this comment does not begin with #".to_string();
            return Some((fact, "begin a comment with #".into()));
        }
        // A line of an array over several lines has no key.
        if self.code.starts_with(['"', '\'', ']', '{', '}']) && !self.code.contains(':') {
            return None;
        }
        if self.code.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (key, value) = self.code.split_once([':', ' ', '\t'])?;
        let (key, value) = (shown(key).into_owned(), shown(value.trim()).into_owned());
        let fact = format!("there is no = between {key} and its value");
        Some((fact, format!("write {key} = {value}")))
    }
}

/// Digits and dashes, as a day has them, or the other way round; perhaps a time behind them.
fn is_like_a_day(value: &str) -> bool {
    let day = value.split(['T', ' ']).next().unwrap_or_default();
    let mut parts = day.split(['-', '/']);
    let is_part = |part: &str| {
        (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    parts.by_ref().take(3).filter(|part| is_part(part)).count() == 3 && parts.next().is_none()
}

/// Digits in groups of three, as people write thousands: `10,000`, `10.000`, `10 000`.
fn is_grouped(value: &str) -> bool {
    let mut groups = value.split([',', '.', ' ', '\'']);
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let rest: Vec<_> = groups.collect();
    (1..=3).contains(&first.len())
        && is_digits(first)
        && !rest.is_empty()
        && rest.iter().all(|group| group.len() == 3 && is_digits(group))
}

/// A key or a heading that stands in an earlier line, too.
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
            // Below another heading the same key is another one.
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
    first.map(|first| (format!("{what} stands twice, in line {first} first"), hint))
}

//! Detects mistakes in the value of a key.

use super::{Slip, Wants, wants::TIMES};
use crate::display::shown;
use crate::time::Day;

/// A value and its context.
pub(super) struct Place<'a> {
    heading: &'a str,
    key: String,
    /// The value as written, without surrounding blanks.
    pub value: &'a str,
    pub wants: Wants,
    /// True if the text is valid TOML, but the deserializer rejects it.
    is_toml: bool,
    is_time: bool,
}

impl<'a> Place<'a> {
    /// Describes the value of `key` under `heading`; `said` is the type that the deserializer
    /// needs.
    pub fn of(heading: &'a str, key: &str, value: &'a str, said: Wants, is_toml: bool) -> Self {
        let known = Wants::known(heading, key);
        // For a list, the deserializer's message may be about one of its entries.
        let is_known = said == Wants::Unknown || known == Wants::List;
        let wants = if is_known { known } else { said };
        let last = key.rsplit('.').next().unwrap_or_default().trim();
        let is_time = TIMES.contains(&last) && wants != Wants::Number;
        Self { heading, key: shown(key).into_owned(), value, wants, is_toml, is_time }
    }

    pub fn slip(&self) -> Option<Slip> {
        let value = self.value;
        if let Some(bare) = value.strip_suffix([',', ';']).filter(|v| !v.contains('[')) {
            let last = if value.ends_with(',') { "comma" } else { "semicolon" };
            let slip = self.with(bare.trim_end()).slip();
            return slip.filter(|_| value.ends_with(';')).or_else(|| {
                let fact = format!("there is a {last} at the end of the line");
                Some((fact, self.write(&shown(bare.trim_end()))))
            });
        }
        if let Some(text) = quoted(value) {
            return self.of_text(text);
        }
        if value.starts_with(['[', '{']) {
            return self.of_list();
        }
        if self.wants == Wants::Number {
            return self.number();
        }
        self.bare()
    }

    fn with(&self, value: &'a str) -> Self {
        Self { key: self.key.clone(), value, ..*self }
    }

    fn write(&self, value: &str) -> String {
        format!("write {} = {value}", self.key)
    }

    fn wrong_kind(&self, is: &str, hint: String) -> Slip {
        (format!("{} is {is}, but {} is needed", self.key, self.wants.words()), hint)
    }

    /// Detects a quoted text where another type is needed.
    fn of_text(&self, text: &str) -> Option<Slip> {
        match self.wants {
            Wants::List => Some(self.wrong_kind("a text", self.write(&list_of(text)))),
            Wants::Truth => Some(self.wrong_kind("a text", self.a_truth(text))),
            Wants::Number => {
                let hint = match text.trim().parse::<u64>() {
                    Ok(count) => self.write(&count.to_string()),
                    Err(_) => self.a_number(),
                };
                Some(self.wrong_kind("a text", hint))
            }
            Wants::Table => Some(self.wrong_kind("a text", self.table())),
            Wants::Text | Wants::Unknown => None,
        }
    }

    fn table(&self) -> String {
        let dot = if self.heading.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{}", shown(self.heading), self.key);
        format!("write a heading, [{path}], and its keys below it")
    }

    /// Detects mistakes in a list or an inline table.
    fn of_list(&self) -> Option<Slip> {
        let value = self.value;
        let entries = entries(value);
        let is_whole = value.starts_with('[') && value.ends_with(']');
        match self.wants {
            Wants::Text | Wants::Truth | Wants::Number if is_whole => {
                let first = entries.first().copied().unwrap_or("VALUE");
                Some(self.wrong_kind("a list", self.write(&shown(first))))
            }
            Wants::Number => Some(self.wrong_kind("a table", self.write("10"))),
            _ if value.contains('=') => None,
            Wants::List if value.starts_with('{') => {
                let fact = format!("{} is in braces, but a list needs brackets", self.key);
                Some((fact, self.write(&list_of(value))))
            }
            _ if !is_whole => None,
            Wants::List | Wants::Unknown if !self.is_toml => {
                let fact = format!("an entry of {} lacks quotes or a comma", self.key);
                Some((fact, self.write(&list_of(value))))
            }
            Wants::List if entries.iter().any(|entry| is_number(entry)) => {
                let fact = format!("an entry of {} is not a text in quotes", self.key);
                Some((fact, self.write(&list_of(value))))
            }
            _ => None,
        }
    }

    /// Detects that the value is not a whole number in TOML syntax, where one is needed.
    pub fn number(&self) -> Option<Slip> {
        let value = self.value.trim_end_matches([',', ';']).trim_end();
        if value.is_empty() || value.starts_with(['"', '\'', '[', '{', '=', '>']) {
            return None;
        }
        let written = shown(value).into_owned();
        let is_digits = value.bytes().all(|b| b.is_ascii_digit());
        if is_digits && (self.is_toml || value.parse::<u64>().is_err()) {
            return Some((format!("the number {written} is too large"), self.a_number()));
        }
        if is_digits {
            return (value.starts_with('0') && value.len() > 1).then(|| self.leading_zero(value));
        }
        if is_grouped(value) {
            return Some(self.grouped(value));
        }
        if value.eq_ignore_ascii_case("unlimited") {
            let fact = format!("the text {written} needs quotes");
            return Some((fact, self.write("\"unlimited\"")));
        }
        if let Some(slip) = self.truth_word() {
            return Some(slip);
        }
        let fact = format!("{written} is not a whole number");
        let count = value.bytes().filter(u8::is_ascii_digit).count();
        let digits = value.trim_start_matches(|c: char| !c.is_ascii_digit());
        let digits =
            digits.find(|c: char| !c.is_ascii_digit()).map_or(digits, |end| digits.split_at(end).0);
        let is_only = digits.len() == count && !digits.starts_with('0') && !digits.is_empty();
        let is_more = value.contains(['.', ',']) || value.ends_with(['k', 'K', 'm', 'M']);
        let is_less = value.starts_with('-');
        match is_only && !is_more && !is_less {
            true => Some((fact, self.write(digits))),
            false => Some((fact, self.a_number())),
        }
    }

    fn a_number(&self) -> String {
        let is_quota = self.heading == "modules" || self.key.starts_with("modules.");
        let or = if is_quota { ", or \"unlimited\"" } else { "" };
        format!("write a whole number, such as {} = 10{or}", self.key)
    }

    /// Detects mistakes in a value without quotes, brackets or braces.
    fn bare(&self) -> Option<Slip> {
        let (value, key) = (self.value, &self.key);
        let written = shown(value).into_owned();
        let without =
            |what: &str, hint: String| Some((format!("the {what} {written} needs quotes"), hint));
        let days = Day::written_otherwise(value).filter(|_| {
            // A release `10.1.12` is not a day.
            self.is_time || self.wants == Wants::Unknown && value.len() >= 8
        });
        if let Some(days) = days {
            let days = days.replace(" or ", "\" or \"");
            return without("day", self.write(&format!("\"{days}\"")));
        }
        if is_like_a_day(value) && self.wants != Wants::Text || self.is_time && is_like_a_day(value)
        {
            return without("day", self.write(&format!("\"{written}\"")));
        }
        if self.is_time && value.bytes().all(|b| b.is_ascii_digit()) {
            let fact = format!("{written} is neither a day nor a span");
            let is_count = value.len() < 4 && !value.starts_with('0');
            let span = if is_count { value } else { "365" };
            let day = "or a day such as \"2027-12-31\"";
            return Some((fact, format!("write {key} = \"{span} days\", {day}")));
        }
        let is_number = value.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        if self.wants == Wants::List {
            let is = if is_number { "a number" } else { "not a list" };
            return Some(self.wrong_kind(is, self.write(&list_of(value))));
        }
        if self.wants == Wants::Text && (is_number || ["true", "false"].contains(&value)) {
            return without("text", self.write(&format!("\"{written}\"")));
        }
        if is_grouped(value) {
            return Some(self.grouped(value));
        }
        if let Some(slip) = self.truth_word() {
            return Some(slip);
        }
        if self.wants == Wants::Truth && !["true", "false"].contains(&value) {
            let fact = format!("{written} is neither true nor false");
            return Some((fact, self.a_truth(value)));
        }
        if value.bytes().all(|b| b.is_ascii_digit()) && value.starts_with('0') && value.len() > 1 {
            return Some(self.leading_zero(value));
        }
        if let Some(digits) = value.strip_suffix('%') {
            let fact = format!("{written} is not a number in TOML");
            return Some((fact, self.write(digits.trim_end())));
        }
        let is_word = value.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_known = ["true", "false", "inf", "nan"].contains(&value);
        let has_letters = value.contains(|c: char| c.is_ascii_alphabetic() && !"eExob".contains(c));
        if (is_word && !is_known) || (is_number && has_letters) {
            return without("text", self.write(&format!("\"{written}\"")));
        }
        None
    }

    fn leading_zero(&self, value: &str) -> Slip {
        let digits = value.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        (format!("the number {} starts with a zero", shown(value)), self.write(digits))
    }

    fn grouped(&self, value: &str) -> Slip {
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        let fact = format!("the number {} has other characters between its digits", shown(value));
        (fact, self.write(&digits))
    }

    /// Detects misspelled booleans: `True`, `yes`, `off`.
    fn truth_word(&self) -> Option<Slip> {
        let (value, written) = (self.value, shown(self.value).into_owned());
        let lower = value.to_lowercase();
        if ["true", "false"].contains(&lower.as_str()) && lower != value {
            let fact = format!("{written} must be in lower case");
            return Some((fact, self.write(&lower)));
        }
        let word = ["yes", "on", "no", "off"].contains(&lower.as_str());
        let right = truth(value).filter(|_| word)?;
        let fact = format!("{written} is neither true nor false");
        let or = if self.wants == Wants::Unknown { ", or a text in quotes" } else { "" };
        Some((fact, format!("{}{or}", self.write(right))))
    }

    fn a_truth(&self, text: &str) -> String {
        let either = || format!("{} or {} = false", self.write("true"), self.key);
        truth(text).map_or_else(either, |right| self.write(right))
    }
}

/// Contents of a quoted text, if the value is exactly one quoted text.
fn quoted(value: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| {
        let inside = value.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inside.contains(quote)).then_some(inside)
    })
}

fn truth(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some("true"),
        "false" | "no" | "off" | "0" => Some("false"),
        _ => None,
    }
}

/// True if the value looks like a number in TOML syntax.
fn is_number(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c))
        && value.bytes().all(|b| b.is_ascii_hexdigit() || b"xob_+-.e".contains(&b))
}

/// Splits a list as a person may write it, with or without brackets, quotes and commas.
fn entries(list: &str) -> Vec<&str> {
    let list = list.trim().trim_matches(['[', ']', '{', '}', '(', ')']);
    let (mut entries, mut rest) = (Vec::new(), list.trim_start());
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => {
                rest.get(1..).and_then(|inside| inside.find(first)).map(|at| at.saturating_add(2))
            }
            _ => rest.find([',', ';', ' ', '\t', '"']).filter(|end| *end > 0),
        };
        let (entry, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
        entries.push(entry);
        rest = after.trim_start_matches([',', ';', ' ', '\t']);
        if after.len() == rest.len() && entry.is_empty() {
            break;
        }
    }
    entries.retain(|entry| !entry.is_empty());
    entries
}

/// Formats a list as TOML. The list may be written in every way that `entries` reads.
pub(super) fn list_of(list: &str) -> String {
    let text = |entry: &str| {
        let entry = shown(entry.trim_matches(['"', '\''])).into_owned();
        format!("\"{entry}\"")
    };
    let entries = entries(list);
    // One pair of quotes around several entries, separated by commas.
    let texts: Vec<_> = match entries.as_slice() {
        [only] if only.contains([',', ';']) => {
            let inside = only.trim_matches(['"', '\'']);
            inside.split([',', ';']).map(str::trim).filter(|e| !e.is_empty()).map(text).collect()
        }
        entries => entries.iter().map(|entry| text(entry)).collect(),
    };
    format!("[{}]", texts.join(", "))
}

/// True if the value looks like a day in either order, optionally followed by a time.
fn is_like_a_day(value: &str) -> bool {
    let day = value.split(['T', ' ']).next().unwrap_or_default();
    let mut parts = day.split(['-', '/']);
    let is_part = |part: &str| {
        (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    parts.by_ref().take(3).filter(|part| is_part(part)).count() == 3 && parts.next().is_none()
}

/// True if the value has digits in groups of three, as people write thousands: `10,000`, `10.000`,
/// `10 000`.
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

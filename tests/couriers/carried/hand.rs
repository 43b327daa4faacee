//! Building blocks of the tables of damage.

use olr_core::armor::armor;

use crate::world::scenario::Scenario;

/// How a text is changed in transit: most couriers deliver UTF-8 text, some deliver other bytes.
#[derive(Clone, Copy)]
pub enum Carry {
    Text(fn(&str) -> String),
    Bytes(fn(&str) -> Vec<u8>),
}

impl Carry {
    pub fn carry(self, text: &str) -> Vec<u8> {
        match self {
            Self::Text(damage) => damage(text).into_bytes(),
            Self::Bytes(damage) => damage(text),
        }
    }
}

/// Puts `mark` before each line.
pub fn prefixed(text: &str, mark: &str) -> String {
    around(text, mark, "")
}

/// Puts text before and after each line.
pub fn around(text: &str, before: &str, after: &str) -> String {
    text.lines().map(|line| format!("{before}{line}{after}\n")).collect()
}

/// The BEGIN line, the data lines and the END line.
pub fn parts(text: &str) -> (&str, Vec<&str>, &str) {
    let lines: Vec<_> = text.lines().collect();
    let [begin, data @ .., end] = lines.as_slice() else { panic!("no armor: {text}") };
    (begin, data.to_vec(), end)
}

/// The armor with other data lines.
pub fn with_data(text: &str, data: &[&str]) -> String {
    let (begin, _, end) = parts(text);
    format!("{begin}\n{}\n{end}\n", data.join("\n"))
}

/// The armor with changed data and unchanged markers.
pub fn in_data(text: &str, change: fn(&str) -> String) -> String {
    let (_, data, _) = parts(text);
    with_data(text, &[change(&data.join("\n")).as_str()])
}

/// Inserts `mark` after every `count` characters of the data.
pub fn every(text: &str, count: usize, mark: &str) -> String {
    let (_, data, _) = parts(text);
    let data = data.concat();
    let pieces: Vec<_> =
        data.as_bytes().chunks(count).map(|p| str::from_utf8(p).unwrap()).collect();
    with_data(text, &[pieces.join(mark).as_str()])
}

/// Rewraps the data to `width` characters.
pub fn wrapped(text: &str, width: usize) -> String {
    every(text, width, "\n")
}

pub fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

/// Percent-encodes every byte that is not unreserved, such as `%2B`.
pub fn percent_encoded(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    text.chars()
        .map(|c| if plain(c) { c.to_string() } else { format!("%{:02X}", u32::from(c)) })
        .collect()
}

/// Shifts each letter by thirteen places.
pub fn rot13(text: &str) -> String {
    let turn =
        |c: char, first: u8| char::from((u8::try_from(c).unwrap() - first + 13) % 26 + first);
    text.chars()
        .map(|c| match c {
            'a'..='z' => turn(c, b'a'),
            'A'..='Z' => turn(c, b'A'),
            _ => c,
        })
        .collect()
}

/// The armor of an artefact that is neither a request nor a license nor a trust, the kinds that the
/// rows are about.
pub fn another_kind() -> String {
    fixture("delegation/good")
}

/// The armor of a fixture.
pub fn fixture(name: &str) -> String {
    let scenario = Scenario::read(name);
    armor(scenario.kind().unwrap(), &scenario.bytes)
}

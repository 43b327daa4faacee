//! Reversal of what couriers do to text. Implements `docs/format.md`, section "Plain
//! characters".

use std::borrow::Cow;

use crate::armor::{armor, mime};
use crate::wire::frame::{Header, MAGIC};

/// `-`, and the dashes that programs use instead: U+2010 to U+2015, the minus sign, and the small
/// and wide forms.
const DASHES: [char; 11] = [
    '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}', '\u{fe58}',
    '\u{fe63}', '\u{ff0d}', '-',
];
/// Tags that a browser shows as a line break. All others are removed.
const BREAKING: [&str; 9] = ["br", "p", "div", "pre", "li", "tr", "td", "blockquote", "body"];
/// Maximum length of an entity, without `&`.
const ENTITY_CAP: usize = 10;

/// Returns the text of `file` with uniform line breaks, spaces and dashes, with entities decoded,
/// and without tags and invisible characters.
pub(super) fn undo(file: &[u8]) -> String {
    undo_text(&characters(file))
}

/// Like [`undo`], for the parts of a mail. A binary artefact is replaced by its armor, or removed
/// if its header is invalid. `None` if the file is not a mail.
pub(super) fn undo_message(file: &[u8]) -> Option<String> {
    let mut text: Option<String> = None;
    mime::parts(file, &mut |part| {
        // One byte may become a character of two bytes.
        let text = text.get_or_insert_with(|| String::with_capacity(file.len().saturating_mul(2)));
        if !part.starts_with(&MAGIC) {
            text.push_str(&characters(part));
        } else if let Ok(kind) = Header::peek(part) {
            text.push_str(&armor(kind, part));
        }
        text.push('\n');
    });
    text.map(|text| undo_text(&text))
}

fn undo_text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let undone = match c {
            '<' => tag(rest),
            '&' => entity(rest),
            '\r' if rest.starts_with("\r\n") => Some((None, 1)),
            _ => None,
        };
        let (c, len) = undone.unwrap_or((Some(c), c.len_utf8()));
        plain.extend(c.and_then(plain_character));
        rest = rest.get(len..).unwrap_or_default();
    }
    plain
}

/// Decodes UTF-16 with a byte order mark, otherwise UTF-8. Invalid bytes are decoded as Latin-1.
fn characters(file: &[u8]) -> Cow<'_, str> {
    if let Some(units) = file.strip_prefix(b"\xff\xfe") {
        return utf16(units, u16::from_le_bytes).into();
    }
    if let Some(units) = file.strip_prefix(b"\xfe\xff") {
        return utf16(units, u16::from_be_bytes).into();
    }
    if let Ok(text) = str::from_utf8(file) {
        return text.into();
    }
    // An invalid byte becomes a character of two bytes. Without this space, the string would have
    // to grow, to twice its size.
    let stray: usize = file.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    let mut text = String::with_capacity(file.len().saturating_add(stray));
    for chunk in file.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(char::from));
    }
    text.into()
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let characters = || {
        let whole = char::decode_utf16(pairs.iter().copied().map(unit));
        whole
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .chain(odd.iter().map(|_| char::REPLACEMENT_CHARACTER))
    };
    let mut text = String::with_capacity(characters().map(char::len_utf8).sum());
    text.extend(characters());
    text
}

/// Replaces a character with the plain one that looks the same. `None` for an invisible character.
fn plain_character(c: char) -> Option<char> {
    match c {
        '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        ' ' | '\t' | '\u{a0}' | '\u{202f}' => Some(' '),
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => None,
        _ if DASHES.contains(&c) => Some('-'),
        _ => Some(c),
    }
}

/// Reads a tag at the start of `text`. Returns its replacement and its length. A tag must end on
/// the line on which it starts.
fn tag(text: &str) -> Option<(Option<char>, usize)> {
    let inside = text.strip_prefix('<')?;
    let end = inside.find(['<', '>', '\r', '\n'])?;
    let (inside, after) = inside.split_at_checked(end)?;
    if !after.starts_with('>') {
        return None;
    }
    let name = inside.strip_prefix('/').unwrap_or(inside);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
        return None;
    }
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let breaks = BREAKING.iter().any(|tag| tag.eq_ignore_ascii_case(name));
    Some((breaks.then_some('\n'), end.saturating_add(2)))
}

/// Reads an entity at the start of `text`. Returns its character and its length.
fn entity(text: &str) -> Option<(Option<char>, usize)> {
    let inside = text.strip_prefix('&')?;
    let end = inside.bytes().take(ENTITY_CAP).position(|byte| byte == b';')?;
    let name = inside.get(..end)?;
    let c = match name.strip_prefix('#') {
        Some(number) => numeric(number)?,
        None => named(name)?,
    };
    Some((Some(c), end.saturating_add(2)))
}

fn numeric(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None; // a sign, which `from_str_radix` would accept
    }
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "shy" => '\u{ad}',
        "zwnj" => '\u{200c}',
        "zwj" => '\u{200d}',
        "ndash" => '\u{2013}',
        "mdash" => '\u{2014}',
        "minus" => '\u{2212}',
        "plus" => '+',
        "equals" => '=',
        "sol" => '/',
        _ => return None,
    })
}

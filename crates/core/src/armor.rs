//! Armor: the text form of a binary artefact. Implements `docs/format.md`, sections "Armor" and
//! "Reading armor".
//!
//! A tolerant finder undoes the changes that couriers make to text; a strict decoder reads the
//! blocks that it finds.

use base64::{DecodeError, Engine as _, engine::general_purpose::STANDARD};
use std::borrow::Cow;

use crate::error::{Error, Refusal, Result};
use crate::wire::frame::{FILE_CAP, FRAME_CAP, Header, Kind, MAGIC, with_article};

mod courier;
mod foreign;

pub use foreign::Foreign;
mod mime;

/// Maximum number of blocks in one file, complete or not.
pub const BLOCKS_CAP: usize = 64;
/// Length of a written line in characters. Readers accept any length.
const LINE: usize = 64;
/// Maximum number of base64 characters in a block: enough for a whole frame.
const SYMBOLS_CAP: usize = FRAME_CAP.div_ceil(3) * 4;

/// Returns the text form of `bytes`, an artefact of the kind `kind`.
pub fn armor(kind: Kind, bytes: &[u8]) -> String {
    let symbols = STANDARD.encode(bytes);
    let mut text = format!("-----BEGIN OLR {}-----\n", label(kind));
    let mut rest = symbols.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END OLR {}-----\n", label(kind)));
    text
}

/// Returns the binary artefact in `file`, which may be armored or binary.
///
/// If there are several blocks, returns the one of the kind `wanted`; without `wanted` there must
/// be only one artefact. If `file` is binary, the result may be of another kind, which the caller's
/// parser checks.
///
/// # Errors
/// `malformed`: `file` is empty or too long, or contains too many blocks, no artefact, a damaged
/// one, or two different ones; `wrong-kind`: it contains blocks, but none of the kind `wanted`.
pub fn dearmor(wanted: Option<Kind>, file: &[u8]) -> Result<Cow<'_, [u8]>> {
    if file.len() > FILE_CAP {
        return Err(malformed("file", &format!("{} bytes, more than {FILE_CAP}", file.len()))
            .rule("armor-1"));
    }
    if file.is_empty() {
        return Err(malformed("file", "it is empty").rule("armor-1"));
    }
    if file.starts_with(&MAGIC) {
        return Ok(Cow::Borrowed(file));
    }
    if let Some((kind, bytes)) = as_written(file)
        && wanted.is_none_or(|wanted| wanted == kind)
    {
        debug_assert_eq!(rescue(wanted, file).ok().as_ref(), Some(&bytes));
        return Ok(Cow::Owned(bytes));
    }
    rescue(wanted, file).map(Cow::Owned)
}

/// Decodes a file that is exactly what [`armor`] writes, apart from the length of its lines. Most
/// files arrive like this and do not need the finder. Returns `None` for any other file.
fn as_written(file: &[u8]) -> Option<(Kind, Vec<u8>)> {
    let text = str::from_utf8(file).ok()?.strip_prefix("-----BEGIN OLR ")?;
    let (kind, text) = read_label(text)?;
    let end = format!("-----END OLR {}-----\n", label(kind));
    let symbols = text.strip_prefix("-----\n")?.strip_suffix(&end)?;
    let base64: Vec<u8> = symbols.bytes().filter(|byte| *byte != b'\n').collect();
    let bytes = STANDARD.decode(base64).ok().filter(|bytes| bytes.len() <= FRAME_CAP)?;
    Header::peek(&bytes).is_ok_and(|inside| inside == kind).then_some((kind, bytes))
}

/// Finds the artefact in a text that was changed in transit, or says what is wrong with the text.
fn rescue(wanted: Option<Kind>, file: &[u8]) -> Result<Vec<u8>> {
    let text = plain(file)?;
    let blocks = find(&text)?;
    if blocks.is_empty() {
        return Err(foreign::refuse(file).rule("armor-2"));
    }
    let mut taken: Option<(Kind, Vec<u8>)> = None;
    for block in blocks.iter().filter(|block| wanted.is_none_or(|wanted| wanted == block.kind)) {
        let found = (block.kind, block.decode(&text)?);
        match &taken {
            Some(earlier) if *earlier != found => return Err(ambiguous(earlier.0, found.0)),
            _ => taken = Some(found),
        }
    }
    match (taken, wanted) {
        (Some((_, bytes)), _) => Ok(bytes),
        (None, Some(wanted)) => Err(none_of(wanted, &blocks)),
        (None, None) => Err(foreign::refuse(file).rule("armor-2")),
    }
}

/// Recognizes a file from another program by its first bytes. For files that are too long to read.
pub fn foreign(start: &[u8]) -> Option<Foreign> {
    foreign::named(start)
}

/// Returns the text of a file in plain characters. For a mail with a block in one of its parts,
/// returns the text of the parts.
fn plain(file: &[u8]) -> Result<String> {
    if let Some(text) = courier::undo_message(file)
        && !find(&text)?.is_empty()
    {
        return Ok(text);
    }
    Ok(courier::undo(file))
}

/// Returns the binary artefact in a file that a server imports. A mail may quote the request: if
/// the text contains a license block, complete or not, blocks of other kinds are ignored.
/// Otherwise, any kind is accepted.
///
/// # Errors
/// `malformed`, in the same cases as [`dearmor`].
pub fn dearmor_answer(file: &[u8]) -> Result<Cow<'_, [u8]>> {
    match dearmor(Some(Kind::License), file) {
        Err(error) if error.refusal() == Some(Refusal::WrongKind) => dearmor(None, file),
        answer => answer,
    }
}

/// The text between two markers, or what is wrong with them.
struct Block<'a> {
    kind: Kind,
    /// Position of the first marker in the text.
    at: usize,
    symbols: Result<&'a str, String>,
}

impl Block<'_> {
    /// The strict decoder: skips blanks, line breaks and quote marks, and otherwise accepts only
    /// base64 in its canonical form.
    fn decode(&self, text: &str) -> Result<Vec<u8>> {
        let fault = |at, rule, problem: &str| {
            malformed(&format!("{} block, line {}", self.kind, line(text, at)), problem).rule(rule)
        };
        let broken = |problem: &String| fault(self.at, "armor-5", problem);
        let symbols = self.symbols.as_ref().map_err(broken)?;
        let start = offset(text, symbols);
        let end = start.saturating_add(symbols.trim_end_matches([' ', '\n', '>', '|']).len());
        let base64 = strip(symbols)
            .map_err(|(at, rule, problem)| fault(start.saturating_add(at), rule, &problem))?;
        let bytes = STANDARD.decode(base64).map_err(|error| {
            let (rule, problem) = describe(&error);
            fault(end, rule, problem)
        })?;
        if bytes.len() > FRAME_CAP {
            return Err(fault(end, "armor-10", &too_long()));
        }
        match Header::peek(&bytes) {
            Ok(inside) if inside != self.kind => {
                let problem = format!("the label says {}, the content is a {inside}", self.kind);
                Err(fault(self.at, "armor-11", &problem))
            }
            // Other faults of the header are reported by the parser of the artefact.
            _ => Ok(bytes),
        }
    }
}

/// Returns the base64 characters of a block, without spaces, line breaks and quote marks. At the
/// first fault, returns its position, the rule that is broken, and the reason.
fn strip(symbols: &str) -> Result<Vec<u8>, (usize, &'static str, String)> {
    let mut base64 = Vec::new();
    let mut line_start = false;
    let mut padded = false;
    for (at, c) in symbols.char_indices() {
        match c {
            '\n' => line_start = true,
            ' ' => {}
            '>' | '|' if line_start => {}
            'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '/' | '=' => {
                if padded && c != '=' {
                    return Err((at, "armor-8", "data after the padding".into()));
                }
                if base64.len() >= SYMBOLS_CAP {
                    return Err((at, "armor-10", too_long()));
                }
                (line_start, padded) = (false, c == '=');
                base64.extend(u8::try_from(c));
            }
            _ => {
                let problem = format!("unexpected character '{}'", c.escape_default());
                return Err((at, "armor-7", problem));
            }
        }
    }
    Ok(base64)
}

fn too_long() -> String {
    format!("more than {FRAME_CAP} bytes")
}

/// Returns the rule that is broken and our own text for it, because the text of the decoder is not
/// meant for users.
fn describe(error: &DecodeError) -> (&'static str, &'static str) {
    match error {
        DecodeError::InvalidLastSymbol { .. } => {
            ("armor-9", "the last character was changed: its unused bits are not zero")
        }
        _ => ("armor-8", "wrong or missing padding: characters were lost or added"),
    }
}

/// The tolerant finder: returns the blocks in `text` in order, including broken ones.
fn find(text: &str) -> Result<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut open: Option<Marker> = None;
    for marker in text.match_indices("OLR").filter_map(|(at, word)| Marker::at(text, at, word)) {
        match (marker.edge, open.take()) {
            (Edge::Begin, before) => {
                blocks.extend(before.map(Marker::cut_off));
                open = Some(marker);
            }
            (Edge::End, None) => blocks.push(marker.broken("the BEGIN line is missing")),
            (Edge::End, Some(begin)) => blocks.extend(between(text, begin, marker)),
        }
        if blocks.len() > BLOCKS_CAP {
            break; // keeps a file of many markers cheap
        }
    }
    blocks.extend(open.map(Marker::cut_off));
    if blocks.len() > BLOCKS_CAP {
        return Err(malformed("file", &format!("more than {BLOCKS_CAP} blocks")).rule("armor-3"));
    }
    Ok(blocks)
}

/// Returns the block between two markers. If their labels differ, returns a broken block of each
/// kind.
fn between(text: &str, begin: Marker, end: Marker) -> Vec<Block<'_>> {
    if begin.kind != end.kind {
        let labels = (label(begin.kind), label(end.kind));
        let problem = format!("the BEGIN line says {}, the END line says {}", labels.0, labels.1);
        return vec![begin.broken(&problem), end.broken(&problem)];
    }
    let symbols = text.get(begin.after..end.start).unwrap_or_default();
    let symbols = symbols.trim_matches([' ', '-']);
    vec![Block { kind: begin.kind, at: begin.start, symbols: Ok(symbols) }]
}

#[derive(Clone, Copy)]
enum Edge {
    Begin,
    End,
}

/// `BEGIN OLR <LABEL>` or `END OLR <LABEL>`. The dashes around it are ignored.
struct Marker {
    edge: Edge,
    kind: Kind,
    start: usize,
    after: usize,
}

impl Marker {
    /// Returns the marker around the `word` OLR at `at`, if there is one.
    fn at(text: &str, at: usize, word: &str) -> Option<Self> {
        let (head, tail) = text.split_at_checked(at)?;
        let tail = tail.strip_prefix(word)?.strip_prefix(' ')?;
        let head = head.strip_suffix(' ')?.trim_end_matches(' ');
        let (edge, head) = match head.strip_suffix("BEGIN") {
            Some(head) => (Edge::Begin, head),
            None => (Edge::End, head.strip_suffix("END")?),
        };
        let (kind, tail) = read_label(tail.trim_start_matches(' '))?;
        let letter = |c: char| c.is_ascii_alphanumeric();
        if head.ends_with(letter) || tail.starts_with(letter) {
            return None; // "SEND OLR REQUESTS"
        }
        Some(Self { edge, kind, start: head.len(), after: text.len().saturating_sub(tail.len()) })
    }

    fn broken<'a>(self, problem: &str) -> Block<'a> {
        Block { kind: self.kind, at: self.start, symbols: Err(problem.into()) }
    }

    fn cut_off<'a>(self) -> Block<'a> {
        self.broken("the END line is missing: the file is truncated")
    }
}

/// Splits a label from the start of `text`.
fn read_label(text: &str) -> Option<(Kind, &str)> {
    Kind::ALL.iter().find_map(|kind| {
        let mut rest = text;
        for (n, word) in label(*kind).split(' ').enumerate() {
            if n > 0 {
                rest = rest.strip_prefix(' ')?.trim_start_matches(' ');
            }
            rest = rest.strip_prefix(word)?;
        }
        Some((*kind, rest))
    })
}

fn label(kind: Kind) -> String {
    kind.word().to_ascii_uppercase()
}

/// Position of `part` in `text`. `part` must be a slice of it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// Line number of position `at`, from 1.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

fn malformed(place: &str, problem: &str) -> Error {
    Error::refuse(Refusal::Malformed, format!("{place}: {problem}"))
}

fn ambiguous(one: Kind, other: Kind) -> Error {
    let fact = if one == other {
        format!("this file contains two different {one} blocks")
    } else {
        format!("this file contains {} and {}", with_article(one), with_article(other))
    };
    Error::refuse(Refusal::Malformed, fact)
        .hint("split the file: one block in each file")
        .rule("armor-6")
}

fn none_of(wanted: Kind, blocks: &[Block<'_>]) -> Error {
    let found: Vec<_> = Kind::ALL
        .iter()
        .filter(|kind| blocks.iter().any(|block| block.kind == **kind))
        .map(|kind| with_article(*kind))
        .collect();
    let fact =
        format!("this is {}, but {} was expected", found.join(" and "), with_article(wanted));
    Error::refuse(Refusal::WrongKind, fact).rule("armor-4")
}

//! Armor must survive what couriers do to text: every change that the format declares meaningless.

use super::value::Source;
use olr_core::armor::{armor, dearmor};
use olr_core::wire::frame::{FILE_CAP, FRAME_CAP, Header, Kind};

/// Number of changes to one text. A change whose `act` is 0 does nothing.
const DAMAGES: usize = 4;
const DASHES: &str = "\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{fe58}\u{fe63}";
const INVISIBLE: &str = "\u{ad}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}";
const BLANKS: &str = " \t\u{a0}\u{202f}";
const BREAKS: [&str; 8] = ["\n", "\r\n", "\r", "\u{85}", "\u{2028}", "<br/>", "</p>", "&#10;"];
const TAGS: [&str; 4] = ["<b>", "</SPAN>", "<!-- here -->", "<a href=\"x\">"];

/// A text as a list of units: characters, or the tags and entities that replace some of them.
type Text = Vec<String>;

/// Input: one byte chooses the label and the encoding; then come the changes, three bytes each; the
/// rest is the artefact.
pub fn courier(bytes: &[u8]) {
    let mut from = Source(bytes);
    let form = usize::from(from.byte());
    let kind = Kind::ALL[form / 3 % Kind::ALL.len()];
    let mut damages = [(); DAMAGES].map(|()| [from.byte(), from.byte(), from.byte()]);
    let artefact = from.0;
    if artefact.len() > FRAME_CAP {
        return;
    }
    let kind = Header::peek(artefact).unwrap_or(kind);
    let text = armor(kind, artefact);
    let end = text.rfind("-----END").unwrap();
    let [head, block] = [&text[..text.find('\n').unwrap()], &text[text.find('\n').unwrap()..end]];
    let mut parts = [head, block, &text[end..]].map(characters);
    // Join lines before quoting them, and surround everything with prose last.
    damages.sort_by_key(|[act, ..]| act % 11);
    for damage in damages {
        harm(&mut parts, &text, damage);
    }
    let couriered = parts.concat().concat();
    let file = match form % 3 {
        0 => couriered.clone().into_bytes(),
        1 => utf16(&couriered),
        _ => latin1(&couriered),
    };
    if file.len() <= FILE_CAP {
        assert_eq!(*dearmor(Some(kind), &file).unwrap(), *artefact, "{couriered}");
        assert_eq!(*dearmor(None, &file).unwrap(), *artefact, "{couriered}");
    }
}

fn harm(parts: &mut [Text; 3], whole: &str, [act, part, at]: [u8; 3]) {
    let by = usize::from(at);
    let place = |text: &Text| usize::from(u16::from_le_bytes([at, part])) % (text.len() + 1);
    let one = |of: &str| of.chars().nth(by % of.chars().count()).unwrap().to_string();
    let block = &mut parts[1];
    let middle = place(block);
    match act % 11 {
        0 => {}
        1 => block.retain(|c| c != "\n"),
        2 => block.insert(middle, BREAKS[by % BREAKS.len()].to_string()),
        3 => each_break(parts, |_| BREAKS[by % 5].to_string()),
        4 => each_break(parts, |line_break| format!("{line_break}{line_break}")),
        5 => each_break(parts, |line_break| one(BLANKS) + line_break + &one(BLANKS)),
        6 => each_break(parts, |line_break| format!("{line_break}{}", ["> ", ">> ", "| "][by % 3])),
        7 => each(parts, "-", |_| one(DASHES)),
        8 => {
            let text = &mut parts[usize::from(part) % 3];
            let nothing = if by % 2 == 0 { one(INVISIBLE) } else { TAGS[by / 2 % 4].to_string() };
            text.insert(by % (text.len() + 1), nothing);
        }
        9 => {
            let text = &mut parts[usize::from(part) % 3];
            let at = by % text.len().max(1);
            if let Some(c) = text.get_mut(at)
                && let [Some(only), None] = [c.chars().next(), c.chars().nth(1)]
            {
                *c = entity(only, by / 16);
            }
        }
        _ if by % 2 == 0 => parts[2].extend(characters(whole)),
        _ => {
            parts[0].insert(0, "As we said on the phone,\nit is 3 < 4 & so on:\n\n".to_string());
            parts[2].push("\n-- \nthe office &c. >\n".to_string());
        }
    }
}

fn each_break(parts: &mut [Text; 3], by: impl Fn(&str) -> String) {
    for line_break in &BREAKS[..5] {
        each(parts, line_break, &by);
    }
}

/// Replaces every unit that equals `this`.
fn each(parts: &mut [Text; 3], this: &str, by: impl Fn(&str) -> String) {
    parts.iter_mut().flatten().filter(|c| *c == this).for_each(|c| *c = by(c));
}

fn characters(text: &str) -> Text {
    text.chars().map(String::from).collect()
}

fn entity(c: char, form: usize) -> String {
    let number = u32::from(c);
    match (c, form % 3) {
        ('+', 2) => "&plus;".to_string(),
        ('=', 2) => "&equals;".to_string(),
        ('/', 2) => "&sol;".to_string(),
        (_, 0) => format!("&#{number};"),
        _ => format!("&#x{number:x};"),
    }
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// The text after a greeting that contains one byte of invalid UTF-8.
fn latin1(text: &str) -> Vec<u8> {
    [b"Ren\xe9 wrote:\n", text.as_bytes()].concat()
}

//! Explanation of differences between texts that look the same.

use crate::display::shown;

/// How much of two texts may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The code points that differ.
    Whole,
    /// Only code points that are unusual in a license key. For all others, only the position.
    Masked,
}

/// Describes the first difference between two texts if people may overlook it, such as spaces and
/// invisible characters, the case of a letter, letters of different alphabets, composed and
/// decomposed letters, `0` and `O`.
/// Returns `None` if the texts are equal or the difference is obvious.
///
/// Each text comes with a description of its source: `("the request", "ACME\u{a0}Ltd")`.
pub fn difference(one: (&str, &str), other: (&str, &str), shows: Shows) -> Option<String> {
    let both = || one.1.chars().zip(other.1.chars());
    let at = both().position(|(a, b)| a != b).unwrap_or_else(|| both().count());
    let (a, b) = (one.1.chars().nth(at), other.1.chars().nth(at));
    let goes_on = || {
        let mut rest = one.1.chars().skip(at).chain(other.1.chars().skip(at));
        (a.is_none() || b.is_none()) && rest.any(|c| c.is_alphanumeric())
    };
    if a == b || !is_overlooked(a, b) || goes_on() {
        return None;
    }
    let number = at.saturating_add(1);
    if shows == Shows::Masked && [a, b].into_iter().flatten().all(|c| c.is_ascii_graphic()) {
        return Some(format!("they differ from character {number} on"));
    }
    let has = |text: &str| described(text, at, shows);
    Some(format!(
        "at character {number} {} has {}, {} has {}",
        one.0,
        has(one.1),
        other.0,
        has(other.1)
    ))
}

/// True if people may overlook that these two characters differ. Other differences between ASCII
/// characters are obvious.
fn is_overlooked(a: Option<char>, b: Option<char>) -> bool {
    const ALIKE: [&str; 6] = ["Il1|!", "O0oQD", "S5", "B8", "Z2", "'`"];
    match (a, b) {
        (Some(a), Some(b)) if a.is_ascii_graphic() && b.is_ascii_graphic() => {
            a.eq_ignore_ascii_case(&b)
                || ALIKE.iter().any(|alike| alike.contains(a) && alike.contains(b))
        }
        _ => true,
    }
}

/// Describes the code point at `at`, with up to two of its combining marks.
fn described(text: &str, at: usize, shows: Shows) -> String {
    let mut rest = text.chars().skip(at);
    let Some(first) = rest.next() else { return "no more characters".to_string() };
    if shows == Shows::Masked && first.is_ascii_graphic() {
        return "a different character".to_string();
    }
    let marks = rest.take_while(|c| is_combining(*c)).take(2);
    let all: Vec<_> = [first].into_iter().chain(marks).map(code_point).collect();
    all.join(" + ")
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}' | '\u{20d0}'..='\u{20ff}')
}

/// Returns the number of a code point and its name: `U+00A0 NO-BREAK SPACE`. For a code point whose
/// name is not known here, returns the character itself or a description instead of the name.
pub fn code_point(c: char) -> String {
    let number = format!("U+{:04X}", u32::from(c));
    let name = match c {
        'a'..='z' => format!("LATIN SMALL LETTER {}", c.to_ascii_uppercase()),
        'A'..='Z' => format!("LATIN CAPITAL LETTER {c}"),
        '0'..='9' => format!("DIGIT {c}"),
        _ => match NAMES.iter().find(|(named, _)| *named == c) {
            Some((_, name)) => (*name).to_string(),
            None => in_block(c),
        },
    };
    if name.is_empty() { number } else { format!("{number} {name}") }
}

/// Returns the character itself, with its alphabet or block if that is known here. For a combining
/// mark or an invisible character, returns only a description.
fn in_block(c: char) -> String {
    let block = match c {
        '\u{300}'..='\u{36f}' => return "a combining mark".to_string(),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => "Greek",
        '\u{400}'..='\u{52f}' => "Cyrillic",
        '\u{530}'..='\u{58f}' => "Armenian",
        '\u{13a0}'..='\u{13ff}' => "Cherokee",
        '\u{1d400}'..='\u{1d7ff}' => "mathematical",
        '\u{ff01}'..='\u{ff5e}' => "full width",
        _ => "",
    };
    let itself = shown(c.encode_utf8(&mut [0; 4])).into_owned();
    match (itself.starts_with('\\') && c != '\\', block) {
        (true, _) => "(invisible)".to_string(),
        (false, "") => format!("'{itself}'"),
        (false, block) => format!("'{itself}' ({block})"),
    }
}

/// Names of characters that are invisible, or easily mistaken for others.
const NAMES: &[(char, &str)] = &[
    ('\t', "TAB"),
    ('\n', "LINE FEED"),
    ('\r', "CARRIAGE RETURN"),
    (' ', "SPACE"),
    ('\'', "APOSTROPHE"),
    ('"', "QUOTATION MARK"),
    ('-', "HYPHEN-MINUS"),
    ('\u{85}', "NEXT LINE"),
    ('\u{a0}', "NO-BREAK SPACE"),
    ('\u{ad}', "SOFT HYPHEN"),
    ('\u{300}', "COMBINING GRAVE ACCENT"),
    ('\u{301}', "COMBINING ACUTE ACCENT"),
    ('\u{302}', "COMBINING CIRCUMFLEX ACCENT"),
    ('\u{303}', "COMBINING TILDE"),
    ('\u{308}', "COMBINING DIAERESIS"),
    ('\u{30a}', "COMBINING RING ABOVE"),
    ('\u{30c}', "COMBINING CARON"),
    ('\u{327}', "COMBINING CEDILLA"),
    ('\u{34f}', "COMBINING GRAPHEME JOINER"),
    ('\u{1680}', "OGHAM SPACE MARK"),
    ('\u{2000}', "EN QUAD"),
    ('\u{2001}', "EM QUAD"),
    ('\u{2002}', "EN SPACE"),
    ('\u{2003}', "EM SPACE"),
    ('\u{2004}', "THREE-PER-EM SPACE"),
    ('\u{2005}', "FOUR-PER-EM SPACE"),
    ('\u{2006}', "SIX-PER-EM SPACE"),
    ('\u{2007}', "FIGURE SPACE"),
    ('\u{2008}', "PUNCTUATION SPACE"),
    ('\u{2009}', "THIN SPACE"),
    ('\u{200a}', "HAIR SPACE"),
    ('\u{200b}', "ZERO WIDTH SPACE"),
    ('\u{200c}', "ZERO WIDTH NON-JOINER"),
    ('\u{200d}', "ZERO WIDTH JOINER"),
    ('\u{200e}', "LEFT-TO-RIGHT MARK"),
    ('\u{200f}', "RIGHT-TO-LEFT MARK"),
    ('\u{2010}', "HYPHEN"),
    ('\u{2011}', "NON-BREAKING HYPHEN"),
    ('\u{2012}', "FIGURE DASH"),
    ('\u{2013}', "EN DASH"),
    ('\u{2014}', "EM DASH"),
    ('\u{2015}', "HORIZONTAL BAR"),
    ('\u{2018}', "LEFT SINGLE QUOTATION MARK"),
    ('\u{2019}', "RIGHT SINGLE QUOTATION MARK"),
    ('\u{201c}', "LEFT DOUBLE QUOTATION MARK"),
    ('\u{201d}', "RIGHT DOUBLE QUOTATION MARK"),
    ('\u{2028}', "LINE SEPARATOR"),
    ('\u{2029}', "PARAGRAPH SEPARATOR"),
    ('\u{202f}', "NARROW NO-BREAK SPACE"),
    ('\u{205f}', "MEDIUM MATHEMATICAL SPACE"),
    ('\u{2060}', "WORD JOINER"),
    ('\u{2212}', "MINUS SIGN"),
    ('\u{3000}', "IDEOGRAPHIC SPACE"),
    ('\u{feff}', "ZERO WIDTH NO-BREAK SPACE (a byte order mark)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn told(one: &str, other: &str) -> Option<String> {
        difference(("the request", one), ("the grant", other), Shows::Whole)
    }

    #[test]
    fn what_looks_alike_is_told_apart_by_the_first_code_point() {
        for (one, other, says) in [
            (
                "ACME\u{a0}Ltd",
                "ACME Ltd",
                "at character 5 the request has U+00A0 NO-BREAK SPACE, the grant has U+0020 SPACE",
            ),
            (
                "ACME Ltd",
                "ACME  Ltd",
                "at character 6 the request has U+004C LATIN CAPITAL LETTER L, the grant has U+0020 SPACE",
            ),
            (
                "ACME Ltd ",
                "ACME Ltd",
                "at character 9 the request has U+0020 SPACE, the grant has no more characters",
            ),
            (
                "\u{feff}ACME",
                "ACME",
                "at character 1 the request has U+FEFF ZERO WIDTH NO-BREAK SPACE (a byte order mark), the grant has U+0041 LATIN CAPITAL LETTER A",
            ),
            (
                "\u{410}CME",
                "ACME",
                "at character 1 the request has U+0410 'А' (Cyrillic), the grant has U+0041 LATIN CAPITAL LETTER A",
            ),
            (
                "Cafe\u{301}",
                "Café",
                "at character 4 the request has U+0065 LATIN SMALL LETTER E + U+0301 COMBINING ACUTE ACCENT, the grant has U+00E9 'é'",
            ),
            (
                "AC\u{200b}ME",
                "ACME",
                "at character 3 the request has U+200B ZERO WIDTH SPACE, the grant has U+004D LATIN CAPITAL LETTER M",
            ),
            (
                "AC\u{e0041}ME",
                "ACME",
                "at character 3 the request has U+E0041 (invisible), the grant has U+004D LATIN CAPITAL LETTER M",
            ),
            (
                "Acme",
                "ACME",
                "at character 2 the request has U+0063 LATIN SMALL LETTER C, the grant has U+0043 LATIN CAPITAL LETTER C",
            ),
            (
                "R0SE",
                "ROSE",
                "at character 2 the request has U+0030 DIGIT 0, the grant has U+004F LATIN CAPITAL LETTER O",
            ),
            (
                "A\u{2013}B",
                "A-B",
                "at character 2 the request has U+2013 EN DASH, the grant has U+002D HYPHEN-MINUS",
            ),
        ] {
            assert_eq!(told(one, other).as_deref(), Some(says), "{one:?} {other:?}");
            assert!(told(other, one).is_some(), "{one:?} {other:?}");
        }
    }

    #[test]
    fn what_is_plain_to_see_is_not_explained() {
        for (one, other) in
            [("ACME", "Globex"), ("ACME", "ACME Ltd"), ("", ""), ("é", "é"), ("", "A")]
        {
            assert_eq!(told(one, other), None);
            assert_eq!(told(other, one), None);
        }
    }

    #[test]
    fn a_key_is_told_apart_without_a_character_of_it() {
        let masked = |one, other| difference(("a", one), ("b", other), Shows::Masked);
        let said = masked("AbCd-I234", "AbCd-1234").unwrap();
        assert_eq!(said, "they differ from character 6 on");
        let said = masked("AbCd\u{2013}1234", "AbCd-1234").unwrap();
        assert_eq!(said, "at character 5 a has U+2013 EN DASH, b has a different character");
        let said = masked("AbCd-1234 ", "AbCd-1234").unwrap();
        assert_eq!(said, "at character 10 a has U+0020 SPACE, b has no more characters");
    }
}

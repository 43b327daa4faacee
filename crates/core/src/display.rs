//! Codes, and names from files, in a form that is safe to show to people. See `docs/format.md`,
//! section "Vendor code".

use data_encoding::BASE32_NOPAD;
use std::borrow::Cow;

mod alike;
pub use alike::{Shows, code_point, difference};

/// Length of a code in characters: 60 bits in base32.
const CODE_LEN: usize = 12;
/// Length of a whole code in characters: 256 bits in base32.
const WHOLE_LEN: usize = 52;
/// Length of a group of a code in characters.
const GROUP: usize = 4;

/// Returns `text` on one line. Escapes every character that could hide, reorder or fake what is
/// shown: it is written like `\u{202e}`.
///
/// For people only: the result cannot be converted back, because a `\` in the text is not escaped.
///
/// ```
/// # mod olr { pub use olr_core::{display::shown}; }
/// use olr::shown;
///
/// assert_eq!(shown("ACME Ltd"), "ACME Ltd");
/// assert!(!shown("ACME\u{1b}[2J").contains('\u{1b}'));
/// ```
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_shown(c) {
            escaped.push(c);
        } else {
            escaped.extend(c.escape_unicode());
        }
    }
    Cow::Owned(escaped)
}

/// True if `c` is shown without escaping.
pub fn is_shown(c: char) -> bool {
    !is_control(c) && !is_invisible(c) && !is_meaningless(c)
}

/// C0, DEL, C1, line and paragraph separators, and characters that reorder text or control its
/// layout.
fn is_control(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200e}'..='\u{200f}' // directional marks
        | '\u{2028}'..='\u{202e}' // separators, embeddings, overrides
        | '\u{2060}'..='\u{206f}' // joiner, isolates, deprecated controls
        | '\u{fff0}'..='\u{fffb}' // interlinear annotation
        | '\u{13430}'..='\u{1345f}' // Egyptian
        | '\u{1bca0}'..='\u{1bca3}' // shorthand
        | '\u{1d173}'..='\u{1d17a}' // musical
    )
}

/// Characters without width, and characters that look like a space but are not one.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' // soft hyphen, grapheme joiner
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}' | '\u{17b5}' // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}' // Mongolian selectors and separator
        | '\u{200b}'..='\u{200d}' | '\u{feff}' // zero width
        | '\u{fe00}'..='\u{fe0f}' // variation selectors
        | '\u{e0000}'..='\u{e0fff}' // tags, more selectors
    )
}

/// Noncharacters and private-use characters, which may look different on every machine.
fn is_meaningless(c: char) -> bool {
    let number = u32::from(c);
    number & 0xfffe == 0xfffe
        || matches!(number, 0xfdd0..=0xfdef | 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff)
}

/// Returns `text` as [`shown`] does, in lines of at most `columns` columns, broken at spaces where
/// possible. Counts two columns for every character that is not ASCII.
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let wide = |c: char| if c.is_ascii() { 1 } else { 2usize };
    let (mut lines, mut line, mut width) = (Vec::new(), String::new(), 0usize);
    for word in shown(text).split_inclusive(' ') {
        let needed: usize = word.trim_end().chars().map(wide).sum();
        if width > 0 && width.saturating_add(needed) > columns {
            lines.push(std::mem::take(&mut line));
            width = 0;
        }
        for c in word.chars() {
            if width > 0 && width.saturating_add(wide(c)) > columns && c != ' ' {
                lines.push(std::mem::take(&mut line));
                width = 0;
            }
            line.push(c);
            width = width.saturating_add(wide(c));
        }
    }
    lines.push(line);
    lines.iter().map(|line| line.trim_end().to_string()).collect()
}

/// Joins names for a hint, at most the first dozen.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let first: Vec<_> = names.by_ref().take(12).collect();
    match (first.is_empty(), names.count()) {
        (true, _) => "none".to_string(),
        (false, 0) => first.join(", "),
        (false, more) => format!("{} and {more} more", first.join(", ")),
    }
}

/// Returns the code of a digest, for people to compare by phone: its first 60 bits, like
/// `ABCD-EFGH-IJKL`.
///
/// `digest` should have at least 8 bytes, which contain these 60 bits. Fewer than 7 bytes give a
/// shorter code, which never equals a parsed one.
pub fn code(digest: &[u8]) -> String {
    grouped(BASE32_NOPAD.encode(digest).chars().take(CODE_LEN))
}

/// Returns the whole digest of 32 bytes in the alphabet of [`code`]: 52 characters, for programs.
pub fn whole_code(digest: &[u8; 32]) -> String {
    BASE32_NOPAD.encode(digest)
}

/// Parses a code that somebody typed. Returns it in the form of [`code`], or `None` if it is not
/// one.
///
/// Ignores case, spaces and dashes of any kind.
pub fn parse_code(text: &str) -> Option<String> {
    parse_symbols(text, CODE_LEN).map(|code| grouped(code.chars()))
}

/// Parses a whole code that somebody typed. Returns it in the form of [`whole_code`], or `None`.
pub fn parse_whole_code(text: &str) -> Option<String> {
    parse_symbols(text, WHOLE_LEN)
}

fn parse_symbols(text: &str, len: usize) -> Option<String> {
    let mut symbols = String::with_capacity(len);
    for c in text.chars().filter(|c| !is_separator(*c)) {
        let c = c.to_ascii_uppercase();
        if symbols.len() >= len || !matches!(c, 'A'..='Z' | '2'..='7') {
            return None;
        }
        symbols.push(c);
    }
    (symbols.len() == len).then_some(symbols)
}

/// Explains why `text` is not a code of 12 characters (nor, if `may_be_whole`, a whole code of 52):
/// because of a character that no code contains, or because of its length. Returns the reason, and
/// what to do.
pub fn code_fault(text: &str, may_be_whole: bool) -> (String, String) {
    let symbols: Vec<char> = text.chars().filter(|c| !is_separator(*c)).collect();
    let is_symbol = |c: &char| matches!(c.to_ascii_uppercase(), 'A'..='Z' | '2'..='7');
    let whole = if may_be_whole { ", a whole code 52" } else { "" };
    let Some(wrong) = symbols.iter().copied().find(|c| !is_symbol(c)) else {
        let count = match symbols.len() {
            0 => "none".to_string(),
            count => count.to_string(),
        };
        let fact = format!("a code has 12 letters and digits{whole}; this one has {count}");
        return (fact, "write it like ABCD-EFGH-IJKL".to_string());
    };
    let meant: &[char] = match wrong {
        '0' => &['O'],
        '1' => &['I', 'L'],
        '8' => &['B'],
        '9' => &['G'],
        _ => &[],
    };
    let named = if wrong.is_ascii_graphic() { wrong.to_string() } else { code_point(wrong) };
    let fact = format!("a code never contains the character {named}: only A to Z and 2 to 7");
    let right = |letter: &char| {
        let right = text.replace(wrong, &letter.to_string()).to_ascii_uppercase();
        parse_code(&right).or_else(|| parse_whole_code(&right).filter(|_| may_be_whole))
    };
    let codes: Vec<_> = meant.iter().filter_map(right).collect();
    let letters: Vec<_> = meant.iter().map(char::to_string).collect();
    let hint = match (letters.as_slice(), codes.as_slice()) {
        ([], _) => "read the code again; it looks like ABCD-EFGH-IJKL".to_string(),
        (_, []) => format!("read it again: {named} is probably a misread {}", letters.join(" or ")),
        _ => {
            format!("it is probably a misread {}: try {}", letters.join(" or "), codes.join(" or "))
        }
    };
    (fact, hint)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn grouped(symbols: impl Iterator<Item = char>) -> String {
    let mut grouped = String::new();
    for (n, symbol) in symbols.enumerate() {
        if n > 0 && n.is_multiple_of(GROUP) {
            grouped.push('-');
        }
        grouped.push(symbol);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::RangeInclusive;

    /// Written independently of the code above: every range that must never be shown unescaped.
    const DANGEROUS: &[RangeInclusive<u32>] = &[
        0..=0x1f,
        0x7f..=0x9f,
        0xad..=0xad,
        0x34f..=0x34f,
        0x61c..=0x61c,
        0x115f..=0x1160,
        0x17b4..=0x17b5,
        0x180b..=0x180f,
        0x200b..=0x200f,
        0x2028..=0x202e,
        0x2060..=0x206f,
        0x3164..=0x3164,
        0xe000..=0xf8ff,
        0xfdd0..=0xfdef,
        0xfe00..=0xfe0f,
        0xfeff..=0xfeff,
        0xffa0..=0xffa0,
        0xfff0..=0xfffb,
        0x13430..=0x1345f,
        0x1bca0..=0x1bca3,
        0x1d173..=0x1d17a,
        0xe0000..=0xe0fff,
        0xf0000..=0x10ffff,
    ];

    #[test]
    fn lines_are_broken_at_blanks_and_fit_in_their_columns() {
        for (text, columns, lines) in [
            ("", 5, &[""][..]),
            ("a b", 3, &["a b"]),
            ("one two three", 7, &["one two", "three"]),
            ("one two three", 8, &["one two", "three"]),
            ("abcdefgh", 3, &["abc", "def", "gh"]),
            ("a abcdefgh b", 4, &["a", "abcd", "efgh", "b"]),
            ("漢字漢字", 4, &["漢字", "漢字"]),
            ("漢", 1, &["漢"]),
            ("a\u{202e}b", 20, &["a\\u{202e}b"]),
            ("ab", 0, &["a", "b"]),
        ] {
            assert_eq!(wrapped(text, columns), lines, "{text} in {columns}");
        }
        let long = "a grace of 14 days, then it stops ".repeat(20);
        let lines = wrapped(&long, 17);
        assert!(lines.iter().all(|line| line.len() <= 17), "{lines:?}");
        assert_eq!(lines.join(" ").trim_end(), long.trim_end());
    }

    #[test]
    fn every_code_point_is_shown_or_escaped() {
        let mut seen = 0;
        for c in '\0'..=char::MAX {
            let number = u32::from(c);
            let dangerous = DANGEROUS.iter().any(|range| range.contains(&number))
                || matches!(number & 0xffff, 0xfffe | 0xffff);
            assert_eq!(is_shown(c), !dangerous, "U+{number:04X}");
            assert!(!c.is_control() || dangerous, "U+{number:04X}");
            let expected = if dangerous { format!("\\u{{{number:x}}}") } else { c.to_string() };
            assert_eq!(shown(c.encode_utf8(&mut [0; 4])), expected);
            seen += 1;
        }
        assert_eq!(seen, 0x11_0000 - 0x800);
    }

    #[test]
    fn names_of_people_and_firms_pass() {
        for name in [
            "ACME Ltd",
            "Zoë & Søn",
            "Γεωργία",
            "東京株式会社",
            "Кирилл",
            "日本 🚀",
            "שלום",
            "a\\b",
        ] {
            assert!(matches!(shown(name), Cow::Borrowed(text) if text == name), "{name}");
        }
    }

    #[test]
    fn tricks_are_seen() {
        assert_eq!(shown("ACME\u{202e}dtL"), "ACME\\u{202e}dtL");
        assert_eq!(shown("a\nb\r\u{2028}\u{85}c"), "a\\u{a}b\\u{d}\\u{2028}\\u{85}c");
        assert_eq!(shown("\u{1b}[2J"), "\\u{1b}[2J");
    }

    #[test]
    fn hints_name_a_dozen() {
        let names: Vec<_> = (0..14).map(|n| n.to_string()).collect();
        assert_eq!(listed(names.iter().map(String::as_str).take(2)), "0, 1");
        assert!(listed(names.iter().map(String::as_str)).ends_with("10, 11 and 2 more"));
        assert_eq!(listed([]), "none");
    }

    #[test]
    fn a_code_is_the_first_sixty_bits() {
        assert_eq!(code(&[0; 32]), "AAAA-AAAA-AAAA");
        assert_eq!(code(&[0xff; 8]), "7777-7777-7777");
        // RFC 4648, section 10: "foobar" is MZXW6YTBOI.
        assert_eq!(code(b"foobarfoobar"), "MZXW-6YTB-OJTG");
        assert_eq!(code(b"\0\0\0\0\0\0\0\x0f"), "AAAA-AAAA-AAAA", "bits 61 to 64 do not count");
        assert_eq!(code(b"\0\0\0\0\0\0\0\x10"), "AAAA-AAAA-AAAB");
    }

    #[test]
    fn a_whole_code_is_all_bits() {
        let digest = [0xff; 32];
        let whole = whole_code(&digest);
        assert_eq!((whole.len(), &whole[48..]), (52, "777Q"));
        let typed = format!(" {}-{} ", whole[..26].to_lowercase(), &whole[26..]);
        assert_eq!(parse_whole_code(&typed), Some(whole.clone()));
        for text in [&whole[..51], &format!("{whole}A"), &whole.replace('Q', "1"), ""] {
            assert_eq!(parse_whole_code(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_character_that_no_code_has_is_named() {
        for (typed, fact, hint) in [
            ("S2PM-WQNJ-2R40", "the character 0:", "misread O: try S2PM-WQNJ-2R4O"),
            ("s2pm wqnj 2r40", "the character 0:", "try S2PM-WQNJ-2R4O"),
            (
                "S1PM-WQNJ-2R4A",
                "the character 1:",
                "misread I or L: try SIPM-WQNJ-2R4A or SLPM-WQNJ-2R4A",
            ),
            ("82PM-WQNJ-2R4A", "the character 8:", "try B2PM-WQNJ-2R4A"),
            ("92PM-WQNJ-2R4A", "the character 9:", "try G2PM-WQNJ-2R4A"),
            ("80PM-WQNJ-2R4A", "the character 8:", "8 is probably a misread B"),
            ("S2PM_WQNJ_2R4A", "the character _:", "read the code again"),
            ("S2PM-WQNJ-2R4\u{41e}", "U+041E", "read the code again"),
            ("S2PM-WQNJ-2R4", "this one has 11", "write it like"),
            ("", "this one has none", "write it like"),
        ] {
            let (said, step) = code_fault(typed, true);
            assert!(said.contains(fact) && step.contains(hint), "{typed}: {said}; {step}");
        }
        let whole = whole_code(&[0xff; 32]).replacen('7', "0", 1);
        let (_, step) = code_fault(&whole, true);
        assert!(step.contains(&format!("try O{}", &whole[1..])), "{step}");
        assert!(!code_fault(&whole, false).1.contains("try "));
    }

    #[test]
    fn typed_codes_become_canonical() {
        let typed = [
            "MZXW-6YTB-OJTG",
            "mzxw6ytbojtg",
            " mzxw 6ytb\tojtg\n",
            "MZXW\u{2013}6ytb\u{2014}OJTG",
            "m-z-x-w-6-y-t-b-o-j-t-g-",
            "MZXW\u{a0}6YTB\u{2212}OJTG",
        ];
        for text in typed {
            assert_eq!(parse_code(text).as_deref(), Some("MZXW-6YTB-OJTG"), "{text:?}");
        }
        for text in [
            "",
            "-",
            "MZXW-6YTB-OJT",
            "MZXW-6YTB-OJTGA",
            "MZXW-6YTB-OJT1",
            "MZXW-6YTB-OJT=",
            "MZXW_6YTB_OJTG",
            "mzxw-6ytb-ojtſ",
            "MZXW-6YTB-OJT\u{200b}",
        ] {
            assert_eq!(parse_code(text), None, "{text:?}");
        }
    }
}

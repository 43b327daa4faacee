//! Armor: what couriers do to a file is undone, and damage is refused.

use olr_core::armor::{BLOCKS_CAP, armor, dearmor};
use olr_core::error::{Error, Refusal};
use olr_core::wire::frame::{FILE_CAP, FRAME_CAP, Header, Kind};
use std::borrow::Cow;

/// The header of an artefact, followed by `len` bytes. Any 256 of these bytes in a row are all
/// different.
fn artefact(kind: Kind, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    Header::write(kind, &mut bytes);
    bytes.extend((0_u8..=255).cycle().map(|n| n.wrapping_mul(167).wrapping_add(91)).take(len));
    bytes
}

/// An artefact whose base64 contains `+` and a long run of `/`, and ends with two padding
/// characters.
fn request() -> Vec<u8> {
    let mut bytes = artefact(Kind::Request, 192);
    bytes.extend([0xfb, 0xef, 0xbe].repeat(20));
    bytes.extend([0xff; 44]);
    assert_eq!(bytes.len() % 3, 0);
    bytes.push(7);
    bytes
}

fn license() -> Vec<u8> {
    artefact(Kind::License, 100)
}

fn read(wanted: Option<Kind>, text: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
    dearmor(wanted, text.as_ref()).map(Cow::into_owned)
}

#[track_caller]
fn refused(wanted: Option<Kind>, text: impl AsRef<[u8]>, word: Refusal, fact: &str) {
    let Err(error) = read(wanted, text) else { panic!("accepted, but: {fact}") };
    assert_eq!(error.refusal(), Some(word), "{error}");
    assert!(error.fact().contains(fact), "{:?} does not say {fact:?}", error.fact());
}

fn utf16(text: &str, bom: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let bom = if bom { "\u{feff}" } else { "" };
    bom.encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[test]
fn every_length_and_kind_comes_back() {
    for kind in Kind::ALL.iter().copied() {
        for len in 0_usize..200 {
            for bytes in [artefact(kind, len), vec![0xa5; len]] {
                let text = armor(kind, &bytes);
                assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 64), "{text}");
                assert!(text.ends_with("-----\n"));
                assert_eq!(read(None, &text).as_ref(), Ok(&bytes), "{kind} {len}");
                assert_eq!(read(Some(kind), &text).as_ref(), Ok(&bytes), "{kind} {len}");
            }
        }
    }
}

#[test]
fn the_form_as_written() {
    let text = armor(Kind::KeyFile, &[0; 49]);
    let expected = format!(
        "-----BEGIN OLR KEY FILE-----\n{}\nAA==\n-----END OLR KEY FILE-----\n",
        "A".repeat(64)
    );
    assert_eq!(text, expected);
}

#[test]
fn binary_is_returned_as_it_is() {
    let bytes = request();
    assert!(matches!(dearmor(None, &bytes), Ok(Cow::Borrowed(same)) if same == bytes));
    assert_eq!(read(Some(Kind::License), &bytes), Ok(bytes), "the parser says wrong-kind");
}

#[test]
fn the_largest_frame_fits_in_every_encoding() {
    let bytes = artefact(Kind::License, FRAME_CAP - 7);
    let text = armor(Kind::License, &bytes);
    assert_eq!(read(None, &text), Ok(bytes.clone()));
    assert_eq!(read(None, utf16(&text, true, u16::to_le_bytes)), Ok(bytes));
    let over = armor(Kind::License, &artefact(Kind::License, FRAME_CAP - 6));
    refused(None, over, Refusal::Malformed, "more than 262144 bytes");
    let over = armor(Kind::License, &artefact(Kind::License, FRAME_CAP + 100));
    refused(None, over, Refusal::Malformed, "more than 262144 bytes");
}

type Courier = (&'static str, fn(&str) -> String);

/// What mail programs, messengers, editors and portals do to text in transit.
const COURIERS: &[Courier] = &[
    ("unchanged", str::to_string),
    ("CRLF", |t| t.replace('\n', "\r\n")),
    ("CR", |t| t.replace('\n', "\r")),
    ("CR CR LF", |t| t.replace('\n', "\r\r\n")),
    ("line separators", |t| t.replace('\n', "\u{2028}")),
    ("no last line break", |t| t.trim_end().to_string()),
    ("a blank line after each line", |t| t.replace('\n', "\n\n")),
    ("UTF-8 byte order mark", |t| format!("\u{feff}{t}")),
    ("quoted", |t| prefix(t, "> ")),
    ("quoted three times", |t| prefix(t, "> >> ")),
    ("quoted with bars", |t| prefix(t, "| ")),
    ("quoted without a space", |t| prefix(t, ">>")),
    ("quoted and indented", |t| prefix(t, "\t > ")),
    ("indented with tabs", |t| prefix(t, "\t\t")),
    ("indented with no-break spaces", |t| prefix(t, "\u{a0}\u{202f}")),
    ("spaces at line ends", |t| t.replace('\n', "   \n")),
    ("lines of 19", |t| rewrap(t, 19)),
    ("one long line of data", |t| rewrap(t, 100_000)),
    ("all on one line", |t| t.replace('\n', " ")),
    ("all on one line without spaces", |t| t.replace('\n', "")),
    ("all on one line without dashes", |t| t.replace('\n', " ").replace("-----", "")),
    ("no dashes", |t| t.replace("-----", "")),
    ("no dashes before the markers", |t| t.replace("\n-----", "\n").replace("-----BEGIN", "BEGIN")),
    ("three dashes", |t| t.replace("-----", "---")),
    ("nine dashes between spaces", |t| t.replace("-----", " --------- ")),
    ("em dashes", |t| t.replace("--", "\u{2014}")),
    ("en dashes", |t| t.replace("-----", "\u{2013}\u{2013}-")),
    ("minus signs", |t| t.replace('-', "\u{2212}")),
    ("hyphens", |t| t.replace("-----", "\u{2010}\u{2011}\u{2012}\u{2015}")),
    ("wide spaces in markers", |t| t.replace(" OLR ", "  \u{a0}OLR\t ")),
    ("zero-width spaces", |t| every(t, 7, "\u{200b}")),
    ("soft hyphens", |t| every(t, 5, "\u{ad}")),
    ("joiners", |t| every(t, 11, "\u{200c}\u{200d}\u{2060}\u{feff}")),
    ("a space every 10 characters of data", |t| rewrap(t, 10).replace("\n", " \n ")),
    ("inside a mail", |t| format!("Hello <b@example.com>,\n& here:\n\n{t}\n-- \nBob > all\n")),
    ("a code fence", |t| format!("```\n{t}```\n")),
    ("bold", |t| format!("**{}**", t.trim_end())),
    ("entities for marks", |t| {
        t.replace('+', "&#43;").replace('/', "&#x2F;").replace('=', "&#61;")
    }),
    ("entities of HTML 5", |t| {
        t.replace('+', "&plus;").replace('=', "&equals;").replace('/', "&sol;")
    }),
    ("entities for dashes", |t| t.replace('-', "&#45;").replace('+', "&#x2b;")),
    ("entities for quoting", |t| prefix(t, "&gt;&nbsp;")),
    ("long dashes as entities", |t| t.replace("--", "&mdash;").replace('-', "&ndash;")),
    ("entities without width", |t| every(t, 13, "&shy;&zwnj;&zwj;&#8203;")),
    ("pre", |t| format!("<html><body>\n<pre class=\"x\">{t}</pre></body></html>")),
    ("br", |t| t.replace('\n', "<br>")),
    ("br as in XHTML", |t| t.replace('\n', "<br />\r\n")),
    ("paragraphs", |t| t.lines().map(|l| format!("<p>{l}</p>")).collect()),
    ("divs and spans", |t| {
        t.lines().map(|l| format!("<DIV><span style='x'>{l}</span></DIV>\n")).collect()
    }),
    ("break opportunities", |t| every(t, 17, "<wbr>")),
    ("a page with a comment", |t| format!("<!DOCTYPE html><!-- mail --><div>{t}</div>")),
    ("quoted in HTML", |t| t.replace('\n', "<br>&gt; ")),
    ("sent twice", |t| format!("{t}\n{}", prefix(t, "> "))),
];

fn prefix(text: &str, mark: &str) -> String {
    text.lines().map(|line| format!("{mark}{line}\n")).collect()
}

fn every(text: &str, n: usize, what: &str) -> String {
    let parts: Vec<String> =
        text.chars().collect::<Vec<_>>().chunks(n).map(|part| part.iter().collect()).collect();
    parts.join(what)
}

fn rewrap(text: &str, width: usize) -> String {
    let (begin, rest) = text.split_once('\n').unwrap();
    let (data, end) = rest.trim_end().rsplit_once('\n').unwrap();
    format!("{begin}\n{}\n{end}\n", every(&data.replace('\n', ""), width, "\n"))
}

#[test]
fn couriers_are_undone() {
    assert!(COURIERS.len() >= 50);
    let bytes = request();
    let text = armor(Kind::Request, &bytes);
    assert!(["+", "/", "=="].iter().all(|mark| text.contains(mark)));
    for (name, courier) in COURIERS {
        let carried = courier(&text);
        assert_eq!(read(None, &carried).as_ref(), Ok(&bytes), "{name}:\n{carried}");
        assert_eq!(read(Some(Kind::Request), &carried).as_ref(), Ok(&bytes), "{name}");
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            assert_eq!(read(None, utf16(&carried, true, unit)).as_ref(), Ok(&bytes), "{name}");
        }
    }
}

#[test]
fn couriers_may_follow_one_another() {
    let bytes = request();
    for (first, one) in COURIERS {
        for (then, other) in [COURIERS[1], COURIERS[8], COURIERS[30], COURIERS[34]] {
            let carried = other(&one(&armor(Kind::Request, &bytes)));
            let splits_entities = first.contains("entities") || first.contains("dashes as");
            let splits_tags = carried.contains('<') && then == "zero-width spaces";
            if then == "zero-width spaces" && (splits_entities || splits_tags) {
                continue; // no mail program inserts these inside a tag or an entity
            }
            if then == "quoted" && *first == "quoted in HTML" {
                continue;
            }
            assert_eq!(read(None, &carried).as_ref(), Ok(&bytes), "{first}, {then}:\n{carried}");
        }
    }
}

#[test]
fn latin_1_around_and_within() {
    let bytes = request();
    let mut file = b"Gr\xfc\xdfe\n".to_vec();
    let text = prefix(&armor(Kind::Request, &bytes), "@");
    file.extend(text.bytes().map(|byte| if byte == b'@' { 0xa0 } else { byte }));
    assert_eq!(read(None, file), Ok(bytes));
}

#[test]
fn of_several_blocks_the_wanted_one_is_taken() {
    let (request, license) = (request(), license());
    let asked = armor(Kind::Request, &request);
    let mail = format!("{}\n{}", armor(Kind::License, &license), prefix(&asked, "> "));
    assert_eq!(read(Some(Kind::License), &mail), Ok(license.clone()));
    assert_eq!(read(Some(Kind::Request), &mail), Ok(request.clone()));
    refused(None, &mail, Refusal::Malformed, "this file contains a license and a request");
    refused(Some(Kind::Trust), &mail, Refusal::WrongKind, "a request and a license, but a trust");
    // The quoted request is cut off, which must not affect the license.
    let mail =
        format!("{}\n> -----BEGIN OLR REQUEST-----\n> [...]", armor(Kind::License, &license));
    assert_eq!(read(Some(Kind::License), &mail), Ok(license.clone()));
    refused(Some(Kind::Request), &mail, Refusal::Malformed, "the END line is missing");
    let mail = format!("-----BEGIN OLR REQUEST-----\nabcd\n{}", armor(Kind::License, &license));
    assert_eq!(read(Some(Kind::License), mail), Ok(license));
}

#[test]
fn prose_is_no_marker() {
    let text = armor(Kind::Request, &request());
    let mail =
        format!("PLEASE SEND OLR LICENSE\nBEGIN OLR LICENSES\nBEGIN OLR\nbegin olr time\n{text}");
    assert_eq!(read(None, mail), Ok(request()));
}

/// Damage to a complete request, and text of the refusal.
const DAMAGE: &[(Courier, &str)] = &[
    (("cut before END", |t| t.split("-----END").next().unwrap().into()), "the END line is missing"),
    (("cut in a line", |t| t.chars().take(200).collect()), "line 1: the END line is missing"),
    (("no BEGIN line", |t| t.split_once('\n').unwrap().1.into()), "the BEGIN line is missing"),
    (
        ("another END", |t| t.replace("END OLR REQUEST", "END OLR TIME")),
        "the BEGIN line says REQUEST, the END line says TIME",
    ),
    (
        ("END misspelled", |t| t.replace("END OLR REQUEST", "END OLR REQEST")),
        "the END line is missing",
    ),
    (("no padding", |t| t.replace("==", "")), "padding"),
    (("half of the padding", |t| t.replace("==", "=")), "padding"),
    (("too much padding", |t| t.replace("==", "===")), "padding"),
    (("only padding", |_| block("====")), "padding"),
    (
        ("trailing bits", |t| t.replace("Bw==", "Bx==")),
        "request block, line 8: the last character was changed",
    ),
    (("data after padding", |t| t.replace("==", "==AAAA")), "line 8: data after the padding"),
    (("two blocks run together", |t| t.replace("==\n", "==\niU9M\n")), "line 9: data after"),
    (("base64url -", |t| t.replace('+', "-")), "unexpected character '-'"),
    (("base64url _", |t| t.replace('/', "_")), "unexpected character '_'"),
    (("a letter lost", |t| t.replacen("U9", "U", 1)), "padding"),
    (("a letter added", |t| t.replacen("U9", "U9x", 1)), "padding"),
    (("a comment", |t| t.replacen('\n', "\nComment: x\n", 1)), "line 2: unexpected character ':'"),
    (("quote mark inside", |t| t.replacen("U9", "U>9", 1)), "line 2: unexpected character '>'"),
    (("asterisk", |t| t.replacen("U9", "U*9", 1)), "unexpected character '*'"),
    (("quoted-printable", |t| t.replace("==", "=3D=3D")), "data after the padding"),
    (("control character", |t| t.replacen("U9", "U\u{1}9", 1)), "unexpected character '\\u{1}'"),
    (("NUL", |t| t.replacen("U9", "U\u{0}9", 1)), "unexpected character '\\u{0}'"),
    (
        ("right-to-left override", |t| t.replacen("U9", "U\u{202e}9", 1)),
        "unexpected character '\\u{202e}'",
    ),
    (
        ("full-width letter", |t| t.replacen("U9", "\u{ff34}9", 1)),
        "unexpected character '\\u{ff34}'",
    ),
    (("Cyrillic letter", |t| t.replacen("U9", "\u{422}9", 1)), "unexpected character '\\u{422}'"),
    (("ellipsis", |t| t.replacen("U9", "\u{2026}9", 1)), "unexpected character '\\u{2026}'"),
    (("entity unknown", |t| t.replacen("U9", "U&copy;9", 1)), "unexpected character '&'"),
    (("entity unfinished", |t| t.replace('+', "&#43")), "unexpected character '&'"),
    (("entity with a sign", |t| t.replace('+', "&#+43;")), "unexpected character '&'"),
    (("entity of no character", |t| t.replace('+', "&#xd800;")), "unexpected character '&'"),
    (("escaped twice", |t| t.replace('+', "&amp;#43;")), "unexpected character '&'"),
    (("an open tag", |t| t.replacen("U9", "U<b9", 1)), "unexpected character '<'"),
    (
        ("label changed", |t| t.replace("REQUEST", "LICENSE")),
        "label says license, the content is a request",
    ),
    (("two that differ", |t| format!("{t}{}", block("AAAA"))), "two different request blocks"),
    (
        ("two blocks, one cut off", |t| format!("{t}-----BEGIN OLR REQUEST-----\nabcd\n")),
        "the END line is missing",
    ),
    (
        ("BEGIN twice", |t| format!("-----BEGIN OLR REQUEST-----\n{t}")),
        "line 1: the END line is missing",
    ),
    (
        ("END twice", |t| format!("{t}-----END OLR REQUEST-----\n")),
        "line 10: the BEGIN line is missing",
    ),
    (
        ("a block of another kind", |t| format!("{t}{}", armor(Kind::Timestamp, b"x"))),
        "a request and a time",
    ),
    (("65 times", |t| t.repeat(65)), "more than 64 blocks"),
    (("lower case", |t| t.to_lowercase()), "this is not an olr file"),
    (("markers gone", |t| t.replace("OLR", "")), "this is not an olr file"),
    (("another program's", |t| t.replace("OLR", "PGP")), "this is not an olr file"),
    (("unknown label", |t| t.replace("REQUEST", "WISH")), "this is not an olr file"),
    (("blanks only", |_| " \r\n\t\n".into()), "only blanks"),
    (("byte order mark only", |_| "\u{feff}".into()), "this is "),
    (("empty", |_| String::new()), "it is empty"),
    (("more than the largest file", |t| t.repeat(FILE_CAP / t.len() + 1)), "more than 1048576"),
];

fn block(data: &str) -> String {
    format!("-----BEGIN OLR REQUEST-----\n{data}\n-----END OLR REQUEST-----\n")
}

#[test]
fn damage_is_refused() {
    assert!(DAMAGE.len() >= 45);
    let text = armor(Kind::Request, &request());
    for ((name, damage), fact) in DAMAGE {
        let damaged = damage(&text);
        assert_ne!(damaged, text, "{name} changes nothing");
        let Err(error) = read(None, &damaged) else { panic!("{name} is accepted") };
        assert_eq!(error.refusal(), Some(Refusal::Malformed), "{name}: {error}");
        assert!(error.fact().contains(fact), "{name}: {:?} does not say {fact:?}", error.fact());
    }
}

#[test]
fn damage_in_other_encodings() {
    let text = armor(Kind::Request, &request());
    let mut odd = utf16(&text, true, u16::to_le_bytes);
    odd.remove(201);
    refused(None, odd, Refusal::Malformed, "the END line is missing");
    let mut surrogate = utf16(&text, true, u16::to_be_bytes);
    surrogate[100] = 0xd8;
    refused(None, surrogate, Refusal::Malformed, "unexpected character '\\u{fffd}'");
    let unmarked = utf16(&text, false, u16::to_le_bytes);
    refused(None, unmarked, Refusal::Malformed, "this is not an olr file");
    let mut stray = text.into_bytes();
    stray[60] = 0xff;
    refused(None, stray, Refusal::Malformed, "line 2: unexpected character '\\u{ff}'");
    refused(None, [0xff, 0xfe], Refusal::Malformed, "this is not an olr file");
    refused(None, vec![b' '; FILE_CAP + 1], Refusal::Malformed, "1048577 bytes");
}

#[test]
fn the_wanted_kind_must_be_there() {
    let text = armor(Kind::Request, &request());
    let fact = "this is a request, but a license was expected";
    refused(Some(Kind::License), &text, Refusal::WrongKind, fact);
    let crossed = text.replace("END OLR REQUEST", "END OLR LICENSE");
    for wanted in [Kind::Request, Kind::License] {
        refused(Some(wanted), &crossed, Refusal::Malformed, "the END line says LICENSE");
    }
    refused(Some(Kind::License), "hello", Refusal::Malformed, "this is not an olr file");
}

#[test]
fn a_newer_header_is_left_to_the_parser() {
    for (at, byte) in [(4, 2), (5, 9), (6, 77)] {
        let mut bytes = request();
        bytes[at] = byte;
        assert_eq!(read(None, armor(Kind::Request, &bytes)), Ok(bytes));
    }
}

#[test]
fn sixty_four_blocks_and_no_more() {
    let one = armor(Kind::Timestamp, b"x");
    assert_eq!(read(None, one.repeat(BLOCKS_CAP)), Ok(b"x".to_vec()));
    refused(Some(Kind::Request), one.repeat(BLOCKS_CAP + 1), Refusal::Malformed, "blocks");
}

#[test]
fn hostile_repetition_is_read_to_its_end() {
    let parts = [
        "BEGIN OLR ",
        "BEGIN OLR REQUEST ",
        "END OLR TIME\n",
        "OLR ",
        " ",
        "OLR",
        "<",
        "<a",
        "</p ",
        "&",
        "&#",
        "&#x1;",
        "<br>",
        "BEGIN OLR KEY ",
        "-",
        "\r",
        "=",
        "A",
        "BEGIN ",
        "\u{ad}",
        "\u{2014}",
    ];
    for part in parts {
        for (head, tail) in [("", ""), ("BEGIN OLR REQUEST\n", "\nEND OLR REQUEST"), ("<a ", "OLR")]
        {
            let room = FILE_CAP / 16 - head.len() - tail.len();
            let file = format!("{head}{}{tail}", part.repeat(room / part.len()));
            let _ = read(Some(Kind::Request), file);
        }
        let blanks = format!("BEGIN{}OLR ", " ".repeat(1000)).repeat(60);
        let _ = read(None, blanks);
    }
}

#[test]
fn junk_never_panics() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % u64::try_from(below).unwrap()).unwrap()
    };
    let pieces = [
        "BEGIN OLR REQUEST",
        "END OLR REQUEST",
        "END OLR KEY FILE",
        "-----",
        "\n",
        "> ",
        "<",
        ">",
        "&",
        ";",
        "&#",
        "iU9M",
        "=",
        "\u{2014}",
        "é",
        "\u{200b}",
        "<p>",
        "OLR",
        "BEGIN",
        " ",
        "\u{1f680}",
        "\r",
    ];
    let whole = armor(Kind::Request, &request()).into_bytes();
    let mut accepted = 0;
    for round in 0..20_000 {
        let mut file: Vec<u8> = match round % 3 {
            0 => whole.clone(),
            1 => (0..random(40)).flat_map(|_| pieces[random(pieces.len())].bytes()).collect(),
            _ => (0..random(300)).map(|_| u8::try_from(random(256)).unwrap()).collect(),
        };
        if round % 5 == 0 {
            file.splice(0..0, [[0xff, 0xfe], [0xfe, 0xff]][random(2)]);
        }
        for _ in 0..random(4) {
            if !file.is_empty() {
                let at = random(file.len());
                file[at] ^= 1 << random(8);
            }
        }
        for wanted in [None, Some(Kind::Request)] {
            match read(wanted, &file) {
                Ok(_) => accepted += 1,
                Err(error) => assert!(error.refusal().is_some(), "{error:?}"),
            }
        }
    }
    assert!(accepted > 1000, "{accepted}");
}

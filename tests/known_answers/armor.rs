//! The armor cases of the test kit of age, a program that encrypts files, translated to our armor:
//! a real artefact with the same damage. age refuses every deviation from its canonical form; we
//! undo what couriers do, and refuse the rest.

use olr_core::armor::{armor, dearmor};
use olr_core::error::Refusal;
use olr_core::wire::frame::Header;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::world::ask::ask;
use crate::world::scenario::{Scenario, root};
use crate::world::{World, text};

/// Expected result of a translated case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ours {
    /// The exact bytes are recovered.
    Recovered,
    /// The armor is refused, or yields bytes that the artefact's reader refuses.
    Refused(Refusal),
}
use Ours::{Recovered, Refused};

const MALFORMED: Ours = Refused(Refusal::Malformed);

/// Name in the kit, the artefact in place of age's file, the damage to its armor, the expected
/// result.
type Case = (&'static str, fn() -> Scenario, fn(&str) -> String, Ours);

const CASES: [Case; 33] = [
    ("armor_crlf", one_mark, |t| t.replace('\n', "\r\n"), Recovered),
    ("armor_empty", one_mark, |t| format!("{}{}", first_line(t), last_line(t)), MALFORMED),
    ("armor_empty_last_line", no_mark, |t| before_end(t, "\n"), Recovered),
    ("armor_empty_line_begin", one_mark, |t| after_begin(t, "\n"), Recovered),
    ("armor_empty_line_end", one_mark, |t| before_end(t, "\n"), Recovered),
    ("armor_eol_between_padding", two_marks, |t| t.replace("==", "=\n="), Recovered),
    ("armor_full_last_line", no_mark, str::to_string, Recovered),
    ("armor_garbage_encoded", one_mark, |t| encoded(t, |b| [b, &[0; 999]].concat()), MALFORMED),
    ("armor_garbage_leading", one_mark, |t| format!("garbage\n{t}"), Recovered),
    ("armor_garbage_trailing", one_mark, |t| format!("{t}garbage\n"), Recovered),
    ("armor_header_crlf", one_mark, |t| encoded(t, crlf), MALFORMED),
    ("armor_headers", one_mark, |t| after_begin(t, "Headers: are\nNot: allowed\n\n"), MALFORMED),
    ("armor_hybrid", two_signers, str::to_string, Recovered),
    ("armor_invalid_character_header", one_mark, |t| t.replacen("MUg", "M*g", 1), MALFORMED),
    ("armor_invalid_character_payload", one_mark, |t| star_in_last_line(t), MALFORMED),
    ("armor_long_line", one_mark, |t| wrapped(t, usize::MAX), Recovered),
    ("armor_lowercase", one_mark, |t| t.replace("OLR", "olr"), MALFORMED),
    ("armor_no_end_line", one_mark, |t| t.replace(last_line(t), ""), MALFORMED),
    ("armor_no_eol", one_mark, |t| t.trim_end().to_string(), Recovered),
    ("armor_no_match", for_another, str::to_string, Refused(Refusal::WrongVendor)),
    ("armor_no_padding", one_mark, |t| t.replace('=', ""), MALFORMED),
    ("armor_not_canonical", one_mark, |t| next_symbol_before(t, '='), MALFORMED),
    ("armor_pgp_checksum", one_mark, |t| before_end(&after_begin(t, "\n"), "=yjEF\n"), MALFORMED),
    ("armor_scrypt", under_a_passphrase, str::to_string, Recovered),
    ("armor_short_line", one_mark, |t| wrapped(t, 16), Recovered),
    ("armor_whitespace_begin", one_mark, |t| t.replacen("-BEGIN", "- BEGIN", 1), Recovered),
    ("armor_whitespace_end", one_mark, |t| t.replacen("-END", "- END", 1), Recovered),
    ("armor_whitespace_eol", one_mark, |t| after_line(t, 9, " "), Recovered),
    ("armor_whitespace_last_line", one_mark, |t| t.replace("=\n", "= \n"), Recovered),
    (
        "armor_whitespace_line_start",
        one_mark,
        |t| after_line(t, 9, "\n ").replace("\n \n", "\n "),
        Recovered,
    ),
    ("armor_whitespace_outside", one_mark, |t| format!("\n\r   \t\n{t}\n\r   \t\n"), Recovered),
    ("armor_wrong_type", one_mark, |t| t.replace("LICENSE", "MESSAGE"), MALFORMED),
    ("armor_x25519", request, str::to_string, Recovered),
];

/// Cases that age refuses and we recover: couriers cause them, and `docs/format.md` gives them no
/// meaning.
const RECOVERED_BY_RULE: [(&str, &str); 13] = [
    ("armor_empty_last_line", "armor-7: line breaks carry no meaning"),
    ("armor_empty_line_begin", "armor-7: line breaks carry no meaning"),
    ("armor_empty_line_end", "armor-7: line breaks carry no meaning"),
    ("armor_eol_between_padding", "armor-7: line breaks carry no meaning"),
    ("armor_garbage_leading", "Blocks: a block is the text between BEGIN and END"),
    ("armor_garbage_trailing", "Blocks: a block is the text between BEGIN and END"),
    ("armor_long_line", "armor-7: line breaks carry no meaning"),
    ("armor_short_line", "armor-7: line breaks carry no meaning"),
    ("armor_whitespace_begin", "Blocks: blanks and dashes at both ends are left out"),
    ("armor_whitespace_end", "Blocks: blanks and dashes at both ends are left out"),
    ("armor_whitespace_eol", "armor-7: blanks carry no meaning"),
    ("armor_whitespace_last_line", "armor-7: blanks carry no meaning"),
    ("armor_whitespace_line_start", "armor-7: blanks carry no meaning"),
];

/// Number of bytes that one line of 64 symbols encodes.
const LINE: usize = 48;

/// A license whose base64 ends with one `=`.
fn one_mark() -> Scenario {
    license(1)
}

/// A license whose base64 ends with two `=`.
fn two_marks() -> Scenario {
    license(2)
}

/// A license whose last line is full.
fn no_mark() -> Scenario {
    license(0)
}

/// A license that is `missing` bytes short of filling its last line.
fn license(missing: usize) -> Scenario {
    static WORLD: LazyLock<World> = LazyLock::new(World::new);
    let with_note = |length: usize| WORLD.license(|body| body.note = text(&"n".repeat(length)));
    let fills = |bytes: &Vec<u8>| (bytes.len() + missing).is_multiple_of(LINE);
    let bytes = (0..LINE).map(with_note).find(fills).unwrap();
    Scenario { bytes, ..Scenario::read("license/good") }
}

fn two_signers() -> Scenario {
    Scenario::read("license/two-signers")
}

fn under_a_passphrase() -> Scenario {
    Scenario::read("key-file/cheap")
}

fn request() -> Scenario {
    Scenario::read("request/good")
}

fn for_another() -> Scenario {
    Scenario::read("request/other-vendor")
}

fn first_line(text: &str) -> &str {
    text.split_inclusive('\n').next().unwrap()
}

fn last_line(text: &str) -> &str {
    text.split_inclusive('\n').next_back().unwrap()
}

fn after_begin(text: &str, more: &str) -> String {
    text.replacen(first_line(text), &(first_line(text).to_string() + more), 1)
}

fn before_end(text: &str, more: &str) -> String {
    text.replacen(last_line(text), &(more.to_string() + last_line(text)), 1)
}

/// Inserts `more` between the end of line `number` (counted from 1) and its line break.
fn after_line(text: &str, number: usize, more: &str) -> String {
    let line = text.lines().nth(number - 1).unwrap();
    text.replacen(line, &(line.to_string() + more), 1)
}

fn star_in_last_line(text: &str) -> String {
    let last = text.lines().nth_back(1).unwrap();
    text.replacen(last, &format!("*{}", &last[1..]), 1)
}

/// Replaces the symbol before `mark` by the next one of the alphabet, which changes only unused
/// bits.
fn next_symbol_before(text: &str, mark: char) -> String {
    let at = text.find(mark).unwrap() - 1;
    let next = char::from(text.as_bytes()[at] + 1);
    assert!(next.is_ascii_alphanumeric());
    format!("{}{next}{}", &text[..at], &text[at + 1..])
}

fn wrapped(text: &str, width: usize) -> String {
    let symbols: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let lines: Vec<_> =
        symbols.as_bytes().chunks(width).map(|l| str::from_utf8(l).unwrap()).collect();
    format!("{}{}\n{}", first_line(text), lines.join("\n"), last_line(text))
}

/// Encodes changed bytes under the same label.
fn encoded(text: &str, change: fn(&[u8]) -> Vec<u8>) -> String {
    let bytes = dearmor(None, text.as_bytes()).unwrap();
    armor(Header::peek(&bytes).unwrap(), &change(&bytes))
}

/// The damage that a transfer in text mode does to a binary file.
fn crlf(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.contains(&b'\n'));
    bytes
        .iter()
        .flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] })
        .collect()
}

#[test]
fn each_case_is_recovered_exactly_or_refused() {
    let mut damages = 0;
    for (name, artefact, damage, ours) in CASES {
        let scenario = artefact();
        let kind = scenario.kind().unwrap();
        let whole = armor(kind, &scenario.bytes);
        let damaged = damage(&whole);
        damages += usize::from(damaged != whole);
        let answer = ask(&scenario, damaged.as_bytes());
        match ours {
            Recovered => {
                let bytes = dearmor(Some(kind), damaged.as_bytes()).unwrap();
                assert_eq!(*bytes, scenario.bytes, "{name}");
                assert_eq!(answer, None, "{name}");
            }
            Refused(word) => assert_eq!(answer, Some(Some(word)), "{name}:\n{damaged}"),
        }
    }
    assert_eq!(damages, 28, "in the other five cases, another artefact arrives undamaged");
}

#[test]
fn each_file_of_the_kit_has_its_case() {
    let names: BTreeSet<_> = CASES.iter().map(|(name, ..)| (*name).to_string()).collect();
    let files = std::fs::read_dir(root().join("fixtures/kat/armor")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<_> = files.filter(|name| name != "LICENSE").collect();
    assert_eq!(files.len(), 33);
    assert_eq!(names, files);
}

/// We recover every case that age recovers, and a case that age refuses only if a rule permits it.
#[test]
fn no_case_is_recovered_without_a_reason() {
    let (mut both, mut by_rule, mut refused) = (0, 0, 0);
    for (name, _, _, ours) in CASES {
        let file = std::fs::read(root().join("fixtures/kat/armor").join(name)).unwrap();
        let succeeds = file.starts_with(b"expect: success\n");
        let reason = RECOVERED_BY_RULE.iter().find(|(case, _)| *case == name);
        match (succeeds, reason) {
            (true, None) => both += 1,
            (false, Some(_)) => by_rule += 1,
            (false, None) => refused += 1,
            (true, Some(_)) => panic!("{name}: age recovers it too"),
        }
        assert_eq!(ours == Recovered, succeeds || reason.is_some(), "{name}");
    }
    assert_eq!((both, by_rule, refused), (7, 13, 13));
}

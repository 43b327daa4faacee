//! Every code point, in a file name or in an argument: characters that hide, reorder or fake the
//! output are always escaped. `crates/core/src/display.rs` tests which ones those are.
#![cfg(all(feature = "cli", feature = "vendor"))]

use olr_core::armor::{armor, dearmor};
use olr_core::display::is_shown;
use olr_core::error::Refusal;
use olr_core::wire::codec::{BODY_CAP, Text, decode};
use olr_core::wire::frame::Kind;
use olr_office::issue::GrantFile;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::process::{Command, Output, Stdio};

/// Surrogates: code points that are not characters.
const SURROGATES: std::ops::RangeInclusive<u16> = 0xd800..=0xdfff;

fn olr(args: &[&OsStr]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
    command.args(args).stdin(Stdio::null()).env_remove("OLR_HOME").env_remove("OLR_VENDOR");
    command.output().unwrap()
}

/// Returns the output of a run with exit status 2, after checking that it holds only visible
/// characters.
fn says(args: &[&OsStr]) -> String {
    let output = olr(args);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let raw = text.chars().find(|c| !is_shown(*c) && *c != '\n');
    assert_eq!(raw, None, "in {} characters", text.len());
    text
}

/// Returns all characters except NUL, which no argument can hold, in pieces short enough for one.
fn arguments() -> Vec<String> {
    let chars: Vec<_> = ('\u{1}'..=char::MAX).collect();
    chars.chunks(30_000).map(|chunk| chunk.iter().collect()).collect()
}

/// A missing file and an unknown verb, in text and in JSON.
#[test]
fn every_character_in_a_line_and_in_json() {
    let (inspect, json) = (OsStr::new("inspect"), OsStr::new("--json"));
    // Further lines are indented, so that no name can begin a line.
    let begun = |said: String| said.lines().filter(|line| !line.starts_with("  ")).count();
    let harmless = begun(says(&[OsStr::new("xyz")]));
    let mut seen = 0;
    for text in arguments() {
        let file = OsString::from(format!("./{text}"));
        let verb = OsString::from(format!("x{text}"));
        assert_eq!(begun(says(&[inspect, &file])), 2, "the fact and the hint");
        assert_eq!(begun(says(&[&verb])), harmless);
        for args in [vec![inspect, &file, json], vec![&verb, json]] {
            let report: Value = serde_json::from_str(&says(&args)).unwrap();
            assert_eq!(report["state"], "unknown");
        }
        seen += text.chars().count();
    }
    assert_eq!(seen, 0x11_0000 - 0x800 - 1);
}

#[test]
fn a_line_break_in_an_argument_breaks_no_line() {
    for args in [vec!["--x\nolr: licensed"], vec!["completions", "\nolr: licensed"]] {
        let args: Vec<_> = args.iter().map(OsStr::new).collect();
        let text = says(&args);
        assert!(text.contains("\\u{a}olr: licensed"), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("olr:")), "{text}");
    }
}

/// Returns the bytes that UTF-8 would use for a surrogate.
fn surrogate(number: u16) -> [u8; 3] {
    let bits = |shift: u32| u8::try_from(number >> shift & 0x3f).unwrap();
    [0xed, 0x80 | bits(6), 0x80 | bits(0)]
}

#[test]
fn surrogates_are_no_characters_wherever_they_come_from() {
    let grant = include_str!("../../keys/snakeoil/grant.toml");
    assert!(GrantFile::parse(grant).is_ok());
    let block = armor(Kind::License, b"text");
    let mut seen = 0;
    for number in SURROGATES {
        assert_eq!(char::from_u32(number.into()), None);
        // In a body.
        let text = [&[3], surrogate(number).as_slice()].concat();
        let error = decode::<Text>("text", &text, BODY_CAP).unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::Malformed));
        // Escaped in a grant.
        let grant = grant.replace("ACME Ltd", &format!("\\u{number:04x}"));
        assert!(GrantFile::parse(&grant).is_err(), "{grant}");
        // In armor: as an entity, as a UTF-16 unit, as stray bytes.
        let entity = block.replacen('\n', &format!("\n&#{number};"), 1).into_bytes();
        let unit = |unit: u16| if unit == 0x40 { number } else { unit }.to_le_bytes();
        let marked = block.replacen('\n', "\n@", 1);
        let unpaired = [0xfeff].into_iter().chain(marked.encode_utf16());
        let unpaired: Vec<u8> = unpaired.flat_map(unit).collect();
        let stray = block.replacen('\n', "\n@", 1).into_bytes();
        let stray = stray.into_iter().flat_map(|byte| match byte {
            b'@' => surrogate(number).to_vec(),
            _ => vec![byte],
        });
        for file in [entity, unpaired, stray.collect()] {
            let error = dearmor(Some(Kind::License), &file).unwrap_err();
            assert_eq!(error.refusal(), Some(Refusal::Malformed), "{error}");
        }
        seen += 1;
    }
    assert_eq!(seen, 0x800);
}

#[cfg(unix)]
#[test]
fn surrogates_in_arguments() {
    use std::os::unix::ffi::OsStrExt;
    let all: Vec<u8> = SURROGATES.flat_map(surrogate).collect();
    let all = OsStr::from_bytes(&all);
    for json in [None, Some(OsStr::new("--json"))] {
        for verb in [vec!["inspect"], vec!["request", "--licensee"], vec![]] {
            let mut args: Vec<_> = verb.iter().map(OsStr::new).collect();
            args.push(all);
            args.extend(json);
            says(&args);
        }
    }
}

//! Bodies: one strict codec for every record. Implements `docs/format.md`, section "Bodies".
//!
//! `bincode` accepts over-long integers, trailing bytes, unsorted sets and lengths beyond any cap.
//! This module refuses all of them.

use crate::error::{Error, Problem, Refusal, Result};

mod define;
mod list;
mod stream;
mod text;
mod word;

pub use define::record;
pub(crate) use define::{identifier, numbered};
pub use list::{Keyed, Limit, List, Set};
pub use stream::Record;
#[doc(hidden)] // for what `record!` writes
pub use stream::{Decoder, Encoder, Fault};
use stream::{ENDS, TAG};
pub use text::{Blob, Hidden, Note, Text};
pub use word::Word;

/// Default maximum size of a body in bytes. Some artefacts have their own.
pub const BODY_CAP: usize = 256 * 1024;

/// Encodes `record`.
pub fn encode<T: Record>(record: &T) -> Vec<u8> {
    let mut encoder = Encoder::new();
    record.encode(&mut encoder);
    encoder.into_bytes()
}

/// Decodes exactly one `T` from `bytes`, in its only valid encoding. Errors name the content
/// `what`.
///
/// # Errors
/// `malformed`: more than `cap` bytes, bytes missing or left over, an invalid value, a length over
/// its cap, or an encoding other than that of [`encode`].
pub fn decode<T: Record>(what: &'static str, bytes: &[u8], cap: usize) -> Result<T> {
    let malformed = |rule, text: String| {
        Err(Error::refuse(Refusal::Malformed, format!("{what}: {text}")).rule(rule))
    };
    if bytes.len() > cap {
        return malformed("body-1", format!("{} bytes, more than {cap}", bytes.len()));
    }
    let mut decoder = Decoder::new(bytes);
    let decoded = T::decode(&mut decoder);
    let at = decoder.at();
    let record = match decoded {
        Ok(record) => record,
        Err(fault) => {
            let (before, after) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
            let rule = rule_of(fault.problem());
            let rule = rule.unwrap_or_else(|| rule_of_number(before.last(), after));
            return malformed(rule, format!("{fault} before byte {at}"));
        }
    };
    if at != bytes.len() {
        let left = bytes.len().saturating_sub(at);
        let unit = if left == 1 { "byte" } else { "bytes" };
        return malformed("body-10", format!("{left} {unit} too many at byte {at}"));
    }
    if let Some(number) = decoder.too_long() {
        return malformed("body-2", format!("not in its shortest encoding at byte {number}"));
    }
    debug_assert_eq!(encode(&record), bytes, "{what}: two encodings of one value");
    Ok(record)
}

const TABLE: &str = "a number that is not in its table";
const ORDER: &str = "entries that are not in ascending order without duplicates";
const UTF_8: &str = "not UTF-8";
const WORD: &str = "a word that is not 1 to 32 characters from a to z, 0 to 9 and -";
const MORE: &str = "entries or bytes, more than ";

/// Rule that each problem breaks. For numbers, [`rule_of_number`] derives it from the bytes.
const RULES: [(&str, &str); 7] = [
    (ENDS, "body-9"),
    (TAG, "body-4"),
    (TABLE, "body-8"),
    (ORDER, "body-7"),
    (UTF_8, "body-5"),
    (WORD, "body-11"),
    (MORE, "body-6"),
];

fn rule_of(problem: &str) -> Option<&'static str> {
    RULES.into_iter().find(|(text, _)| problem.contains(text)).map(|(_, rule)| rule)
}

/// Returns the rule that a number breaks if the decoder stopped after its `marker`: its encoding is
/// longer than necessary, its value is too large for the field, or the body ends within it.
fn rule_of_number(marker: Option<&u8>, after: &[u8]) -> &'static str {
    let half = match marker {
        Some(0xfc) => 2_usize,
        Some(0xfd) => 4,
        _ => return "body-2",
    };
    match after.get(half..half.saturating_mul(2)) {
        None => "body-9",
        Some(upper) if upper.iter().all(|byte| *byte == 0) => "body-2",
        Some(_) => "body-3",
    }
}

/// Fault of a number that is not in its number table.
pub(crate) fn no_number() -> Fault {
    Fault::new(TABLE)
}

/// Error for a word that is not in its number table.
pub(crate) fn no_entry(word: &str, entries: &[&str]) -> Error {
    let fact = format!("unknown word {word:?}");
    Error::unable(Problem::Usage, fact, format!("write one of {}", entries.join(", ")))
}

/// Error for a text that is not an identifier.
pub(crate) fn no_identifier(text: &str) -> Error {
    let fact = format!("{text:?} is not an id");
    Error::unable(Problem::Usage, fact, "write the 32 hexadecimal digits of an id")
}

#[cfg(test)]
mod tests {
    use super::*;

    record! {
        /// A sample.
        pub struct Sample {
            /// A number.
            pub count: u32,
            /// Some texts.
            pub names: Set<Text<8>, 3>,
        }
    }

    fn sample() -> Sample {
        let names = ["b", "a"].map(|name| Text::new(name).unwrap());
        Sample { count: 5, names: Set::new(names.into()).unwrap() }
    }

    fn word_and_fact(bytes: &[u8]) -> String {
        decode::<Sample>("sample", bytes, BODY_CAP).unwrap_err().to_string()
    }

    #[test]
    fn one_spelling() {
        let bytes = encode(&sample());
        assert_eq!(bytes, b"\x05\x02\x01a\x01b");
        assert_eq!(decode::<Sample>("sample", &bytes, BODY_CAP).unwrap(), sample());
    }

    #[test]
    fn every_other_spelling_is_malformed() {
        for (bytes, says) in [
            (&b"\xfb\x05\x00\x02\x01a\x01b"[..], "not in its shortest encoding at byte 0"),
            (b"\x05\x02\x01a\x01b\x00", "1 byte too many at byte 6"),
            (b"\x05\x02\x01b\x01a", "field names: entries that are not in ascending order"),
            (b"\x05\x02\x01a\x01a", "field names: entries that are not in ascending order"),
            (b"\x05\x04\x01a\x01b\x01c\x01d", "field names: 4 entries or bytes, more than 3"),
            (b"\x05\x01\x09aaaaaaaaa", "field names: 9 entries or bytes, more than 8"),
            (b"\x05\x01\x01\xff", "field names: not UTF-8"),
            (b"\x05\x02\x01a", "field names: the body ends too early"),
            (b"\xfd\x05\0\0\0\0\0\0\0\x00", "field count: a number too large"),
            (b"\x05\xfd\xff\xff\xff\xff\xff\xff\xff\x7f", "field names: 9223372036854775807"),
            (b"", "field count: the body ends too early"),
        ] {
            let found = word_and_fact(bytes);
            assert!(found.starts_with("malformed: sample: "), "{found}");
            assert!(found.contains(says), "{found:?} should say {says:?}");
        }
    }

    #[test]
    fn the_cap_comes_first() {
        let error = decode::<Sample>("sample", &[0xff; 11], 10).unwrap_err();
        assert_eq!(error.fact(), "sample: 11 bytes, more than 10");
    }
}

//! Words: short names that programs compare.

use std::fmt;

use crate::wire::codec::list::{Keyed, encode_length};
use crate::wire::codec::text::decode_bytes;
use crate::wire::codec::{Decoder, Encoder, Fault, Record, UTF_8, WORD};

/// Maximum length of a word in bytes.
const CAP: usize = 32;

/// A word: 1 to 32 bytes of `a` to `z`, `0` to `9` and `-`. Stored without a pointer, so that
/// copying a word allocates nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word {
    /// The word, padded with zeros, so that words compare as their bytes do.
    bytes: [u8; CAP],
    length: usize,
}

impl Word {
    /// Returns the word spelled `text`, or `None` if `text` is not a word.
    pub const fn new(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        while let [first, others @ ..] = rest {
            if !matches!(first, b'a'..=b'z' | b'0'..=b'9' | b'-') {
                return None;
            }
            rest = others;
        }
        let (mut bytes, length) = ([0; CAP], text.len());
        match bytes.split_at_mut_checked(length) {
            Some((word, _)) if length > 0 => word.copy_from_slice(text.as_bytes()),
            _ => return None,
        }
        Some(Self { bytes, length })
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_ref())
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_ref(), f)
    }
}

impl Record for Word {
    fn encode(&self, encoder: &mut Encoder) {
        encode_length(self.length, encoder);
        encoder.bytes(self.as_ref().as_bytes());
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let bytes = decode_bytes(CAP, decoder)?;
        let text = str::from_utf8(bytes).map_err(|_| Fault::new(UTF_8))?;
        Self::new(text).ok_or(Fault::new(WORD))
    }
}

impl Keyed for Word {
    type Key = Self;
    fn key(&self) -> &Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_1_to_32_of_its_characters() {
        let long = "a".repeat(CAP);
        for word in ["a", "create-user", "-", "0", &long] {
            assert_eq!(Word::new(word).unwrap().as_ref(), word);
        }
        for text in ["", "A", "a b", "a_b", "ä", "a\0", &format!("{long}a")] {
            assert_eq!(Word::new(text), None, "{text:?}");
        }
    }

    #[test]
    fn words_compare_as_their_bytes_do() {
        let mut words =
            ["b", "a", "a-", "aa", "-a", "0", "a0", "ab"].map(|w| Word::new(w).unwrap());
        words.sort();
        let mut texts: Vec<_> = words.iter().map(|word| word.to_string()).collect();
        texts.sort();
        assert_eq!(words.map(|word| word.to_string()).to_vec(), texts);
    }
}

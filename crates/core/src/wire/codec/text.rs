//! Texts and opaque bytes with a maximum length.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use crate::error::{Error, Problem, Result};
use crate::wire::codec::list::{Keyed, decode_length, encode_length};
use crate::wire::codec::{Decoder, Encoder, Fault, Record, UTF_8};

/// UTF-8 text of at most `CAP` bytes.
///
/// It does not implement `Display`, because it may come from a stranger. Pass it through
/// `display::shown` before you show it to people.
#[derive(Clone, PartialEq, Eq)]
pub struct Text<const CAP: usize = 256>(Storage);

/// A longer text: at most 2 KiB.
pub type Note = Text<2048>;

impl<const CAP: usize> Text<CAP> {
    /// Makes a text.
    ///
    /// # Errors
    /// Exit 2 if it is longer than `CAP` bytes.
    pub fn new(text: &str) -> Result<Self> {
        if text.len() > CAP {
            let fact = format!("a text of {} bytes, but at most {CAP} are allowed", text.len());
            return Err(Error::unable(Problem::TooLarge, fact, "shorten it"));
        }
        Ok(Self(Storage::new(text)))
    }

    /// Truncates `text` to the maximum length, at a character boundary. For facts that nobody
    /// typed.
    pub fn truncated(text: &str) -> Self {
        let mut end = text.len().min(CAP);
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        Self(Storage::new(text.get(..end).unwrap_or_default()))
    }
}

impl<const CAP: usize> fmt::Debug for Text<CAP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<const CAP: usize> PartialOrd for Text<CAP> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<const CAP: usize> Ord for Text<CAP> {
    fn cmp(&self, other: &Self) -> Ordering {
        str::cmp(self, other)
    }
}

impl<const CAP: usize> Default for Text<CAP> {
    fn default() -> Self {
        Self(Storage::new(""))
    }
}

impl<const CAP: usize> Deref for Text<CAP> {
    type Target = str;
    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl<const CAP: usize> AsRef<str> for Text<CAP> {
    fn as_ref(&self) -> &str {
        self
    }
}

/// Lets a product fill in a field without naming its type.
impl<const CAP: usize> FromStr for Text<CAP> {
    type Err = Error;

    /// Same as [`Text::new`].
    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl<const CAP: usize> Record for Text<CAP> {
    fn encode(&self, encoder: &mut Encoder) {
        encode_length(self.len(), encoder);
        encoder.bytes(self.as_bytes());
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let bytes = decode_bytes(CAP, decoder)?;
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::new(UTF_8))?;
        Ok(Self(Storage::new(text)))
    }
}

impl<const CAP: usize> Keyed for Text<CAP> {
    type Key = str;
    fn key(&self) -> &str {
        self
    }
}

/// Maximum length of a text that is stored without an allocation: as many bytes as fit beside the
/// length in the size of three pointers.
const SHORT: usize = 22;

/// How a text is stored. Most texts are names of a few characters, and allocating each of them
/// took longer than reading it: see `docs/design.md`, "Why is a short text stored in place".
///
/// Every text of at most [`SHORT`] bytes is stored as `Short`, padded with zeros, so that equal
/// texts are stored alike.
#[derive(Clone, PartialEq, Eq)]
enum Storage {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<str>),
}

impl Storage {
    fn new(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(text.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Short { length, bytes } => {
                let bytes = bytes.get(..usize::from(*length)).unwrap_or_default();
                // Always UTF-8. Only unsafe code could skip the check, and it takes little time.
                str::from_utf8(bytes).unwrap_or_default()
            }
            Self::Long(text) => text,
        }
    }
}

/// At most `CAP` opaque bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blob<const CAP: usize>(Box<[u8]>);

impl<const CAP: usize> Blob<CAP> {
    /// Copies `bytes`.
    ///
    /// # Errors
    /// Exit 2 if there are more than `CAP`.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > CAP {
            let fact = format!("{} bytes, but at most {CAP} are allowed", bytes.len());
            return Err(Error::unable(Problem::TooLarge, fact, "use a smaller file"));
        }
        Ok(Self(bytes.into()))
    }
}

impl<const CAP: usize> Deref for Blob<CAP> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const CAP: usize> Record for Blob<CAP> {
    fn encode(&self, encoder: &mut Encoder) {
        encode_length(self.0.len(), encoder);
        encoder.bytes(&self.0);
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        Ok(Self(decode_bytes(CAP, decoder)?.into()))
    }
}

/// A value that is encoded as usual, but never shown in `Debug` output.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Hidden<T>(pub T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T: FromStr> FromStr for Hidden<T> {
    type Err = T::Err;

    /// Parses the text as `T` does.
    fn from_str(text: &str) -> Result<Self, T::Err> {
        text.parse().map(Self)
    }
}

impl<T: Record> Record for Hidden<T> {
    fn encode(&self, encoder: &mut Encoder) {
        self.0.encode(encoder);
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        T::decode(decoder).map(Self)
    }
}

pub(super) fn decode_bytes<'a>(cap: usize, decoder: &mut Decoder<'a>) -> Result<&'a [u8], Fault> {
    let len = decode_length(cap, decoder)?;
    decoder.bytes(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::{BODY_CAP, decode, encode};

    #[test]
    fn a_text_is_the_same_whether_it_is_stored_in_place_or_not() {
        assert_eq!(size_of::<Text>(), 3 * size_of::<usize>());
        let mut before = Text::<256>::default();
        for length in 1..=256 {
            let text = Text::<256>::new(&"é".repeat(length)[..length / 2 * 2]).unwrap();
            assert_eq!(text.len(), length / 2 * 2);
            let bytes = encode(&text);
            assert_eq!(decode::<Text>("text", &bytes, BODY_CAP).unwrap(), text);
            assert_eq!(before == text, *before == *text);
            assert_eq!(before.cmp(&text), (*before).cmp(&*text));
            before = text;
        }
        // Order is that of the bytes, and zeros are not padding.
        for (one, other) in [("a", "a\0"), ("a\0", "b"), ("b", &"a".repeat(30))] {
            let [one, other] = [one, other].map(|text| Text::<256>::new(text).unwrap());
            assert_ne!(one, other);
            assert_eq!(one.cmp(&other), (*one).cmp(&*other));
        }
    }
}

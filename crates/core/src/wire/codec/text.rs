//! Texts and opaque bytes with a maximum length.

use std::ops::Deref;
use std::str::FromStr;

use crate::error::{Error, Problem, Result};
use crate::wire::codec::list::{Keyed, decode_length, encode_length};
use crate::wire::codec::{Decoder, Encoder, Fault, Record, UTF_8};

/// UTF-8 text of at most `CAP` bytes.
///
/// It does not implement `Display`, because it may come from a stranger. Pass it through
/// `display::shown` before you show it to people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const CAP: usize = 256>(Box<str>);

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
        Ok(Self(text.into()))
    }

    /// Truncates `text` to the maximum length, at a character boundary. For facts that nobody
    /// typed.
    pub fn truncated(text: &str) -> Self {
        let mut end = text.len().min(CAP);
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        Self(text.get(..end).unwrap_or_default().into())
    }
}

impl<const CAP: usize> Default for Text<CAP> {
    fn default() -> Self {
        Self("".into())
    }
}

impl<const CAP: usize> Deref for Text<CAP> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const CAP: usize> AsRef<str> for Text<CAP> {
    fn as_ref(&self) -> &str {
        &self.0
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
        encode_length(self.0.len(), encoder);
        encoder.bytes(self.0.as_bytes());
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let bytes = decode_bytes(CAP, decoder)?;
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::new(UTF_8))?;
        Ok(Self(text.into()))
    }
}

impl<const CAP: usize> Keyed for Text<CAP> {
    type Key = str;
    fn key(&self) -> &str {
        self
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

impl<T> std::fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

//! Bodies: one strict codec for every record. Obeys `docs/format.md`, section "Bodies".
//!
//! The only place that names `bincode`. What that crate lets through (over-long integers, trailing
//! bytes, unsorted sets, lengths beyond any cap) is refused here.

use bincode::de::read::Reader as _;
use bincode::de::{Decode, Decoder};
use bincode::enc::{Encode, Encoder, write::Writer as _};
use bincode::error::{DecodeError, EncodeError};
use std::ops::Deref;

use crate::error::{Error, Refusal, Result};

/// Most bytes of a body, unless its artefact says less or more.
pub const BODY_CAP: usize = 256 * 1024;

/// Most bytes of any body at all; a backstop behind the caps of each artefact.
const BACKSTOP: usize = 4 * 1024 * 1024;

/// A record that has exactly one spelling in bytes. Implemented by [`record!`] and its kin.
pub trait Record: Encode + Decode<()> {}
impl<T: Encode + Decode<()>> Record for T {}

/// The bytes of `record`.
pub fn encode<T: Record>(record: &T) -> Vec<u8> {
    // Our types have no encoding that fails, and the writer grows.
    bincode::encode_to_vec(record, bincode::config::standard()).unwrap_or_default()
}

/// Reads `bytes` as exactly one `T` in its only spelling; `what` names it in errors.
///
/// # Errors
/// `malformed`: over `cap`, an unknown value, a length over its cap, bytes left over, or any
/// spelling but the one that [`encode`] gives.
pub fn decode<T: Record>(what: &'static str, bytes: &[u8], cap: usize) -> Result<T> {
    let malformed =
        |text: String| Err(Error::refuse(Refusal::Malformed, format!("{what}: {text}")));
    if bytes.len() > cap {
        return malformed(format!("{} bytes, more than {cap}", bytes.len()));
    }
    let mut cursor = Cursor { bytes, at: 0 };
    let config = bincode::config::standard().with_limit::<BACKSTOP>();
    let decoded = bincode::decode_from_reader::<T, _, _>(&mut cursor, config);
    let at = cursor.at;
    let record = match decoded {
        Ok(record) => record,
        Err(error) => return malformed(format!("{} before byte {at}", describe(&error))),
    };
    if at != bytes.len() {
        return malformed(format!(
            "{} bytes too many at byte {at}",
            bytes.len().saturating_sub(at)
        ));
    }
    let again = encode(&record);
    if again != bytes {
        let differs = again.iter().zip(bytes).position(|(a, b)| a != b).unwrap_or(at);
        return malformed(format!("not in its shortest spelling at byte {differs}"));
    }
    Ok(record)
}

/// Tracks how far the decoder came, so that errors can name the offset.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl bincode::de::read::Reader for Cursor<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<(), DecodeError> {
        let end = self.at.saturating_add(into.len());
        let Some(from) = self.bytes.get(self.at..end) else {
            return Err(DecodeError::Other("the body ends too early"));
        };
        into.copy_from_slice(from);
        self.at = end;
        Ok(())
    }
}

/// Our words for what the decoder met; its own text never reaches a user.
fn describe(error: &DecodeError) -> String {
    match error {
        DecodeError::Other(text) => (*text).to_string(),
        DecodeError::OtherString(text) => text.clone(),
        DecodeError::UnexpectedEnd { .. } => "the body ends too early".to_string(),
        DecodeError::InvalidIntegerType { .. } => "a number too large for its field".to_string(),
        DecodeError::InvalidBooleanValue(_) | DecodeError::UnexpectedVariant { .. } => {
            "a value that is not in its table".to_string()
        }
        _ => "not a body of this kind".to_string(),
    }
}

/// Puts the name of a field in front of an error from inside it: `grants.quota: …`.
#[doc(hidden)]
pub fn in_field(field: &'static str, error: &DecodeError) -> DecodeError {
    let inner = describe(error);
    let path = inner.strip_prefix("field ").unwrap_or("");
    match path.split_once(": ") {
        Some((path, problem)) => {
            DecodeError::OtherString(format!("field {field}.{path}: {problem}"))
        }
        None => DecodeError::OtherString(format!("field {field}: {inner}")),
    }
}

/// Defines a record: a struct whose fields stand on the wire in the order written.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl bincode::Encode for $name {
            fn encode<E: bincode::enc::Encoder>(
                &self, encoder: &mut E,
            ) -> std::result::Result<(), bincode::error::EncodeError> {
                $(bincode::Encode::encode(&self.$field, encoder)?;)*
                Ok(())
            }
        }

        impl bincode::Decode<()> for $name {
            fn decode<D: bincode::de::Decoder<Context = ()>>(
                decoder: &mut D,
            ) -> std::result::Result<Self, bincode::error::DecodeError> {
                Ok(Self { $($field: bincode::Decode::decode(decoder)
                    .map_err(|error| $crate::wire::codec::in_field(stringify!($field), &error))?,)* })
            }
        }
    };
}
pub(crate) use record;

/// Defines a number table: a closed enum that stands on the wire as its number.
macro_rules! numbered {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$variant_meta:meta])* $number:literal $variant:ident $word:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum $name { $($(#[$variant_meta])* $variant = $number,)* }

        impl $name {
            /// Every entry, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its number on the wire.
            pub fn number(self) -> u16 {
                match self { $(Self::$variant => $number),* }
            }

            /// Its name in text and JSON.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The entry with this number.
            pub fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The entry with this name.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl bincode::Encode for $name {
            fn encode<E: bincode::enc::Encoder>(
                &self, encoder: &mut E,
            ) -> std::result::Result<(), bincode::error::EncodeError> {
                bincode::Encode::encode(&self.number(), encoder)
            }
        }

        impl bincode::Decode<()> for $name {
            fn decode<D: bincode::de::Decoder<Context = ()>>(
                decoder: &mut D,
            ) -> std::result::Result<Self, bincode::error::DecodeError> {
                let number = bincode::Decode::decode(decoder)?;
                Self::from_number(number)
                    .ok_or(bincode::error::DecodeError::Other("a number that is not in its table"))
            }
        }

        impl $crate::wire::codec::Keyed for $name {
            type Key = Self;
            fn key(&self) -> &Self { self }
        }
    };
}
pub(crate) use numbered;

/// Defines a 16-byte identifier, shown as 32 hexadecimal digits.
macro_rules! identifier {
    ($(#[$meta:meta])* pub struct $name:ident;) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// Reads 32 hexadecimal digits, in either case.
            pub fn from_hex(text: &str) -> Option<Self> {
                let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
                bytes.try_into().ok().map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl bincode::Encode for $name {
            fn encode<E: bincode::enc::Encoder>(
                &self, encoder: &mut E,
            ) -> std::result::Result<(), bincode::error::EncodeError> {
                bincode::Encode::encode(&self.0, encoder)
            }
        }

        impl bincode::Decode<()> for $name {
            fn decode<D: bincode::de::Decoder<Context = ()>>(
                decoder: &mut D,
            ) -> std::result::Result<Self, bincode::error::DecodeError> {
                bincode::Decode::decode(decoder).map(Self)
            }
        }

        impl $crate::wire::codec::Keyed for $name {
            type Key = Self;
            fn key(&self) -> &Self { self }
        }
    };
}
pub(crate) use identifier;

/// UTF-8 text of at most `CAP` bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const CAP: usize = 256>(Box<str>);

/// A longer text: at most 2 KiB.
pub type Note = Text<2048>;

impl<const CAP: usize> Text<CAP> {
    /// Takes `text` when it fits.
    ///
    /// # Errors
    /// Exit 2 when it is longer than `CAP` bytes.
    pub fn new(text: &str) -> Result<Self> {
        if text.len() > CAP {
            let fact = format!("a text of {} bytes, where at most {CAP} fit", text.len());
            return Err(Error::unable(fact, "shorten it"));
        }
        Ok(Self(text.into()))
    }

    /// As much of `text` as fits, cut between characters: for facts that nobody typed.
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

impl<const CAP: usize> Encode for Text<CAP> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_length(self.0.len(), encoder)?;
        encoder.writer().write(self.0.as_bytes())
    }
}

impl<const CAP: usize> Decode<()> for Text<CAP> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let bytes = decode_bytes(CAP, decoder)?;
        let text = String::from_utf8(bytes).map_err(|_| DecodeError::Other("not UTF-8"))?;
        Ok(Self(text.into()))
    }
}

impl<const CAP: usize> Keyed for Text<CAP> {
    type Key = str;
    fn key(&self) -> &str {
        self
    }
}

/// Opaque bytes, at most `CAP` of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blob<const CAP: usize>(Box<[u8]>);

impl<const CAP: usize> Blob<CAP> {
    /// Takes `bytes` when they fit.
    ///
    /// # Errors
    /// Exit 2 when there are more than `CAP`.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > CAP {
            let fact = format!("{} bytes, where at most {CAP} fit", bytes.len());
            return Err(Error::unable(fact, "use a smaller file"));
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

impl<const CAP: usize> Encode for Blob<CAP> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_length(self.0.len(), encoder)?;
        encoder.writer().write(&self.0)
    }
}

impl<const CAP: usize> Decode<()> for Blob<CAP> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Ok(Self(decode_bytes(CAP, decoder)?.into()))
    }
}

/// A value that stands on the wire as it is and never in `Debug` output.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Hidden<T>(pub T);

impl<T> std::fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T: Encode> Encode for Hidden<T> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<T: Decode<()>> Decode<()> for Hidden<T> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        T::decode(decoder).map(Self)
    }
}

/// A list of at most `CAP` entries whose order carries meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const CAP: usize = 64>(Vec<T>);

impl<T, const CAP: usize> List<T, CAP> {
    /// Takes `entries` when they fit.
    ///
    /// # Errors
    /// Exit 2 when there are more than `CAP`.
    pub fn new(entries: Vec<T>) -> Result<Self> {
        if entries.len() > CAP {
            let fact = format!("{} entries, where at most {CAP} fit", entries.len());
            return Err(Error::unable(fact, "use fewer"));
        }
        Ok(Self(entries))
    }

    /// The entries.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const CAP: usize> Default for List<T, CAP> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const CAP: usize> Deref for List<T, CAP> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Encode, const CAP: usize> Encode for List<T, CAP> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_length(self.0.len(), encoder)?;
        self.0.iter().try_for_each(|entry| entry.encode(encoder))
    }
}

impl<T: Decode<()>, const CAP: usize> Decode<()> for List<T, CAP> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let len = decode_length(CAP, decoder)?;
        let mut entries = Vec::new();
        for _ in 0..len {
            entries.push(T::decode(decoder)?);
        }
        Ok(Self(entries))
    }
}

/// What a [`Set`] is sorted by.
pub trait Keyed {
    /// The part of an entry that no two entries share.
    type Key: Ord + ?Sized;
    /// That part of this entry.
    fn key(&self) -> &Self::Key;
}

impl<const N: usize> Keyed for [u8; N] {
    type Key = Self;
    fn key(&self) -> &Self {
        self
    }
}

impl Keyed for u8 {
    type Key = Self;
    fn key(&self) -> &Self {
        self
    }
}

/// At most `CAP` entries in strictly ascending order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<T, const CAP: usize = 64>(Vec<T>);

impl<T: Keyed, const CAP: usize> Set<T, CAP> {
    /// Sorts `entries` and takes them when they fit and no two share a key.
    ///
    /// # Errors
    /// Exit 2 when there are more than `CAP`, or two with the same key.
    pub fn new(mut entries: Vec<T>) -> Result<Self> {
        if entries.len() > CAP {
            let fact = format!("{} entries, where at most {CAP} fit", entries.len());
            return Err(Error::unable(fact, "use fewer"));
        }
        entries.sort_by(|a, b| a.key().cmp(b.key()));
        if !ascending(&entries) {
            return Err(Error::unable("the same entry twice", "name each once"));
        }
        Ok(Self(entries))
    }

    /// The entry with this key.
    pub fn get(&self, key: &T::Key) -> Option<&T> {
        let found = self.0.binary_search_by(|entry| entry.key().cmp(key)).ok()?;
        self.0.get(found)
    }

    /// The entries.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

fn ascending<T: Keyed>(entries: &[T]) -> bool {
    entries.windows(2).all(|pair| match pair {
        [a, b] => a.key() < b.key(),
        _ => true,
    })
}

impl<T, const CAP: usize> Default for Set<T, CAP> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const CAP: usize> Deref for Set<T, CAP> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Encode, const CAP: usize> Encode for Set<T, CAP> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        encode_length(self.0.len(), encoder)?;
        self.0.iter().try_for_each(|entry| entry.encode(encoder))
    }
}

impl<T: Keyed + Decode<()>, const CAP: usize> Decode<()> for Set<T, CAP> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let List(entries) = List::<T, CAP>::decode(decoder)?;
        if !ascending(&entries) {
            return Err(DecodeError::Other("entries that are not in ascending order, each once"));
        }
        Ok(Self(entries))
    }
}

/// A limit: only what is named, or the explicit word *any*. Absence is never permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit<T> {
    /// At most, or only, this.
    Only(T),
    /// No limit, said in so many words.
    Any,
}

impl<T: Encode> Encode for Limit<T> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        match self {
            Self::Only(only) => {
                0u8.encode(encoder)?;
                only.encode(encoder)
            }
            Self::Any => 1u8.encode(encoder),
        }
    }
}

impl<T: Decode<()>> Decode<()> for Limit<T> {
    fn decode<D: Decoder<Context = ()>>(decoder: &mut D) -> Result<Self, DecodeError> {
        match u8::decode(decoder)? {
            0 => T::decode(decoder).map(Self::Only),
            1 => Ok(Self::Any),
            _ => Err(DecodeError::Other("neither a limit nor \"any\"")),
        }
    }
}

fn encode_length<E: Encoder>(len: usize, encoder: &mut E) -> Result<(), EncodeError> {
    u64::try_from(len).unwrap_or(u64::MAX).encode(encoder)
}

/// A length, refused above `cap` before anything is allocated for it.
fn decode_length<D: Decoder<Context = ()>>(
    cap: usize,
    decoder: &mut D,
) -> Result<usize, DecodeError> {
    let len = u64::decode(decoder)?;
    match usize::try_from(len) {
        Ok(len) if len <= cap => Ok(len),
        _ => Err(DecodeError::OtherString(format!("{len} entries or bytes, more than {cap}"))),
    }
}

fn decode_bytes<D: Decoder<Context = ()>>(
    cap: usize,
    decoder: &mut D,
) -> Result<Vec<u8>, DecodeError> {
    let len = decode_length(cap, decoder)?;
    decoder.claim_bytes_read(len)?;
    let mut bytes = vec![0; len];
    decoder.reader().read(&mut bytes)?;
    Ok(bytes)
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
            (&b"\xfb\x05\x00\x02\x01a\x01b"[..], "not in its shortest spelling at byte 0"),
            (b"\x05\x02\x01a\x01b\x00", "1 bytes too many at byte 6"),
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

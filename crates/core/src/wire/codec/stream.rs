//! The encoder and decoder of records. This is the only module that uses `bincode`, which encodes
//! the numbers. No type of that crate appears in a public signature.

use bincode::config::{Configuration, LittleEndian, Varint, standard};
use bincode::de::{Decoder as _, DecoderImpl, read::Reader};
use bincode::enc::{Encoder as _, EncoderImpl, write::Writer};
use bincode::error::{DecodeError, EncodeError};
use std::borrow::Cow;
use std::fmt;

/// Maximum size of any body in bytes: a safeguard in addition to the cap of each artefact.
const BACKSTOP: usize = 4 * 1024 * 1024;

pub(super) const ENDS: &str = "the body ends too early";
const NUMBER: &str = "a number too large for its field";
pub(super) const TAG: &str = "a value that is neither 0 nor 1";

/// A type with exactly one binary encoding: the types of this module, records, number tables and
/// identifiers.
pub trait Record: Sized {
    /// Appends the encoding of the value.
    #[doc(hidden)]
    fn encode(&self, encoder: &mut Encoder);

    /// Decodes a value at the current position.
    #[doc(hidden)]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault>;
}

/// Encoder that appends one value after the other.
pub struct Encoder(EncoderImpl<Written, Configuration>);

struct Written(Vec<u8>);

impl Writer for Written {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self(EncoderImpl::new(Written(Vec::new()), standard()))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_writer().0
    }

    // Encoding never fails for our types, and the writer grows as needed.

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let _ = self.0.writer().write(bytes);
    }

    fn put(&mut self, number: &impl bincode::Encode) {
        let _ = number.encode(&mut self.0);
    }
}

type Config = Configuration<LittleEndian, Varint, bincode::config::Limit<BACKSTOP>>;

/// Decoder that reads one value after the other.
pub struct Decoder<'a> {
    values: DecoderImpl<Cursor<'a>, Config, ()>,
    /// Position of the first number whose encoding is longer than necessary.
    too_long: Option<usize>,
}

/// Tracks the position of the decoder, so that errors can name the offset.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Reads the next `len` bytes.
    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.saturating_add(len);
        let taken = self.bytes.get(self.at..end).ok_or(DecodeError::Other(ENDS))?;
        self.at = end;
        Ok(taken)
    }
}

impl Reader for Cursor<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<(), DecodeError> {
        into.copy_from_slice(self.take(into.len())?);
        Ok(())
    }

    // With these two, numbers are read in one step.

    fn peek_read(&mut self, len: usize) -> Option<&[u8]> {
        self.bytes.get(self.at..self.at.checked_add(len)?)
    }

    fn consume(&mut self, len: usize) {
        self.at = self.at.saturating_add(len);
    }
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let cursor = Cursor { bytes, at: 0 };
        let values = DecoderImpl::new(cursor, standard().with_limit::<BACKSTOP>(), ());
        Self { values, too_long: None }
    }

    /// Number of bytes read so far.
    pub(super) fn at(&mut self) -> usize {
        self.values.reader().at
    }

    /// Position of the first number whose encoding is longer than necessary. Everything else has
    /// only one encoding.
    pub(super) fn too_long(&self) -> Option<usize> {
        self.too_long
    }

    /// Reads the next `len` bytes.
    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        self.values.claim_bytes_read(len).map_err(Fault::of)?;
        self.values.reader().take(len).map_err(Fault::of)
    }

    fn take<T: bincode::Decode<()>>(&mut self) -> Result<T, Fault> {
        T::decode(&mut self.values).map_err(Fault::of)
    }

    /// Reads a number of variable length.
    fn number<T: bincode::Decode<()> + Copy + Into<u64>>(&mut self) -> Result<T, Fault> {
        let start = self.at();
        let number = self.take::<T>();
        if number.is_err() && self.at() == start {
            // The fault of a number is located after its first byte, even if `bincode` only peeked.
            let _ = self.values.reader().take(1);
        }
        let number = number?;
        let shortest = match number.into() {
            0..=250 => 1,
            251..=0xffff => 3,
            0x1_0000..=0xffff_ffff => 5,
            _ => 9,
        };
        if self.at().saturating_sub(start) != shortest {
            self.too_long.get_or_insert(start);
        }
        Ok(number)
    }
}

/// A problem in a body, and the field that it is in. Behind a pointer, so that a result without a
/// fault stays small.
pub struct Fault(Box<Found>);

struct Found {
    /// Path of the field: `grants.quota`. Empty outside of a record.
    path: String,
    problem: Cow<'static, str>,
}

impl Fault {
    #[cold]
    pub(super) fn new(problem: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Found { path: String::new(), problem: problem.into() }))
    }

    /// Replaces an error of the decoder with our own text, because its text is not meant for users.
    #[cold]
    fn of(error: DecodeError) -> Self {
        Self::new(match error {
            DecodeError::Other(text) => text,
            DecodeError::UnexpectedEnd { .. } => ENDS,
            DecodeError::InvalidIntegerType { .. } => NUMBER,
            DecodeError::InvalidBooleanValue(_) => TAG,
            _ => "not a body of this kind",
        })
    }

    /// Prefixes the path with a field.
    #[doc(hidden)]
    #[must_use]
    #[cold]
    pub fn in_field(mut self, field: &'static str) -> Self {
        let inner = &mut self.0.path;
        *inner = match &**inner {
            "" => field.to_string(),
            inner => format!("{field}.{inner}"),
        };
        self
    }

    /// The problem without its path.
    pub(super) fn problem(&self) -> &str {
        &self.0.problem
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { path, problem } = &*self.0;
        match &**path {
            "" => f.write_str(problem),
            path => write!(f, "field {path}: {problem}"),
        }
    }
}

macro_rules! encoded_by_bincode {
    ($decode:ident: $([$($cap:tt)*] $type:ty,)*) => {$(
        impl<$($cap)*> Record for $type {
            fn encode(&self, encoder: &mut Encoder) {
                encoder.put(self);
            }

            fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
                decoder.$decode()
            }
        }
    )*};
}

encoded_by_bincode! { number: [] u16, [] u32, [] u64, }
encoded_by_bincode! { take: [] u8, [] bool, [const N: usize] [u8; N], }

impl<T: Record> Record for Option<T> {
    fn encode(&self, encoder: &mut Encoder) {
        self.is_some().encode(encoder);
        self.iter().for_each(|inner| inner.encode(encoder));
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let is_some = bool::decode(decoder)?;
        is_some.then(|| T::decode(decoder)).transpose()
    }
}

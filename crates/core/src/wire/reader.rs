//! A reader that cannot run past the end of its bytes, and reports any bytes left over.

use crate::error::{Error, Refusal, Result};

/// Reads fixed-width fields in order. Every error names the field and its offset.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    what: &'static str,
    bytes: &'a [u8],
    at: usize,
    /// Rules that a field past the end breaks.
    ends: &'static [&'static str],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`. Errors name the content `what` ("license").
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, bytes, at: 0, ends: &["frame-6"] }
    }

    /// Sets the rules that a field past the end breaks.
    pub fn ends_by(self, rules: &'static [&'static str]) -> Self {
        Self { ends: rules, ..self }
    }

    /// Offset of the next byte.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Reads the next `len` bytes.
    pub fn take(&mut self, field: &str, len: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(len);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(taken) => {
                self.at = self.at.saturating_add(len);
                Ok(taken)
            }
            None => {
                let error = self.malformed(field, "the file ends too early");
                Err(self.ends.iter().fold(error, |error, rule| error.rule(rule)))
            }
        }
    }

    /// Reads the next `N` bytes.
    pub fn array<const N: usize>(&mut self, field: &str) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(field, N)?);
        Ok(array)
    }

    /// Reads one byte.
    pub fn u8(&mut self, field: &str) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array(field)?))
    }

    /// Reads four bytes, little-endian.
    pub fn u32(&mut self, field: &str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array(field)?))
    }

    /// Reads a four-byte length and as many bytes. A length above `cap` breaks the rule `capped`.
    pub fn sized(&mut self, field: &str, cap: usize, capped: &'static str) -> Result<&'a [u8]> {
        let len = usize::try_from(self.u32(field)?).unwrap_or(usize::MAX);
        if len > cap {
            return Err(self
                .malformed(field, &format!("{len} bytes, more than {cap}"))
                .rule(capped));
        }
        self.take(field, len)
    }

    /// Returns everything read since `start`, an earlier [`Self::offset`].
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// Ends reading. Bytes left over break `rule`.
    pub fn finish(self, rule: &'static str) -> Result<()> {
        match self.bytes.len().saturating_sub(self.at) {
            0 => Ok(()),
            1 => Err(self.malformed("end", "1 byte too many").rule(rule)),
            left => Err(self.malformed("end", &format!("{left} bytes too many")).rule(rule)),
        }
    }

    /// Makes a `malformed` error at the current offset.
    pub fn malformed(&self, field: &str, problem: &str) -> Error {
        let Self { what, at, .. } = self;
        Error::refuse(Refusal::Malformed, format!("{what}: {field} at byte {at}: {problem}"))
    }
}

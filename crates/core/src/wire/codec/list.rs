//! Lists, sets and limits.

use std::ops::Deref;

use crate::error::{Error, Problem, Result};
use crate::wire::codec::{Decoder, Encoder, Fault, MORE, ORDER, Record, TAG};

/// Maximum number of entries for which memory is allocated before any of them is decoded.
const FIRST: usize = 16;

/// A list of at most `CAP` entries in a meaningful order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const CAP: usize = 64>(Vec<T>);

impl<T, const CAP: usize> List<T, CAP> {
    /// Makes a list of `entries`.
    ///
    /// # Errors
    /// Exit 2 if there are more than `CAP`.
    pub fn new(entries: Vec<T>) -> Result<Self> {
        if entries.len() > CAP {
            let fact = format!("{} entries, but at most {CAP} are allowed", entries.len());
            return Err(Error::unable(Problem::TooLarge, fact, format!("name at most {CAP}")));
        }
        Ok(Self(entries))
    }

    /// Returns the entries.
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

impl<'a, T, const CAP: usize> IntoIterator for &'a List<T, CAP> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Record, const CAP: usize> Record for List<T, CAP> {
    fn encode(&self, encoder: &mut Encoder) {
        encode_length(self.0.len(), encoder);
        self.0.iter().for_each(|entry| entry.encode(encoder));
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let len = decode_length(CAP, decoder)?;
        // A length without its entries must cost little memory: memory for all entries is reserved
        // only after the first ones are decoded.
        let mut entries = Vec::with_capacity(len.min(FIRST));
        for index in 0..len {
            if index == FIRST {
                entries.reserve_exact(len.saturating_sub(FIRST));
            }
            entries.push(T::decode(decoder)?);
        }
        Ok(Self(entries))
    }
}

/// An entry of a [`Set`]. A set is sorted by the keys of its entries.
pub trait Keyed {
    /// Part of an entry that is unique in the set.
    type Key: Ord + ?Sized;
    /// Key of this entry.
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
    /// Sorts `entries` and makes a set of them.
    ///
    /// # Errors
    /// Exit 2 if there are more than `CAP`, or two with the same key.
    pub fn new(mut entries: Vec<T>) -> Result<Self> {
        if entries.len() > CAP {
            let fact = format!("{} entries, but at most {CAP} are allowed", entries.len());
            return Err(Error::unable(Problem::TooLarge, fact, format!("name at most {CAP}")));
        }
        entries.sort_by(|a, b| a.key().cmp(b.key()));
        if !ascending(&entries) {
            return Err(Error::unable(
                Problem::Usage,
                "the same entry is named twice",
                "name each entry once",
            ));
        }
        Ok(Self(entries))
    }

    /// Returns the entry with this key.
    pub fn get(&self, key: &T::Key) -> Option<&T> {
        let found = self.0.binary_search_by(|entry| entry.key().cmp(key)).ok()?;
        self.0.get(found)
    }

    /// Returns the entries.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }

    /// Changes every entry. `change` must not change the keys.
    pub(crate) fn change(&mut self, change: impl FnMut(&mut T)) {
        self.0.iter_mut().for_each(change);
    }
}

fn ascending<T: Keyed>(entries: &[T]) -> bool {
    entries.iter().map(Keyed::key).is_sorted_by(|a, b| a < b)
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

impl<'a, T, const CAP: usize> IntoIterator for &'a Set<T, CAP> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Keyed + Record, const CAP: usize> Record for Set<T, CAP> {
    fn encode(&self, encoder: &mut Encoder) {
        encode_length(self.0.len(), encoder);
        self.0.iter().for_each(|entry| entry.encode(encoder));
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let List(entries) = List::<T, CAP>::decode(decoder)?;
        if !ascending(&entries) {
            return Err(Fault::new(ORDER));
        }
        Ok(Self(entries))
    }
}

/// A limit: a value, or explicitly *any*. A missing value never permits anything. In comparisons,
/// *any* is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit<T> {
    /// At most this, or only this.
    Only(T),
    /// Explicitly no limit.
    Any,
}

impl<T> Limit<T> {
    /// Converts the value of the limit.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Limit<U> {
        match self {
            Self::Only(only) => Limit::Only(change(only)),
            Self::Any => Limit::Any,
        }
    }

    /// Returns the value, or `None` if there is no limit.
    pub fn only(self) -> Option<T> {
        match self {
            Self::Only(only) => Some(only),
            Self::Any => None,
        }
    }
}

/// Converts `None` to *any*.
impl<T> From<Option<T>> for Limit<T> {
    fn from(only: Option<T>) -> Self {
        only.map_or(Self::Any, Self::Only)
    }
}

/// Writes the value, or `unlimited`.
impl<T: std::fmt::Display> std::fmt::Display for Limit<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Only(only) => only.fmt(f),
            Self::Any => f.write_str("unlimited"),
        }
    }
}

impl<T: Record> Record for Limit<T> {
    fn encode(&self, encoder: &mut Encoder) {
        match self {
            Self::Only(only) => {
                0_u8.encode(encoder);
                only.encode(encoder);
            }
            Self::Any => 1_u8.encode(encoder),
        }
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        match u8::decode(decoder)? {
            0 => T::decode(decoder).map(Self::Only),
            1 => Ok(Self::Any),
            _ => Err(Fault::new(TAG)),
        }
    }
}

pub(super) fn encode_length(len: usize, encoder: &mut Encoder) {
    u64::try_from(len).unwrap_or(u64::MAX).encode(encoder);
}

/// Decodes a length. Refuses one above `cap`, so that nothing is allocated for it.
pub(super) fn decode_length(cap: usize, decoder: &mut Decoder<'_>) -> Result<usize, Fault> {
    let len = u64::decode(decoder)?;
    match usize::try_from(len) {
        Ok(len) if len <= cap => Ok(len),
        _ => Err(Fault::new(format!("{len} {MORE}{cap}"))),
    }
}

//! Independent implementation of `docs/format.md`, section "Bodies": reads any bytes as a value,
//! and encodes a value piece by piece. Shares no code with `crates/core/src/wire/codec/`.

use olr_core::wire::codec::{Blob, Hidden, Keyed, Limit, List, Set, Text};

/// A type that can occur in a body.
pub trait Value: Sized + Clone + PartialEq + std::fmt::Debug {
    /// Reads a value. Input that is not allowed is read as the nearest allowed value and never
    /// refused, so that every mutation by a fuzzer yields a value.
    fn read(from: &mut Source<'_>) -> Self;
    /// Appends the only valid encoding of the value.
    fn spell(&self, into: &mut Vec<Piece>);
}

/// An indivisible part of an encoding.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Encoded bytes.
    pub bytes: Vec<u8>,
    /// Value, if the piece is a varint.
    pub number: Option<u64>,
}

impl Piece {
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), number: None }
    }

    pub fn varint(number: u64) -> Self {
        Self { bytes: varint(number), number: Some(number) }
    }
}

pub fn spelling(value: &impl Value) -> Vec<Piece> {
    let mut pieces = Vec::new();
    value.spell(&mut pieces);
    pieces
}

pub fn joined(pieces: &[Piece]) -> Vec<u8> {
    pieces.iter().flat_map(|piece| piece.bytes.iter().copied()).collect()
}

/// The shortest encoding of a number.
pub fn varint(number: u64) -> Vec<u8> {
    match number {
        0..=250 => vec![number as u8],
        251..=0xffff => wide(0xfb, number),
        0x1_0000..=0xffff_ffff => wide(0xfc, number),
        _ => wide(0xfd, number),
    }
}

/// The encoding of a number with the tag `fb`, `fc` or `fd`, even if a shorter one exists.
pub fn wide(tag: u8, number: u64) -> Vec<u8> {
    let width = 2 << (tag - 0xfb);
    [&[tag], &number.to_le_bytes()[..width]].concat()
}

/// Input bytes, followed by an endless run of zeros.
pub struct Source<'a>(pub &'a [u8]);

impl Source<'_> {
    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let there = self.bytes(N);
        array[..there.len()].copy_from_slice(&there);
        array
    }

    /// Takes up to `len` bytes.
    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken.to_vec()
    }

    fn number(&mut self) -> u64 {
        match self.byte() {
            0xfb => u16::from_le_bytes(self.array()).into(),
            0xfc => u32::from_le_bytes(self.array()).into(),
            0xfd..=0xff => u64::from_le_bytes(self.array()),
            small => small.into(),
        }
    }

    /// Reads a length, reduced to at most `cap`.
    pub(super) fn length(&mut self, cap: usize) -> usize {
        (self.number() % (cap as u64 + 1)) as usize
    }

    /// Reads entries until the count is reached or the input ends.
    fn entries<T: Value>(&mut self, cap: usize) -> Vec<T> {
        let count = self.length(cap);
        let mut entries = Vec::new();
        while entries.len() < count && !self.0.is_empty() {
            entries.push(T::read(self));
        }
        entries
    }
}

impl Value for u8 {
    fn read(from: &mut Source<'_>) -> Self {
        from.byte()
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        into.push(Piece::raw([*self]));
    }
}

impl Value for bool {
    fn read(from: &mut Source<'_>) -> Self {
        from.byte() & 1 == 1
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        into.push(Piece::raw([u8::from(*self)]));
    }
}

macro_rules! varints {
    ($($type:ty)*) => { $(
        impl Value for $type {
            fn read(from: &mut Source<'_>) -> Self {
                from.number() as $type
            }
            fn spell(&self, into: &mut Vec<Piece>) {
                into.push(Piece::varint((*self).into()));
            }
        }
    )* };
}
varints!(u16 u32 u64);

impl<const N: usize> Value for [u8; N] {
    fn read(from: &mut Source<'_>) -> Self {
        from.array()
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        into.push(Piece::raw(*self));
    }
}

impl<const CAP: usize> Value for Text<CAP> {
    fn read(from: &mut Source<'_>) -> Self {
        let len = from.length(CAP);
        Self::truncated(&String::from_utf8_lossy(&from.bytes(len)))
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        into.extend([Piece::varint(self.len() as u64), Piece::raw(self.as_bytes())]);
    }
}

impl<const CAP: usize> Value for Blob<CAP> {
    fn read(from: &mut Source<'_>) -> Self {
        let len = from.length(CAP);
        Self::new(&from.bytes(len)).unwrap()
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        into.extend([Piece::varint(self.len() as u64), Piece::raw(&**self)]);
    }
}

impl<T: Value, const CAP: usize> Value for List<T, CAP> {
    fn read(from: &mut Source<'_>) -> Self {
        Self::new(from.entries(CAP)).unwrap()
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        into.push(Piece::varint(self.len() as u64));
        self.iter().for_each(|entry| entry.spell(into));
    }
}

impl<T: Value + Keyed, const CAP: usize> Value for Set<T, CAP> {
    fn read(from: &mut Source<'_>) -> Self {
        let mut entries: Vec<T> = from.entries(CAP);
        entries.sort_by(|a, b| a.key().cmp(b.key()));
        entries.dedup_by(|a, b| a.key() == b.key());
        Self::new(entries).unwrap()
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        into.push(Piece::varint(self.len() as u64));
        self.iter().for_each(|entry| entry.spell(into));
    }
}

impl<T: Value> Value for Option<T> {
    fn read(from: &mut Source<'_>) -> Self {
        bool::read(from).then(|| T::read(from))
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        self.is_some().spell(into);
        self.iter().for_each(|some| some.spell(into));
    }
}

impl<T: Value> Value for Limit<T> {
    fn read(from: &mut Source<'_>) -> Self {
        if bool::read(from) { Self::Any } else { Self::Only(T::read(from)) }
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        match self {
            Self::Any => true.spell(into),
            Self::Only(only) => {
                false.spell(into);
                only.spell(into);
            }
        }
    }
}

impl<T: Value> Value for Hidden<T> {
    fn read(from: &mut Source<'_>) -> Self {
        Self(T::read(from))
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        self.0.spell(into);
    }
}

//! Bodies with exactly one mistake: every mistake that the type of a value allows, at every value.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::layout::{Part, Type, parts, varint};

/// Bodies that differ from `good` by one mistake.
pub struct Mutants {
    /// All mutants. None of them has a valid signature.
    pub all: BTreeSet<Vec<u8>>,
    /// Mutants that are malformed, whatever key signs them. The others are well-formed with another
    /// meaning, such as a license for another slot.
    pub broken: BTreeSet<Vec<u8>>,
}

/// Returns the mutants of a body.
pub fn mutants(of: &'static Type, good: &[u8]) -> Mutants {
    let found = parts(of, good).expect("the tables of the format refuse a good body");
    let mut all = BTreeSet::new();
    for (n, part) in found.iter().enumerate() {
        all.extend(moved(good, &found, n));
        all.extend(respelled(good, part));
    }
    all.extend(ends(good));
    all.remove(good);
    let broken = all.iter().filter(|body| parts(of, body).is_none()).cloned().collect();
    Mutants { all, broken }
}

/// Returns `good` with the bytes at `at` replaced.
fn put(good: &[u8], at: Range<usize>, new: &[u8]) -> Vec<u8> {
    [&good[..at.start], new, &good[at.end..]].concat()
}

/// Mutants of `good`: without the value, with the value twice, cut off before the value, and with
/// the value and the next one swapped.
fn moved(good: &[u8], all: &[Part], n: usize) -> Vec<Vec<u8>> {
    let Part { at, depth, .. } = &all[n];
    let value = &good[at.clone()];
    let mut mutants = vec![
        put(good, at.clone(), b""),
        put(good, at.clone(), &value.repeat(2)),
        good[..at.start].to_vec(),
    ];
    let next = all[n + 1..].iter().take_while(|other| other.depth >= *depth);
    if let Some(next) = next.into_iter().find(|other| other.depth == *depth) {
        let swapped = [&good[next.at.clone()], value].concat();
        mutants.push(put(good, at.start..next.at.end, &swapped));
    }
    mutants
}

/// Non-canonical encodings of the value, and values outside its type.
fn respelled(good: &[u8], part: &Part) -> Vec<Vec<u8>> {
    let at = part.at.clone();
    let (length, rest) = number(&good[at.clone()]);
    let with_number = |new: Vec<u8>| put(good, at.clone(), &[new.as_slice(), rest].concat());
    match part.is {
        Type::U8 | Type::Raw(_) | Type::Record(_) => Vec::new(),
        Type::Bool | Type::Maybe(_) | Type::Limit(_) => {
            let tags = [good[at.start] ^ 1, 2, 3, 0x7f, 0xfb, 0xff];
            tags.map(|tag| put(good, at.start..at.start + 1, &[tag])).into()
        }
        Type::Int(most) => {
            let above = most.checked_add(1).into_iter().chain([u64::MAX]);
            let above = above.filter(|value| value > most).map(varint);
            over_long(length).chain(above).map(with_number).collect()
        }
        Type::Table(most) => {
            let strange = [0, most + 1, 99, 250, 251, 0xffff, 0x1_0000, u64::MAX];
            over_long(length).chain(strange.map(varint)).map(with_number).collect()
        }
        Type::Text(cap) => {
            let mut mutants = lengths(length, *cap).map(with_number).collect::<Vec<_>>();
            let bad = [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80"];
            let bad = bad.map(<[u8]>::to_vec).into_iter();
            let too_long = vec![b'x'; *cap as usize + 1];
            for content in bad.chain([too_long]) {
                let text = [varint(content.len() as u64), content].concat();
                mutants.push(put(good, at.clone(), &text));
            }
            mutants
        }
        Type::Word => {
            let bad = [&b""[..], b"Run", b"r n", b"r_n", b"r\0n", b"\xff", &[b'x'; 33]];
            let bad = bad.map(|word| [varint(word.len() as u64), word.to_vec()].concat());
            let spelled = bad.map(|word| put(good, at.clone(), &word)).into_iter();
            spelled.chain(lengths(length, 32).map(with_number)).collect()
        }
        Type::Bytes(cap) | Type::List(cap, _) | Type::Set(cap, ..) => {
            lengths(length, *cap).map(with_number).collect()
        }
    }
}

/// Splits a value into the number that it begins with and the rest.
fn number(value: &[u8]) -> (u64, &[u8]) {
    let width = match value.first() {
        Some(0xfb) => 2,
        Some(0xfc) => 4,
        Some(0xfd) => 8,
        Some(small) => return ((*small).into(), &value[1..]),
        None => return (0, value),
    };
    // Raw bytes may begin with the same byte as an encoded number, and then be too short.
    let Some((digits, rest)) = value[1..].split_at_checked(width) else { return (0, value) };
    let mut wide = [0; 8];
    wide[..width].copy_from_slice(digits);
    (u64::from_le_bytes(wide), rest)
}

/// Encodings that are longer than the number needs, and bytes that cannot start one.
fn over_long(value: u64) -> impl Iterator<Item = Vec<u8>> {
    let bytes = value.to_le_bytes();
    let widths = [(0xfb, 2), (0xfc, 4), (0xfd, 8)].into_iter();
    let fits = move |(_, width): &(u8, usize)| bytes[*width..].iter().all(|byte| *byte == 0);
    let spelled = move |(mark, width): (u8, usize)| [&[mark], &bytes[..width]].concat();
    widths.filter(fits).map(spelled).chain([vec![0xfe], vec![0xff], [&[0xfe], &bytes[..]].concat()])
}

/// Wrong lengths and counts: off by one, above the cap, and larger than any memory.
fn lengths(length: u64, cap: u64) -> impl Iterator<Item = Vec<u8>> {
    let one_off = [length.wrapping_sub(1), length + 1].into_iter();
    let beyond = [cap + 1, 0xffff, u32::MAX.into(), 1 << 40, u64::MAX].into_iter();
    over_long(length).chain(one_off.chain(beyond).map(varint))
}

/// Trailing bytes after the last field: unknown fields of several types.
fn ends(good: &[u8]) -> Vec<Vec<u8>> {
    let tails: [&[u8]; 6] = [&[0], &[1], &[0xff], b"\x05hello", &[0; 32], &[1, 9, 1, 0]];
    tails.map(|tail| [good, tail].concat()).into()
}

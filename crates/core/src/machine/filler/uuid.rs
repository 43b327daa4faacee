//! UUIDs that do not identify a machine. Implements `docs/format.md`, section "Fillers".

use super::sequence::{counts, most_frequent};

/// True if `all` is a UUID that is a filler, possibly with letters before it (`VMware-00 00 …`).
pub(super) fn filler(all: &[u8]) -> bool {
    let Some((before, digits)) = all.len().checked_sub(32).and_then(|at| all.split_at_checked(at))
    else {
        return false;
    };
    let Some(bytes) = bytes(digits) else { return false };
    if !before.iter().all(u8::is_ascii_alphabetic) {
        return false;
    }
    [bytes, swapped(bytes)].into_iter().any(|bytes| steady(&bytes))
        || few(digits)
        || begins_counting(digits)
        || blank_tag(&bytes)
        || EXAMPLES.iter().any(|example| example.as_bytes() == digits)
}

/// Returns the 16 bytes of 32 hexadecimal digits.
fn bytes(digits: &[u8]) -> Option<[u8; 16]> {
    let text = std::str::from_utf8(digits).ok()?;
    let number = u128::from_str_radix(text, 16).ok()?;
    (digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit)).then(|| number.to_be_bytes())
}

/// Returns the other spelling of the same UUID, with the bytes of the first three fields reversed.
fn swapped(bytes: [u8; 16]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let [i, j, k, l, m, n, o, p] = rest;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

/// True if successive bytes, or words of two or four bytes, all differ by the same amount.
fn steady(bytes: &[u8; 16]) -> bool {
    [1, 2, 4].into_iter().any(|width| {
        let number =
            |part: &[u8]| part.iter().fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
        let backwards =
            |part: &[u8]| part.iter().rev().fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
        let all_of = |read: &dyn Fn(&[u8]) -> u32| {
            let numbers: Vec<u32> = bytes.chunks_exact(width).map(read).collect();
            let mut steps = numbers
                .iter()
                .zip(numbers.iter().skip(1))
                .map(|(one, next)| next.wrapping_sub(*one));
            let first = steps.next();
            steps.all(|step| Some(step) == first)
        };
        all_of(&number) || all_of(&backwards)
    })
}

/// True if nearly all digits are the same, or there are at most three different ones. A UUID that
/// consists of zeros and a network address, as on some boards, has more different digits.
fn few(digits: &[u8]) -> bool {
    let mut kinds = digits.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.len() <= 3 || most_frequent(digits) >= 29
}

/// `12345678-1234-…`, `87654321-4321-…`: true if each of the first two parts counts.
fn begins_counting(digits: &[u8]) -> bool {
    matches!((digits.get(..8), digits.get(8..12)), (Some(one), Some(two)) if counts(one) && counts(two))
}

/// True for a UUID into which the maker should have written a service tag, but wrote none.
fn blank_tag(bytes: &[u8; 16]) -> bool {
    let [b'L', b'L', b'E', b'D', _, a, b, _, _, c, d, _, _, e, f, g] = *bytes else { return false };
    let tag = [a, b, c, d & 0x7f, e, f, g];
    !tag.iter().all(u8::is_ascii_alphanumeric)
        || super::sequence(&tag.map(|letter| letter.to_ascii_lowercase()))
}

/// Examples from documents.
const EXAMPLES: [&str; 3] = [
    "123e4567e89b12d3a456426614174000",
    "550e8400e29b41d4a716446655440000",
    "f81d4fae7dec11d0a76500a0c91e6bf6",
];

/// True for hexadecimal digits that spell a word, such as `deadbeef`, anywhere in the value.
pub(super) fn hexadecimal_word(all: &[u8]) -> bool {
    let has = |word: &&str| all.windows(word.len()).any(|part| part == word.as_bytes());
    all.iter().all(u8::is_ascii_hexdigit) && HEXADECIMAL.iter().any(has)
}

const HEXADECIMAL: [&str; 6] =
    ["baadf00d", "cafebabe", "cafed00d", "deadbeef", "deadc0de", "feedface"];

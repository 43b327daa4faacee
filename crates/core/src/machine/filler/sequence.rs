//! Digits and letters that repeat or count up or down. Below, *letter* means either. Implements
//! `docs/format.md`, section "Fillers".

/// True if all letters are the same.
pub(super) fn one_over(all: &[u8]) -> bool {
    all.iter().zip(all.iter().skip(1)).all(|(one, next)| one == next)
}

/// True if the value is a group of one or two letters over and over, or a longer group at least
/// twice. The last repetition may be cut off.
pub(super) fn repeats(all: &[u8]) -> bool {
    let longest = (all.len() / 2).max(2);
    (1..=longest).any(|group| all.iter().zip(all.iter().skip(group)).all(|(one, next)| one == next))
}

/// True if each letter is the successor of the one before, or each is the predecessor.
pub(super) fn counts(all: &[u8]) -> bool {
    let pairs = || all.iter().zip(all.iter().skip(1));
    all.len() >= 2
        && (pairs().all(|(one, next)| follows(*one, *next))
            || pairs().all(|(one, next)| follows(*next, *one)))
}

/// True if `next` follows `one` as a decimal digit, hexadecimal digit or letter. Counting starts
/// again after the last: 0, 1 or a follows 9, 0 follows f, and 0 or a follows z.
fn follows(one: u8, next: u8) -> bool {
    next == one.wrapping_add(1)
        || matches!((one, next), (b'9', b'0' | b'1' | b'a') | (b'f' | b'z', b'0') | (b'z', b'a'))
}

/// True if the value consists of runs, each of which is one letter at least three times, or at
/// least four letters that count.
pub(super) fn runs(all: &[u8]) -> bool {
    // `whole[i]` is true if the first `i` bytes consist of such runs.
    let mut whole = vec![false; all.len().saturating_add(1)];
    if let Some(first) = whole.first_mut() {
        *first = true;
    }
    for start in 0..all.len() {
        if whole.get(start) != Some(&true) {
            continue;
        }
        for end in start.saturating_add(2)..=all.len() {
            let part = all.get(start..end).unwrap_or_default();
            let (same, count) = (one_over(part), counts(part));
            if !same && !count {
                break;
            }
            if (same && part.len() >= 3) || part.len() >= 4 {
                whole.get_mut(end).into_iter().for_each(|whole| *whole = true);
            }
        }
    }
    whole.last() == Some(&true)
}

/// `112233445566`: true if every letter occurs twice in a row, and the distinct letters count.
pub(super) fn doubled(all: &[u8]) -> bool {
    let pairs = || all.chunks_exact(2);
    let every_other: Vec<u8> = all.iter().step_by(2).copied().collect();
    all.len() >= 6 && all.len().is_multiple_of(2) && pairs().all(one_over) && counts(&every_other)
}

/// `0102030405`, `001002003004`: true for at least four numbers of equal width that count by one.
pub(super) fn numbers(all: &[u8]) -> bool {
    (2..=8).any(|width| {
        let parts: Vec<_> = all.chunks(width).collect();
        let equal = parts.iter().all(|part| part.len() == width);
        equal && parts.len() >= 4 && counting_numbers(&parts)
    })
}

/// True if the parts are at least three numbers, decimal or hexadecimal, that count by one.
pub(super) fn counting_numbers(parts: &[&[u8]]) -> bool {
    [10, 16].into_iter().any(|radix| {
        let number =
            |part: &&[u8]| u64::from_str_radix(std::str::from_utf8(part).ok()?, radix).ok();
        let numbers: Option<Vec<u64>> = parts.iter().map(number).collect();
        let Some(numbers) = numbers.filter(|numbers| numbers.len() >= 3) else { return false };
        let pairs = || numbers.iter().zip(numbers.iter().skip(1));
        pairs().all(|(one, next)| one.checked_add(1) == Some(*next))
            || pairs().all(|(one, next)| next.checked_add(1) == Some(*one))
    })
}

/// True for eight or more letters that are equal except for one.
pub(super) fn all_but_one(all: &[u8]) -> bool {
    all.len() >= 8 && most_frequent(all).saturating_add(1) >= all.len()
}

/// Returns how often the most frequent letter occurs.
pub(super) fn most_frequent(all: &[u8]) -> usize {
    let times = |one: &u8| all.iter().filter(|other| *other == one).count();
    all.iter().map(times).max().unwrap_or(0)
}

/// True if a run of at least eight letters that count up or down makes up at least half of the
/// value, rounded down.
pub(super) fn share_of_counting(all: &[u8]) -> bool {
    let long = (all.len() / 2).max(8);
    all.windows(long).any(counts)
}

//! Filler values, which a maker left unchanged in whole batches of machines. All but a few examples
//! are recognized by their form, not by a list of values. Implements `docs/format.md`, section
//! "Fillers".

mod sequence;
#[cfg(test)]
mod tests;
mod uuid;
mod words;

use sequence::{all_but_one, counts, doubled, numbers, repeats, runs, share_of_counting};

/// Reason shown for the weight 0 of a filler.
pub const WHY: &str = "a manufacturer's placeholder: many machines have it";

/// Maximum length that is examined. No value of a factor is longer.
const CAP: usize = 256;

/// True if many machines may have `value`, because it was never replaced by one of their own.
pub fn filler(value: &str) -> bool {
    let value: Vec<u8> = value.bytes().take(CAP).map(|byte| byte.to_ascii_lowercase()).collect();
    let parts: Vec<&[u8]> =
        value.split(|byte| !byte.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let all = parts.concat();
    all.len() < 3
        || sequence(&all)
        || of_parts(&parts, all.len())
        || words::only(&parts, &all)
        || behind_letters(&all)
        || uuid::filler(&all)
        || uuid::hexadecimal_word(&all)
}

/// True if digits or letters repeat or count, as a whole or in large part.
fn sequence(all: &[u8]) -> bool {
    repeats(all)
        || counts(all)
        || runs(all)
        || doubled(all)
        || numbers(all)
        || all_but_one(all)
        || share_of_counting(all)
}

/// `11-22-33`, `0001-0002-0003`: each part repeats or counts, or the parts themselves count.
fn of_parts(parts: &[&[u8]], len: usize) -> bool {
    if parts.len() < 2 || len < 6 {
        return false;
    }
    let plain = |part: &&[u8]| part.len() >= 2 && (sequence::one_over(part) || counts(part));
    // The third and fourth part of a UUID begin with its version and variant.
    let behind_the_kind =
        |part: &&[u8]| part.len() == 4 && part.get(1..).is_some_and(sequence::one_over);
    parts.iter().all(|part| plain(part) || (parts.len() == 5 && behind_the_kind(part)))
        || sequence::counting_numbers(parts)
}

/// `SYS-1234567890`, `AB00000`, `1234567890XXX`: a few letters before or after a filler.
fn behind_letters(all: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let (Some(first), Some(last)) = (all.iter().position(digit), all.iter().rposition(digit))
    else {
        return false;
    };
    let behind = all.len().saturating_sub(last).saturating_sub(1);
    let body = all.get(first..=last).unwrap_or_default();
    first <= 4 && behind <= 4 && body.len() >= 5 && body.iter().all(digit) && sequence(body)
}

//! Comparison of releases, which are numbers with dots. Implements `docs/judgement.md`, section
//! "Questions".

/// True if release `version` comes before `first`. The parts are compared as numbers. False if
/// either is empty.
pub fn is_older(version: &str, first: &str) -> bool {
    if version.is_empty() || first.is_empty() {
        return false;
    }
    numbers(version).lt(numbers(first))
}

/// Returns the first eight numbers in `text`. Missing ones are 0, so that 7.7 equals 7.7.0.
fn numbers(text: &str) -> impl Iterator<Item = u64> {
    let pieces = text.split(|c: char| !c.is_ascii_digit()).filter(|piece| !piece.is_empty());
    let numbers = pieces.map(|piece| piece.parse().unwrap_or(u64::MAX));
    numbers.chain(std::iter::repeat(0)).take(8)
}

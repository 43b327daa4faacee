//! Releases are numbers with dots. Obeys `docs/format.md`, section "Questions".

/// Whether release `version` comes before `first`; numbers compare as numbers. An empty one on
/// either side is never older.
pub fn is_older(version: &str, first: &str) -> bool {
    if version.is_empty() || first.is_empty() {
        return false;
    }
    numbers(version).lt(numbers(first))
}

/// Eight numbers; those that are not written are 0, so that 7.7 is 7.7.0.
fn numbers(text: &str) -> impl Iterator<Item = u64> {
    let pieces = text.split(|c: char| !c.is_ascii_digit()).filter(|piece| !piece.is_empty());
    let numbers = pieces.map(|piece| piece.parse().unwrap_or(u64::MAX));
    numbers.chain(std::iter::repeat(0)).take(8)
}

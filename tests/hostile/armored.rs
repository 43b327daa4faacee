//! The text form: whatever damage an artefact suffers, its exact bytes are recovered or it is
//! refused.

use olr_core::armor::{armor, dearmor};

use crate::long;
use crate::world::readers::{Good, Reader, good};

/// Number of changed texts, by outcome.
#[derive(Default)]
struct Count {
    /// No longer valid armor.
    no_armor: usize,
    /// Armor of other bytes, which the reader refuses.
    other: usize,
    /// Armor of the same bytes.
    same: usize,
    /// Armor of other bytes that the reader accepts, as rule trust-12 permits: see
    /// [`Good::by_rule`].
    by_rule: usize,
}

impl Count {
    fn look(&mut self, good: &Good, text: &[u8], what: impl std::fmt::Display) {
        match dearmor(Some(good.reader.kind()), text) {
            Err(_) => self.no_armor += 1,
            Ok(bytes) if *bytes == good.bytes => self.same += 1,
            Ok(bytes) if !good.reader.accepts(&bytes) => self.other += 1,
            Ok(bytes) => {
                assert!(good.by_rule(&bytes), "{}: {what}: another artefact", good.name);
                self.by_rule += 1;
            }
        }
    }

    fn assert(self, what: &str, at_least: usize) {
        let Self { no_armor, other, same, by_rule } = self;
        let tried = no_armor + other + same + by_rule;
        println!(
            "{what}: {tried} tried, {no_armor} no armor, {other} refused by the reader, {same} the \
             same bytes, {by_rule} by rule trust-12"
        );
        assert!(tried >= at_least, "{what}: only {tried} tried");
        assert!(no_armor > 0 && same > 0, "{what}: none was refused, or none recovered");
    }
}

/// Every good artefact that has a text form, with that form. Keys with a passphrase are left out:
/// each refusal would cost one Argon2id, and `binary` covers them.
fn texts() -> Vec<(Good, Vec<u8>)> {
    let mut good = good();
    good.retain(|good| good.reader != Reader::State && !good.is_slow());
    good.into_iter()
        .map(|good| {
            let text = armor(good.reader.kind(), &good.bytes);
            (good, text.into_bytes())
        })
        .collect()
}

/// Step width for sampling the characters of a text. The long form tries all of them.
fn sampled(from: usize) -> usize {
    if long() { 1 } else { from }
}

#[test]
fn a_flipped_bit_changes_nothing_or_is_refused() {
    let mut count = Count::default();
    for (good, mut text) in texts() {
        for bit in (0..text.len() * 8).step_by(sampled(83)) {
            text[bit / 8] ^= 1 << (bit % 8);
            count.look(&good, &text, format_args!("bit {bit}"));
            text[bit / 8] ^= 1 << (bit % 8);
        }
    }
    count.assert("bits of a text", if long() { 300_000 } else { 3_500 });
}

#[test]
fn a_replaced_character_changes_nothing_or_is_refused() {
    let mut count = Count::default();
    for (good, mut text) in texts() {
        for at in 0..text.len() {
            let old = text[at];
            for new in (at % sampled(1021)..256).step_by(sampled(1021)) {
                text[at] = new as u8;
                count.look(&good, &text, format_args!("byte {at} as {new}"));
            }
            text[at] = old;
        }
    }
    count.assert("characters of a text", if long() { 11_000_000 } else { 25_000 });
}

#[test]
fn a_text_that_is_cut_or_continued_changes_nothing_or_is_refused() {
    let mut count = Count::default();
    for (good, text) in texts() {
        for len in (0..text.len()).step_by(sampled(11)) {
            count.look(&good, &text[..len], format_args!("{len} characters"));
            count.look(&good, &text[len..], format_args!("without {len} characters"));
        }
        for tail in [b"\0", b"\xff", b"=", b"A", b"-", b"\n", b" ", b"<"] {
            for len in 1..=64 {
                let more = [&text, tail.repeat(len).as_slice()].concat();
                count.look(&good, &more, format_args!("{len} times {tail:?}"));
            }
        }
    }
    count.assert("cut and continued texts", if long() { 100_000 } else { 40_000 });
}

#[test]
fn two_texts_in_one_file_are_told_apart() {
    let mut count = Count::default();
    let texts = texts();
    for (first, (good, text)) in texts.iter().enumerate() {
        for (other, more) in texts.iter().skip(first % sampled(5)).step_by(sampled(5)) {
            count.look(good, &[text.as_slice(), more].concat(), &other.name);
            count.look(good, &[more.as_slice(), text].concat(), &other.name);
        }
    }
    count.assert("two texts in one file", 5_000);
}

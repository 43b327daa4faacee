//! The binary form: no reader accepts an artefact after a change to any byte.

use std::ops::Range;

use crate::long;
use crate::world::readers::{Good, good};
use crate::world::rng;
use rand::Rng;

/// Number of changes tried, and of those that a rule of the format permits.
#[derive(Default)]
struct Count {
    tried: usize,
    by_rule: usize,
}

impl Count {
    fn assert(self, what: &str, at_least: usize) {
        println!("{what}: {} tried, 0 accepted, but {} by rule trust-12", self.tried, self.by_rule);
        assert!(self.tried >= at_least, "{what}: only {} tried", self.tried);
    }
}

/// Tries every change of one byte that `values` returns.
fn each_byte(good: &Good, count: &mut Count, values: impl Fn(usize, u8) -> Vec<u8>) {
    let mut bytes = good.bytes.clone();
    for at in 0..bytes.len() {
        let old = bytes[at];
        for new in values(at, old).into_iter().filter(|new| *new != old) {
            bytes[at] = new;
            count.tried += 1;
            if good.reader.accepts(&bytes) {
                assert!(good.by_rule(&bytes), "{}: byte {at} as {new}", good.name);
                count.by_rule += 1;
            }
        }
        bytes[at] = old;
    }
}

/// All bits in the long form; otherwise one bit of every fifth byte, each time the next one.
fn bits(at: usize, byte: u8) -> Vec<u8> {
    let bits = match (long(), at % 5) {
        (true, _) => 0..8,
        (false, 0) => at / 5 % 8..at / 5 % 8 + 1,
        (false, _) => 0..0,
    };
    bits.map(|bit| byte ^ 1 << bit).collect()
}

/// All other values in the long form; otherwise one for every fourth byte, in turn the smallest,
/// the largest, the next, the previous, and the byte with its halves swapped.
fn values(at: usize, byte: u8) -> Vec<u8> {
    if long() {
        return (0..=255).collect();
    }
    let some = [0, 0xff, byte.wrapping_add(1), byte.wrapping_sub(1), byte.rotate_left(4)];
    at.is_multiple_of(4).then(|| some[at / 4 % some.len()]).into_iter().collect()
}

#[test]
fn no_bit_can_be_flipped() {
    let mut count = Count::default();
    good().iter().filter(|good| !good.is_slow()).for_each(|good| each_byte(good, &mut count, bits));
    count.assert("single bits", if long() { 1_370_000 } else { 34_000 });
}

#[test]
fn no_byte_can_be_replaced() {
    let mut count = Count::default();
    for good in good().iter().filter(|good| !good.is_slow()) {
        each_byte(good, &mut count, values);
    }
    count.assert("byte values", if long() { 40_000_000 } else { 30_000 });
}

/// Range of the passphrase cost in a key file.
const COST: Range<usize> = 57..69;

#[test]
fn no_bit_of_a_key_under_a_passphrase_can_be_flipped() {
    let mut count = Count::default();
    for good in good().iter().filter(|good| good.is_slow()) {
        let step = if long() { 1 } else { 11 };
        let bits = 0..good.bytes.len() * 8;
        // A flipped cost may ask for half a GiB, which only the long form can afford.
        let bits = bits.filter(|bit| long() || !COST.contains(&(bit / 8)));
        for bit in bits.filter(|bit| *bit < COST.start * 8 || bit % step == 0) {
            let mut bytes = good.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            count.tried += 1;
            assert!(!good.reader.accepts(&bytes), "{}: bit {bit}", good.name);
        }
    }
    count.assert("bits of a key under a passphrase", if long() { 1_400 } else { 500 });
}

#[test]
fn nothing_can_be_cut_off() {
    let mut count = Count::default();
    for good in good() {
        for len in 0..good.bytes.len() {
            count.tried += 1;
            assert!(!good.reader.accepts(&good.bytes[..len]), "{}: {len} bytes", good.name);
        }
    }
    count.assert("truncations", 45_000);
}

#[test]
fn nothing_can_be_added() {
    let mut count = Count::default();
    let mut random = [0; 64];
    rng("trailing bytes").fill_bytes(&mut random);
    for good in good() {
        for tail in [[0; 64], [0xff; 64], random] {
            for len in 1..=64 {
                let bytes = [&good.bytes, &tail[..len]].concat();
                count.tried += 1;
                assert!(!good.reader.accepts(&bytes), "{}: {len} bytes more", good.name);
            }
        }
    }
    count.assert("trailing bytes", 12_000);
}

#[test]
fn no_two_artefacts_are_one() {
    let mut count = Count::default();
    let good = good();
    let step = if long() { 1 } else { 5 };
    for (number, first) in good.iter().enumerate() {
        for second in good.iter().skip(number % step).step_by(step) {
            let bytes = [first.bytes.as_slice(), &second.bytes].concat();
            for reader in [first.reader, second.reader] {
                count.tried += 1;
                assert!(!reader.accepts(&bytes), "{} and {}", first.name, second.name);
            }
        }
    }
    count.assert("concatenations", 8_000);
}

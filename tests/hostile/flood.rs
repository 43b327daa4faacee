//! Very many hostile files through every parser: an answer each time, never a panic.

use std::time::{Duration, Instant};

use crate::long;
use crate::world::files::{files, flood};
use crate::world::readers::PARSERS;

/// What begins a tag, and what is no character at all.
const MEANINGFUL: [u8; 2] = [b'<', 0xff];

#[test]
fn every_file_gets_an_answer() {
    let bytes: Vec<u8> = if long() { (0..=255).collect() } else { MEANINGFUL.into() };
    let count = if long() { 100_000 } else { 5_000 };
    let mut times = Vec::new();
    for file in files(count - bytes.len()).chain(bytes.into_iter().map(flood)) {
        let start = Instant::now();
        PARSERS.iter().for_each(|(_, parse)| parse(&file));
        times.push((start.elapsed(), file.len()));
    }
    times.sort();
    report(&times);
    assert_eq!(times.len(), count);
}

/// Told, not asserted: how long it takes says more about the computer than about the parsers.
fn report(times: &[(Duration, usize)]) {
    let at = |share: f64| times[(times.len() as f64 * share) as usize].0;
    let (longest, len) = times.last().unwrap();
    println!("{} files through {} parsers each:", times.len(), PARSERS.len());
    println!("p50 {:?}, p99 {:?}, longest {longest:?} ({len} bytes)", at(0.5), at(0.99));
}

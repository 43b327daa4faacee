//! A flood of hostile files through every parser: each gets an answer, and none causes a panic.

use std::time::{Duration, Instant};

use crate::long;
use crate::world::files::{files, flood};
use crate::world::readers::PARSERS;

/// A byte that begins a tag, and one that is not valid UTF-8.
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

/// Prints the times without asserting them: they depend more on the computer than on the parsers.
fn report(times: &[(Duration, usize)]) {
    let at = |share: f64| times[(times.len() as f64 * share) as usize].0;
    let (longest, len) = times.last().unwrap();
    println!("{} files through {} parsers each:", times.len(), PARSERS.len());
    println!("p50 {:?}, p99 {:?}, longest {longest:?} ({len} bytes)", at(0.5), at(0.99));
}

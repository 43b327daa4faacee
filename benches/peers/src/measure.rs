//! Interleaved measurement: in each round, each contestant runs for a short time, and is compared
//! with the baseline of the same round.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Serialize;

/// Something to measure.
pub struct Contestant {
    pub name: &'static str,
    /// Length of what it reads.
    pub bytes: usize,
    /// Signatures that it verifies.
    pub signatures: u32,
    /// What it checks of a signature: see [`crate::forge::checks`].
    pub checks: String,
    /// Does the work once. True if it succeeded.
    pub work: Box<dyn FnMut() -> bool>,
}

/// What was measured.
#[derive(Serialize)]
pub struct Figure {
    pub name: &'static str,
    pub bytes: usize,
    pub signatures: u32,
    pub checks: String,
    /// Microseconds, median over all rounds.
    pub median: f64,
    pub minimum: f64,
    /// Median of the ratios to the baseline of the same round.
    pub ratio: f64,
    /// Microseconds in each round.
    pub rounds: Vec<f64>,
}

/// Measures `contestants` in `rounds` rounds. In each round, each contestant works for about
/// `slice`, but at least once. `baseline` is the place of the baseline among them.
pub fn measure(
    mut contestants: Vec<Contestant>,
    baseline: usize,
    rounds: usize,
    slice: Duration,
) -> Vec<Figure> {
    let repeats: Vec<_> =
        contestants.iter_mut().map(|contestant| repeats(contestant, slice)).collect();
    let mut times = vec![Vec::with_capacity(rounds); contestants.len()];
    for round in 0..rounds {
        // Each round starts with another contestant, so that none of them is always the first.
        for step in 0..contestants.len() {
            let at = (round + step) % contestants.len();
            times[at].push(sample(&mut contestants[at], repeats[at]));
        }
    }
    let base = times[baseline].clone();
    let figure = |(contestant, rounds): (Contestant, Vec<f64>)| Figure {
        name: contestant.name,
        bytes: contestant.bytes,
        signatures: contestant.signatures,
        checks: contestant.checks,
        median: median(rounds.clone()),
        minimum: rounds.iter().copied().fold(f64::INFINITY, f64::min),
        ratio: median(rounds.iter().zip(&base).map(|(time, base)| time / base).collect()),
        rounds,
    };
    contestants.into_iter().zip(times).map(figure).collect()
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How often the work is done within `slice`. Also warms the caches.
fn repeats(contestant: &mut Contestant, slice: Duration) -> u32 {
    let once = (0..5).map(|_| sample(contestant, 1)).fold(f64::INFINITY, f64::min);
    ((slice.as_secs_f64() * 1e6 / once) as u32).max(1)
}

/// Mean time of one repeat, in microseconds.
fn sample(contestant: &mut Contestant, repeats: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        assert!(black_box((contestant.work)()), "{} failed", contestant.name);
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(repeats)
}

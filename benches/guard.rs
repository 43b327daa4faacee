//! Benchmarks of how long a product waits for an answer: `cargo bench --bench guard`.

use divan::{Bencher, black_box};
use olr::Home;
use olr::probe;
use olr::{Guard, GuardConfig};
use olr::{Operation, Question};
use olr_core::state::Surroundings;
use olr_core::time::Instant;
use olr_core::wire::codec::{Set, Text};

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

#[path = "../tests/world/mod.rs"]
mod world;

use world::{NOW, WORLD, machine};

/// A vendor-defined operation, as named in the catalog.
const CREATE_USER: Operation = Operation::new("create-user").unwrap();

/// Creates a home whose license grants `modules` modules, all in one pool.
fn licensed(modules: usize) -> tempfile::TempDir {
    let state = WORLD.installed(NOW, |body| {
        let one = body.grants[0].clone();
        let grant = |n: usize| {
            let [module, pool] = [&format!("m{n:04}"), "pool"].map(|t| Text::new(t).unwrap());
            olr_core::entitlement::Grant { module, pool, ..one.clone() }
        };
        body.grants = Set::new((0..modules).map(grant).collect()).unwrap();
        body.expires = None;
    });
    let folder = tempfile::tempdir().unwrap();
    for file in Home::at(folder.path()).state_files() {
        std::fs::write(file, &*state.to_bytes()).unwrap();
    }
    folder
}

/// Configuration whose clock is the system clock, shifted to the day of the license.
fn order(home: &tempfile::TempDir) -> GuardConfig {
    let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let ahead = NOW.parse::<Instant>().unwrap().seconds - clock();
    let anchor: &'static [u8] = WORLD.vendor.trust.bytes().to_vec().leak();
    GuardConfig {
        clock: Box::new(move || Instant::new(clock() + ahead)),
        look: Box::new(|at| machine::around("server", at)),
        ..GuardConfig::new(home.path(), anchor, "example")
    }
}

fn main() {
    divan::main();
}

#[divan::bench(args = [10, 4096], sample_size = 10_000)]
fn a_quota_question(bencher: Bencher, modules: usize) {
    let home = licensed(modules);
    let guard = Guard::open(order(&home)).unwrap();
    let adds = [("m0007", 1)];
    let question = Question { adds: &adds, ..Question::about(CREATE_USER) };
    bencher.bench(|| guard.ask(black_box(&question)));
}

#[divan::bench(sample_size = 10_000)]
fn the_license(bencher: Bencher) {
    let home = licensed(10);
    let guard = Guard::open(order(&home)).unwrap();
    bencher.bench(|| guard.decision());
}

#[divan::bench(sample_size = 10_000, threads = 2)]
fn the_license_from_two_threads(bencher: Bencher) {
    let home = licensed(10);
    let guard = Guard::open(order(&home)).unwrap();
    bencher.bench(|| guard.decision());
}

/// The cost of reading the clock, which every question includes.
#[divan::bench(sample_size = 10_000)]
fn the_clock(bencher: Bencher) {
    bencher.bench(SystemTime::now);
}

/// The check, once a second, for changes to the home.
#[divan::bench]
fn a_look(bencher: Bencher) {
    let (home, calls) = (licensed(10), AtomicU64::new(0));
    let noon = NOW.parse::<Instant>().unwrap().seconds;
    // Alternate between two seconds from question to question (each reads the clock twice), so that
    // no cached check is used.
    let clock = Box::new(move || {
        Instant::new(noon + calls.fetch_add(1, Ordering::Relaxed).div_ceil(2) % 2)
    });
    let guard = Guard::open(GuardConfig { clock, ..order(&home) }).unwrap();
    bencher.bench(|| guard.decision());
}

/// A full decision: made when the home changes, when time changes the answer, and every 15 minutes.
#[divan::bench(args = [10, 4096])]
fn a_judgement(bencher: Bencher, modules: usize) {
    let home = licensed(modules);
    bencher.bench(|| Guard::open(order(&home)).unwrap());
}

/// Reading the machine, which is part of every full decision.
#[divan::bench]
fn the_machine(bencher: Bencher) {
    bencher.bench(|| Surroundings::of(&probe(true), Instant::default()));
}

//! The memory that a parser uses is proportional to the size of its input, whatever it contains.
//!
//! This is a separate program, because an allocator is global to a program; its tests run one at a
//! time. An ordinary run parses fewer random files than the long form, `bash .ci/long hostile`.
#![cfg(feature = "vendor")]

use crate::world::{WORLD, files};

use olr_core::error::Refusal;
use olr_office::catalog::TOML_TOKENS_CAP;
use olr_office::key::file::KeyFile;
use peak_alloc::PeakAlloc;
use rand::RngExt;
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

mod asking;
mod worst;

use crate::world::readers::PARSERS;
use crate::world::scenario::{Scenario, committed, root};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Serializes the tests: they share one allocation counter.
static TURN: Mutex<()> = Mutex::new(());

const KIB: usize = 1024;
/// Upper bound for every parser and input, except for the files that the vendor's own staff write.
const MOST: usize = 64 * KIB * KIB;
/// Upper bound for a catalog or a grant at its caps.
const MOST_TOML: usize = 96 * KIB * KIB;

fn long() -> bool {
    std::env::var_os("OLR_LONG").is_some()
}

/// Peak memory allocated during `act`, beyond what was allocated before.
fn peak(act: impl FnOnce()) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    act();
    HEAP.peak_usage().saturating_sub(before)
}

/// Bound for ordinary files: four bytes per input byte, and 64 KiB. Grants and catalogs have a
/// higher bound, because the TOML parser records every token; a cap limits the tokens. Only the
/// vendor's own staff write these files.
fn usual(parser: &str, input: usize) -> usize {
    match parser {
        "grant and catalog" => 170 * input.min(TOML_TOKENS_CAP) + 8 * input + 64 * KIB,
        _ => 4 * input + 64 * KIB,
    }
}

/// Bound for bodies that consist of the smallest entries only: a grant takes 12 bytes in a file and
/// 176 in memory. Caps limit the number of entries.
fn worst(parser: &str, input: usize) -> usize {
    match parser {
        "grant and catalog" | "armor, any kind" | "armor, each kind" => usual(parser, input),
        _ => 16 * input + 512 * KIB,
    }
}

/// Highest peak so far of each parser, and the input that caused it.
#[derive(Default)]
struct Peaks(BTreeMap<&'static str, (usize, String)>);

impl Peaks {
    /// Gives `input` to every parser, and checks each peak against its bound.
    fn parse(&mut self, name: &str, input: &[u8], bound: fn(&str, usize) -> usize) {
        for (parser, parse) in PARSERS {
            let used = peak(|| parse(input));
            let (len, bound) = (input.len(), bound(parser, input.len()));
            let most = if parser == "grant and catalog" { MOST_TOML } else { MOST };
            assert!(used <= bound.min(most), "{parser}: {name}: {used} bytes for {len}");
            let highest = self.0.entry(parser).or_default();
            if used > highest.0 {
                *highest = (used, format!("{name}, {len} bytes"));
            }
        }
    }

    fn print(&self, what: &str) {
        println!("{what}; the highest peak of each parser, in bytes:");
        for (parser, (used, name)) in &self.0 {
            println!("  {parser:20} {used:9}  {name}");
        }
    }
}

#[test]
fn files_cost_four_bytes_for_each_of_theirs() {
    let _turn = TURN.lock();
    LazyLock::force(&WORLD);
    let (mut peaks, mut count) = (Peaks::default(), 0);
    let mut parse = |name: &str, file: &[u8]| {
        // Bodies at a cap consist of many small entries.
        let bound = if name.starts_with("cap/") { worst } else { usual };
        peaks.parse(name, file, bound);
        count += 1;
    };
    for fixture in committed() {
        parse(&fixture.name, &fixture.bytes);
    }
    for target in std::fs::read_dir(root().join("fuzz/corpus")).unwrap() {
        for seed in std::fs::read_dir(target.unwrap().path()).unwrap() {
            let seed = seed.unwrap().path();
            parse("a seed", &std::fs::read(seed).unwrap());
        }
    }
    let bytes = if long() { (0..=255).collect() } else { vec![b'<', 0xff] };
    for byte in bytes {
        parse(&format!("1 MiB of {byte:02x}"), &files::flood(byte));
    }
    let mutants = if long() { 100_000 } else { 3_000 };
    files::files(mutants).enumerate().for_each(|(n, file)| parse(&format!("file {n}"), &file));
    peaks.print(&format!("{count} files"));
    assert!(count >= mutants + 900, "only {count} files");
}

#[test]
fn the_worst_files_cost_what_their_caps_allow() {
    let _turn = TURN.lock();
    LazyLock::force(&WORLD);
    let (mut peaks, worst_files) = (Peaks::default(), worst::all());
    for (name, file) in &worst_files {
        peaks.parse(name, file, worst);
    }
    peaks.print(&format!("{} worst files", worst_files.len()));
    assert!(worst_files.len() >= 29, "only {} worst files", worst_files.len());
}

/// Offset of the passphrase cost in a key file.
const COST: usize = 57;

/// A parser that trusted the cost would allocate at least 8 MiB.
#[test]
fn a_cost_is_held_against_its_caps_before_anything_is_allocated() {
    let _turn = TURN.lock();
    let mut file = Scenario::read("key-file/cheap").bytes;
    let mut rng = world::rng("costs");
    let (mut refused, mut taken, mut highest) = (0, 0, 0);
    while refused < 10_000 || taken < 10_000 {
        // Values around the caps, and arbitrary ones.
        let mut number = |cap: u32| match rng.random_range(0..4) {
            0 => rng.random(),
            1 => cap + rng.random_range(0..2),
            _ => rng.random_range(0..=cap),
        };
        let [memory, passes, lanes] = [number(1024 * 1024), number(16), number(16)];
        let cost = [memory, passes, lanes].map(u32::to_le_bytes);
        file[COST..COST + 12].copy_from_slice(cost.as_flattened());
        let within = (8 * 1024..=1024 * 1024).contains(&memory)
            && (1..=16).contains(&passes)
            && (1..=16).contains(&lanes)
            && u64::from(memory) * u64::from(passes) <= 4 * 1024 * 1024;
        highest = highest.max(peak(|| match KeyFile::parse(&file) {
            Ok(_) => assert!(within, "{memory} KiB, {passes} passes, {lanes} lanes"),
            Err(error) => {
                assert!(!within, "{memory} KiB, {passes} passes, {lanes} lanes");
                assert_eq!(error.refusal(), Some(Refusal::Malformed));
            }
        }));
        *if within { &mut taken } else { &mut refused } += 1;
    }
    println!("costs: {refused} refused, {taken} accepted, highest peak {highest} bytes");
    // The count includes the little that the test harness's reporting thread allocates meanwhile.
    assert!(highest <= 64 * KIB, "{highest} bytes");
}

#[path = "../world/mod.rs"]
mod world;

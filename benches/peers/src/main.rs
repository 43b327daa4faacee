//! Measures olr beside programs and libraries that others wrote for the same work:
//!
//! ```sh
//! cargo run --release -- [OLR] [--static OLR] [--json FILE] [--svg FOLDER] [--rounds NUMBER]
//! ```
//!
//! OLR is the path of a program `olr`; without the first, no programs are measured. The second is
//! one that is linked statically. `docs/performance.md` explains the figures.

mod chart;
mod content;
mod document;
mod forge;
mod measure;
mod place;
mod processes;
mod sealing;
mod table;
mod verify;
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use chart::{Bar, chart};
use measure::{Figure, measure};
use place::Place;
use world::World;

static WORLD: LazyLock<World> =
    LazyLock::new(|| World::new().unwrap_or_else(|error| panic!("{error}")));
/// How long each contestant works in one round. Short, so that other work on this machine seldom
/// begins or ends within a round.
const SLICE: Duration = Duration::from_millis(1);
/// How often each program is started.
const STARTS: usize = 200;

/// What the command line asks for.
struct Options {
    olr: Option<PathBuf>,
    /// The same program, linked statically.
    static_olr: Option<PathBuf>,
    json: Option<PathBuf>,
    svg: Option<PathBuf>,
    rounds: usize,
}

fn main() {
    let Some(options) = options(std::env::args().skip(1)) else {
        eprintln!(
            "usage: olr-peers [OLR] [--static OLR] [--json FILE] [--svg FOLDER] [--rounds NUMBER]"
        );
        std::process::exit(2);
    };
    let place = Place::here();
    println!("{}\n{}, {}, {}", place.processor, place.date, place.commit, place.compiler);

    let contestants = verify::contestants(&WORLD);
    let verifiers = measure(contestants, verify::BASELINE, options.rounds, SLICE);
    println!("\nVerifying a license of 15 modules, {} rounds", options.rounds);
    print!("\n{}", table::verifiers(&verifiers));

    let sealers = measure(sealing::contestants(&WORLD), sealing::BASELINE, options.rounds, SLICE);
    println!("\nSealing and opening a request, {} rounds", options.rounds);
    print!("\n{}", table::sealers(&sealers));

    let programs = options
        .olr
        .as_deref()
        .map_or_else(Vec::new, |olr| programs(olr, options.static_olr.as_deref()));
    if let Some(folder) = &options.svg {
        write(&folder.join("verify.svg"), &verify_chart(&verifiers));
        if !programs.is_empty() {
            write(&folder.join("processes.svg"), &programs_chart(&programs));
        }
    }
    if let Some(file) = &options.json {
        let all = serde_json::json!({
            "place": place, "verify": verifiers, "seal": sealers, "processes": programs,
        });
        write(file, &format!("{all:#}\n"));
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options { olr: None, static_olr: None, json: None, svg: None, rounds: 501 };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--static" => options.static_olr = Some(fs::canonicalize(args.next()?).ok()?),
            "--json" => options.json = Some(args.next()?.into()),
            "--svg" => options.svg = Some(args.next()?.into()),
            "--rounds" => options.rounds = args.next()?.parse().ok().filter(|&it| it >= 9)?,
            flag if flag.starts_with('-') => return None,
            path => options.olr = Some(fs::canonicalize(path).ok()?),
        }
    }
    Some(options)
}

fn programs(olr: &Path, static_olr: Option<&Path>) -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_string();
    let (olr, static_olr) = (text(olr), static_olr.map(text));
    let contestants = processes::contestants(&WORLD, &olr, static_olr.as_deref(), folder.path());
    let programs = measure(contestants, 0, STARTS, Duration::ZERO);
    println!("\nPrograms, from start to exit status, {STARTS} times");
    print!("\n{}", table::programs(&programs));
    programs
}

fn verify_chart(figures: &[Figure]) -> String {
    let bar = |figure| {
        let value = table::per_signature(figure);
        let checks = &figure.checks;
        Bar { label: figure.name, value, text: format!("{value:.2}, checks {checks}") }
    };
    let title = "Time per signature; one strict verification of as many bytes is 1";
    chart(title, &figures.iter().map(bar).collect::<Vec<_>>())
}

fn programs_chart(figures: &[Figure]) -> String {
    let bar = |figure: &Figure| {
        let value = figure.median / 1e3;
        Bar { label: figure.name, value, text: format!("{value:.2} ms") }
    };
    let bars: Vec<_> = figures.iter().map(bar).collect();
    chart("A whole program, from start to exit status, in milliseconds", &bars)
}

fn write(file: &Path, text: &str) {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    }
    fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

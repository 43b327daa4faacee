//! `olr simulate`: shows how the installed license will change, and when.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use crate::file::{self, Writing};
use olr_core::display::{shown, wrapped};
use olr_core::error::Result;
use olr_core::report::LicenseReport;
use olr_core::simulate::{
    EVENTS, Entry, Happening, Play, ScenarioEvent, Timeline, picture, simulate,
};
use olr_core::time::{DAY, Instant};

use super::files::{ensure_replaceable, read_answer};
use super::known::{Known, UnlistedArg};
use super::output::Output;
use super::show;
use crate::cli::args::home::{HomeArg, SlotArg};
use crate::cli::context::Context;

/// Maximum number of decisions in one run. That many take a few seconds.
const STEPS: usize = 20_000;
/// Default of --until: one year.
const SPAN: u64 = 366 * DAY;
/// Width of the column of changes, so that the table fits a terminal of 80 columns.
const COLUMNS: usize = 45;
/// Maximum number of bytes read to tell whether a file is a picture.
const PICTURE_CAP: usize = 16 * 1024 * 1024;

#[derive(clap::Args)]
#[command(after_help = after_help())]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    #[command(flatten)]
    slot: SlotArg,
    #[command(flatten)]
    unlisted: UnlistedArg,
    /// Look ahead to this day, or to an instant like 2027-03-01T12:00:00Z [default: a year].
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// An event to simulate: "DATE WHAT", see below (repeatable).
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<String>,
    /// Draw the result into this file; with `-` to stdout, and the text to stderr.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Replace an existing file, but never a private key, another olr file, such as a state, or a
    /// text file in a vendor's folder.
    #[arg(long, requires = "svg")]
    force: bool,
}

fn after_help() -> String {
    let width = EVENTS.iter().map(|(word, _)| word.len()).max().unwrap_or(0);
    let line = |(word, what): &(&str, &str)| format!("  {word:width$}  {what}");
    let lines: Vec<_> = EVENTS.iter().map(line).collect();
    format!(
        "Events, each after a DATE (in UTC; a day means its first second):\n{}\n\n\
         The simulated server, while it runs, checks its machine all the time, and learns at once \
         that a license is revoked or pooled. The home does not change.\n\n\
         Examples:\n  \
         olr simulate\n      what changes in the coming year without any event\n  \
         olr simulate --until 2027-12-31 --event \"2027-03-01 nic-swap\" --svg year.svg\n      \
         does the license survive new network cards? Draw the answer, too\n  \
         olr simulate --event \"2027-04-02 use OBM=101\" --event \"2027-04-03 import more.olr\"\n      \
         one device too many for a day, until a license for more is imported",
        lines.join("\n")
    )
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    // Nothing is repaired either: a simulation changes nothing.
    let home = args.home.home()?;
    context.home = Some(home.folder().to_path_buf());
    let state = home.require_state()?;
    let slot = state.slot(args.slot.product.as_deref(), args.slot.slot.as_deref());
    let slot = slot.map_err(|error| error.within(file::name(home.folder())))?;
    let (mut known, slot) = (Known::in_slot(slot), slot.name.clone());
    let later = Instant::new(context.now.seconds.saturating_add(SPAN));
    let until = args.until.as_deref().map(str::parse::<Instant>).transpose()?.unwrap_or(later);
    let read = |name: &str| read_answer(Path::new(name));
    let events = args.events.iter().map(|text| ScenarioEvent::parse(text, read));
    let events: Vec<ScenarioEvent> = events.collect::<Result<_>>()?;
    // An answer to be imported may name more modules.
    for event in &events {
        if let Happening::Import(answer) = &event.what {
            known.add_license(&answer.bytes);
        }
    }
    for event in &events {
        if let Happening::Use(counts) = &event.what {
            let used = known.ensure(counts.iter().map(|count| &*count.module), &args.unlisted);
            used.map_err(|error| error.within(format!("event \"{} {}\"", event.at, event.what)))?;
        }
    }
    if let Some(path) = svg_path(args) {
        ensure_replaceable(path, args.force, is_picture)?;
    }
    let (around, _) = context.around(true);
    let trust = state.trust().clone();
    let title = format!("{} ({})", shown(&slot.product), shown(&slot.slot));
    let timeline = simulate(state, &Play { slot, around, events, until, steps: STEPS })?;
    let mut report = Output::new(text(&timeline, &title), to_json(&timeline));
    if let Some(path) = &args.svg {
        let svg = picture(&timeline, &format!("How the license of {title} will change"));
        match svg_path(args) {
            Some(path) => file::write(path, svg.as_bytes(), Writing::Public)?,
            None => report.artefact = Some(svg.into_bytes().into()),
        }
        if let (Some(_), Value::Object(json)) = (svg_path(args), &mut report.json) {
            json.insert("svg".to_string(), json!(file::name(path)));
            report.text += &format!("\nWrote the picture to {}.", file::name(path));
        }
    }
    Ok(report.of_vendor(&trust).at_home(&home))
}

/// Returns the file for the picture, or `None` for stdout or without `--svg`.
fn svg_path(args: &Args) -> Option<&Path> {
    args.svg.as_deref().filter(|path| !file::is_stdout(path))
}

fn is_picture(path: &Path) -> bool {
    let bytes = file::read(path, PICTURE_CAP);
    bytes.is_ok_and(|bytes| bytes.starts_with(b"<svg ") && bytes.ends_with(b"</svg>\n"))
}

fn text(timeline: &Timeline, title: &str) -> String {
    let mut rows = Vec::new();
    for entry in &timeline.entries {
        let mut first = vec![entry.at.to_string(), entry.condition.word().to_string()];
        let lines = entry.lines();
        // An entry without any line still gets a row.
        let lines = if lines.is_empty() { vec![String::new()] } else { lines };
        for line in lines {
            for (at, piece) in wrapped(&line, COLUMNS).into_iter().enumerate() {
                let mut row = std::mem::take(&mut first);
                row.resize(2, String::new());
                row.push(if at == 0 { piece } else { format!("  {piece}") });
                rows.push(row);
            }
        }
    }
    format!(
        "{title}\n\n{}\n\nNothing else changes until {}.",
        show::table(&["from", "state", "what changes"], &rows, &[]),
        timeline.until
    )
}

fn to_json(timeline: &Timeline) -> Value {
    // The usage is listed once, as it is at the end: only events change it.
    let last = timeline.entries.iter().rev().find_map(|entry| entry.decision.as_ref());
    let modules = last.and_then(|decision| {
        let body = decision.license()?.body();
        show::object(&LicenseReport::new(body, Some(decision.usage()))).remove("modules")
    });
    json!({
        "until": timeline.until.to_string(), "modules": modules,
        "timeline": timeline.entries.iter().map(entry_json).collect::<Vec<_>>(),
    })
}

fn entry_json(entry: &Entry) -> Value {
    let turn = |turn: &olr_core::simulate::Turn| {
        let about = Some(turn.about).filter(|about| !about.is_empty());
        json!({"what": turn.word, "about": about, "text": turn.text})
    };
    let decision = entry.decision.as_ref();
    let refusal = decision.and_then(|d| d.refusal()).and_then(|error| error.refusal());
    let grace = decision.and_then(|d| d.grace());
    let blocked = decision.map(|d| d.blocked().iter().map(|o| o.to_string()).collect::<Vec<_>>());
    json!({
        "at": entry.at.to_string(), "clock": entry.clock.to_string(), "condition": entry.condition.word(),
        "state": decision.map_or("off", |decision| decision.state()),
        "license_id": decision.and_then(|d| d.license()).map(|l| l.body().license.to_string()),
        "refusal": refusal.map(|word| word.word()),
        "grace_until": grace.and_then(|grace| grace.until).map(|until| until.to_string()),
        "blocked": blocked.unwrap_or_default(),
        "events": entry.events.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "new": entry.turns.iter().map(turn).collect::<Vec<_>>(),
    })
}

//! `olr verify`: says whether this machine is licensed.

use serde_json::Value;
use std::path::PathBuf;

use olr_core::error::{Error, Refusal, Result};
use olr_core::judge::{Coming, Decision, Next, assess};
use olr_core::license::License;
use olr_core::report::{LicenseReport, last_day};
use olr_core::state::{Slot, SlotName, State, Surroundings};
use olr_core::time::Instant;
use olr_core::wire::frame::{Frame, Kind};

use super::files::{of_file, read_answer};
use super::output::Output;
use super::{decision, hint, show};
use crate::cli::args::expected::ExpectedArg;
use crate::cli::args::home::{HomeArg, SlotArg};
use crate::cli::context::Context;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    #[command(flatten)]
    expected: ExpectedArg,
    #[command(flatten)]
    slot: SlotArg,
    /// Check this license as an import would, but install nothing, and refuse a license that has
    /// not started yet. If it is an installed license, the answer is that for its slot.
    file: Option<PathBuf>,
    /// A time that has certainly passed, such as that of the newest backup; olr assumes no earlier
    /// time, unless this one is implausibly far ahead.
    #[arg(long, value_name = "TIME", conflicts_with = "file")]
    evidence: Option<String>,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let home = args.expected.open(&args.home, context)?;
    let (mut around, _) = context.around(true);
    around.evidence = args.evidence.as_deref().map(str::parse::<Instant>).transpose()?;
    let file = args.file.as_deref().map(read_answer).transpose()?;
    let read = if file.is_some() { home.begun() } else { home.require() };
    let mut session = context.mended(read?);
    // An installed license is judged with its usage and grace periods, even if its file was named.
    let installed = file.as_deref().and_then(|bytes| installed_as(session.state(), bytes));
    let file = file.filter(|_| installed.is_none());
    let mut report = match (file, args.file.as_deref()) {
        (Some(bytes), Some(path)) => match session.decide_file(&bytes, &around) {
            Ok(decision) => {
                let text = match decision.refusal() {
                    None => "licensed: this file can be imported here".to_string(),
                    Some(_) => String::new(),
                };
                decision::report(&decision, text)
            }
            Err(error) if error.refusal() == Some(Refusal::WrongMachine) => {
                file_report(&bytes, error, session.state(), &around)?
            }
            Err(error) => return Err(of_file(path)(error)),
        },
        _ => {
            let (product, slot) = match &installed {
                Some(name) => (Some(&*name.product), Some(&*name.slot)),
                None => (args.slot.product.as_deref(), args.slot.slot.as_deref()),
            };
            let decision = session.decide(product, slot, &around)?;
            decision::report(&decision, answer(&decision))
        }
    };
    if installed.is_some() {
        let note = "this file is the installed license: the answer includes the current usage";
        report.notes.push(note.to_string());
    }
    Ok(report.of_vendor(session.state().trust()).at_home(&home))
}

/// Returns the slot in which this license is installed.
fn installed_as(state: &State, bytes: &[u8]) -> Option<SlotName> {
    let is_it = |slot: &&Slot| slot.installed.as_ref().is_some_and(|held| *held.license == *bytes);
    state.memory().slots.iter().find(is_it).map(|slot| slot.name.clone())
}

/// Returns the answer in one sentence, then the next change and any remarks, one per line.
fn answer(decision: &Decision) -> String {
    // The first sentence already names the expiry and the end of a grace period.
    let is_news = |next: &Next| !matches!(next.what, Coming::Expiry(_) | Coming::Grace(..));
    let next = decision.comes_next().filter(is_news).filter(|_| decision.refusal().is_none());
    let next = next.map(|next| format!("next: {next}"));
    let lines = [sentence(decision)].into_iter().chain(next).chain(decision::remarks(decision));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn sentence(decision: &Decision) -> String {
    match decision.license() {
        // The refusal is printed separately.
        _ if decision.refusal().is_some() => String::new(),
        _ if decision.grace().is_some() => {
            decision.headline().as_ref().map(hint::headline).unwrap_or_default()
        }
        Some(license) => {
            let licensed = match license.body().expires {
                None => "licensed, no end date".to_string(),
                end => format!("licensed until {}", last_day(end)),
            };
            let first = decision.headline().map(|first| format!("\n{}", hint::headline(&first)));
            licensed + &first.unwrap_or_default()
        }
        None => String::new(),
    }
}

/// Reports on a license file that cannot be imported here, with the result for each factor. If the
/// license is for another installation, returns `error` instead: comparing factors needs the key of
/// that installation.
fn file_report(bytes: &[u8], error: Error, state: &State, around: &Surroundings) -> Result<Output> {
    let frame = Frame::parse(Kind::License, bytes)?;
    let followed = state.trust().followed_by(&frame)?.pop();
    let license = License::verify(bytes, followed.as_ref().unwrap_or(state.trust()))?;
    if license.body().install_key != state.install_key() {
        return Err(error);
    }
    let found = state.found(around)?;
    let here = around.here(&found);
    let machine = assess(&license, state, here);
    let error = match machine.next_step() {
        Some(step) => error.hint(step),
        None => error,
    };
    let mut json = show::object(&LicenseReport::from(license.body()));
    json.insert("machine".to_string(), decision::machine_json(&machine));
    let text = format!(
        "{}\n\nrefused: {error}\nhint: {}",
        show::lines(&machine.lines, true),
        hint::said(error.next_step())
    );
    Ok(Output::new(text, Value::Object(json)).refused(&error))
}

//! `olr verify`: may this machine run?

use serde_json::{Value, json};
use std::path::PathBuf;

use olr::entitlement::Operation;
use olr::error::{Error, Refusal, Result};
use olr::home::Home;
use olr::judge::{ClockMemory, Coming, Decision, Next, explain};
use olr::license::License;
use olr::machine::Comparison;
use olr::machine::probe::Findings;
use olr::state::{Slot, SlotName, State, Surroundings};
use olr::time::Instant;
use olr::wire::frame::{Frame, Kind};

use super::files::{of_file, read_answer};
use super::output::Output;
use super::{license, show};
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
    /// Judge this license as if it were imported now, and install nothing; the installed one as it is
    /// judged without FILE.
    file: Option<PathBuf>,
    /// A time that has passed for certain, such as that of the newest backup: only later counts.
    #[arg(long, value_name = "TIME", conflicts_with = "file")]
    evidence: Option<String>,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let home = args.expected.open(&args.home, context)?;
    let (mut around, findings) = context.around(true);
    around.evidence = args.evidence.as_deref().map(Instant::parse).transpose()?;
    let file = args.file.as_deref().map(read_answer).transpose()?;
    // What is installed is judged with what is in use and with its graces, by its file too.
    let installed = file.as_deref().and_then(|bytes| installed_as(&home, bytes));
    let file = file.filter(|_| installed.is_none());
    let (state, mut report) = match file {
        Some(bytes) => {
            let state = home.require_state();
            match home.decide_file(&bytes, &around) {
                Ok(decision) => {
                    let text = match &decision.refusal {
                        None => "licensed: this file may be imported here".to_string(),
                        Some(_) => String::new(),
                    };
                    let state = state?;
                    let comparison = explained(&decision, &state, &around, &findings)?;
                    let report = report(&decision, comparison.as_ref(), text);
                    (state, report)
                }
                Err(error) if error.refusal() == Some(Refusal::WrongMachine) => {
                    let state = state?;
                    let report = file_report(&bytes, error, &state, &around, &findings)?;
                    (state, report)
                }
                Err(error) => {
                    return Err(args
                        .file
                        .as_deref()
                        .map_or(error.clone(), |path| of_file(path)(error)));
                }
            }
        }
        None => {
            let (product, slot) = match &installed {
                Some(name) => (Some(&*name.product), Some(&*name.slot)),
                None => (args.slot.product.as_deref(), args.slot.slot.as_deref()),
            };
            let (state, decision) = home.decide(product, slot, &around)?;
            let comparison = explained(&decision, &state, &around, &findings)?;
            let report = report(&decision, comparison.as_ref(), answer(&decision));
            (state, report)
        }
    };
    if installed.is_some() {
        let note = "this file is the installed license: it is judged with what is in use";
        report.notes.push(note.to_string());
    }
    Ok(report.of_vendor(state.trust()).at_home(&home))
}

/// The slot in which the license `bytes` is installed.
fn installed_as(home: &Home, bytes: &[u8]) -> Option<SlotName> {
    let state = home.load().ok()??;
    let is_it = |slot: &&Slot| slot.installed.as_ref().is_some_and(|held| *held.license == *bytes);
    state.memory().slots.iter().find(is_it).map(|slot| slot.name.clone())
}

/// One sentence, and one more for what is out of the ordinary.
fn answer(decision: &Decision) -> String {
    // The sentence says itself when a license expires and a grace period ends.
    let is_news = |next: &Next| !matches!(next.what, Coming::Expiry(_) | Coming::Grace(..));
    let next = decision.comes_next().filter(is_news).filter(|_| decision.refusal.is_none());
    let next = next.map(|next| format!("next: {next}"));
    let lines = [sentence(decision)].into_iter().chain(next).chain(remarks(decision));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn sentence(decision: &Decision) -> String {
    match &decision.license {
        // A refusal follows by itself.
        _ if decision.refusal.is_some() => String::new(),
        _ if decision.grace.is_some() => decision.headline().unwrap_or_default(),
        Some(license) => {
            let licensed = match license.body().expires {
                None => "licensed, without an end".to_string(),
                end => format!("licensed until {}", show::last_day(end)),
            };
            let first = decision.headline().map(|headline| format!("\n{headline}"));
            licensed + &first.unwrap_or_default()
        }
        None => String::new(),
    }
}

/// What is said besides: of the clock, where it is not to be relied upon, and of an end that is near
/// where something else came first.
pub fn remarks(decision: &Decision) -> Vec<String> {
    let near =
        decision.near_end().filter(|_| decision.refusal.is_some() || decision.grace.is_some());
    let pending = decision.remembered.as_ref().map(|remembered| {
        let step = match decision.awaits_time {
            true => "send the file of your newest request to your vendor (if it is lost, run `olr request` again)",
            false => "run `olr request`",
        };
        format!(
            "The clock ({}) is far ahead of the latest time known here ({}): ends follow the clock, \
             starts what is known. If the clock is right, {step} and import the time.olr that your \
             vendor sends back.",
            decision.at, remembered.at
        )
    });
    let off = (decision.clock_memory == ClockMemory::Off)
        .then(|| "The home could not be written: a clock set back goes unnoticed.".to_string());
    pending.into_iter().chain(off).chain(near).collect()
}

/// How the machine matches, factor by factor, where there is a license to be held against it.
pub fn explained(
    decision: &Decision,
    state: &State,
    around: &Surroundings,
    findings: &Findings,
) -> Result<Option<Comparison>> {
    let (Some(license), Some(_)) = (&decision.license, &decision.machine) else { return Ok(None) };
    Ok(Some(explain(license, state, &state.found(around)?, &findings.unreadable)))
}

/// A license file that may not be imported here: by which factors it is for another machine. One for
/// another installation is not held against this machine: its commitments tell nothing here.
fn file_report(
    bytes: &[u8],
    error: Error,
    state: &State,
    around: &Surroundings,
    findings: &Findings,
) -> Result<Output> {
    let frame = Frame::parse(Kind::License, bytes)?;
    let followed = state.trust().followed_by(&frame)?.pop();
    let license = License::verify(bytes, followed.as_ref().unwrap_or(state.trust()))?;
    if license.body().install_key != state.install_key() {
        return Err(error);
    }
    let comparison = explain(&license, state, &state.found(around)?, &findings.unreadable);
    let error = error.hint(comparison.next_step());
    let mut json = license::report(license.body());
    json.insert("machine".to_string(), machine_json(&comparison));
    let text = format!(
        "{}\n\nrefused: {error}\nhint: {}",
        show::lines(&comparison.lines, true),
        error.next_step()
    );
    Ok(Output::new(text, Value::Object(json)).refused(&error))
}

/// What `machine` says in JSON.
pub fn machine_json(comparison: &Comparison) -> Value {
    json!({
        "score": comparison.score, "threshold": comparison.threshold, "total": comparison.total,
        "factors": comparison.lines.iter().map(show::line_json).collect::<Vec<_>>(),
    })
}

/// Each factor, and in grace what comes next: a refusal names it by itself.
fn mismatch(comparison: &Comparison, in_grace: bool) -> String {
    let table = show::lines(&comparison.lines, true);
    if in_grace { format!("{table}\nnext: {}", comparison.next_step()) } else { table }
}

/// Whatever comes first by itself.
pub fn next_json(decision: &Decision) -> Value {
    let Some(next) = decision.comes_next() else { return Value::Null };
    let mut json = json!({
        "what": next.what.word(), "at": next.at.to_string(), "text": next.to_string(),
    });
    match next.what {
        Coming::License(license, _) => json["license_id"] = json!(license.to_string()),
        Coming::Grace(cause, _) => json["cause"] = json!(cause.word()),
        Coming::Start(_) | Coming::Maintenance(_) | Coming::Expiry(_) => {}
    }
    json
}

/// The decision as a report: its refusal, when there is one, in words and status.
pub fn report(decision: &Decision, comparison: Option<&Comparison>, mut text: String) -> Output {
    let json =
        decision.license.as_ref().map(|l| license::used_report(l.body(), Some(&decision.usage)));
    let mut json = json.unwrap_or_default();
    json.insert("state".to_string(), json!(decision.state()));
    json.insert("judged_at".to_string(), json!(decision.at.to_string()));
    json.insert("clock_pending".to_string(), json!(decision.clock_is_pending()));
    json.insert("clock_memory".to_string(), json!(decision.clock_memory.word()));
    if let Some(grace) = &decision.grace {
        let since = grace.since.to_string();
        let until = grace.until.map(|until| until.to_string());
        let grace = json!({
            "cause": grace.cause.word(), "since": since, "until": until, "then": grace.then.word(),
            "overlooked": grace.overlooked.refusal().map(|word| word.word()),
        });
        json.insert("grace".to_string(), grace);
    }
    let soon =
        decision.expires_soon().map(|(last, days)| json!({"last": last.to_string(), "days": days}));
    json.insert("expires_soon".to_string(), json!(soon));
    json.insert("headline".to_string(), json!(decision.headline()));
    let blocked: Vec<_> = decision.blocked().iter().map(Operation::word).collect();
    json.insert("blocked".to_string(), json!(blocked));
    json.insert("next".to_string(), next_json(decision));
    let waiting = decision.next.as_ref().map(|next| {
        json!({"license_id": next.body().license.to_string(), "starts": next.body().starts.to_string()})
    });
    json.insert("waiting".to_string(), json!(waiting));
    let refusal = decision.refusal.clone();
    if let Some(comparison) = comparison {
        json.insert("machine".to_string(), machine_json(comparison));
        let drift: Vec<_> = comparison.drift().into_iter().map(show::line_json).collect();
        json.insert("drift".to_string(), json!(drift));
        let room = comparison.matches().then(|| comparison.room());
        json.insert("room".to_string(), json!(room));
        json.insert("next_step".to_string(), json!(comparison.next_step()));
        let is_about_it = decision.grace.is_some()
            || refusal.as_ref().and_then(Error::refusal) == Some(Refusal::WrongMachine);
        if !comparison.matches() && is_about_it {
            let gap = if text.is_empty() { "" } else { "\n\n" };
            text += &format!("{gap}{}", mismatch(comparison, decision.grace.is_some()));
        }
    }
    let mut report = Output::new(text, Value::Object(json));
    if let Some(refusal) = &refusal {
        let lines = [
            report.text.clone(),
            format!("refused: {refusal}"),
            format!("hint: {}", refusal.next_step()),
        ];
        report.text =
            lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        report = report.refused(refusal);
    }
    report
}

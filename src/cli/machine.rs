//! `olr machine`: what identifies this machine.

use serde_json::json;
use std::path::{Path, PathBuf};

use olr::display::shown;
use olr::error::{Error, Result};
use olr::file;
use olr::license::License;
use olr::machine::{Factor, probe::Findings};
use olr::policy::{compare, explain};
use olr::wire::frame::Kind;

use super::context::{Context, HomeArg};
use super::files::read_artefact;
use super::output::Report;
use super::{show, verify};

#[derive(clap::Args)]
pub struct Args {
    /// Add a factor of your own.
    #[arg(long, value_name = "NAME=VALUE")]
    pin: Vec<String>,
    /// Also use what only root may read.
    #[arg(long)]
    privileged: bool,
    /// Say whether this license is for this machine, factor by factor. What was pinned at the last
    /// request counts, as it does for `olr verify`.
    #[arg(long, value_name = "FILE", conflicts_with = "pin")]
    against: Option<PathBuf>,
    #[command(flatten)]
    home: HomeArg,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Report> {
    if let Some(license) = &args.against {
        return against(license, args, context);
    }
    let (_, found) = context.around(args.privileged);
    let pins = args.pin.iter().map(|pin| Factor::pin(pin)).collect::<Result<Vec<_>>>()?;
    let factors: Vec<_> = pins.into_iter().chain(found.factors.clone()).collect();
    let counting = factors.iter().filter(|factor| factor.counts()).count();
    let mut text = show::factors(&factors);
    for unreadable in &found.unreadable {
        text += &format!("\nunreadable: {} ({})", unreadable.kind, shown(&unreadable.reason));
    }
    text += &format!("\n\n{}", verdict(counting, &factors));
    let mut report = Report::new(text, to_json(&factors, &found, counting));
    if counting < 2 {
        report.notes.push("hint: a request needs at least 2: add --pin NAME=VALUE".to_string());
    }
    Ok(report)
}

/// Holds this machine against a license, whether it is installed or not.
fn against(path: &Path, args: &Args, context: &mut Context) -> Result<Report> {
    let bytes = read_artefact(Some(Kind::License), path)?;
    let home = args.home.open(context)?;
    let state = home.load()?.ok_or_else(|| {
        let fact = format!("nothing was requested in {}", file::name(home.folder()));
        Error::unable(fact, "name the home that asked for this license with --home")
    })?;
    let license = License::verify(&bytes, state.trust())?;
    let body = license.body();
    // Its commitments are to factors under a key that only its own installation can make.
    license.expect_here(&body.product, &body.slot, &state.install_key())?;
    let (around, findings) = context.around(args.privileged);
    let found = state.found(&around)?;
    let comparison = explain(&license, &state, &found, &findings.unreadable);
    let json = json!({
        "license_id": body.license.to_string(), "policy": &*body.policy.name,
        "machine": verify::machine_json(&comparison), "matches": comparison.matches(),
        "room": comparison.matches().then(|| comparison.room()),
        "next_step": comparison.next_step(),
    });
    let verdict = match comparison.matches() {
        true => "This machine matches",
        false => "This machine does not match",
    };
    let hardware = match (comparison.hardware, comparison.hardware_missing) {
        (false, _) => "no hardware has to match",
        (true, false) => "hardware matches",
        (true, true) => "no hardware matches, and some must",
    };
    let mut text = format!(
        "{}\n\n{verdict} (policy {}): {} of {} points, {} needed; {hardware}.",
        show::lines(&comparison.lines, true),
        shown(&body.policy.name),
        comparison.score,
        comparison.total,
        comparison.threshold,
    );
    if comparison.matches() {
        text += &format!("\n{}.", comparison.room_left());
    }
    let step = comparison.next_step();
    if !step.is_empty() {
        text += &format!("\nnext: {step}");
    }
    if let Err(refusal) = compare(&license, &state, &found).expect() {
        return Ok(Report::new(text, json).refused(&refusal.hint(step)).at_home(&home));
    }
    Ok(Report::new(text, json).at_home(&home))
}

fn verdict(counting: usize, factors: &[Factor]) -> String {
    let hardware = factors.iter().any(|f| f.class == olr::machine::Class::Hardware);
    let copy =
        if hardware { "" } else { "; none is hardware, so a license here does not stop a copy" };
    let count =
        if counting == 1 { "1 factor identifies" } else { &format!("{counting} factors identify") };
    format!("{count} this machine{copy}. Nothing was sent anywhere.")
}

fn to_json(factors: &[Factor], found: &Findings, counting: usize) -> serde_json::Value {
    let unreadable = |u: &olr::machine::probe::Unreadable| json!({"kind": u.kind.word(), "name": &*u.name, "reason": u.reason});
    json!({
        "factors": factors.iter().map(show::factor_json).collect::<Vec<_>>(),
        "unreadable": found.unreadable.iter().map(unreadable).collect::<Vec<_>>(),
        "counting": counting,
    })
}

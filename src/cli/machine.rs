//! `olr machine`: what identifies this machine.

use serde_json::json;

use olr::display::shown;
use olr::error::Result;
use olr::machine::{Factor, probe::Findings};

use super::context::Context;
use super::output::Report;
use super::show;

#[derive(clap::Args)]
pub struct Args {
    /// Add a factor of your own.
    #[arg(long, value_name = "NAME=VALUE")]
    pin: Vec<String>,
    /// Also use what only root may read.
    #[arg(long)]
    privileged: bool,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Report> {
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

//! `olr machine`: shows what identifies this machine.

use serde_json::json;
use std::path::{Path, PathBuf};

use crate::file;
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::judge::assess;
use olr_core::license::License;
use olr_core::machine::{Class, Factor, Machine, Unreadable, label};
use olr_core::report::FactorReport;
use olr_core::wire::frame::Kind;

use super::files::read_artefact;
use super::output::Output;
use super::{decision, hint, show};
use crate::cli::args::home::HomeArg;
use crate::cli::context::Context;

#[derive(clap::Args)]
pub struct Args {
    /// Also identify the machine by this value of your own, such as rack=B12 (repeatable).
    #[arg(long, value_name = "NAME=VALUE")]
    pin: Vec<String>,
    /// Also use values that only root can read.
    #[arg(long)]
    privileged: bool,
    /// Compare this machine with a license, factor by factor. The pins of the last request are
    /// included, as in `olr verify`.
    #[arg(long, value_name = "FILE", conflicts_with = "pin")]
    against: Option<PathBuf>,
    #[command(flatten)]
    home: HomeArg,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    if let Some(license) = &args.against {
        return against(license, args, context);
    }
    let (_, found) = context.around(args.privileged);
    let pins = args.pin.iter().map(|pin| Factor::pin(pin)).collect::<Result<Vec<_>>>()?;
    let factors: Vec<_> = pins.into_iter().chain(found.factors.clone()).collect();
    let counting = factors.iter().filter(|factor| factor.counts()).count();
    let mut text = show::factors(&factors, true);
    if !found.unreadable.is_empty() {
        let row = |u: &Unreadable| vec![label(u.kind, &u.name), hint::reason(u.reason).to_string()];
        let rows: Vec<_> = found.unreadable.iter().map(row).collect();
        text += &format!("\n\n{}", show::table(&["unreadable", "reason"], &rows, &[]));
    }
    text += &format!("\n\n{}", verdict(&factors));
    let mut report = Output::new(text, to_json(&factors, &found, counting));
    if counting < 2 {
        report.notes.push(format!(
            "hint: a request needs at least 2 factors, and this machine has {counting}: add --pin \
             NAME=VALUE for each one that is missing"
        ));
    }
    // Adds the home's vendor; a home that cannot be read does not affect the factors.
    let home = args.home.home();
    match home.as_ref().map(|home| (home, home.load())) {
        Ok((home, Ok(Some(state)))) => Ok(report.of_vendor(state.trust()).at_home(home)),
        _ => Ok(report),
    }
}

/// Says how many factors identify this machine, and of which classes.
fn verdict(factors: &[Factor]) -> String {
    let of = |class: Class| factors.iter().filter(|factor| factor.class == class).count();
    let (hardware, image) = (of(Class::Hardware), of(Class::Image));
    let count = match hardware.saturating_add(image) {
        0 => {
            return "No factor identifies this machine: a license cannot be bound to it."
                .to_string();
        }
        1 => "1 factor identifies this machine".to_string(),
        count => format!("{count} factors identify this machine"),
    };
    if hardware == 0 {
        let none = if image == 1 { "and it is not hardware" } else { "none of them hardware" };
        format!("{count}, {none}: a license for this machine could not stop a copy.")
    } else {
        format!("{count}: {hardware} hardware, {image} image.")
    }
}

/// Compares this machine with a license, whether installed or not.
fn against(path: &Path, args: &Args, context: &mut Context) -> Result<Output> {
    let bytes = read_artefact(Some(Kind::License), path)?;
    let home = args.home.open(context)?;
    let state = home.load()?.ok_or_else(|| {
        let fact = format!("no request was made in {}", file::name(home.folder()));
        Error::unable(
            Problem::NotFound,
            fact,
            "with --home, name the home that requested this license",
        )
    })?;
    let license = License::verify(&bytes, state.trust())?;
    let body = license.body();
    // The license commits to factors with a key that only its own installation has.
    license.ensure_here(&body.product, &body.slot, &state.install_key())?;
    let (around, _) = context.around(args.privileged);
    let found = state.found(&around)?;
    let here = around.here(&found);
    let machine = assess(&license, &state, here);
    let json = json!({
        "license_id": body.license.to_string(), "policy": &*body.policy.name,
        "machine": decision::machine_json(&machine), "matches": machine.matches(),
        "room": machine.matches().then(|| machine.room()),
        "next_step": decision::what_to_do(&machine),
    });
    let verdict = match machine.matches() {
        true => "This machine matches",
        false => "This machine does not match",
    };
    let hardware = match (machine.hardware, machine.hardware_missing) {
        (false, _) => "no hardware factor has to match",
        (true, false) => "a hardware factor matches",
        (true, true) => "no hardware factor matches, but one must",
    };
    let mut text = format!(
        "{}\n\n{verdict} (policy {}): {} of {} points, {} needed; {hardware}.",
        show::lines(&machine.lines, true),
        shown(&body.policy.name),
        machine.score,
        machine.total,
        machine.threshold,
    );
    if machine.matches() {
        text += &format!("\n{}.", machine.room_left());
    }
    let step = machine.next_step();
    if let Some(step) = &step {
        text += &format!("\nnext: {}", hint::said(step));
    }
    if let Err(refusal) = machine.ensure() {
        let refusal = match step {
            Some(step) => refusal.hint(step),
            None => refusal,
        };
        let report = Output::new(text, json).refused(&refusal);
        return Ok(report.of_vendor(state.trust()).at_home(&home));
    }
    Ok(Output::new(text, json).of_vendor(state.trust()).at_home(&home))
}

fn to_json(factors: &[Factor], found: &Machine, counting: usize) -> serde_json::Value {
    let unreadable = |u: &Unreadable| json!({"kind": u.kind.word(), "name": &*u.name, "reason": hint::reason(u.reason)});
    json!({
        "factors": factors.iter().map(FactorReport::from).collect::<Vec<_>>(),
        "unreadable": found.unreadable.iter().map(unreadable).collect::<Vec<_>>(),
        "counting": counting,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_what_a_license_could_do() {
        let pin = Factor::pin("rack=B12").unwrap();
        let card = Factor { class: Class::Hardware, ..pin.clone() };
        let common = Factor { class: Class::Common, ..pin.clone() };
        for (factors, line) in [
            (
                vec![common.clone()],
                "No factor identifies this machine: a license cannot be bound to it.",
            ),
            (
                vec![pin.clone(), common.clone()],
                "1 factor identifies this machine, and it is not hardware: a license for this machine could not stop a copy.",
            ),
            (vec![pin, card, common], "2 factors identify this machine: 1 hardware, 1 image."),
        ] {
            assert_eq!(verdict(&factors), line);
        }
    }
}

//! `olr machine`: what identifies this machine.

use serde_json::json;

use olr::error::Result;
use olr::machine::probe::{Findings, Unreadable};
use olr::machine::{Class, Factor};

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
    if !found.unreadable.is_empty() {
        let row = |u: &Unreadable| vec![u.kind.to_string(), u.name.to_string(), u.reason.clone()];
        let rows: Vec<_> = found.unreadable.iter().map(row).collect();
        text += &format!("\n\n{}", show::table(&["unreadable", "name", "because"], &rows, &[]));
    }
    text += &format!("\n\n{}", verdict(&factors));
    let mut report = Report::new(text, to_json(&factors, &found, counting));
    if counting < 2 {
        report.notes.push("hint: a request needs at least 2: add --pin NAME=VALUE".to_string());
    }
    Ok(report)
}

/// How many factors identify this machine, and of which classes.
fn verdict(factors: &[Factor]) -> String {
    let of = |class: Class| factors.iter().filter(|factor| factor.class == class).count();
    let (hardware, image) = (of(Class::Hardware), of(Class::Image));
    let count = match hardware + image {
        0 => {
            return "Nothing identifies this machine: no license could be bound to it.".to_string();
        }
        1 => "1 factor identifies this machine".to_string(),
        count => format!("{count} factors identify this machine"),
    };
    if hardware == 0 {
        let none = if image == 1 { "and it is not hardware" } else { "none of them hardware" };
        format!("{count}, {none}: a license for it could not stop a copy.")
    } else {
        format!("{count}: {hardware} hardware, {image} image.")
    }
}

fn to_json(factors: &[Factor], found: &Findings, counting: usize) -> serde_json::Value {
    let unreadable =
        |u: &Unreadable| json!({"kind": u.kind.word(), "name": &*u.name, "reason": u.reason});
    json!({
        "factors": factors.iter().map(show::factor_json).collect::<Vec<_>>(),
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
                "Nothing identifies this machine: no license could be bound to it.",
            ),
            (
                vec![pin.clone(), common.clone()],
                "1 factor identifies this machine, and it is not hardware: a license for it could not stop a copy.",
            ),
            (vec![pin, card, common], "2 factors identify this machine: 1 hardware, 1 image."),
        ] {
            assert_eq!(verdict(&factors), line);
        }
    }
}

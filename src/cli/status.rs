//! `olr status`: shows what is granted, until when, and what comes next.

use serde_json::{Value, json};

use crate::file;
use olr_core::error::{Error, Refusal, Result};
use olr_core::judge::Decision;
use olr_core::machine::Assessment;
use olr_core::report::{LicenseReport, short_span};

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
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let home = args.expected.open(&args.home, context)?;
    let (around, _) = context.around(true);
    let mut session = context.mended(home.require()?);
    let mut decisions = session.decide_all(&around)?;
    let state = session.state();
    decisions.retain(|(name, _)| {
        args.slot.product.as_deref().is_none_or(|p| *name.product == *p)
            && args.slot.slot.as_deref().is_none_or(|s| *name.slot == *s)
    });
    if decisions.is_empty() {
        let named = state.slot(args.slot.product.as_deref(), args.slot.slot.as_deref());
        let nothing = || Error::refuse(Refusal::NotActivated, "no license is installed here");
        let error = named.err().unwrap_or_else(nothing);
        return Err(error.within(file::name(home.folder())));
    }
    let mut reports = Vec::new();
    for (_, decision) in &decisions {
        reports.push(decision::report(decision, text(decision)));
    }
    // The worst report comes first, and gives the exit status of the whole.
    reports.sort_by_key(|report| std::cmp::Reverse(report.status));
    let texts: Vec<_> = reports.iter().map(|report| report.text.clone()).collect();
    let jsons: Vec<_> = reports.iter().map(|report| report.json.clone()).collect();
    let mut whole = reports.swap_remove(0);
    whole.text = texts.join("\n\n");
    if let Value::Object(json) = &mut whole.json {
        json.insert("install_id".to_string(), json!(state.install_id().to_string()));
        if jsons.len() > 1 {
            json.insert("slots".to_string(), json!(jsons));
        }
    }
    Ok(whole.of_vendor(state.trust()).at_home(&home))
}

/// Describes the changes of a machine that still matches, as a warning before it stops matching.
fn drift(machine: &Assessment) -> String {
    let drift = machine.drift();
    if drift.is_empty() || !machine.matches() {
        return String::new();
    }
    format!(
        "\n\nChanged since this license was issued:\n{}\n{}.\nnext: {}",
        show::lines(drift, true),
        machine.room_left(),
        decision::what_to_do(machine)
    )
}

fn text(decision: &Decision) -> String {
    let Some(license) = decision.license() else { return String::new() };
    let body = license.body();
    let mut pairs = vec![("state", decision.condition().to_string())];
    let report = LicenseReport::new(body, Some(decision.usage()));
    pairs.extend(report.terms());
    if let Some(machine) = decision.machine() {
        pairs.push((
            "machine",
            format!(
                "matches {} of {} points, {} needed",
                machine.score, machine.total, machine.threshold
            ),
        ));
    }
    for grace in decision.graces() {
        let until = grace.until.map(|until| {
            let left = short_span(until.seconds.saturating_sub(decision.judged_at().seconds));
            format!(", until {until} ({left} left), then {}", grace.then)
        });
        let until = until.unwrap_or_default();
        pairs.push(("tolerated", format!("{} since {}{until}", grace.cause, grace.since)));
    }
    if let Some(next) = decision.next_license() {
        let next = next.body();
        pairs.push((
            "waiting",
            format!("license {}, takes effect on {}", next.license, next.starts),
        ));
    }
    match decision.comes_next() {
        Some(next) => pairs.push(("next", next.to_string())),
        None if decision.refusal().is_some() => {}
        None => pairs.push(("next", "no further change by date".to_string())),
    }
    pairs.extend(report.details());
    let mut text = show::laid_out(&pairs, &report.tables());
    // A refusal is printed last, where people look for the next step.
    if let Some(first) = decision.headline().filter(|_| decision.refusal().is_none()) {
        text = format!("{}\n\n{text}", hint::headline(&first));
    }
    for remark in decision::remarks(decision) {
        text += &format!("\n\n{remark}");
    }
    text += &decision.machine().map(drift).unwrap_or_default();
    if !body.policy.stops_a_copy() {
        text += "\n\nThis license does not stop a copy of this machine.";
    }
    if decision.refusal().is_some() {
        // Separates the refusal, which is printed next.
        text += "\n";
    }
    text
}

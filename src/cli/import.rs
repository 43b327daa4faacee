//! `olr import`: verifies and installs an answer.

use serde_json::{Value, json};
use std::path::PathBuf;

use crate::home::Import;
use olr_core::display::shown;
use olr_core::error::{Refusal, Result};
use olr_core::import::{Imported, OverQuota};
use olr_core::judge::Decision;
use olr_core::license::License;
use olr_core::report::LicenseReport;
use olr_core::state::{Accepted, SlotName};

use super::files::{of_file, read_answer};
use super::output::Output;
use super::{decision, hint, show};
use crate::cli::args::expected::ExpectedArg;
use crate::cli::args::home::HomeArg;
use crate::cli::context::Context;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    #[command(flatten)]
    expected: ExpectedArg,
    /// Import a license that grants less than is in use; its rule for an exceeded quota, if it has
    /// one, then applies.
    #[arg(long)]
    accept_over_quota: bool,
    /// The license, time, revocations or newer trust from your vendor, armored or binary.
    file: PathBuf,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let home = args.expected.open(&args.home, context)?;
    let bytes = read_answer(&args.file)?;
    let (around, _) = context.around(true);
    let mut session = context.mended(home.begun().map_err(of_file(&args.file))?);
    let before = session.foresee_all(&around).unwrap_or_default();
    let over_quota = if args.accept_over_quota { OverQuota::Accepted } else { OverQuota::Refused };
    let how = Import { over_quota, ..Import::default() };
    let taken = session.import(&bytes, &around, how).map_err(of_file(&args.file))?;
    let mut report = match taken {
        Imported::License { license, accepted, dropped } => {
            let body = license.body();
            let decision = session.decide(Some(&body.product), Some(&body.slot), &around)?;
            let mut report = imported(&license, accepted);
            if let Some(dropped) = &dropped {
                say_dropped(&mut report, dropped);
            }
            report.notes.extend(decision.headline().as_ref().map(hint::headline));
            report.notes.extend(decision.comes_next().map(|next| format!("next: {next}")));
            if let Value::Object(json) = &mut report.json {
                json.insert("next".to_string(), decision::next_json(&decision));
            }
            report
        }
        Imported::Trust { trust, new } => {
            let body = trust.body();
            let named = format!("Trust {} of {}", body.version, shown(&body.name));
            let text = match new {
                true => format!("{named} is now in effect."),
                false => format!("{named} is already installed."),
            };
            Output::new(text, json!({"trust": body.version, "vendor": &*body.name, "new": new}))
        }
        Imported::Revocations { licenses, new } => {
            let named = match licenses {
                1 => "1 license".to_string(),
                count => format!("{count} licenses"),
            };
            let since = if new { "now" } else { "already" };
            let text =
                format!("This list of revocations is {since} in effect; it contains {named}.");
            Output::new(text, json!({"revoked_licenses": licenses, "new": new}))
        }
        Imported::Time { time, mark, new } => {
            let decisions = session.foresee_all(&around).unwrap_or_default();
            let text = match (behind(&decisions), new) {
                // The file did not lower the high-water mark far enough: it may answer a request
                // made before the clock was far ahead.
                (Some(step), _) => {
                    let done = if new { "is accepted" } else { "was already imported" };
                    format!(
                        "The vendor's time {time} {done}, but this server still refuses its own \
                         clock ({}): it remembers a later time, {mark}, and this file does not \
                         set that back.\n\nNext: {step}.",
                        around.clock
                    )
                }
                (None, false) => format!("The vendor's time {time} was already imported."),
                (None, true) if mark > time => format!(
                    "The vendor's time {time} is accepted, but this server remembers {mark}, \
                     which is later: it assumes no earlier time."
                ),
                (None, true) => {
                    format!(
                        "The vendor's time {time} is now recorded: this server assumes no earlier \
                         time."
                    )
                }
            };
            let json =
                json!({"time": time.to_string(), "remembered": mark.to_string(), "new": new});
            Output::new(text, json)
        }
    };
    let after = session.foresee_all(&around).unwrap_or_default();
    say_what_changed(&mut report, &before, &after);
    Ok(report.of_vendor(session.state().trust()).at_home(&home))
}

/// Returns the next step if a clock that is behind blocks an installed license.
fn behind(decisions: &[(SlotName, Decision)]) -> Option<String> {
    let mut blocked = decisions.iter().flat_map(|(_, decision)| decision.reasons());
    let behind = blocked.find(|b| b.why.refusal() == Some(Refusal::ClockRolledBack));
    behind.map(|blocked| hint::said(blocked.why.next_step()))
}

/// Reports what became of installed licenses that the file did not replace: a trust or a list of
/// revocations may end them.
fn say_what_changed(
    report: &mut Output,
    before: &[(SlotName, Decision)],
    after: &[(SlotName, Decision)],
) {
    let mut affected = Vec::new();
    for (name, now) in after {
        let then = before.iter().find(|(other, _)| other == name).map(|(_, then)| then);
        let (Some(then), Some(license)) = (then, now.license()) else { continue };
        let is_same = then.license().is_some_and(|old| old.bytes() == license.bytes());
        let Some(headline) = now.headline().filter(|new| then.headline().as_ref() != Some(new))
        else {
            continue;
        };
        if !is_same {
            continue;
        }
        let body = license.body();
        report.text += &format!(
            "\n\nThe installed license {} of {}, slot {}: {}",
            body.license,
            shown(&body.licensee),
            shown(&body.slot),
            shown(&hint::headline(&headline))
        );
        affected.push(json!({
            "license_id": body.license.to_string(), "product": &*body.product, "slot": &*body.slot,
            "state": now.state(),
            "refusal": now.refusal().and_then(|error| error.refusal()).map(|word| word.word()),
        }));
    }
    if let Value::Object(json) = &mut report.json {
        json.insert("affected".to_string(), json!(affected));
    }
}

/// Reports that a license that was waiting for its start was dropped, and its days with it.
fn say_dropped(report: &mut Output, dropped: &License) {
    let body = dropped.body();
    let id = body.license.to_string();
    let until = body.expires.map_or("no end date".to_string(), |day| format!("until {day}"));
    report.notes.push(format!(
        "this license replaced license {id}, which was waiting to start on {} ({until}); if you \
         need its days too, ask the vendor for one license that covers all of them",
        body.starts
    ));
    if let Value::Object(json) = &mut report.json {
        json.insert("dropped".to_string(), json!(id));
    }
}

fn imported(license: &License, accepted: Accepted) -> Output {
    let body = license.body();
    let (word, done) = match accepted {
        Accepted::Installed => ("installed", "The license is installed and in effect.".to_string()),
        Accepted::AsNext => {
            ("next", format!("The license is installed and takes effect on {}.", body.starts))
        }
        Accepted::Already => {
            ("already", "This license is already installed; nothing changed.".to_string())
        }
    };
    let report = LicenseReport::from(body);
    let text = format!("{}\n\n{done}", show::laid_out(&report.terms(), &report.tables()));
    let mut json = show::object(&report);
    json.insert("imported".to_string(), json!(word));
    let mut report = Output::new(text, Value::Object(json));
    if !body.policy.stops_a_copy() {
        report.notes.push("this license does not stop a copy of this machine".to_string());
    }
    report
}

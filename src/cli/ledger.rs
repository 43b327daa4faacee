//! `olr ledger`: checks, copies and restores the ledger of a vendor folder.

use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

use crate::file;
use olr_core::error::Result;
use olr_office::audit::audit;
use olr_office::folder::{Folder, Restore};
use olr_office::ledger::{ConfirmDate, Ledger, Overview, Violation};

use super::booking::{OrderArg, ShowKeyArg, vendor_note, with};
use super::context::{self, Context};
use super::output::Output;
use super::show;
use super::terminal::Confirmation;
use crate::cli::args::vendor::VendorArg;

#[derive(Subcommand)]
#[command(defer = true)]
pub enum Verb {
    /// Check every invariant of the ledger, and every stored license.
    Check(CheckArgs),
    /// Copy the ledger to a new file, and check the copy.
    Backup(BackupArgs),
    /// Replace the ledger by a backup; the old one is kept.
    Restore(RestoreArgs),
    /// Bring the schema of the ledger up to date.
    Migrate(MigrateArgs),
    /// End what has ended, licenses and stock. Run it every day.
    Day(DayArgs),
    /// Confirm today's date, after more than 31 days without an order.
    Clock(ClockArgs),
}

#[derive(clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    vendor: VendorArg,
}

#[derive(clap::Args)]
pub struct BackupArgs {
    #[command(flatten)]
    vendor: VendorArg,
    /// The new file. It contains license keys, so only its owner may read it.
    file: PathBuf,
}

#[derive(clap::Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    vendor: VendorArg,
    /// The backup.
    file: PathBuf,
    /// Check the backup, but change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

#[derive(clap::Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    vendor: VendorArg,
    /// Say what is missing, but change nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::Args)]
pub struct DayArgs {
    #[command(flatten)]
    vendor: VendorArg,
    /// Say what has ended, but change nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::Args)]
pub struct ClockArgs {
    #[command(flatten)]
    order: OrderArg,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

pub fn run(verb: &Verb, context: &mut Context) -> Result<Output> {
    match verb {
        Verb::Check(args) => check(args),
        Verb::Backup(args) => backup(args),
        Verb::Restore(args) => restore(args, context),
        Verb::Migrate(args) => migrate(args),
        Verb::Day(args) => day(args, context),
        Verb::Clock(args) => clock(args, context),
    }
}

/// How many licenses are audited at once.
const BATCH: u32 = 1024;

fn check(args: &CheckArgs) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let mut ledger = folder.ledger()?;
    let mut broken = rows(&ledger.check()?);
    let overview = ledger.overview()?;
    let (audited, mut notes) = match folder.trust() {
        Ok(_) => (Some(audit_all(&folder, &mut ledger, &mut broken)?), Vec::new()),
        Err(error) => {
            (None, vec![format!("the stored licenses were not audited: {}", error.fact())])
        }
    };
    let text = match broken.is_empty() {
        true => "The ledger is in order.".to_string(),
        false => {
            let row = |(id, fact): &(String, String)| vec![id.clone(), fact.clone()];
            let rows: Vec<_> = broken.iter().map(row).collect();
            let table = show::table(&["check", "what is wrong"], &rows, &[]);
            format!("The ledger is damaged.\n\n{table}")
        }
    };
    let mut pairs = counted(&overview);
    pairs.extend(audited.map(|audited| ("audited licenses", audited.to_string())));
    let entries: Vec<_> =
        broken.iter().map(|(id, fact)| json!({"check": id, "fact": fact})).collect();
    let json = json!({
        "sound": broken.is_empty(), "broken": entries, "orders": overview.orders,
        "licenses": overview.licenses, "audited": audited,
    });
    let mut output = Output::new(format!("{text}\n\n{}", show::pairs(&pairs)), json);
    output.status = u8::from(!broken.is_empty());
    if !broken.is_empty() {
        notes.push("hint: restore a backup (`olr ledger restore FILE`)".to_string());
    }
    notes.push(vendor_note(&folder));
    output.notes = notes;
    Ok(output)
}

fn rows(broken: &[Violation]) -> Vec<(String, String)> {
    broken.iter().map(|one| (one.id.to_string(), one.fact.clone())).collect()
}

/// Audits all stored licenses, in batches. Returns how many there are.
fn audit_all(
    folder: &Folder,
    ledger: &mut Ledger,
    broken: &mut Vec<(String, String)>,
) -> Result<u64> {
    let trust = folder.trust()?;
    let (mut audited, mut after) = (0u64, 0);
    loop {
        let stored = ledger.stored_licenses(after, BATCH)?;
        let Some((last, ..)) = stored.last() else { return Ok(audited) };
        after = *last;
        audited = audited.saturating_add(stored.len() as u64);
        let bytes: Vec<_> = stored.iter().map(|(_, _, bytes)| bytes).collect();
        for damaged in audit(&bytes, &trust) {
            let license = stored.get(damaged.index).map(|(_, license, _)| license.to_string());
            let fact = format!("license {}: {}", license.unwrap_or_default(), damaged.why.fact());
            broken.push(("license".to_string(), fact));
        }
    }
}

fn counted(overview: &Overview) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("orders", overview.orders.to_string()),
        ("issued licenses", overview.licenses.to_string()),
    ];
    pairs.extend(overview.newest.map(|newest| ("newest order", newest.to_string())));
    pairs
}

fn backup(args: &BackupArgs) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let (overview, broken) = folder.back_up_ledger(&args.file)?;
    let name = file::name(&args.file);
    let pairs = show::pairs(&counted(&overview));
    let json = json!({
        "file": name, "orders": overview.orders, "licenses": overview.licenses,
        "sound": broken.is_empty(),
    });
    let mut output = Output::new(format!("Wrote the backup to {name}.\n\n{pairs}"), json);
    if !broken.is_empty() {
        output.status = 1;
        output.notes.push(
            "the backup is complete, but the ledger is damaged, and so is the backup (`olr ledger \
             check`)"
                .to_string(),
        );
    }
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn restore(args: &RestoreArgs, context: &Context) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let name = file::name(&args.file);
    if args.dry_run {
        let overview = folder.check_backup(&args.file)?;
        let text = format!("{name} can be restored.\n\n{}", show::pairs(&counted(&overview)));
        let json = restored_json(&name, &overview, None, true);
        let mut output = Output::new(text, json);
        output.notes.push(vendor_note(&folder));
        return Ok(output);
    }
    let done = folder.restore_ledger(&args.file, context.now, |restore| {
        let ask = "Replace the ledger by this backup?";
        let deed = "restoring a backup of the ledger";
        Confirmation { hits: &both(restore), ask, deed }.confirm(args.yes)
    })?;
    let kept = done.kept.as_deref().map(file::name);
    let mut text = format!(
        "Restored the ledger from {name}.\n\n{}",
        show::pairs(&counted(&done.restore.backup))
    );
    if let Some(kept) = &kept {
        text += &format!("\n\nThe ledger that was replaced is {kept}.");
    }
    let json = restored_json(&name, &done.restore.backup, kept.as_deref(), false);
    let mut output = Output::new(text, json);
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn restored_json(
    name: &str,
    overview: &Overview,
    kept: Option<&str>,
    dry_run: bool,
) -> serde_json::Value {
    json!({
        "file": name, "orders": overview.orders, "licenses": overview.licenses, "kept": kept,
        "dry_run": dry_run,
    })
}

/// Compares the ledger with the backup that would replace it.
fn both(restore: &Restore) -> String {
    let now = match &restore.now {
        Some(now) => show::pairs(&counted(now)),
        None => "There is none, or it cannot be read.".to_string(),
    };
    format!(
        "The ledger now:\n{now}\n\nThe backup:\n{}\n\nThe ledger forgets every license, sale and \
         revocation that the backup lacks.",
        show::pairs(&counted(&restore.backup))
    )
}

fn migrate(args: &MigrateArgs) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let steps = folder.migrate_ledger(args.dry_run)?;
    let numbers: Vec<_> = steps.iter().map(i64::to_string).collect();
    let text = match (numbers.is_empty(), args.dry_run) {
        (true, _) => "The schema of the ledger is up to date.".to_string(),
        (false, true) => format!("Steps missing: {}. Nothing was changed.", numbers.join(", ")),
        (false, false) => format!("Steps applied: {}.", numbers.join(", ")),
    };
    let mut output = Output::new(text, json!({"steps": steps, "dry_run": args.dry_run}));
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn day(args: &DayArgs, context: &Context) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let mut ledger = folder.ledger()?;
    let run = match args.dry_run {
        true => ledger.due(context.now)?,
        false => ledger.run_day(&context::user(), context.now)?,
    };
    let what = format!("{} licenses have ended, {} lots", run.ended.len(), run.lapsed.len());
    let text = match (args.dry_run, run.ended.is_empty() && run.lapsed.is_empty()) {
        (_, true) => "Nothing has ended.".to_string(),
        (true, false) => format!("{what} will lapse. Nothing was changed."),
        (false, false) => format!("{what} have lapsed."),
    };
    let ended: Vec<_> = run.ended.iter().map(ToString::to_string).collect();
    let json = json!({"ended": ended, "lapsed": run.lapsed, "dry_run": args.dry_run});
    let mut output = Output::new(text, json);
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn clock(args: &ClockArgs, context: &mut Context) -> Result<Output> {
    let (now, today) = (context.now, context.now.day());
    let newest = args.order.folder()?.ledger()?.overview()?.newest;
    if !args.order.dry_run {
        let mut hits = vec![("clock", now.to_string())];
        hits.extend(newest.map(|newest| ("newest order", newest.to_string())));
        let hits = format!(
            "{}\n\nFrom now on, the ledger accepts no order before this date.",
            show::pairs(&hits)
        );
        let ask = format!("Is today {today}?");
        Confirmation { hits: &hits, ask: &ask, deed: "the date" }.confirm(args.yes)?;
    }
    let booked = args.order.book(&ConfirmDate { day: today }, context)?;
    let done = format!("Confirmed that today is {today}.");
    let output = booked.output(&done, &[], &ShowKeyArg { show_key: false });
    Ok(with(output, "today", today.to_string()))
}

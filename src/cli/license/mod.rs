//! `olr license`: the licenses and CALs that the ledger knows.

use clap::Subcommand;
use serde_json::{Value, json};

use olr_core::error::Result;
use olr_office::ledger::ModuleSummary;

use crate::cli::args::vendor::VendorArg;
use crate::cli::booking::vendor_note;
use crate::cli::context::Context;
use crate::cli::output::Output;
use crate::cli::show;

mod csv;
mod list;
mod one;

#[derive(Subcommand)]
#[command(defer = true)]
pub enum Verb {
    /// List the newest license of each key and slot.
    List(list::Args),
    /// Show a license and its key, or write the license again.
    Show(one::Args),
    /// Count CALs: sold, in stock, on keys and licenses, pooled.
    Summary(SummaryArgs),
}

#[derive(clap::Args)]
pub struct SummaryArgs {
    #[command(flatten)]
    vendor: VendorArg,
}

pub fn run(verb: &Verb, context: &mut Context) -> Result<Output> {
    match verb {
        Verb::List(args) => list::run(args, context),
        Verb::Show(args) => one::run(args, context),
        Verb::Summary(args) => summary(args),
    }
}

fn summary(args: &SummaryArgs) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let modules = folder.ledger()?.summary()?;
    let any_exchanged = modules.iter().any(|one| one.exchanged != 0);
    let row = |one: &ModuleSummary| {
        let numbers = [
            one.sold,
            one.stock,
            one.keys,
            one.out,
            one.escrow,
            one.pooled,
            one.lapsed,
            one.refunded,
        ];
        let mut row = vec![one.module.clone(), one.edition.clone()];
        row.extend(numbers.iter().map(i64::to_string));
        row.extend(any_exchanged.then(|| one.exchanged.to_string()));
        row
    };
    let mut header = vec![
        "module", "edition", "sold", "stock", "keys", "out", "escrow", "pooled", "lapsed",
        "refunded",
    ];
    header.extend(any_exchanged.then_some("exchanged"));
    let rows: Vec<_> = modules.iter().map(row).collect();
    let text = match rows.is_empty() {
        true => "Nothing was sold yet.".to_string(),
        false => show::table(&header, &rows, &[2, 3, 4, 5, 6, 7, 8, 9, 10]),
    };
    let entries: Vec<_> = modules.iter().map(entry).collect();
    let mut output = Output::new(text, json!({"summary": entries}));
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn entry(one: &ModuleSummary) -> Value {
    json!({
        "module": one.module, "edition": one.edition, "unit": one.unit, "sold": one.sold,
        "stock": one.stock, "keys": one.keys, "out": one.out, "escrow": one.escrow,
        "pooled": one.pooled, "lapsed": one.lapsed, "refunded": one.refunded,
        "exchanged": one.exchanged,
    })
}

//! `olr license list`.

use serde_json::{Value, json};

use olr_core::error::Result;
use olr_core::time::Day;
use olr_office::ledger::{LicenseFilter, ListedLicense};

use super::csv::csv;
use crate::cli::args::typed::span;
use crate::cli::args::vendor::VendorArg;
use crate::cli::booking::{ShowKeyArg, cals_json, in_words, vendor_note};
use crate::cli::context::Context;
use crate::cli::output::Output;
use crate::cli::show;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// Only licenses in effect that expire within this time, such as 30d, 6m or 1y.
    #[arg(long, value_name = "SPAN")]
    expires_within: Option<String>,
    /// Only licenses in effect whose maintenance ends within this time.
    #[arg(long, value_name = "SPAN")]
    maintenance_within: Option<String>,
    /// Only licenses of this party.
    #[arg(long, value_name = "P")]
    party: Option<String>,
    /// Only licenses with this module.
    #[arg(long, value_name = "M")]
    module: Option<String>,
    /// Only licenses in effect: not expired, revoked, pooled or given up.
    #[arg(long)]
    in_effect: bool,
    /// Print CSV for a spreadsheet. A cell that it would run as a formula begins with '.
    #[arg(long)]
    csv: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<Output> {
    let today = context.now.day();
    let limit = |text: &Option<String>| -> Result<Option<Day>> {
        text.as_deref().map(|text| span(text)?.end_from(today)).transpose()
    };
    let filter = LicenseFilter {
        party: args.party.clone(),
        module: args.module.clone(),
        in_effect: args.in_effect,
        expires_until: limit(&args.expires_within)?,
        maintenance_until: limit(&args.maintenance_within)?,
    };
    let folder = args.vendor.folder()?;
    let found = folder.ledger()?.licenses(&filter, context.now)?;
    let text = match (args.csv, found.is_empty()) {
        (true, _) => {
            csv(&CSV, &found.iter().map(|one| csv_row(one, &args.keys)).collect::<Vec<_>>())
        }
        (false, true) => "No license fits.".to_string(),
        (false, false) => table(&found, &args.keys),
    };
    let entries: Vec<_> = found.iter().map(|one| entry(one, &args.keys)).collect();
    let mut output = Output::new(text, json!({"licenses": entries}));
    output.verbatim = args.csv;
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

/// Lists licenses in columns.
pub fn table(found: &[ListedLicense], keys: &ShowKeyArg) -> String {
    let row = |one: &ListedLicense| {
        vec![
            one.license.to_string().chars().take(SHORT).collect(),
            one.licensee.clone(),
            keys.said(&one.license_key),
            in_words(&one.cals),
            one.last_day(),
            one.maintenance.clone(),
            one.condition.to_string(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let header = ["license", "licensee", "key", "cals", "expires", "maintenance", "condition"];
    show::table(&header, &rows, &[])
}

/// Number of characters of a license id in a table. `olr license show` finds it by them.
const SHORT: usize = 8;

const CSV: [&str; 14] = [
    "license_id",
    "issued",
    "party",
    "licensee",
    "license_key",
    "product",
    "slot",
    "type",
    "cals",
    "expires",
    "maintenance",
    "condition",
    "code",
    "host",
];

fn csv_row(one: &ListedLicense, keys: &ShowKeyArg) -> Vec<String> {
    vec![
        one.license.to_string(),
        one.issued.to_string(),
        one.party.clone(),
        one.licensee.clone(),
        keys.said(&one.license_key),
        one.product.clone(),
        one.slot.clone(),
        one.license_type.clone(),
        in_words(&one.cals),
        one.expires.map_or("never".to_string(), |day| day.to_string()),
        one.maintenance.clone(),
        one.condition.to_string(),
        one.code.clone(),
        one.host.clone().unwrap_or_default(),
    ]
}

/// A license as JSON.
pub fn entry(one: &ListedLicense, keys: &ShowKeyArg) -> Value {
    json!({
        "license_id": one.license.to_string(), "issued": one.issued.to_string(),
        "party": one.party, "licensee": one.licensee, "license_key": keys.said(&one.license_key),
        "product": one.product, "slot": one.slot, "type": one.license_type,
        "cals": cals_json(&one.cals),
        "expires": one.expires.map_or("never".to_string(), |day| day.to_string()),
        "maintenance": one.maintenance, "condition": one.condition, "code": one.code,
        "host": one.host,
    })
}

//! `olr stock`: what parties bought and have not withdrawn.

use serde_json::{Value, json};

use olr_core::display::shown;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::time::Instant;
use olr_office::ledger::StockLot;

use crate::cli::args::vendor::VendorArg;
use crate::cli::booking::{cals_json, in_words, vendor_note};
use crate::cli::context::Context;
use crate::cli::output::Output;
use crate::cli::show;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    /// Only the stock of this party.
    party: Option<String>,
}

pub fn run(args: &Args, context: &Context) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let mut ledger = folder.ledger()?;
    if let Some(party) = &args.party
        && ledger.party(party)?.is_none()
    {
        let fact = format!("no party is named {}", shown(party));
        let hint = NextStep::new("check the name, or add the party", &[Remedy::AddParty]);
        return Err(Error::unable(Problem::NotFound, fact, hint));
    }
    let lots = ledger.stock(args.party.as_deref())?;
    let rows: Vec<_> = lots.iter().map(|lot| row(lot, context.now)).collect();
    let text = match rows.is_empty() {
        true => "Nothing is in stock.".to_string(),
        false => {
            let header = ["lot", "party", "type", "cals", "sold", "until", "days left"];
            show::table(&header, &rows, &[0, 6])
        }
    };
    let entries: Vec<_> = lots.iter().map(|lot| entry(lot, context.now)).collect();
    let mut output = Output::new(text, json!({"stock": entries}));
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn row(lot: &StockLot, now: Instant) -> Vec<String> {
    let left = match lot.days_left(now) {
        0 => "lapsed".to_string(),
        days => days.to_string(),
    };
    vec![
        lot.lot.to_string(),
        lot.party.clone(),
        lot.license_type.clone(),
        in_words(&lot.cals),
        lot.bought.to_string(),
        lot.until.to_string(),
        left,
    ]
}

fn entry(lot: &StockLot, now: Instant) -> Value {
    json!({
        "lot": lot.lot, "party": lot.party, "type": lot.license_type, "edition": lot.edition,
        "cals": cals_json(&lot.cals), "bought": lot.bought.to_string(),
        "until": lot.until.to_string(), "days_left": lot.days_left(now),
    })
}

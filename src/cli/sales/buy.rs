//! `olr buy`: records a sale of CALs, or of maintenance.

use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::report::masked;
use olr_core::time::{Day, Span};
use olr_office::ledger::{Bought, Buy, Destination, PurchasedType, RenewMaintenance};

use super::{KeyArgs, LongerArgs};
use crate::cli::args::typed::span;
use crate::cli::booking::{Booked, OrderArg, ShowKeyArg, cals, with};
use crate::cli::context::Context;
use crate::cli::output::Output;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    order: OrderArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// The party that bought.
    party: String,
    /// The reference of the sale, such as an invoice number. A party has each only once.
    #[arg(long, value_name = "R")]
    reference: String,
    /// The license type, one of the catalog with model "purchased".
    #[arg(long = "type", value_name = "T", required_unless_present = "maintenance")]
    license_type: Option<String>,
    /// A module and how many CALs of it (repeatable).
    #[arg(long = "module", value_name = "OBM=50", required_unless_present = "maintenance")]
    modules: Vec<String>,
    /// The day of the sale [default: today].
    #[arg(long, value_name = "D")]
    day: Option<String>,
    /// To stock: they can be withdrawn to keys for a year.
    #[arg(long, conflicts_with_all = ["key", "new_key", "maintenance"])]
    stock: bool,
    #[command(flatten)]
    to: KeyArgs,
    #[command(flatten)]
    longer: LongerArgs,
    /// Instead of CALs: more maintenance for this license key.
    #[arg(
        long,
        value_name = "KEY",
        requires = "span",
        conflicts_with_all = ["license_type", "modules", "day", "key", "new_key", "shorten"]
    )]
    maintenance: Option<String>,
    /// How much maintenance: "1 year" or 1y, "6 months" or 6m, "30 days" or 30d.
    #[arg(long = "for", value_name = "SPAN", requires = "maintenance")]
    span: Option<String>,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    match (&args.maintenance, &args.span) {
        (Some(key), Some(text)) => maintenance(args, key, span(text)?, context),
        _ => buy(args, context),
    }
}

fn buy(args: &Args, context: &mut Context) -> Result<Output> {
    let catalog = args.order.folder()?.catalog()?;
    let to = match args.stock {
        true => Some(Destination::Stock),
        false => args.to.destination(&catalog, context)?,
    };
    let to = to.ok_or_else(|| {
        let fact = "nothing says where the CALs go";
        Error::unable(Problem::Usage, fact, "add --stock, --key KEY or --new-key")
    })?;
    let license_type = args.license_type.as_deref().unwrap_or_default();
    let buy = Buy {
        party: args.party.clone(),
        reference: args.reference.clone(),
        day: args.day.as_deref().map_or(Ok(context.now.day()), str::parse::<Day>)?,
        license_type: PurchasedType::of(&catalog, license_type)?,
        cals: cals(&args.modules, &catalog)?,
        to,
        longer: args.longer.longer(),
    };
    let mut booked = args.order.book(&buy, context)?;
    if let Some(key) = booked.result.key.clone().filter(|_| args.to.is_tried(booked.dry_run)) {
        booked.forget(&key);
    }
    Ok(bought(args, &booked))
}

fn bought(args: &Args, booked: &Booked<Bought>) -> Output {
    let Bought { purchase, lot, stock_until, key, maintenance } = &booked.result;
    let key = key.as_ref().map(|key| args.to.said(key, args.keys.said(key), booked.dry_run));
    let mut rows = vec![("reference", args.reference.clone())];
    rows.extend(lot.map(|lot| ("lot", lot.to_string())));
    rows.extend(stock_until.clone().map(|day| ("in stock until", day)));
    rows.extend(key.clone().map(|key| ("license key", key)));
    rows.extend(maintenance.clone().map(|maintenance| ("maintenance", maintenance)));
    let done = format!("Recorded the sale to {}.", shown(&args.party));
    let output = booked.output(&done, &rows, &args.keys);
    let output = with(with(output, "purchase", *purchase), "lot", *lot);
    let output = with(with(output, "stock_until", stock_until.clone()), "license_key", key);
    with(output, "maintenance", maintenance.clone())
}

fn maintenance(args: &Args, key: &str, span: Span, context: &mut Context) -> Result<Output> {
    let found = args.order.folder()?.ledger()?.license_key(key)?;
    // A key that does not exist is refused when it is booked.
    if let Some(other) = found.filter(|found| found.party != args.party) {
        let fact = format!("key {} belongs to {}", masked(key), shown(&other.party));
        return Err(Error::unable(Problem::Usage, fact, "name the party of the key"));
    }
    let renew = RenewMaintenance { key: key.to_string(), reference: args.reference.clone(), span };
    let booked = args.order.book(&renew, context)?;
    let key = args.keys.said(key);
    let (from, until) = (&booked.result.from, &booked.result.until);
    let rows = [
        ("reference", args.reference.clone()),
        ("license key", key.clone()),
        ("maintenance", format!("{from} to {until}")),
    ];
    let done = format!("Recorded the sale of maintenance to {}.", shown(&args.party));
    let output = with(booked.output(&done, &rows, &args.keys), "license_key", key);
    let output = with(with(output, "maintenance", until.clone()), "maintenance_from", from.clone());
    Ok(output)
}

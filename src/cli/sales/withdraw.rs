//! `olr withdraw`: CALs from stock to a license key, oldest lot first.

use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_office::ledger::{PurchasedType, Withdraw};

use super::{KeyArgs, LongerArgs};
use crate::cli::booking::{OrderArg, ShowKeyArg, cals, with};
use crate::cli::context::Context;
use crate::cli::output::Output;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    order: OrderArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// The party whose stock it is.
    party: String,
    /// The license type.
    #[arg(long = "type", value_name = "T")]
    license_type: String,
    /// A module and how many CALs of it (repeatable).
    #[arg(long = "module", value_name = "OBM=50", required = true)]
    modules: Vec<String>,
    #[command(flatten)]
    to: KeyArgs,
    #[command(flatten)]
    longer: LongerArgs,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let catalog = args.order.folder()?.catalog()?;
    let to = args.to.destination(&catalog, context)?.ok_or_else(|| {
        let fact = "nothing says which license key gets the CALs";
        Error::unable(Problem::Usage, fact, "add --key KEY or --new-key")
    })?;
    let withdraw = Withdraw {
        party: args.party.clone(),
        license_type: PurchasedType::of(&catalog, &args.license_type)?,
        cals: cals(&args.modules, &catalog)?,
        to,
        longer: args.longer.longer(),
    };
    let mut booked = args.order.book(&withdraw, context)?;
    let key = booked.result.key.clone();
    if args.to.is_tried(booked.dry_run) {
        booked.forget(&key);
    }
    let key = args.to.said(&key, args.keys.said(&key), booked.dry_run);
    let rows = [("license key", key.clone()), ("maintenance", booked.result.maintenance.clone())];
    let done = format!("Withdrew these CALs from the stock of {}.", shown(&args.party));
    let output = booked.output(&done, &rows, &args.keys);
    let output = with(with(output, "license_key", key), "lots", booked.result.lots.clone());
    Ok(with(output, "maintenance", booked.result.maintenance.clone()))
}

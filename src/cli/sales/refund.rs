//! `olr refund`: CALs that a party gave back.

use olr_core::error::{Error, Problem, Result};
use olr_office::ledger::{Refund, RefundFrom};

use crate::cli::args::typed::typed;
use crate::cli::booking::{OrderArg, ShowKeyArg, cals, cals_json, in_words, with};
use crate::cli::context::Context;
use crate::cli::output::Output;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    order: OrderArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// From this lot in stock: see `olr stock`.
    #[arg(long, value_name = "N", conflicts_with = "key")]
    lot: Option<i64>,
    /// From this license key: only CALs that no license may still use.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A module and how many CALs of it (repeatable).
    #[arg(long = "module", value_name = "OBM=50", required = true)]
    modules: Vec<String>,
    /// The reason; olr keeps it.
    #[arg(long, value_name = "REASON")]
    reason: String,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let catalog = args.order.folder()?.catalog()?;
    let from = match (args.lot, &args.key) {
        (Some(lot), _) => RefundFrom::Lot(lot),
        (None, Some(key)) => RefundFrom::Key(key.clone()),
        (None, None) => {
            let fact = "nothing says where the CALs are";
            return Err(Error::unable(Problem::Usage, fact, "add --lot N or --key KEY"));
        }
    };
    let reason = typed("the reason", &args.reason)?.to_string();
    let refund = Refund { from, cals: cals(&args.modules, &catalog)?, reason };
    let booked = args.order.book(&refund, context)?;
    let done = format!("Refunded {}.", in_words(&booked.result.cals));
    let output = booked.output(&done, &[], &args.keys);
    Ok(with(output, "cals", cals_json(&booked.result.cals)))
}

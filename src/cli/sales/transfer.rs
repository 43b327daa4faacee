//! `olr move` and `olr exchange`: CALs from one license key to another of the same party.

use olr_core::error::Result;
use olr_office::ledger::{ExchangeCals, MoveCals};

use crate::cli::args::typed::count;
use crate::cli::booking::{OrderArg, ShowKeyArg, cals, with};
use crate::cli::context::Context;
use crate::cli::output::Output;

#[derive(clap::Args)]
pub struct MoveArgs {
    #[command(flatten)]
    order: OrderArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// The license key that gives.
    from: String,
    /// The license key that takes. It gets the shorter maintenance of the two.
    to: String,
    /// A module and how many CALs of it (repeatable).
    #[arg(long = "module", value_name = "OBM=50", required = true)]
    modules: Vec<String>,
}

#[derive(clap::Args)]
pub struct ExchangeArgs {
    #[command(flatten)]
    order: OrderArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// The license key that gives.
    key: String,
    /// The module that is given, and how many CALs of it.
    #[arg(long, value_name = "VMware=5")]
    give: String,
    /// The module that is taken instead: one of the same pool of the catalog.
    #[arg(long, value_name = "MODULE")]
    take: String,
    /// The license key that takes [default: the one that gives].
    #[arg(long, value_name = "KEY")]
    to: Option<String>,
}

pub fn run_move(args: &MoveArgs, context: &mut Context) -> Result<Output> {
    let catalog = args.order.folder()?.catalog()?;
    let moving = MoveCals {
        from: args.from.clone(),
        to: args.to.clone(),
        cals: cals(&args.modules, &catalog)?,
    };
    let booked = args.order.book(&moving, context)?;
    let maintenance = booked.result.maintenance.clone();
    let rows = [("maintenance of the key that takes", maintenance.clone())];
    let output = booked.output("Moved these CALs.", &rows, &args.keys);
    Ok(with(output, "maintenance", maintenance))
}

pub fn run_exchange(args: &ExchangeArgs, context: &mut Context) -> Result<Output> {
    let catalog = args.order.folder()?.catalog()?;
    let given = count(&args.give, "--give VMware=5")?;
    let to = args.to.as_deref().unwrap_or(&args.key);
    let (from, to) = ((&*args.key, &*given.module), (to, &*args.take));
    let exchange = ExchangeCals::new(&catalog, from, to, given.count)?;
    let booked = args.order.book(&exchange, context)?;
    let maintenance = booked.result.maintenance.clone();
    let rows = [("maintenance of the key that takes", maintenance.clone())];
    let output = booked.output("Exchanged these CALs.", &rows, &args.keys);
    Ok(with(output, "maintenance", maintenance))
}

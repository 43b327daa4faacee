//! `olr pool key`: keys of a pool.

use clap::Subcommand;

use crate::cli::args::typed::typed;
use crate::cli::booking::{OrderArg, ShowKeyArg, cals, slot_of, with};
use crate::cli::context::Context;
use crate::cli::output::Output;
use olr_core::error::Result;
use olr_office::ledger::{DeletePoolKey, NewPoolKey, PoolType, SetKeyQuota};

#[derive(Subcommand)]
#[command(defer = true)]
pub enum Verb {
    /// Create a pool key with quotas from its pool.
    New(NewArgs),
    /// Set the quotas of a pool key.
    Quota(QuotaArgs),
    /// Delete a pool key; its quotas return to the pool.
    Delete(DeleteArgs),
}

#[derive(clap::Args)]
pub struct NewArgs {
    #[command(flatten)]
    order: OrderArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// The partner.
    party: String,
    /// The pool.
    pool: String,
    /// The name of the key: letters, digits, _ and -. The prefix of the partner precedes it.
    name: String,
    /// The license type, one of the catalog with model "pool".
    #[arg(long = "type", value_name = "T")]
    license_type: String,
    /// A module and its quota (repeatable).
    #[arg(long = "module", value_name = "OBM=50", required = true)]
    modules: Vec<String>,
    /// The licensee, as in the requests.
    #[arg(long, value_name = "NAME")]
    licensee: String,
    /// The product [default: the only one of the catalog].
    #[arg(long, value_name = "P")]
    product: Option<String>,
    /// The slot [default: the first of the product].
    #[arg(long, value_name = "S")]
    slot: Option<String>,
}

#[derive(clap::Args)]
pub struct QuotaArgs {
    #[command(flatten)]
    order: OrderArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// The pool key.
    key: String,
    /// A module and its quota; other modules keep theirs (repeatable).
    #[arg(long = "module", value_name = "OBM=50", required = true)]
    modules: Vec<String>,
}

#[derive(clap::Args)]
pub struct DeleteArgs {
    #[command(flatten)]
    order: OrderArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// The pool key.
    key: String,
}

pub fn run(verb: &Verb, context: &mut Context) -> Result<Output> {
    match verb {
        Verb::New(args) => new(args, context),
        Verb::Quota(args) => quota(args, context),
        Verb::Delete(args) => delete(args, context),
    }
}

fn new(args: &NewArgs, context: &mut Context) -> Result<Output> {
    let catalog = args.order.folder()?.catalog()?;
    let (product, slot) = slot_of(args.product.as_deref(), args.slot.as_deref(), &catalog)?;
    let new = NewPoolKey {
        party: args.party.clone(),
        pool: args.pool.clone(),
        name: args.name.clone(),
        licensee: typed("the licensee's name", &args.licensee)?.to_string(),
        product,
        slot,
        license_type: PoolType::of(&catalog, &args.license_type)?,
        quotas: cals(&args.modules, &catalog)?,
    };
    let booked = args.order.book(&new, context)?;
    // The partner has to give the key to its customer.
    let key = booked.result.key.clone();
    let rows = [("license key", key.clone())];
    let output = booked.output("Created the pool key.", &rows, &args.keys);
    Ok(with(output, "license_key", key))
}

fn quota(args: &QuotaArgs, context: &mut Context) -> Result<Output> {
    let catalog = args.order.folder()?.catalog()?;
    let quotas = cals(&args.modules, &catalog)?;
    let booked = args.order.book(&SetKeyQuota { key: args.key.clone(), quotas }, context)?;
    let key = args.keys.said(&args.key);
    let done = format!("Set the quotas of pool key {key}.");
    Ok(with(booked.output(&done, &[], &args.keys), "license_key", key))
}

fn delete(args: &DeleteArgs, context: &mut Context) -> Result<Output> {
    let booked = args.order.book(&DeletePoolKey { key: args.key.clone() }, context)?;
    let key = args.keys.said(&args.key);
    let done = format!("Deleted pool key {key}.");
    Ok(with(booked.output(&done, &[], &args.keys), "license_key", key))
}

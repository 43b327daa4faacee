//! `olr pool`: the pools of a partner, and their keys.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::args::vendor::VendorArg;
use crate::cli::booking::{OrderArg, ShowKeyArg, cals, cals_json, in_words, vendor_note, with};
use crate::cli::context::Context;
use crate::cli::output::Output;
use crate::cli::show;
use crate::cli::terminal::Confirmation;
use olr_core::display::shown;
use olr_core::entitlement::Edition;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_office::ledger::{
    AddToPool, Cals, NewPool, PoolKeyReport, PoolReport, PoolSum, SetPoolQuota,
};

mod key;

#[derive(Subcommand)]
#[command(defer = true)]
pub enum Verb {
    /// Create an empty pool of one edition.
    New(NewArgs),
    /// Add the license of a key to the pooled CALs of its party, for ever.
    Add(AddArgs),
    /// Set the quotas of a pool.
    Quota(QuotaArgs),
    /// Create, change and delete the keys of a pool.
    #[command(subcommand)]
    Key(key::Verb),
    /// Show what a partner has pooled, its pools and their keys.
    Show(ShowArgs),
}

#[derive(clap::Args)]
pub struct NewArgs {
    #[command(flatten)]
    order: OrderArg,
    /// The partner.
    party: String,
    /// A name that no other pool of the partner has.
    pool: String,
    /// The edition of its CALs: oem or standard.
    #[arg(long)]
    edition: Edition,
}

#[derive(clap::Args)]
pub struct AddArgs {
    #[command(flatten)]
    order: OrderArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// The license key. It must be on no machine, and cannot be used on one any more.
    key: String,
    /// The name of its licensee, to confirm which license it is.
    #[arg(long, value_name = "NAME")]
    licensee: String,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

#[derive(clap::Args)]
pub struct QuotaArgs {
    #[command(flatten)]
    order: OrderArg,
    /// The partner.
    party: String,
    /// The pool.
    pool: String,
    /// A module and its quota in the pool; other modules keep theirs (repeatable).
    #[arg(long = "module", value_name = "OBM=50", required = true)]
    modules: Vec<String>,
}

#[derive(clap::Args)]
pub struct ShowArgs {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// The partner.
    party: String,
}

pub fn run(verb: &Verb, context: &mut Context) -> Result<Output> {
    match verb {
        Verb::New(args) => new(args, context),
        Verb::Add(args) => add(args, context),
        Verb::Quota(args) => quota(args, context),
        Verb::Key(verb) => key::run(verb, context),
        Verb::Show(args) => show_pools(args),
    }
}

const MASKED: ShowKeyArg = ShowKeyArg { show_key: false };

fn new(args: &NewArgs, context: &mut Context) -> Result<Output> {
    let (party, pool) = (args.party.clone(), args.pool.clone());
    let booked = args.order.book(&NewPool { party, pool, edition: args.edition }, context)?;
    let done = format!("Created the {} pool {}.", args.edition, shown(&args.pool));
    let output = with(booked.output(&done, &[], &MASKED), "pool", &*args.pool);
    Ok(with(output, "edition", args.edition.word()))
}

fn add(args: &AddArgs, context: &mut Context) -> Result<Output> {
    let (key, licensee) = (args.key.clone(), args.licensee.clone());
    let booking = AddToPool { key, licensee };
    if !args.order.dry_run && !args.yes {
        // A refusal is reported before any question is asked.
        let tried = args.order.tried(&booking, context)?;
        let hits = format!(
            "{}\n\nThe key {} cannot be used on a machine any more.",
            in_words(&tried.cals),
            args.keys.said(&args.key)
        );
        let ask = "Add this license to the pool for ever?";
        Confirmation { hits: &hits, ask, deed: "pooling a license" }.confirm(false)?;
    }
    let booked = args.order.book(&booking, context)?;
    let maintenance = booked.result.maintenance.clone();
    let rows = [("maintenance of all pool keys", maintenance.clone())];
    let done = format!("Pooled {}.", in_words(&booked.result.cals));
    let output = with(booked.output(&done, &rows, &args.keys), "maintenance", maintenance);
    Ok(with(output, "cals", cals_json(&booked.result.cals)))
}

fn quota(args: &QuotaArgs, context: &mut Context) -> Result<Output> {
    let catalog = args.order.folder()?.catalog()?;
    let quotas = cals(&args.modules, &catalog)?;
    let (party, pool) = (args.party.clone(), args.pool.clone());
    let booked = args.order.book(&SetPoolQuota { party, pool, quotas }, context)?;
    let done = format!("Set the quotas of pool {}.", shown(&args.pool));
    Ok(with(booked.output(&done, &[], &MASKED), "pool", &*args.pool))
}

fn show_pools(args: &ShowArgs) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let mut ledger = folder.ledger()?;
    if ledger.party(&args.party)?.is_none() {
        let fact = format!("no party is named {}", shown(&args.party));
        let hint = NextStep::new("check the name, or add the party", &[Remedy::AddParty]);
        return Err(Error::unable(Problem::NotFound, fact, hint));
    }
    let sums = ledger.pools(&args.party)?;
    let text = match sums.is_empty() {
        true => "Nothing was pooled, and there is no pool.".to_string(),
        false => sums.iter().map(|sum| described(sum, &args.keys)).collect::<Vec<_>>().join("\n\n"),
    };
    let entries: Vec<_> = sums.iter().map(|sum| entry(sum, &args.keys)).collect();
    let mut output = Output::new(text, json!({"party": args.party, "editions": entries}));
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn described(sum: &PoolSum, keys: &ShowKeyArg) -> String {
    let maintenance = sum.maintenance.clone().unwrap_or_else(|| "nothing pooled".to_string());
    let pairs = show::pairs(&[("edition", sum.edition.clone()), ("maintenance", maintenance)]);
    let mut rows = vec![row("(in no pool)", "", "", in_words(&sum.free))];
    for pool in &sum.pools {
        rows.push(row(&pool.name, "(on no key)", "", in_words(&pool.free)));
        for key in &pool.keys {
            rows.push(row("", &keys.said(&key.key), &key.state, in_words(&granted(key))));
        }
    }
    format!("{pairs}\n\n{}", show::table(&["pool", "key", "state", "cals"], &rows, &[]))
}

fn row(pool: &str, key: &str, state: &str, cals: String) -> Vec<String> {
    let cals = if cals.is_empty() { "none".to_string() } else { cals };
    vec![pool.to_string(), key.to_string(), state.to_string(), cals]
}

/// The quotas of a pool key: all that it has, on licenses or not.
fn granted(key: &PoolKeyReport) -> Vec<Cals> {
    let one = |cals: &olr_office::ledger::KeyCals| {
        Cals::new(&*cals.module, &*cals.unit, cals.free.saturating_add(cals.out))
    };
    key.cals.iter().map(one).collect()
}

fn entry(sum: &PoolSum, keys: &ShowKeyArg) -> Value {
    let key = |key: &PoolKeyReport| {
        json!({
            "license_key": keys.said(&key.key), "licensee": key.licensee, "state": key.state,
            "cals": cals_json(&granted(key)),
        })
    };
    let pool = |pool: &PoolReport| {
        let found: Vec<_> = pool.keys.iter().map(key).collect();
        json!({"pool": pool.name, "free": cals_json(&pool.free), "keys": found})
    };
    json!({
        "edition": sum.edition, "maintenance": sum.maintenance, "free": cals_json(&sum.free),
        "pools": sum.pools.iter().map(pool).collect::<Vec<_>>(),
    })
}

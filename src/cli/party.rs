//! `olr party`: the customers, companies and partners of a vendor.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use olr_core::display::shown;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_office::ledger::{AddParty, PartyKey, PartyKind, PartyPurchase, PartyReport};

use super::booking::{OrderArg, ShowKeyArg, cals_json, in_words, vendor_note, with};
use super::context::Context;
use super::output::{Output, put};
use super::show;
use crate::cli::args::typed::typed;
use crate::cli::args::vendor::VendorArg;

#[derive(Subcommand)]
#[command(defer = true)]
pub enum Verb {
    /// Add a customer, a company or a partner.
    Add(AddArgs),
    /// List all parties.
    List(ListArgs),
    /// Show a party, its purchases and its license keys.
    Show(ShowArgs),
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Customer,
    Company,
    Partner,
}

#[derive(clap::Args)]
pub struct AddArgs {
    #[command(flatten)]
    order: OrderArg,
    /// A name that no other party has.
    name: String,
    /// What it is: a partner resells, and has pools.
    #[arg(long)]
    kind: Kind,
    /// The party above it.
    #[arg(long, value_name = "PARTY")]
    parent: Option<String>,
    /// How all its pool keys begin: letters, digits, _ and -.
    #[arg(long, value_name = "X")]
    prefix: Option<String>,
    /// The currency of its invoices.
    #[arg(long, value_name = "C")]
    currency: Option<String>,
    /// The region whose holidays its bills follow.
    #[arg(long, value_name = "R")]
    region: Option<String>,
}

#[derive(clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    vendor: VendorArg,
}

#[derive(clap::Args)]
pub struct ShowArgs {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    /// Its name.
    name: String,
}

pub fn run(verb: &Verb, context: &mut Context) -> Result<Output> {
    match verb {
        Verb::Add(args) => add(args, context),
        Verb::List(args) => list(args),
        Verb::Show(args) => show_one(args),
    }
}

fn add(args: &AddArgs, context: &mut Context) -> Result<Output> {
    let kind = match args.kind {
        Kind::Customer => PartyKind::Customer,
        Kind::Company => PartyKind::Company,
        Kind::Partner => PartyKind::Partner,
    };
    let name = typed("the name of the party", &args.name)?;
    let party = AddParty {
        parent: args.parent.clone(),
        prefix: args.prefix.clone(),
        currency: args.currency.clone(),
        region: args.region.clone(),
        ..AddParty::new(kind, name.to_string())
    };
    let booked = args.order.book(&party, context)?;
    let done = format!("Added the {} {}.", kind.word(), shown(&name));
    let output = booked.output(&done, &[], &ShowKeyArg { show_key: false });
    let output = with(output, "party", booked.result.party);
    Ok(with(with(output, "name", &*name), "kind", kind.word()))
}

fn list(args: &ListArgs) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let parties = folder.ledger()?.parties()?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let row = |party: &PartyReport| {
        vec![party.name.clone(), party.kind.clone(), text(&party.parent), text(&party.prefix)]
    };
    let rows: Vec<_> = parties.iter().map(row).collect();
    let text = match rows.is_empty() {
        true => "No party was added yet.".to_string(),
        false => show::table(&["name", "kind", "parent", "prefix"], &rows, &[]),
    };
    let entries: Vec<_> = parties.iter().map(party_json).collect();
    let mut output = Output::new(text, json!({"parties": entries}));
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn party_json(party: &PartyReport) -> Value {
    json!({
        "party": party.party, "kind": party.kind, "name": party.name, "parent": party.parent,
        "prefix": party.prefix, "currency": party.currency, "region": party.region,
    })
}

fn show_one(args: &ShowArgs) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let mut ledger = folder.ledger()?;
    let party = ledger.party(&args.name)?.ok_or_else(|| {
        let fact = format!("no party is named {}", shown(&args.name));
        let hint = NextStep::new("check the name, or add the party", &[Remedy::AddParty]);
        Error::unable(Problem::NotFound, fact, hint)
    })?;
    let (purchases, keys) = (ledger.purchases(party.party)?, ledger.keys_of(party.party)?);
    let mut pairs = vec![("name", party.name.clone()), ("kind", party.kind.clone())];
    for (name, value) in [
        ("parent", &party.parent),
        ("prefix", &party.prefix),
        ("currency", &party.currency),
        ("region", &party.region),
    ] {
        pairs.extend(value.clone().map(|value| (name, value)));
    }
    let mut text = show::pairs(&pairs);
    if !purchases.is_empty() {
        let rows: Vec<_> = purchases.iter().map(purchase_row).collect();
        text += &format!("\n\n{}", show::table(&["sold", "reference", "what"], &rows, &[]));
    }
    if !keys.is_empty() {
        let rows: Vec<_> = keys.iter().map(|key| key_row(key, &args.keys)).collect();
        let header = ["key", "licensee", "type", "state", "maintenance", "pool"];
        text += &format!("\n\n{}", show::table(&header, &rows, &[]));
    }
    let mut json = party_json(&party);
    put(&mut json, "purchases", purchases.iter().map(purchase_json).collect::<Vec<_>>());
    let keys: Vec<_> = keys.iter().map(|key| key_json(key, &args.keys)).collect();
    put(&mut json, "keys", keys);
    let mut output = Output::new(text, json);
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn purchase_row(purchase: &PartyPurchase) -> Vec<String> {
    let cals = Some(in_words(&purchase.cals)).filter(|text| !text.is_empty());
    let maintenance = purchase.maintenance.map(|day| format!("maintenance until {day}"));
    let by_grant = purchase.by_grant.then(|| "by grant".to_string());
    let what: Vec<_> = [cals, maintenance, by_grant].into_iter().flatten().collect();
    vec![purchase.day.to_string(), purchase.reference.clone(), what.join(", ")]
}

fn purchase_json(purchase: &PartyPurchase) -> Value {
    json!({
        "reference": purchase.reference, "day": purchase.day.to_string(),
        "by_grant": purchase.by_grant, "cals": cals_json(&purchase.cals),
        "maintenance_until": purchase.maintenance.map(|day| day.to_string()),
    })
}

fn key_row(key: &PartyKey, keys: &ShowKeyArg) -> Vec<String> {
    vec![
        keys.said(&key.key),
        key.licensee.clone(),
        key.license_type.clone(),
        key.state.clone(),
        key.maintenance.clone(),
        key.pool.clone().unwrap_or_default(),
    ]
}

fn key_json(key: &PartyKey, keys: &ShowKeyArg) -> Value {
    json!({
        "license_key": keys.said(&key.key), "licensee": key.licensee, "type": key.license_type,
        "state": key.state, "maintenance": key.maintenance, "pool": key.pool,
    })
}

//! `olr license show`.

use serde_json::{Value, json};

use olr_core::display::shown;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::license::read_unverified;
use olr_core::report::LicenseReport;
use olr_core::wire::frame::Kind;
use olr_office::ledger::{KeyReport, Ledger, ListedLicense};

use super::list::{entry, table};
use crate::cli::args::vendor::VendorArg;
use crate::cli::booking::{ShowKeyArg, vendor_note};
use crate::cli::context::Context;
use crate::cli::files::OutFile;
use crate::cli::output::{Output, put};
use crate::cli::show;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    keys: ShowKeyArg,
    #[command(flatten)]
    output: OutFile,
    /// The beginning of a license id, a license key, the code of a request, or a part of the name
    /// of a licensee or host.
    #[arg(value_name = "ID|CODE|KEY|NAME")]
    text: String,
}

const NAME: &str = "license.olr";

pub fn run(args: &Args, context: &Context) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let mut ledger = folder.ledger()?;
    let mut found = ledger.find_licenses(&args.text, context.now)?;
    for one in &mut found {
        one.cals = ledger.cals_on(one.license)?;
    }
    let mut output = match found.as_slice() {
        [] => key_alone(args, &mut ledger)?,
        [one] => license(args, one, &mut ledger)?,
        several => ambiguous(args, several),
    };
    output.notes.push(vendor_note(&folder));
    Ok(output)
}

fn license(args: &Args, one: &ListedLicense, ledger: &mut Ledger) -> Result<Output> {
    let answer = ledger.answer(one.license)?.ok_or_else(|| nothing(args))?;
    let bytes = ledger.license_bytes(&answer)?;
    let body = read_unverified(&bytes)?;
    let report = LicenseReport::from(&body);
    let mut pairs = vec![
        ("condition", one.condition.to_string()),
        ("party", one.party.clone()),
        ("license key", args.keys.said(&one.license_key)),
        ("code", one.code.clone()),
    ];
    pairs.extend(one.host.clone().map(|host| ("server", host)));
    if let Some(revoked) = &answer.revoked {
        pairs.push(("revoked", format!("{}: {}", revoked.revoked, shown(&revoked.reason))));
    }
    let key = ledger.license_key(&one.license_key)?;
    let mut text =
        format!("{}\n\n{}", show::pairs(&pairs), show::laid_out(&report.terms(), &report.tables()));
    let mut json = entry(one, &args.keys);
    put(&mut json, "license", show::json(&report));
    if let Some(key) = &key {
        text += &format!("\n\n{}", key_table(key));
        put(&mut json, "key", key_json(key));
    }
    let mut output = Output::new(text, json);
    if args.output.is_named() {
        args.output.ensure_free(NAME, Kind::License, |old| old == bytes)?;
        args.output.write(NAME, Kind::License, &bytes, &mut output)?;
        let file = args.output.name(NAME);
        output.text = format!("Wrote the stored license to {file}.\n\n{}", output.text);
        put(&mut output.json, "file", file);
    }
    Ok(output)
}

/// Shows a key for which no license was issued.
fn key_alone(args: &Args, ledger: &mut Ledger) -> Result<Output> {
    let key = ledger.license_key(&args.text)?.ok_or_else(|| nothing(args))?;
    if args.output.is_named() {
        let fact = "no license was issued for this key";
        return Err(Error::unable(Problem::NotFound, fact, "leave out -o"));
    }
    let pairs = show::pairs(&[
        ("license key", args.keys.said(&args.text)),
        ("state", key.state.clone()),
        ("party", key.party.clone()),
        ("licensee", key.licensee.clone()),
        ("product", format!("{}/{}", key.product, key.slot)),
        ("type", key.license_type.clone()),
        ("maintenance", key.maintenance.clone()),
    ]);
    let text = format!("No license was issued for this key.\n\n{pairs}\n\n{}", key_table(&key));
    let json = json!({
        "license_key": args.keys.said(&args.text), "party": key.party, "licensee": key.licensee,
        "product": key.product, "slot": key.slot, "type": key.license_type,
        "maintenance": key.maintenance, "key": key_json(&key),
    });
    Ok(Output::new(text, json))
}

fn nothing(args: &Args) -> Error {
    let fact = format!("no license or key fits {}", shown(&args.text));
    let hint = NextStep::new("list the issued licenses", &[Remedy::ListIssued]);
    Error::unable(Problem::NotFound, fact, hint)
}

fn ambiguous(args: &Args, several: &[ListedLicense]) -> Output {
    let fact = format!("{} licenses fit {}", several.len(), shown(&args.text));
    let hint = "be more exact: write the beginning of one license id";
    let matches: Vec<_> = several.iter().map(|one| entry(one, &args.keys)).collect();
    let output = Output::new(table(several, &args.keys), json!({"matches": matches}));
    let mut output = output.refused(&Error::unable(Problem::Usage, &*fact, hint));
    output.notes.extend([fact, format!("hint: {hint}")]);
    output
}

fn key_table(key: &KeyReport) -> String {
    let row = |cals: &olr_office::ledger::KeyCals| {
        vec![
            cals.module.clone(),
            cals.free.to_string(),
            cals.out.to_string(),
            cals.escrow.to_string(),
        ]
    };
    let rows: Vec<_> = key.cals.iter().map(row).collect();
    show::table(&["module", "on the key", "on licenses", "in escrow"], &rows, &[1, 2, 3])
}

fn key_json(key: &KeyReport) -> Value {
    let cals = |cals: &olr_office::ledger::KeyCals| {
        json!({
            "module": cals.module, "unit": cals.unit, "free": cals.free, "out": cals.out,
            "escrow": cals.escrow,
        })
    };
    json!({
        "state": key.state, "pool": key.pool, "holder": key.holder,
        "cals": key.cals.iter().map(cals).collect::<Vec<_>>(),
    })
}

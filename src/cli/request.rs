//! `olr request`: seals a request for the vendor.

use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Read};
use std::path::PathBuf;

use crate::file;
use crate::home::{Home, RequestParams, Requested};
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::machine::Factor;
use olr_core::report::RequestReport;
use olr_core::state::Surroundings;
use olr_core::trust::VendorCode;
use olr_core::wire::codec::{Hidden, Note, Set, Text};
use olr_core::wire::frame::Kind;

use super::files::{OutFile, read_artefact};
use super::known::{Known, UnlistedArg};
use super::output::Output;
use super::{hint, show, unseen};
use crate::cli::args::home::{HomeArg, SlotArg};
use crate::cli::args::typed::{count, nfc, typed};
use crate::cli::context::Context;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    #[command(flatten)]
    slot: SlotArg,
    #[command(flatten)]
    output: OutFile,
    #[command(flatten)]
    unlisted: UnlistedArg,
    /// Your vendor's vendor.trust: for the first request, with --new-identity, or if there is a
    /// newer one.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Refuse the vendor unless one of its trusts in this home has this code: 12 characters, or all
    /// 52.
    #[arg(long, value_name = "CODE")]
    vendor_code: Option<String>,
    /// The licensee's name, as on the sales receipt.
    #[arg(long, value_name = "NAME")]
    licensee: Option<String>,
    /// The license key, as on the sales receipt; `-` reads it from stdin, or asks for it on a
    /// terminal without showing it.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The product version that is installed.
    #[arg(long, value_name = "V")]
    product_version: Option<String>,
    /// Ask for this quantity of a module (repeatable).
    #[arg(long, value_name = "M=N")]
    module: Vec<String>,
    /// Also identify the machine by this value of your own, such as rack=B12 (repeatable).
    #[arg(long, value_name = "NAME=VALUE")]
    pin: Vec<String>,
    /// A note to the support staff.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Also use values that only root can read.
    #[arg(long)]
    privileged: bool,
    /// Ask for a license that replaces the installed one.
    #[arg(long)]
    renew: bool,
    /// Set the old state aside and start again as a new installation.
    #[arg(long)]
    new_identity: bool,
    /// Also show the sealed values that are ignored.
    #[arg(long)]
    all: bool,
    /// Show what would be sealed, but make no request.
    #[arg(long, conflicts_with = "new_identity")]
    dry_run: bool,
}

const NAME: &str = "req.olr";

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let home = args.home.open(context)?;
    let order = order(args)?;
    let (around, found) = context.around(args.privileged);
    if !args.dry_run {
        args.output.ensure_free(NAME, Kind::Request, |bytes| home.made(bytes))?;
    }
    ensure_known(&home, &order, args, &around, context)?;
    let requested = home.request(&order, &around, &mut context.rng)?;
    let file = args.output.name(NAME);
    let report = Output::new(text(&requested, args, &file), json_of(&requested, args, &file));
    let mut report = report.of_vendor(&requested.trust).at_home(&home);
    if let Some(aside) = &requested.aside {
        report.notes.push(format!("the old state is kept as {}", file::name(aside)));
    }
    for unreadable in found.unreadable {
        let reason = hint::reason(unreadable.reason);
        report.notes.push(format!("unreadable: {} ({reason})", unreadable.kind));
    }
    if !args.dry_run {
        let written = args.output.write(NAME, Kind::Request, &requested.bytes, &mut report);
        written.map_err(|error| {
            let number = requested.body.number;
            let step = format!("{}, then run `olr request` again", hint::said(error.next_step()));
            let fact = format!("{}; request {number} was made, but not written", error.fact());
            Error::unable(Problem::Usage, fact, step)
        })?;
    }
    Ok(report)
}

/// Fails if a wanted module is not named by the license of the requested slot. A dry run finds out
/// which slot that is; a new identity has no license yet.
fn ensure_known(
    home: &Home,
    order: &RequestParams,
    args: &Args,
    around: &Surroundings,
    context: &mut Context,
) -> Result<()> {
    if order.wanted.is_empty() || order.new_identity {
        return Ok(());
    }
    let Some(state) = home.load()? else { return Ok(()) };
    let try_it = RequestParams { dry_run: true, ..order.clone() };
    let tried = home.request(&try_it, around, &mut context.rng)?.body;
    match state.slot(Some(&tried.product), Some(&tried.slot)) {
        Ok(slot) => {
            let wanted = order.wanted.iter().map(|count| &*count.module);
            Known::in_slot(slot).ensure(wanted, &args.unlisted)
        }
        Err(_) => Ok(()),
    }
}

fn order(args: &Args) -> Result<RequestParams> {
    let typed =
        |what, text: &Option<String>| text.as_deref().map(|text| typed(what, text)).transpose();
    Ok(RequestParams {
        trust: args
            .trust
            .as_deref()
            .map(|path| read_artefact(Some(Kind::Trust), path))
            .transpose()?,
        vendor_code: args.vendor_code.as_deref().map(str::parse::<VendorCode>).transpose()?,
        licensee: typed("--licensee", &args.licensee)?,
        license_key: args.key.as_deref().map(license_key).transpose()?.map(Hidden),
        product: typed("--product", &args.slot.product)?,
        product_version: typed("--product-version", &args.product_version)?,
        slot: typed("--slot", &args.slot.slot)?,
        pins: args.pin.iter().map(|pin| Factor::pin(&nfc(pin))).collect::<Result<_>>()?,
        renew: args.renew,
        new_identity: args.new_identity,
        dry_run: args.dry_run,
        wanted: Set::new(
            args.module.iter().map(|text| count(text, "--module OBM=10")).collect::<Result<_>>()?,
        )
        .map_err(|error| error.within("--module"))?,
        note: Note::new(&nfc(args.note.as_deref().unwrap_or_default()))?,
    })
}

fn license_key(argument: &str) -> Result<Text> {
    if argument != "-" {
        return typed("--key", argument);
    }
    file::take_stdin()?;
    let stdin = std::io::stdin();
    let read = match stdin.is_terminal() {
        true => unseen::ask("License key: "),
        false => {
            let mut text = String::new();
            stdin.lock().take(1024).read_line(&mut text).map(|_| text)
        }
    };
    let text = read.map_err(|_| {
        Error::unable(
            Problem::Io,
            "the license key cannot be read from stdin",
            "pipe one line of text",
        )
    })?;
    typed("the license key on stdin", &text)
}

fn text(requested: &Requested, args: &Args, file: &str) -> String {
    let trust = &requested.trust;
    let mut text = match args.dry_run {
        true => "No request was made. This would be sealed:".to_string(),
        false => {
            let to = if args.output.path(NAME).is_none() { "to " } else { "" };
            format!(
                "Wrote {to}{file}. Only this vendor can read it.\nCode of this request, to \
                 compare by phone: {}",
                requested.code
            )
        }
    };
    if requested.first_contact && args.vendor_code.is_none() {
        text += &format!(
            "\nFirst contact: ask your vendor whether its vendor code is {}.",
            trust.vendor_code()
        );
    }
    if trust.body().test {
        text += "\nThis vendor is for tests only.";
    }
    let mut pairs =
        vec![("vendor", format!("{} (code {})", shown(&trust.body().name), trust.vendor_code()))];
    pairs.extend(RequestReport::from(&requested.body).rows());
    let factors = show::factors(&requested.body.found, args.all);
    format!("{text}\n\n{}\n\n{factors}", show::pairs(&pairs))
}

fn json_of(requested: &Requested, args: &Args, file: &str) -> Value {
    let trust = &requested.trust;
    json!({
        "vendor": &*trust.body().name, "test": trust.body().test,
        "first_contact": requested.first_contact, "code": requested.code, "dry_run": args.dry_run,
        "file": if args.dry_run { Value::Null } else { json!(file) },
        "sealed": RequestReport::from(&requested.body),
    })
}

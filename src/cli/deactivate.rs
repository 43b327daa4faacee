//! `olr deactivate`: deactivates the license here, and writes a signed receipt.

use serde_json::json;

use olr_core::error::{Error, Problem, Result};
use olr_core::license::read_unverified;
use olr_core::machine::FactorKind;
use olr_core::receipt::Receipt;
use olr_core::report::{LicenseReport, ReceiptReport, masked};
use olr_core::state::{Slot, State};
use olr_core::wire::frame::Kind;

use super::files::OutFile;
use super::output::Output;
use super::show;
use super::terminal::Confirmation;
use crate::cli::args::home::{HomeArg, SlotArg};
use crate::cli::context::Context;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    #[command(flatten)]
    slot: SlotArg,
    #[command(flatten)]
    output: OutFile,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

const NAME: &str = "receipt.olr";

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let home = args.home.find(context)?;
    let mut session = context.mended(home.require()?);
    let state = session.state();
    let slot = state.slot(args.slot.product.as_deref(), args.slot.slot.as_deref())?;
    let (name, install_key) = (slot.name.clone(), state.install_key());
    args.output.ensure_free(NAME, Kind::Receipt, |bytes| {
        Receipt::verify(bytes).is_ok_and(|old| old.body().install_key == install_key)
    })?;
    let again = slot.installed.is_none() && slot.next.is_none();
    if !again && !args.yes {
        let mut hits = hits(state, slot)?;
        hits.extend(host(context).map(|host| ("server", host)));
        hits.push(("home", crate::file::name(home.folder())));
        let hits = format!(
            "{}\n\nAfter this, the product no longer runs under this license here.",
            show::pairs(&hits)
        );
        let (ask, deed) = ("Deactivate this license?", "deactivating a license");
        Confirmation { hits: &hits, ask, deed }.confirm(args.yes)?;
        let now = home.require_state()?;
        let now = now.memory().slots.get(&name).map(|now| (&now.installed, &now.next));
        if now != Some((&slot.installed, &slot.next)) {
            let fact = "another command changed the installed licenses while this one waited";
            return Err(Error::unable(Problem::Changed, fact, "run this again"));
        }
    }
    let receipt = session.deactivate(&name, &context.around(false).0)?;
    let report = report(&receipt, &args.output.name(NAME), again);
    let mut report = report.of_vendor(session.state().trust()).at_home(&home);
    let written = args.output.write(NAME, Kind::Receipt, receipt.bytes(), &mut report);
    written.map_err(|error| {
        error
            .within("the license is deactivated, but its receipt could not be written")
            .hint("run this again with another file after -o: it writes the same receipt")
    })?;
    Ok(report)
}

/// Describes the licenses that would end: the installed one, and the one that waits for its start.
/// They are read without being verified, since they may no longer be valid.
fn hits(state: &State, slot: &Slot) -> Result<Vec<(&'static str, String)>> {
    let mut pairs = Vec::new();
    for held in [&slot.installed, &slot.next].into_iter().flatten() {
        pairs.extend(LicenseReport::from(&read_unverified(&held.license)?).summary());
    }
    let asked = state.memory().asked.as_ref();
    let asked = asked.filter(|a| (&a.product, &a.slot) == (&slot.name.product, &slot.name.slot));
    pairs.extend(asked.map(|asked| ("license key", masked(&asked.license_key.0))));
    Ok(pairs)
}

fn host(context: &Context) -> Option<String> {
    let (around, _) = context.around(false);
    let host = around.factors.iter().find(|factor| factor.kind == FactorKind::Hostname);
    host.map(|host| host.value.to_string())
}

fn report(receipt: &Receipt, file: &str, again: bool) -> Output {
    let report = ReceiptReport::from(receipt.body());
    let done = match again {
        true => "This slot was already deactivated; its receipt was written again to",
        false => {
            "The license is deactivated: the product no longer runs under it here. Wrote the \
             receipt to"
        }
    };
    let text = format!(
        "{}\n\n{done} {file}. Send it to your vendor: then the license key can be used on another \
         machine.",
        show::pairs(&report.rows())
    );
    let mut json = show::object(&report);
    json.insert("file".to_string(), json!(file));
    json.insert("again".to_string(), json!(again));
    Output::new(text, serde_json::Value::Object(json))
}

//! `olr report`: records the current usage.

use serde_json::{Map, Value, json};

use crate::home::Wait;
use olr_core::entitlement::Count;
use olr_core::error::Result;
use olr_core::report::LicenseReport;

use super::known::{Known, UnlistedArg};
use super::output::Output;
use super::{decision, hint, show};
use crate::cli::args::expected::ExpectedArg;
use crate::cli::args::home::{HomeArg, SlotArg};
use crate::cli::args::typed::count;
use crate::cli::context::Context;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    #[command(flatten)]
    expected: ExpectedArg,
    #[command(flatten)]
    slot: SlotArg,
    #[command(flatten)]
    unlisted: UnlistedArg,
    /// How many of a module are in use; other modules keep their number.
    #[arg(required = true, value_name = "MODULE=N")]
    usage: Vec<String>,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let home = args.expected.open(&args.home, context)?;
    let usage = args.usage.iter().map(|text| count(text, "olr report OBM=12"));
    let usage: Vec<Count> = usage.collect::<Result<_>>()?;
    let (around, _) = context.around(true);
    let (product, slot) = (args.slot.product.as_deref(), args.slot.slot.as_deref());
    let mut session = context.mended(home.require()?);
    let known = Known::in_slot(session.state().slot(product, slot)?);
    known.ensure(usage.iter().map(|count| &*count.module), &args.unlisted)?;
    session.report(Wait::Long, product, slot, &usage, &around)?;
    let decision = session.decide(product, slot, &around)?;
    let body = decision.license().map(|license| license.body());
    let tables = body.map(|body| LicenseReport::new(body, Some(decision.usage())).tables());
    let mut text = tables.map(|tables| show::laid_out(&[], &tables)).unwrap_or_default();
    let headline = decision.headline().as_ref().map(hint::headline);
    if let Some(headline) = &headline {
        text += &format!("\n\n{headline}");
    }
    let modules: Map<_, _> = decision
        .usage()
        .iter()
        .map(|count| (count.module.to_string(), json!(count.count)))
        .collect();
    if let Some(next) = decision.comes_next() {
        text += &format!("\n\nnext: {next}");
    }
    let json = json!({
        "used": Value::Object(modules), "headline": headline,
        "next": decision::next_json(&decision),
    });
    Ok(Output::new(text, json).of_vendor(session.state().trust()).at_home(&home))
}

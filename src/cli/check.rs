//! `olr check`: says whether an action is allowed, such as adding devices of a module.

use serde_json::json;

use olr_core::display::shown;
use olr_core::entitlement::{Count, Operation};
use olr_core::error::{Error, Problem, Result};
use olr_core::judge::Question;
use olr_core::time::Day;
use olr_core::wire::codec::Limit;

use super::hint;
use super::known::{Known, UnlistedArg};
use super::output::Output;
use crate::cli::args::expected::ExpectedArg;
use crate::cli::args::home::{HomeArg, SlotArg};
use crate::cli::args::typed::typed;
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
    /// The module.
    #[arg(required_unless_present_any = ["release", "operation"])]
    module: Option<String>,
    /// How many more to add.
    #[arg(default_value_t = 1)]
    count: u64,
    /// How many are in use [default: as last reported].
    #[arg(long, value_name = "N", requires = "module")]
    used: Option<u64>,
    /// How many of the module the account would have after the addition.
    #[arg(long, value_name = "N", requires = "module")]
    account: Option<u64>,
    /// Check whether a sub-administrator may be given this limit; not with COUNT.
    #[arg(long, value_name = "N", requires_all = ["module", "admin_uses"], conflicts_with_all = ["account", "count", "release", "version"])]
    admin_limit: Option<u64>,
    /// How many the sub-administrator uses now.
    #[arg(long, value_name = "N", requires = "admin_limit")]
    admin_uses: Option<u64>,
    /// The operation to check, as the vendor names it [default: run; with --release, upgrade].
    #[arg(long, value_name = "O")]
    operation: Option<String>,
    /// The product version that is running.
    #[arg(long = "product-version", value_name = "V")]
    version: Option<String>,
    /// The release date of the version to be installed.
    #[arg(long, value_name = "DAY")]
    release: Option<String>,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let home = args.expected.open(&args.home, context)?;
    let (around, _) = context.around(true);
    let (product, slot) = (args.slot.product.as_deref(), args.slot.slot.as_deref());
    let mut session = context.mended(home.require()?);
    let mut decision = session.decide(product, slot, &around)?;
    let state = session.state();
    let module = args.module.as_deref().map(|m| typed("MODULE", m)).transpose()?;
    let known = Known::in_slot(state.slot(product, slot)?);
    if let Some((name, count)) = module.as_deref().and_then(|typed| known.as_count(typed)) {
        let fact = format!("{} is not a module: MODULE and COUNT must be two words", shown(&name));
        let (name, count) = (name.split('=').next().unwrap_or_default(), count);
        let near = known.nearest(name).unwrap_or(name);
        return Err(Error::unable(
            Problem::Usage,
            fact,
            format!("write: olr check {} {count}", shown(near)),
        ));
    }
    known.ensure(module.as_deref(), &args.unlisted)?;
    if let (Some(module), Some(count)) = (&module, args.used) {
        decision = decision.with_usage(Count { module: module.clone(), count })?;
    }
    let adds: Vec<_> = module.iter().map(|module| (&**module, args.count)).collect();
    let account = module.as_deref().zip(args.account);
    let question = Question {
        operation: operation(args)?,
        adds: &adds,
        account: account.as_slice(),
        version: args.version.as_deref().unwrap_or_default(),
        release: args.release.as_deref().map(str::parse::<Day>).transpose()?,
    };
    let answer = match (&module, args.admin_limit.zip(args.admin_uses)) {
        (Some(module), Some((limit, uses))) => {
            decision.ask_admin(question.operation, module, uses, limit)
        }
        _ => decision.ask(&question),
    };
    let stands = module.as_deref().and_then(|module| decision.quota(module));
    let json = json!({
        "operation": question.operation.word(), "module": module.as_deref(),
        "wanted": args.admin_limit.is_none().then_some(args.count),
        "allowed": answer.is_yes(),
        "quota": stands.map(|quota| quota.granted.only()), "used": stands.map(|quota| quota.used),
        "available": stands.and_then(|quota| quota.available().only()).map(|left| i64::try_from(left).ok()),
    });
    let refusal = answer.refusal();
    let text = match (&refusal, &module, stands) {
        (None, Some(module), _) if args.admin_limit.is_some() => {
            format!("yes: a sub-administrator may be given this limit of {}", shown(module))
        }
        (Some(refusal), ..) => format!("no: {refusal}\nhint: {}", hint::said(refusal.next_step())),
        (None, Some(module), Some(quota)) => match quota.available() {
            Limit::Only(available) => {
                format!("yes: {} more of {}, {available} available", args.count, shown(module))
            }
            Limit::Any => format!("yes: {} more of {}, unlimited", args.count, shown(module)),
        },
        _ => "yes".to_string(),
    };
    let mut report = Output::new(text, json);
    let headline = decision.headline().filter(|_| refusal.is_none());
    report.notes.extend(headline.as_ref().map(hint::headline));
    let report = match &refusal {
        Some(refusal) => report.refused(refusal),
        None => report,
    };
    Ok(report.of_vendor(state.trust()).at_home(&home))
}

fn operation(args: &Args) -> Result<Operation> {
    match (&args.operation, &args.release) {
        (Some(word), _) => word.parse(),
        (None, Some(_)) => Ok(Operation::UPGRADE),
        (None, None) => Ok(Operation::RUN),
    }
}

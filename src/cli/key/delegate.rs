//! `olr key delegate`: let an issuer key sign, within limits.

use std::path::PathBuf;

use olr::error::{Error, Result};
use olr::key::Role;
use olr::time::{Day, Span};
use olr::trust::{Act, DelegationBody};
use olr::vendor::{check_names, propose_delegation};
use olr::wire::codec::{Keyed, Limit, Set, Text};

use super::proposals::{PROPOSAL, TrustArg, conclude, expect_free, finished_name};
use super::propose::{parse_maximum, public_keys};
use super::roots::RootArgs;
use crate::cli::files::Output;
use crate::cli::output::Report;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    output: Output,
    /// The issuer's public key.
    issuer: PathBuf,
    /// What it may sign: license, revoke or time; once for each.
    #[arg(long, value_name = "ACT", required = true)]
    act: Vec<String>,
    /// For this product only; once for each [default: any].
    #[arg(long, value_name = "P")]
    product: Vec<String>,
    /// For this slot only; once for each [default: any].
    #[arg(long, value_name = "S")]
    slot: Vec<String>,
    /// This license type only; once for each [default: any].
    #[arg(long = "type", value_name = "T")]
    types: Vec<String>,
    /// At most so many of a module, and no other module: OBM=50; once for each [default: any].
    #[arg(long, value_name = "MODULE=N")]
    max: Vec<String>,
    /// Licenses of at most so many days: 400d [default: any].
    #[arg(long, value_name = "DAYS")]
    max_term: Option<String>,
    /// The first day on which it may issue [default: any].
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last day on which it may issue [default: any].
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    #[command(flatten)]
    roots: RootArgs,
}

pub fn run(args: &Args) -> Result<Report> {
    let trust = args.trust.expect()?;
    let folder = args.trust.folder();
    let body = body(args)?;
    if let Some(folder) = &folder
        && folder.path().join("catalog.toml").exists()
    {
        check_names(&body, &folder.catalog()?)?;
    }
    let proposal = propose_delegation(&body, &trust)?;
    if args.output.is_named() || folder.is_none() {
        let finished = finished_name(proposal.kind());
        args.output.expect_free(finished, proposal.kind(), |_| false)?;
    }
    let signed = args.roots.sign(proposal, folder.as_ref(), &trust)?;
    if signed.still_missing(Some(&trust))?.is_some() && !args.output.is_named() {
        expect_free(&signed, PROPOSAL, &args.output)?;
    }
    conclude(&signed, folder.as_ref(), &trust, &args.output)
}

fn body(args: &Args) -> Result<DelegationBody> {
    let issuer = public_keys(Role::Issuer, std::slice::from_ref(&args.issuer))?;
    let Some(issuer) = issuer.first().copied() else {
        return Err(Error::unable("no issuer key was named", "name its .pub file"));
    };
    let from = args.from.as_deref().map(Day::parse).transpose();
    let until = args.until.as_deref().map(Day::parse).transpose();
    let first = from.map_err(|error| error.within("--from"))?.map(Day::begins);
    // At the second in which a day ends it has ended.
    let last = until.map_err(|error| error.within("--until"))?.map(Day::ends).map(|mut end| {
        end.seconds = end.seconds.saturating_sub(1);
        end
    });
    Ok(DelegationBody {
        issuer,
        acts: set("--act", args.act.iter().map(|act| parse_act(act)))?,
        products: names("--product", &args.product)?,
        slots: names("--slot", &args.slot)?,
        types: names("--type", &args.types)?,
        modules: limit(&args.max, |max| {
            set("--max", max.iter().map(|text| parse_maximum(text, '=')))
        })?,
        longest_term: match &args.max_term {
            Some(text) => Limit::Only(parse_term(text)?),
            None => Limit::Any,
        },
        from: first.map_or(Limit::Any, Limit::Only),
        until: last.map_or(Limit::Any, Limit::Only),
        extensions: Set::default(),
    })
}

fn limit<T>(given: &[String], parse: impl FnOnce(&[String]) -> Result<T>) -> Result<Limit<T>> {
    if given.is_empty() { Ok(Limit::Any) } else { parse(given).map(Limit::Only) }
}

fn names(flag: &'static str, given: &[String]) -> Result<Limit<Set<Text>>> {
    limit(given, |names| set(flag, names.iter().map(|name| Text::new(name))))
}

fn set<T: Keyed, const CAP: usize>(
    flag: &'static str,
    entries: impl Iterator<Item = Result<T>>,
) -> Result<Set<T, CAP>> {
    let entries = entries.collect::<Result<_>>().map_err(|error| error.within(flag))?;
    Set::new(entries).map_err(|error| error.within(flag))
}

fn parse_act(text: &str) -> Result<Act> {
    Act::from_word(text).ok_or_else(|| {
        let fact = format!("there is no act {:?}", olr::display::shown(text));
        Error::unable(fact, "the acts are license, revoke and time")
    })
}

/// Reads `400d` or `400 days`.
fn parse_term(text: &str) -> Result<u32> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    let spelled = || match Span::parse(text) {
        Ok(Span::Days(days)) => Some(days),
        _ => None,
    };
    days.or_else(spelled).ok_or_else(|| {
        let fact = format!("--max-term: {:?} is no number of days", olr::display::shown(text));
        Error::unable(fact, "write it like 400d")
    })
}

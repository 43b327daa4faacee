//! `olr key delegate`: lets an issuer key sign, within limits.

use std::path::PathBuf;
use std::str::FromStr;

use crate::file;
use olr_core::entitlement::{Edition, Model, Operation};
use olr_core::error::{Error, Problem, Result};
use olr_core::key::Role;
use olr_core::time::{DAY, Day, Span};
use olr_core::trust::{Act, DelegationBody};
use olr_core::wire::codec::{Keyed, Limit, Set, Text};
use olr_office::catalog::Catalog;
use olr_office::folder::{Folder, Unsaid, check_names, fill_in, propose_delegation, read_text};

use super::propose::{parse_maximum, public_keys};
use crate::cli::context::Context;
use crate::cli::files::OutFile;
use crate::cli::output::Output;
use crate::cli::proposal::roots::RootArgs;
use crate::cli::proposal::{TrustArg, conclude, finished_name};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    output: OutFile,
    /// The issuer's public key: a .pub file.
    issuer: PathBuf,
    /// What the key may sign: license, revoke or time (repeatable).
    #[arg(long, value_name = "ACT", required = true)]
    act: Vec<String>,
    /// Only this product (repeatable) [default: any].
    #[arg(long, value_name = "P")]
    product: Vec<String>,
    /// Only this slot (repeatable) [default: any].
    #[arg(long, value_name = "S")]
    slot: Vec<String>,
    /// Only this license type (repeatable) [default: any].
    #[arg(long = "type", value_name = "T")]
    types: Vec<String>,
    /// Only this license model (repeatable) [default: those of the types that --type names, if
    /// there is a catalog; else any].
    #[arg(long = "model", value_name = "M")]
    models: Vec<String>,
    /// Only this edition (repeatable) [default: those of the types that --type names, if there is a
    /// catalog; else any].
    #[arg(long = "edition", value_name = "E")]
    editions: Vec<String>,
    /// The largest quantity of a module, such as OBM=50 or OBM=any (repeatable). Then no other
    /// module may be granted, except the pool of this one and what it includes: olr adds both from
    /// the catalog, but you must name an included module that the catalog lists [default: any].
    #[arg(long, value_name = "MODULE=N")]
    max: Vec<String>,
    /// The longest term of a license, in days: 400d [default: any].
    #[arg(long, value_name = "DAYS")]
    max_term: Option<String>,
    /// The latest start of a license, in days after its issue: 30d [default: as --max-term].
    #[arg(long, value_name = "DAYS")]
    max_ahead: Option<String>,
    /// The longest maintenance, in days from the start or the issue, whichever is later: 366d
    /// [default: any].
    #[arg(long, value_name = "DAYS")]
    max_maintenance: Option<String>,
    /// The longest grace period with all operations allowed: 14d, 12h, any [default: the longest of
    /// the types that --type names, else of all types]. Only "any" permits a license that merely
    /// warns. This does not limit the rule for an exceeded quota.
    #[arg(long, value_name = "SPAN")]
    max_grace: Option<String>,
    /// An operation that may stay allowed after the grace period (repeatable), or any, or none
    /// [default: those that the types of --type, else all types, leave allowed].
    #[arg(long, value_name = "OPERATION")]
    afterwards: Vec<String>,
    /// Whether a license may require no hardware factor, so that it does not stop a copy [default:
    /// yes if a machine policy of the catalog requires none].
    #[arg(long, value_name = "YES|NO")]
    weak_machine: Option<String>,
    /// The catalog that gives the defaults above and the known names [default: catalog.toml in the
    /// vendor's folder].
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// The first day on which the key may issue [default: any].
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last day on which the key may issue [default: any].
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    #[command(flatten)]
    roots: RootArgs,
}

pub fn run(args: &Args, context: &Context) -> Result<Output> {
    let trust = args.trust.required()?;
    let folder = args.trust.folder();
    let mut body = body(args)?;
    match args.catalog(folder.as_ref())? {
        Some(catalog) => {
            check_names(&body, &catalog)?;
            fill_in(&mut body, args.unsaid(), &catalog)?;
        }
        None => args.ensure_all_said(&body)?,
    }
    let proposal = propose_delegation(&body, &trust, context.now)?;
    if args.output.is_named() || folder.is_none() {
        let finished = finished_name(proposal.kind());
        args.output.ensure_free(finished, proposal.kind(), |_| false)?;
    }
    let signed = args.roots.sign(proposal, folder.as_ref(), &trust)?;
    conclude(&signed, folder.as_ref(), &trust, &args.output, context.now)
}

impl Args {
    fn catalog(&self, folder: Option<&Folder>) -> Result<Option<Catalog>> {
        let in_folder = folder.map(|folder| folder.path().join("catalog.toml"));
        let path = self.catalog.clone().or(in_folder.filter(|path| path.exists()));
        let read = |path: PathBuf| {
            let catalog = Catalog::parse(&read_text(&path)?);
            catalog.map_err(|error| error.within(file::name(&path)))
        };
        path.map(read).transpose()
    }

    fn unsaid(&self) -> Unsaid {
        Unsaid {
            models: self.models.is_empty(),
            editions: self.editions.is_empty(),
            longest_grace: self.max_grace.is_none(),
            afterwards: self.afterwards.is_empty(),
            weak_machine: self.weak_machine.is_none(),
        }
    }

    /// Fails if a limit is missing that only a catalog could provide: a limited issuer is limited
    /// in every respect.
    fn ensure_all_said(&self, body: &DelegationBody) -> Result<()> {
        let is_limited = body.modules != Limit::Any || body.longest_term != Limit::Any;
        let Unsaid { longest_grace, afterwards, weak_machine, .. } = self.unsaid();
        let missing = [
            (longest_grace, "--max-grace"),
            (afterwards, "--afterwards"),
            (weak_machine, "--weak-machine"),
        ];
        let missing = missing.iter().filter(|(is_missing, _)| is_limited && *is_missing);
        let flags = missing.map(|(_, flag)| *flag).collect::<Vec<_>>().join(", ");
        if flags.is_empty() {
            return Ok(());
        }
        Err(Error::unable(
            Problem::Usage,
            format!("there is no catalog to derive these limits from: {flags}"),
            format!("name a catalog with --catalog FILE, or add {flags}"),
        ))
    }
}

fn body(args: &Args) -> Result<DelegationBody> {
    let issuer = public_keys(Role::Issuer, std::slice::from_ref(&args.issuer))?;
    let Some(issuer) = issuer.first().copied() else {
        return Err(Error::unable(Problem::Usage, "no issuer key was named", "name its .pub file"));
    };
    let from = args.from.as_deref().map(str::parse::<Day>).transpose();
    let until = args.until.as_deref().map(str::parse::<Day>).transpose();
    let first = from.map_err(|error| error.within("--from"))?.map(Day::begins);
    // At the second in which the day ends, the key may no longer issue.
    let last = until.map_err(|error| error.within("--until"))?.map(Day::ends).map(|mut end| {
        end.seconds = end.seconds.saturating_sub(1);
        end
    });
    let longest_term = days("--max-term", args.max_term.as_deref())?;
    Ok(DelegationBody {
        issuer,
        acts: set("--act", args.act.iter().map(|act| parse_act(act)))?,
        products: names("--product", &args.product)?,
        slots: names("--slot", &args.slot)?,
        types: names("--type", &args.types)?,
        models: limit(&args.models, |words| {
            let all = Model::ALL.iter().map(|model| model.word());
            set("--model", words.iter().map(|word| parse_word::<Model>("model", all.clone(), word)))
        })?,
        editions: limit(&args.editions, |words| {
            let all = Edition::ALL.iter().map(|edition| edition.word());
            set(
                "--edition",
                words.iter().map(|word| parse_word::<Edition>("edition", all.clone(), word)),
            )
        })?,
        modules: limit(&args.max, |max| {
            let modules = set("--max", max.iter().map(|text| parse_maximum(text, '=')));
            modules.map_err(|error| match max.len() > 4096 {
                true => error.hint("limit at most 4096 modules, or omit --max to allow any"),
                false => error,
            })
        })?,
        // A license that renews another one early starts when that one ends, as much as a whole
        // term later.
        ahead: match &args.max_ahead {
            Some(text) => days("--max-ahead", Some(text))?,
            None => longest_term,
        },
        longest_term,
        longest_grace: args.max_grace.as_deref().map_or(Ok(Limit::Any), parse_grace)?,
        longest_maintenance: days("--max-maintenance", args.max_maintenance.as_deref())?,
        afterwards: parse_afterwards(&args.afterwards)?,
        weak_machine: args.weak_machine.as_deref().map_or(Ok(true), parse_yes)?,
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
    text.parse().map_err(|_| {
        let fact = format!("there is no act {:?}", olr_core::display::shown(text));
        Error::unable(Problem::Usage, fact, "name one of these acts: license, revoke, time")
    })
}

fn parse_word<T: FromStr>(
    what: &str,
    all: impl Iterator<Item = &'static str>,
    text: &str,
) -> Result<T> {
    text.parse().map_err(|_| {
        let fact = format!("there is no {what} {:?}", olr_core::display::shown(text));
        let hint = format!("write one of {}", all.collect::<Vec<_>>().join(", "));
        Error::unable(Problem::Usage, fact, hint)
    })
}

/// Parses `400d`, `400 days` or `any`; the default is *any*.
fn days(flag: &'static str, text: Option<&str>) -> Result<Limit<u32>> {
    let Some(text) = text.filter(|text| *text != "any") else { return Ok(Limit::Any) };
    let spelled = || match text.parse::<Span>() {
        Ok(Span::Days(days)) => Some(days),
        _ => None,
    };
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).or_else(spelled);
    days.map(Limit::Only).ok_or_else(|| {
        let fact = format!("{flag}: {:?} is not a number of days", olr_core::display::shown(text));
        Error::unable(Problem::Usage, fact, "write it like 400d")
    })
}

/// Parses `14d`, `12h`, `14 days`, `12 hours`, `0` or `any`.
fn parse_grace(text: &str) -> Result<Limit<u64>> {
    if text == "any" {
        return Ok(Limit::Any);
    }
    let units = [("d", DAY), (" days", DAY), (" day", DAY), ("h", 3600), (" hours", 3600)];
    let read = |(unit, seconds): (&str, u64)| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        count.checked_mul(seconds)
    };
    let seconds = units.into_iter().find_map(read).or((text == "0").then_some(0));
    seconds.map(Limit::Only).ok_or_else(|| {
        let fact = format!("--max-grace: {:?} is not a span", olr_core::display::shown(text));
        Error::unable(Problem::Usage, fact, "write it like 14d or 12h, or write the word any")
    })
}

/// Parses operations, `any` or `none`; the default is *any*.
fn parse_afterwards(words: &[String]) -> Result<Limit<Set<Operation>>> {
    match words {
        [] => Ok(Limit::Any),
        [word] if word == "any" => Ok(Limit::Any),
        [word] if word == "none" => Ok(Limit::Only(Set::default())),
        words => {
            let operations = words.iter().map(|word| word.parse());
            set("--afterwards", operations).map(Limit::Only)
        }
    }
}

fn parse_yes(text: &str) -> Result<bool> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => {
            let fact = format!(
                "--weak-machine: {:?} is neither yes nor no",
                olr_core::display::shown(text)
            );
            Err(Error::unable(Problem::Usage, fact, "write yes or no"))
        }
    }
}

//! `olr key propose`: proposes a first or next trust, for the roots to sign.

use std::path::{Path, PathBuf};
use unicode_normalization::UnicodeNormalization;

use crate::file;
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::Role;
use olr_core::trust::{ModuleMaximum, SignerRule};
use olr_core::wire::codec::{Limit, Text};
use olr_core::wire::frame::Kind;
use olr_core::wire::id::KeyId;
use olr_office::catalog::{Catalog, STARTER};
use olr_office::folder::{
    Changes, FirstTrust, Folder, keep_proposed, propose_first, propose_next, read_text,
};
use olr_office::key::public::from_pem;

use crate::cli::args::typed::ensure_visible;
use crate::cli::context::Context;
use crate::cli::files::{OutFile, read_artefact};
use crate::cli::output::Output;
use crate::cli::proposal::{TrustArg, free_name, written};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    output: OutFile,
    /// Propose the first trust of a new vendor: with --name, --root, --threshold and --sealing.
    #[arg(long)]
    first: bool,
    /// The vendor's name, as customers see it.
    #[arg(long)]
    name: Option<String>,
    /// A root of the first trust: its custodian's .pub file (repeatable).
    #[arg(long, value_name = "PUB", requires = "first")]
    root: Vec<PathBuf>,
    /// A sealing key of the first trust (repeatable); servers use the first one.
    #[arg(long, value_name = "PUB", requires = "first")]
    sealing: Vec<PathBuf>,
    /// Mark the first trust as for tests only.
    #[arg(long, requires = "first")]
    test: bool,
    /// How many roots must sign.
    #[arg(long, value_name = "K")]
    threshold: Option<u8>,
    /// Take products and slots from this catalog [default for a first trust: the starter
    /// catalog].
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    #[command(flatten)]
    changes: ChangeArgs,
}

// Changes to the current trust.
#[derive(clap::Args, Default)]
pub struct ChangeArgs {
    /// Add this root (repeatable).
    #[arg(long, value_name = "PUB", conflicts_with = "first")]
    add_root: Vec<PathBuf>,
    /// Remove the root with this key id (repeatable).
    #[arg(long, value_name = "ID", conflicts_with = "first")]
    remove_root: Vec<String>,
    /// Add this sealing key (repeatable). Servers that have the next trust use the first one; older
    /// sealing keys stay valid.
    #[arg(long, value_name = "PUB", conflicts_with = "first")]
    add_sealing: Vec<PathBuf>,
    /// Remove the sealing key with this key id (repeatable).
    #[arg(long, value_name = "ID", conflicts_with = "first")]
    remove_sealing: Vec<String>,
    /// Revoke the issuer key with this key id (repeatable).
    #[arg(long, value_name = "ID", conflicts_with = "first")]
    revoke: Vec<String>,
    /// Require several signers: "model=purchased above=OBM:100 signers=2". Without `above`, the
    /// rule is for every license of the model; the model may be `any` (repeatable).
    #[arg(long, value_name = "RULE", conflicts_with = "first")]
    rule: Vec<String>,
    /// Remove this rule, written as the trust shows it (repeatable).
    #[arg(long, value_name = "RULE", conflicts_with = "first")]
    remove_rule: Vec<String>,
    /// Keep this delegation valid, whatever key signed it (repeatable). Delegations in the vendor's
    /// folder that the new roots would make invalid are kept without this flag, except those that
    /// --drop names and those of a revoked key.
    #[arg(long, value_name = "FILE", conflicts_with = "first")]
    keep: Vec<PathBuf>,
    /// No longer keep this delegation (repeatable): it is then valid only if enough of the new
    /// roots signed it.
    #[arg(long, value_name = "FILE", conflicts_with = "first")]
    drop: Vec<PathBuf>,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let name = args.name.as_deref().map(vendor_name).transpose()?;
    let given = args.catalog.as_deref().map(read_catalog).transpose()?;
    if args.first {
        return first(args, name, given.as_ref(), context);
    }
    let trust = args.trust.required()?;
    let (folder, own) = (args.trust.folder(), &args.changes);
    let changes = Changes {
        name,
        add_roots: public_keys(Role::Root, &own.add_root)?,
        remove_roots: ids(&own.remove_root)?,
        threshold: args.threshold,
        add_sealing: public_keys(Role::Sealing, &own.add_sealing)?,
        remove_sealing: ids(&own.remove_sealing)?,
        revoke: ids(&own.revoke)?,
        add_rules: own.rule.iter().map(|rule| parse_rule(rule)).collect::<Result<_>>()?,
        remove_rules: own.remove_rule.iter().map(|rule| parse_rule(rule)).collect::<Result<_>>()?,
        products: given.as_ref().map(|(catalog, _)| catalog.wire_products()).transpose()?,
        keep: delegations(&own.keep)?,
        drop: delegations(&own.drop)?,
    };
    let mut there = Vec::new();
    if let Some(folder) = &folder {
        changes.revoke.iter().try_for_each(|id| folder.ensure_issuer(*id))?;
        there = folder.delegations()?.into_iter().map(|(_, bytes)| bytes).collect();
    }
    let proposal = propose_next(&trust, &changes, &there, &mut context.rng)?;
    let file = free_name(&proposal, &args.output)?;
    let mut report = written(&proposal, Some(&trust), &file, &args.output)?;
    if let Some(given) = &given {
        keep_catalog(given, folder.as_ref(), &file, &args.output, &mut report)?;
    }
    if folder.is_none() && (!changes.add_roots.is_empty() || !changes.remove_roots.is_empty()) {
        report.notes.push(
            "no vendor folder was read: name each delegation that must stay valid with --keep"
                .to_string(),
        );
    }
    Ok(report)
}

fn first(
    args: &Args,
    name: Option<String>,
    given: Option<&(Catalog, String)>,
    context: &mut Context,
) -> Result<Output> {
    let missing = |what: &str| {
        Error::unable(
            Problem::Usage,
            format!("a first trust needs {what}"),
            "see `olr key propose --help`",
        )
    };
    let name = name.ok_or_else(|| missing("--name"))?;
    let catalog =
        given.map_or_else(|| Catalog::parse(STARTER), |(catalog, _)| Ok(catalog.clone()))?;
    let threshold = args.threshold.ok_or_else(|| missing("--threshold"))?;
    if args.root.is_empty() || args.sealing.is_empty() {
        return Err(missing("--root and --sealing"));
    }
    let (roots, sealing) =
        (public_keys(Role::Root, &args.root)?, public_keys(Role::Sealing, &args.sealing)?);
    let first = FirstTrust {
        name: &name,
        roots: &roots,
        threshold,
        sealing: &sealing,
        catalog: &catalog,
        test: args.test,
    };
    let proposal = propose_first(&first, &mut context.rng)?;
    let file = free_name(&proposal, &args.output)?;
    let mut report = written(&proposal, None, &file, &args.output)?;
    if let Some(given) = given {
        keep_catalog(given, None, &file, &args.output, &mut report)?;
    }
    Ok(report)
}

fn vendor_name(name: &str) -> Result<String> {
    let name: String = name.trim().nfc().collect();
    if name.is_empty() {
        return Err(Error::unable(
            Problem::Usage,
            "the vendor's name is empty",
            "name the vendor with --name",
        ));
    }
    ensure_visible("the vendor's name", &name)?;
    Ok(name)
}

fn read_catalog(path: &Path) -> Result<(Catalog, String)> {
    let text = read_text(path)?;
    let catalog = Catalog::parse(&text).map_err(|error| error.within(file::name(path)))?;
    Ok((catalog, text))
}

/// Keeps the catalog for `olr vendor publish`: in the vendor's folder, or beside the proposal.
fn keep_catalog(
    (catalog, text): &(Catalog, String),
    folder: Option<&Folder>,
    name: &str,
    output: &OutFile,
    report: &mut Output,
) -> Result<()> {
    let proposal = output.path(name);
    let place = match (folder, proposal.as_deref().and_then(Path::parent)) {
        (Some(folder), _) => folder.path(),
        (None, Some(beside)) if !beside.as_os_str().is_empty() => beside,
        _ => Path::new("."),
    };
    let kept = keep_proposed(place, catalog, text)?;
    report.notes.push(format!(
        "the catalog is stored as {}; `olr vendor publish` looks for it in the vendor's folder \
         and beside the trust",
        file::name(&kept.path)
    ));
    report.notes.extend(kept.before.map(|before| {
        format!(
            "another catalog for the same products was stored there; it is now {}",
            file::name(&before)
        )
    }));
    Ok(())
}

/// Reads public key files of one role.
pub fn public_keys(role: Role, paths: &[PathBuf]) -> Result<Vec<[u8; 32]>> {
    let read = |path: &PathBuf| {
        from_pem(role, &read_text(path)?).map_err(|error| error.within(file::name(path)))
    };
    paths.iter().map(read).collect()
}

/// Parses key ids as other commands print them.
pub fn ids(texts: &[String]) -> Result<Vec<KeyId>> {
    let id = |text: &String| {
        text.trim().parse().map_err(|_| {
            let fact = format!("{} is not a key id", shown(text));
            Error::unable(
                Problem::Usage,
                fact,
                "copy the key id, 32 hexadecimal digits, from `olr inspect FILE`",
            )
        })
    };
    texts.iter().map(id).collect()
}

fn delegations(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
    paths.iter().map(|path| read_artefact(Some(Kind::Delegation), path)).collect()
}

/// Parses `model=purchased above=OBM:100 signers=2`.
fn parse_rule(text: &str) -> Result<SignerRule> {
    let wrong = |fact: String| {
        Error::unable(
            Problem::Usage,
            fact,
            "write the rule like \"model=purchased above=OBM:100 signers=2\"",
        )
    };
    let (mut model, mut above, mut signers) = (None, None, None);
    for word in text.split_whitespace() {
        let again = match word.split_once('=') {
            Some(("model", value)) => {
                let named = value.parse().ok().map(Limit::Only);
                let limit = if value == "any" { Some(Limit::Any) } else { named };
                let limit =
                    limit.ok_or_else(|| wrong(format!("there is no model {:?}", shown(value))))?;
                model.replace(limit).is_some()
            }
            Some(("above", value)) => above.replace(parse_maximum(value, ':')?).is_some(),
            Some(("signers", value)) => {
                let count = value
                    .parse()
                    .map_err(|_| wrong(format!("{:?} is not a number of signers", shown(value))))?;
                signers.replace(count).is_some()
            }
            _ => return Err(wrong(format!("{:?} is not part of a rule", shown(word)))),
        };
        if again {
            return Err(wrong(format!("{:?} repeats an earlier part of the rule", shown(word))));
        }
    }
    match (model, signers) {
        (Some(model), Some(signers)) => Ok(SignerRule { model, above, signers }),
        _ => Err(wrong("a rule needs a model and a number of signers".to_string())),
    }
}

/// Parses `OBM:100` or `OBM=100`, with `between` as the separator; the number may be `unlimited` or
/// `any`.
pub fn parse_maximum(text: &str, between: char) -> Result<ModuleMaximum> {
    let wrong = || {
        let fact = format!("{:?} is not a module and a number", shown(text));
        Error::unable(
            Problem::Usage,
            fact,
            format!("write it like OBM{between}50 or OBM{between}unlimited"),
        )
    };
    let (module, number) =
        text.split_once(between).filter(|(module, _)| !module.is_empty()).ok_or_else(wrong)?;
    let maximum = match number {
        "unlimited" | "any" => Limit::Any,
        number => Limit::Only(number.parse().map_err(|_| wrong())?),
    };
    Ok(ModuleMaximum { module: Text::new(module)?, maximum })
}

#[cfg(test)]
mod tests {
    use super::*;
    use olr_core::report::SignerRuleReport;

    #[test]
    fn a_rule_is_read_as_it_is_shown() {
        for text in [
            "model=purchased above=OBM:100 signers=2",
            "model=any signers=3",
            "model=meter above=OBM:unlimited signers=2",
        ] {
            let rule = parse_rule(text).unwrap();
            assert_eq!(SignerRuleReport::from(&rule).text(), text);
        }
        for text in [
            "",
            "model=any",
            "signers=2",
            "model=x signers=2",
            "model=any signers=256",
            "model=any model=any signers=2",
            "model=any above=OBM signers=2",
            "colour=red",
        ] {
            assert!(parse_rule(text).is_err(), "{text}");
        }
    }
}

//! `olr revoke`: revokes a license or an issuer key.

use serde_json::json;

use crate::file;
use olr_core::display::shown;
use olr_core::entitlement::Cause;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::{Role, key_id};
use olr_core::license::read_unverified;
use olr_core::report::{LicenseReport, masked};
use olr_core::revocation::Revocations;
use olr_core::time::Instant;
use olr_core::trust::Trust;
use olr_core::wire::frame::Kind;
use olr_core::wire::id::{KeyId, LicenseId};
use olr_office::folder::{AskPassphrase, Changes, Folder, Revoked, ensure_reason, propose_next};
use olr_office::ledger::AnswerRecord;

use super::context::Context;
use super::files::OutFile;
use super::hint;
use super::output::{Output, put};
use super::show;
use super::terminal::Confirmation;
use crate::cli::args::staff::StaffArg;
use crate::cli::args::typed::ensure_visible;
use crate::cli::args::vendor::VendorArg;
use crate::cli::proposal::roots::RootArgs;
use crate::cli::proposal::{conclude, ended_with, free_name};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    output: OutFile,
    /// The id of an issued license (`olr vendor issued` lists them) or of an issuer key. For a key,
    /// the next trust makes everything that the key signed invalid.
    #[arg(required_unless_present = "again")]
    id: Option<String>,
    /// Why the license is revoked; olr records it, and it does not leave the vendor.
    #[arg(long, value_name = "R")]
    reason: Option<String>,
    /// The license was added to a pool: its server gets the grace period for pooled licenses.
    #[arg(long, conflicts_with = "again", requires = "id")]
    pooled: bool,
    /// Sign the newest list of revocations again, for example after a key rotation.
    #[arg(long, conflicts_with_all = ["id", "reason", "pooled"])]
    again: bool,
    #[command(flatten)]
    staff: StaffArg,
    #[command(flatten)]
    roots: RootArgs,
}

const NAME: &str = "revoked.olr";

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let trust = folder.trust()?;
    if let Some(key) = args.id.as_deref().map(|id| issuer_key(id, &folder)).transpose()?.flatten() {
        if args.pooled {
            let fact = format!("{key} is an issuer key, not a license");
            return Err(Error::unable(
                Problem::Usage,
                fact,
                "name the license that was added to a pool",
            ));
        }
        return revoke_key(key, args, &folder, &trust, context);
    }
    // An old list in the way, perhaps signed by a key revoked since, must not stop a revocation.
    let is_older = |bytes: &[u8]| Revocations::verify(bytes, &trust).is_ok();
    let name = args.output.free_name(NAME, Kind::Revocations, is_older)?;
    let mut ask = args.staff.asker();
    let (record, revoked) = match (&args.id, &args.reason) {
        (Some(id), Some(reason)) => {
            ensure_visible("the reason", reason)?;
            ensure_reason(reason)?;
            let Ok(license) = id.trim().parse::<LicenseId>() else {
                let fact = format!("{} is not a license id", shown(id));
                return Err(Error::unable(
                    Problem::Usage,
                    fact,
                    "copy it from `olr vendor issued`; the id of a key is in `olr key list`, or in \
                     `olr inspect FILE` of its delegation",
                ));
            };
            let record = folder.issued_license(license)?;
            let cause = if args.pooled { Cause::Pooled } else { Cause::Revoked };
            if !record.revoked.as_ref().is_some_and(|old| old.covers(cause)) {
                confirm(&folder, &record, cause, args.roots.yes)?;
            }
            let why = (cause, reason.as_str());
            let revoked = folder.revoke(&record, why, context.now, &trust, &mut ask)?;
            (Some(record), revoked)
        }
        (Some(_), None) => {
            let fact = "the reason for the revocation is missing";
            return Err(Error::unable(
                Problem::Usage,
                fact,
                "give the reason with --reason: olr records it",
            ));
        }
        (None, _) => (None, folder.revoke_again(context.now, &trust, &mut ask)?),
    };
    let mut output = revoked_output(args, &args.output.name(&name), record.as_ref(), &revoked);
    output.notes.push(format!("vendor: {}", file::name(folder.path())));
    if name != NAME {
        output.notes.push(format!("{NAME} is another file, and was not changed"));
    }
    let written = args.output.write(&name, Kind::Revocations, &revoked.file, &mut output);
    written.map_err(|error| {
        error
            .within("the revocation is recorded, but the list for servers could not be written")
            .hint("run `olr revoke --again` with another file after -o")
    })?;
    Ok(output)
}

/// Describes the revoked license, and what to do with the list in `file`.
fn revoked_output(
    args: &Args,
    file: &str,
    record: Option<&AnswerRecord>,
    revoked: &Revoked,
) -> Output {
    let (body, count) = (&revoked.body, revoked.body.licenses.len());
    let done = if args.pooled { "pooled" } else { "revoked" };
    let said = match (record, revoked.already) {
        (Some(record), true) => {
            format!(
                "The list already contains license {} of {}: the reason recorded then is kept.",
                record.license,
                shown(&record.licensee)
            )
        }
        (Some(record), false) => format!(
            "License {} of {} is now {done}. Servers learn this from their next license.",
            record.license,
            shown(&record.licensee)
        ),
        (None, _) => "The list of revocations was signed again.".to_string(),
    };
    let named = match count {
        1 => "1 license".to_string(),
        count => format!("{count} licenses"),
    };
    let text = format!(
        "{said}\nWrote list {} under trust {}, with {named}, to {file}: give it to servers that \
         get no new license soon.",
        body.sequence, body.version
    );
    let json = json!({
        "license_id": record.map(|record| record.license.to_string()), "already": revoked.already,
        "version": body.version, "sequence": body.sequence, "revoked_licenses": count, "file": file,
    });
    Output::new(text, json)
}

/// Shows whose license ends, and asks.
fn confirm(folder: &Folder, record: &AnswerRecord, cause: Cause, yes: bool) -> Result<()> {
    let body = read_unverified(&folder.ledger()?.license_bytes(record)?)?;
    let mut pairs = LicenseReport::from(&body).summary();
    pairs.push(("license key", masked(&record.license_key)));
    pairs.extend(record.host.clone().map(|host| ("server", host)));
    pairs.push(("install id", record.install_id()));
    let hits = show::pairs(&pairs);
    let (ask, deed) = match cause {
        Cause::Pooled => ("Mark this license as added to a pool?", "pooling a license"),
        _ => ("Revoke this license?", "revoking a license"),
    };
    Confirmation { hits: &hits, ask, deed }.confirm(yes)
}

/// Returns the id of an issuer key. `None` if `id` is the id of an issued license, or not a key id.
/// Fails for a root, a sealing key and an unknown key.
fn issuer_key(id: &str, folder: &Folder) -> Result<Option<KeyId>> {
    let (Ok(key), Ok(license)) = (id.trim().parse(), id.trim().parse()) else {
        return Ok(None);
    };
    if folder.ledger()?.answer(license)?.is_some() {
        return Ok(None);
    }
    let trust = folder.trust()?;
    let is_root = olr_core::trust::root_keys(trust.body()).iter().any(|(root, _)| *root == key);
    let is_sealing =
        trust.body().sealing.iter().any(|sealing| key_id(Role::Sealing, sealing) == key);
    for (is_one, role) in [(is_root, Role::Root), (is_sealing, Role::Sealing)] {
        if is_one {
            let fact =
                format!("{key} is a {role} key: only licenses and issuer keys can be revoked");
            let hint = match role {
                Role::Sealing => format!(
                    "replace it with a new key (`olr key rotate sealing`); when no more requests \
                     are on their way, remove the old key (`olr key propose --remove-sealing \
                     {key}`)"
                ),
                _ => format!("replace it with a new key (`olr key rotate root --remove {key}`)"),
            };
            return Err(Error::unable(Problem::Usage, fact, hint));
        }
    }
    let hint = "copy a license id from `olr vendor issued`, or a key id from `olr inspect FILE`";
    folder.ensure_issuer(key).map(|()| Some(key)).map_err(|error| {
        if error.problem() != Some(Problem::NotFound) {
            return error;
        }
        let fact = format!(
            "no license {key} was issued from this folder, and there is no issuer key {key}"
        );
        Error::unable(Problem::NotFound, fact, hint)
    })
}

/// Proposes a next trust that revokes the key, and puts it into effect if the available roots
/// suffice.
fn revoke_key(
    key: KeyId,
    args: &Args,
    folder: &Folder,
    trust: &Trust,
    context: &mut Context,
) -> Result<Output> {
    if trust.body().revoked.get(&key).is_some() {
        let mut report = revoked_before(key, folder, trust)?;
        report.notes.extend(without_issuer(folder, context.now, &mut args.staff.asker())?);
        return Ok(report);
    }
    let changes = Changes { revoke: vec![key], ..Changes::default() };
    let there: Vec<_> = folder.delegations()?.into_iter().map(|(_, bytes)| bytes).collect();
    let proposal = propose_next(trust, &changes, &there, &mut context.rng)?;
    free_name(&proposal, &args.output)?;
    let signed = folder.ledger()?.signed_with(key)?;
    let proposal = args.roots.sign(proposal, Some(folder), trust)?;
    let mut report = conclude(&proposal, Some(folder), trust, &args.output, context.now)?;
    put(&mut report.json, "already", json!(false));
    report.notes.extend(without_issuer(folder, context.now, &mut args.staff.asker())?);
    Ok(report_of(key, &signed, report))
}

/// Returns a next step if no issuer key is valid under the newest trust.
fn without_issuer(folder: &Folder, now: Instant, ask: AskPassphrase<'_>) -> Result<Option<String>> {
    let trust = folder.trust()?;
    if folder.has_issuer(now, &trust, ask) {
        return Ok(None);
    }
    Ok(Some(match folder.next_issuer(now, &trust) {
        Ok(step) => hint::said(&step),
        Err(error) => {
            let error = error.at_vendor();
            let (fact, step) = (error.fact(), hint::said(error.next_step()));
            format!("no issuer key here is valid now: {fact}; {step}")
        }
    }))
}

/// Returns the output for a key that was already revoked: an earlier run of the command may have
/// been interrupted.
fn revoked_before(key: KeyId, folder: &Folder, trust: &Trust) -> Result<Output> {
    let body = trust.body();
    let text = format!(
        "Key {key} was already revoked: see trust {} of {}, the newest here.",
        body.version,
        shown(&body.name)
    );
    let published =
        json!({"trust": body.version, "new": false, "vendor_code": trust.vendor_code()});
    let mut report = Output::new(text, json!({"already": true, "published": published}));
    report.notes.push(format!("vendor: {}", file::name(folder.path())));
    Ok(report_of(key, &folder.ledger()?.signed_with(key)?, report))
}

/// Adds the licenses that end with the revoked key.
fn report_of(key: KeyId, signed: &[AnswerRecord], mut report: Output) -> Output {
    report.text += &format!("\n\n{}", ended_with(key, signed));
    put(&mut report.json, "revoked_key", json!(key.to_string()));
    put(
        &mut report.json,
        "signed_by_it",
        json!(signed.iter().map(|answer| answer.license.to_string()).collect::<Vec<_>>()),
    );
    report
}

//! `olr vendor`: creates a vendor folder, lists what was issued, and groups the vendor's other
//! verbs.

use clap::Subcommand;
use serde_json::{Value, json};
use std::path::PathBuf;
use unicode_normalization::UnicodeNormalization;

use crate::file;
use olr_core::display::shown;
use olr_core::entitlement::Cause;
use olr_core::error::{Error, Problem, Result};
use olr_core::report::masked;
use olr_core::trust::Trust;
use olr_office::folder::{Folder, Init, Passphrases, Roots, read_text};
use olr_office::ledger::AnswerRecord;

use super::output::Output;
use super::passphrase::new_passphrase;
use super::{check_catalog, compare, publish, show, time_anchor};
use crate::cli::args::typed::ensure_visible;
use crate::cli::args::vendor::VendorArg;
use crate::cli::context::Context;

#[derive(Subcommand)]
#[command(defer = true)]
pub enum Vendor {
    /// Create a vendor folder: keys, trust, delegation, catalog, grant.
    Init(InitArgs),
    /// List the issued licenses, or only those that contain TEXT.
    Issued(IssuedArgs),
    /// Compare two requests: one server, or copies of it?
    Compare(compare::Args),
    /// Check a catalog, and show the line that is wrong.
    CheckCatalog(check_catalog::Args),
    /// Put a trust or delegation that the roots signed into effect.
    Publish(publish::Args),
    /// Answer a request with the time, for a server whose clock was wrong.
    TimeAnchor(time_anchor::Args),
}

#[derive(clap::Args)]
pub struct InitArgs {
    /// The new folder.
    folder: PathBuf,
    /// The vendor's name, as customers see it.
    #[arg(long)]
    name: String,
    /// Your catalog [default: a starter catalog to edit].
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// Leave the keys without passphrases: anyone who reads the files can sign.
    #[arg(long, conflicts_with_all = ["passphrase_file", "root_passphrase_file"])]
    no_passphrase: bool,
    /// Mark the trust as for tests only.
    #[arg(long)]
    test: bool,
    /// How many root keys to create, 1 to 8.
    #[arg(long, value_name = "N", default_value_t = 1)]
    roots: u8,
    /// How many of the roots must sign a trust or delegation.
    #[arg(long, value_name = "K")]
    threshold: Option<u8>,
    /// The file with the staff passphrase (issuer and sealing key).
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The file with the root passphrase.
    #[arg(long, value_name = "FILE")]
    root_passphrase_file: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct IssuedArgs {
    #[command(flatten)]
    vendor: VendorArg,
    /// Part of a licensee, license key, product, slot, type, date of issue, code, id or transfer
    /// reason, in upper or lower case.
    text: Option<String>,
}

pub fn run(verb: &Vendor, context: &mut Context) -> Result<Output> {
    match verb {
        Vendor::Init(args) => init(args, context),
        Vendor::Issued(args) => issued(args),
        Vendor::Compare(args) => compare::run(args, context),
        Vendor::CheckCatalog(args) => check_catalog::run(args, context),
        Vendor::Publish(args) => publish::run(args, context),
        Vendor::TimeAnchor(args) => time_anchor::run(args, context),
    }
}

fn init(args: &InitArgs, context: &mut Context) -> Result<Output> {
    let catalog = args.catalog.as_deref().map(read_text).transpose()?;
    let name: String = args.name.trim().nfc().collect();
    if name.is_empty() {
        return Err(Error::unable(
            Problem::Usage,
            "the vendor's name is empty",
            "name the vendor with --name",
        ));
    }
    ensure_visible("the vendor's name", &name)?;
    let roots = roots(args)?;
    Folder::ensure_new(&args.folder)?;
    let passphrases = if args.no_passphrase {
        None
    } else {
        Some(Passphrases {
            root: new_passphrase(
                "root",
                args.root_passphrase_file.as_deref(),
                "--root-passphrase-file",
                context,
            )?,
            staff: new_passphrase(
                "staff",
                args.passphrase_file.as_deref(),
                "--passphrase-file",
                context,
            )?,
        })
    };
    let open = passphrases.is_none();
    let order =
        Init { name: &name, catalog: catalog.as_deref(), passphrases, test: args.test, roots };
    let (folder, trust) = Folder::init(&args.folder, &order, &mut context.rng)?;
    let place = file::name(folder.path());
    let text = made(&name, &folder, &trust, catalog.is_some(), &roots, open);
    let json = json!({
        "vendor": name, "folder": place, "vendor_code": trust.vendor_code(),
        "vendor_id": trust.vendor().to_string(), "passphrases": !open, "test": args.test,
        "roots": roots.count, "threshold": roots.threshold,
    });
    let mut report = Output::new(text, json);
    if open {
        report.notes.push(
            "warning: the keys have no passphrase: anyone who reads the files can sign".to_string(),
        );
    }
    Ok(report)
}

/// Describes the new folder, and the next steps.
fn made(
    name: &str,
    folder: &Folder,
    trust: &Trust,
    has_catalog: bool,
    roots: &Roots,
    is_open: bool,
) -> String {
    let place = file::name(folder.path());
    let mut text = show::pairs(&[
        ("vendor", name.to_string()),
        ("folder", place.clone()),
        ("vendor code", trust.vendor_code()),
        ("vendor id", trust.vendor().to_string()),
    ]);
    text += &format!(
        "\n\nGive {place}/vendor.trust to your customers, and tell them the vendor code \
         separately, for example by phone."
    );
    text += &match (has_catalog, folder.path().join("grant.toml").exists()) {
        (false, _) => format!(
            "\nThen edit {place}/catalog.toml and, for each answer, a copy of {place}/grant.toml."
        ),
        (true, true) => {
            format!("\nThen edit a copy of {place}/grant.toml for each answer.")
        }
        (true, false) => {
            "\nNo grant fits this catalog, for example because no type has offline = true: correct \
             the catalog before you grant a license."
                .to_string()
        }
    };
    text += &match roots.count {
        1 => format!(
            "\nKeep {place}/keys/root.key in a safe: `olr issue` never needs it. Back up the whole folder."
        ),
        count => format!(
            "\n\nNow give each root key ({place}/keys/root-1.key up to root-{count}.key) to its \
             own custodian only, and erase it here: the keys must never be in one place again.\n\
             {} of them must sign each change: `olr key propose`, `olr key sign`, `olr key \
             combine`.\n\
             {} (`olr key passwd`). Back up the rest of the folder.",
            roots.threshold,
            match is_open {
                true => "None has a passphrase: have each custodian choose one",
                false => "All have the same passphrase: have each custodian choose a new one",
            }
        ),
    };
    text
}

/// Returns the number of roots and the threshold, which must be given if there are several roots.
fn roots(args: &InitArgs) -> Result<Roots> {
    match (args.roots, args.threshold) {
        (1, None) => Ok(Roots::default()),
        (count, Some(threshold)) => Ok(Roots { count, threshold }),
        (count, None) => {
            let fact = format!("--threshold is missing: how many of the {count} roots must sign?");
            Err(Error::unable(
                Problem::Usage,
                fact,
                "choose 1 to 8 roots, and add --threshold K: fewer than all, so that one key may \
                 be lost",
            ))
        }
    }
}

fn issued(args: &IssuedArgs) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let answers = folder.ledger()?.answers(args.text.as_deref().unwrap_or_default())?;
    let any_moved = answers.iter().any(|answer| answer.moved_from.is_some());
    let any_taken_back = answers.iter().any(|answer| answer.revoked.is_some());
    let row = |answer: &AnswerRecord| {
        let mut row = vec![
            answer.issued.to_string(),
            answer.licensee.clone(),
            masked(&answer.license_key),
            format!("{}/{}", answer.product, answer.slot),
            answer.license_type.clone(),
            answer.last_day(),
            answer.code.clone(),
            answer.license.to_string(),
        ];
        row.extend(any_moved.then(|| moved(answer)));
        row.extend(any_taken_back.then(|| match &answer.revoked {
            Some(record) if record.cause == Cause::Pooled => {
                format!("{}, pooled: {}", record.revoked, shown(&record.reason))
            }
            Some(record) => format!("{}: {}", record.revoked, shown(&record.reason)),
            None => String::new(),
        }));
        row
    };
    let rows: Vec<_> = answers.iter().map(row).collect();
    let mut header =
        vec!["issued", "licensee", "key", "slot", "type", "expires", "code", "license"];
    header.extend(any_moved.then_some("moved from"));
    header.extend(any_taken_back.then_some("revoked"));
    let table = show::table(&header, &rows, &[]);
    let text = match (&args.text, rows.is_empty()) {
        (_, false) => table,
        (None, true) => "No license has been issued yet.".to_string(),
        (Some(text), true) => format!("No issued license contains \"{}\".", shown(text)),
    };
    let entry = |answer: &AnswerRecord| {
        let revoked = answer.revoked.as_ref().map(|record| {
            let (at, cause) = (record.revoked.to_string(), record.cause.word());
            json!({"at": at, "reason": record.reason, "cause": cause})
        });
        json!({
            "license_id": answer.license.to_string(), "issued": answer.issued.to_string(),
            "licensee": answer.licensee, "license_key": masked(&answer.license_key),
            "product": answer.product, "slot": answer.slot, "type": answer.license_type,
            "expires": answer.expires.map_or("never".to_string(), |day| day.to_string()),
            "code": answer.code, "request_id": answer.request.to_string(),
            "answer": answer.answer,
            "install_key": data_encoding::HEXLOWER.encode(&answer.install_key),
            "moved_from": answer.moved_from.map(|license| license.to_string()),
            "receipt": answer.has_receipt, "transfer": answer.transfer, "revoked": revoked,
        })
    };
    let entries: Vec<Value> = answers.iter().map(entry).collect();
    let mut report = Output::new(text, json!({"issued": entries}));
    report.notes.push(format!("vendor: {}", file::name(folder.path())));
    Ok(report)
}

/// Names the license that held the key on another installation before, and why the key was free.
fn moved(answer: &AnswerRecord) -> String {
    let Some(from) = answer.moved_from else { return String::new() };
    match &answer.transfer {
        Some(reason) => format!("{from}, transfer: {reason}"),
        None => format!("{from}, with receipt"),
    }
}

//! `olr issue`: answers a request with a license.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use crate::file;
use olr_core::display::shown;
use olr_core::error::{Problem, Result};
use olr_core::license::{License, read_unverified};
use olr_core::receipt::Receipt;
use olr_core::report::{LicenseReport, RequestReport, masked};
use olr_core::request::{OpenedRequest, RequestBody};
use olr_core::trust::Trust;
use olr_core::wire::frame::Kind;
use olr_core::wire::id::KeyId;
use olr_office::folder::{
    Concern, Folder, Handover, Issue, Issued, IssuedLicense, Signers, read_text,
};
use olr_office::issue::GrantFile;
use olr_office::ledger::KeyName;

use super::context::{self, Context};
use super::files::{OutFile, read_artefact};
use super::output::{Output, put};
use super::passphrase::warn_of_keys;
use super::terminal::Confirmation;
use super::{concern, show};
use crate::cli::args::staff::StaffArg;
use crate::cli::args::typed::ensure_visible;
use crate::cli::args::vendor::VendorArg;
use crate::cli::proposal::signature_pairs;
use crate::cli::proposal::{self, described, read_copies};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    output: OutFile,
    /// The request from the server.
    request: PathBuf,
    /// The grant: what the customer bought [default: what the ledger says about the license key].
    #[arg(long, value_name = "FILE")]
    grant: Option<PathBuf>,
    /// The code that the operator read out; any other request is refused.
    #[arg(long, value_name = "C")]
    code: Option<String>,
    /// Show and check the request, but sign nothing.
    #[arg(long)]
    dry_run: bool,
    /// Also show the request, with the values that are ignored.
    #[arg(long)]
    all: bool,
    /// Sign a new answer to a request that was already answered.
    #[arg(long)]
    again: bool,
    /// The receipt that `olr deactivate` wrote on the server that used the license key until now.
    #[arg(long, value_name = "FILE", conflicts_with = "transfer")]
    receipt: Option<PathBuf>,
    /// Move the license key without a receipt; olr keeps the reason with the answer.
    #[arg(long, value_name = "REASON")]
    transfer: Option<String>,
    /// Do not ask for confirmation, even if a key moves or the answer looks like a mistake.
    #[arg(long)]
    yes: bool,
    /// An issuer key that signs: a key file, a name in keys/, pkcs11:… or ssh-agent:ID; repeat it
    /// if several must sign [default: the newest in keys/ that may sign].
    #[arg(long, value_name = "KEY", conflicts_with = "signed")]
    issuer: Vec<String>,
    /// Another issuer who must sign elsewhere: a delegation file, or the id of a key in
    /// delegations/. The output is then a proposal for `olr key sign` instead of the license.
    #[arg(long, value_name = "DELEGATION", conflicts_with = "signed")]
    also: Vec<String>,
    /// A signed copy of the proposal; with enough signatures, it becomes the license (repeatable).
    #[arg(long, value_name = "FILE")]
    signed: Vec<PathBuf>,
    #[command(flatten)]
    staff: StaffArg,
}

const NAME: &str = "license.olr";
const PROPOSAL: &str = "license.proposal.olr";

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let request = read_request(args)?;
    let written = args.grant.as_deref().map(read_grant).transpose()?;
    let trust = folder.trust()?;
    let receipt = args.receipt.as_ref().map(|path| read_receipt(path, &trust)).transpose()?;
    if let Some(reason) = &args.transfer {
        ensure_visible("the reason for the transfer", reason)?;
    }
    let handover = match (&receipt, &args.transfer) {
        (Some(receipt), _) => Handover::Receipt(receipt),
        (None, Some(reason)) => Handover::Transfer(reason),
        (None, None) => Handover::Nothing,
    };
    warn_of_keys(&folder, context);
    let also = args.also.iter().map(|also| delegation_of(also, &folder, &trust));
    let also = also.collect::<Result<Vec<_>>>()?;
    let signed = read_copies(&args.signed, Some(&trust))?;
    let by = Signers { issuers: &args.issuer, also: &also, signed: signed.as_ref() };
    let mut ask = args.staff.asker();
    let opened = folder.open_request(&request, args.code.as_deref(), &trust, &mut ask)?;
    ensure_free(args, opened.body(), &trust)?;
    let granted;
    let grant = match &written {
        Some(written) => written,
        None => {
            granted = folder.granted(opened.body(), context.now)?;
            &granted
        }
    };
    // The answer must follow the newest one that is shown here.
    let seen = folder.newest_turn(opened.body())?;
    let actor = context::user();
    let order = Issue {
        request: &request,
        grant,
        of_ledger: written.is_none(),
        again: args.again,
        dry_run: args.dry_run,
        now: context.now,
        by,
        handover,
        seen: Some(seen),
        actor: &actor,
    };
    let concerns = folder.foresee(&opened, &order, &trust, &mut ask)?;
    let mut issue = |order: &Issue<'_>| {
        let rng = &mut context.rng;
        let issued = folder.issue(&opened, order, &trust, &mut ask, rng);
        // If the grant does not fit the catalog, the library knows the line but not the file.
        issued.map_err(|error| match error.problem() {
            Some(Problem::Grant) => error.within(args.grant.as_ref().map_or_else(
                || "what the ledger says about this key".to_string(),
                |path| file::name(path),
            )),
            _ => error,
        })
    };
    let is_asked = args.transfer.is_some() || concerns.iter().any(Concern::asks);
    if is_asked && !args.dry_run && !args.yes {
        // A refusal is reported before any question is asked.
        let tried = issue(&Issue { dry_run: true, ..order })?;
        confirm(args, &tried, &concerns, &folder, opened.body())?;
    }
    let issued = issue(&order)?;
    let mut output = answer(args, &issued, &opened, &trust)?;
    put(&mut output.json, "concerns", concern::to_json(&concerns));
    output.notes.extend(concerns.iter().map(concern::line));
    output.notes.extend(of_the_move(&issued, handover));
    if !issued.stops_a_copy {
        output.notes.push(
            "this license does not stop a copy of that machine: no hardware factor has to match"
                .to_string(),
        );
    }
    output.notes.push(format!("vendor: {}", file::name(folder.path())));
    Ok(output)
}

fn read_grant(path: &Path) -> Result<GrantFile> {
    GrantFile::parse(&read_text(path)?).map_err(|error| error.within(file::name(path)))
}

/// Reads the request. If request and grant were swapped, the error says so.
fn read_request(args: &Args) -> Result<Vec<u8>> {
    read_artefact(Some(Kind::Request), &args.request).map_err(|error| {
        let is_request = |path: &PathBuf| read_artefact(Some(Kind::Request), path).is_ok();
        match args.grant.as_ref().is_some_and(is_request) {
            true => error.hint("the request comes first: olr issue REQUEST --grant GRANT"),
            false => error,
        }
    })
}

/// Fails early if the output would replace a file other than an earlier license of this
/// installation. `--force` permits more.
fn ensure_free(args: &Args, asked: &RequestBody, trust: &Trust) -> Result<()> {
    if args.dry_run {
        return Ok(());
    }
    if !args.also.is_empty() {
        return args.output.ensure_free(PROPOSAL, Kind::Proposal, |_| false);
    }
    args.output.ensure_free(NAME, Kind::License, |bytes| {
        let old = License::verify(bytes, trust);
        old.is_ok_and(|old| old.body().install_key == asked.install_key)
    })
}

/// Asks about likely mistakes in the answer, and about a key that moves. A license that is already
/// signed is given again without a question, with its concerns listed.
fn confirm(
    args: &Args,
    tried: &IssuedLicense,
    concerns: &[Concern],
    folder: &Folder,
    asked: &RequestBody,
) -> Result<()> {
    if tried.outcome.is_repeated() {
        return Ok(());
    }
    concern::confirm(concerns)?;
    match &tried.other_holder {
        Some(other) if args.transfer.is_some() => confirm_move(folder, other, asked, args.yes),
        _ => Ok(()),
    }
}

/// Writes the license or the proposal, and describes it.
fn answer(
    args: &Args,
    issued: &IssuedLicense,
    opened: &OpenedRequest,
    trust: &Trust,
) -> Result<Output> {
    let (body, stored) = (opened.body(), issued.outcome.is_repeated());
    let mut output = Output::new("", Value::Null);
    let mut json = json!({
        "code": opened.code(), "request": RequestReport::from(body), "dry_run": args.dry_run,
        "stored": stored,
        "moves_from": issued.other_holder.as_ref().filter(|_| !stored),
    });
    if let Value::Object(json) = &mut json {
        json.extend(show::changes_json(body));
    }
    let mut text = match &issued.outcome {
        Issued::Proposed(proposal) => {
            args.output.write(PROPOSAL, Kind::Proposal, proposal.bytes(), &mut output)?;
            let file = args.output.name(PROPOSAL);
            put(&mut json, "proposal", proposal::json(proposal, Some(trust))?);
            put(&mut json, "file", json!(file));
            format!(
                "Wrote the proposal to {file}; no license is issued yet. When all signers have \
                 signed it with `olr key sign`, run this again with --signed FILE instead of \
                 --issuer and --also.\n\n{}\n\n{}",
                described(proposal, Some(trust)),
                show::pairs(&signature_pairs(proposal, Some(trust))?)
            )
        }
        Issued::New(license) | Issued::Repeated(license) if !args.dry_run => {
            args.output.write(NAME, Kind::License, license.bytes(), &mut output)?;
            let file = args.output.name(NAME);
            put(&mut json, "license", show::json(&LicenseReport::from(license.body())));
            put(&mut json, "file", json!(file));
            granted(license, stored, &file, args.output.path(NAME).is_none())
        }
        _ => "The request matches the grant. Nothing was signed or written.".to_string(),
    };
    if args.all || args.dry_run {
        let pairs = with_code(RequestReport::from(body).rows(), opened.code());
        let factors = show::request_factors(body, args.all);
        text += &format!("\n\n{}\n\n{factors}", show::pairs(&pairs));
    } else if let Some(changes) = show::request_changes(body) {
        text += &format!("\n\n{changes}");
    }
    (output.text, output.json) = (text, json);
    Ok(output)
}

/// Describes the license through which a key is held. The ledger is closed before a question waits.
fn holder(folder: &Folder, asked: &RequestBody) -> Result<Vec<(&'static str, String)>> {
    let (mut pairs, mut ledger) = (Vec::new(), folder.ledger()?);
    let name = KeyName { key: &asked.license_key.0, product: &asked.product, slot: &asked.slot };
    if let Some(answer) = ledger.holding_answer(name)? {
        let body = read_unverified(&ledger.license_bytes(&answer)?)?;
        pairs.extend(LicenseReport::from(&body).summary());
        pairs.push(("license key", masked(&answer.license_key)));
        pairs.extend(answer.host.map(|host| ("from server", host)));
    }
    Ok(pairs)
}

/// Shows which installation loses the key, and asks.
fn confirm_move(folder: &Folder, other: &str, asked: &RequestBody, yes: bool) -> Result<()> {
    let mut pairs = holder(folder, asked)?;
    pairs.push(("from install", other.to_string()));
    pairs.push(("to install", show::install_id(&asked.install_key)));
    let hits = format!(
        "{}\n\nThe license there stays valid until it expires or is revoked: no receipt shows \
         that it was deactivated.",
        show::pairs(&pairs)
    );
    let (ask, deed) = ("Move this license key without a receipt?", "moving a license key");
    Confirmation { hits: &hits, ask, deed }.confirm(yes)
}

/// Returns the delegation of an issuer who works elsewhere.
fn delegation_of(named: &str, folder: &Folder, trust: &Trust) -> Result<Vec<u8>> {
    match named.parse::<KeyId>() {
        Ok(key) => Ok(folder.delegation_of(key, trust)?.1),
        Err(_) => read_artefact(Some(Kind::Delegation), Path::new(named)),
    }
}

fn read_receipt(path: &Path, trust: &Trust) -> Result<Receipt> {
    let bytes = read_artefact(Some(Kind::Receipt), path)?;
    let receipt = Receipt::verify_for(trust.vendor(), &bytes);
    receipt.map_err(|error| error.within(file::name(path)))
}

/// Returns a note about another installation that holds or held the key, or about a receipt or a
/// transfer that was not needed.
fn of_the_move(issued: &IssuedLicense, handover: Handover<'_>) -> Option<String> {
    match (&issued.other_holder, handover) {
        (Some(other), _) if issued.outcome.is_repeated() => {
            Some(format!("this license key has since moved to installation {other}"))
        }
        (Some(other), Handover::Transfer(_)) => Some(format!(
            "this license key moves from installation {other} without a receipt: nothing shows \
             that the license was deactivated there"
        )),
        (Some(other), _) => Some(format!(
            "this license key moves from installation {other}; the receipt does not prove that no \
             copy of that installation is running"
        )),
        (None, Handover::Nothing) => None,
        (None, _) if issued.outcome.is_repeated() => None,
        (None, Handover::Receipt(_)) => Some(
            "the receipt was not needed: this license key is not bound to another installation"
                .into(),
        ),
        (None, Handover::Transfer(_)) => Some(
            "the transfer was not needed: this license key is not bound to another installation"
                .into(),
        ),
    }
}

fn with_code(mut pairs: Vec<(&'static str, String)>, code: &str) -> Vec<(&'static str, String)> {
    pairs.insert(0, ("code", code.to_string()));
    pairs
}

fn granted(license: &License, stored: bool, file: &str, stdout: bool) -> String {
    let report = LicenseReport::from(license.body());
    let how =
        if stored { "Wrote the stored answer again" } else { "Signed, verified and stored. Wrote" };
    let to = if stored || stdout { " to" } else { "" };
    format!(
        "{how}{to} {file} for {}.\n\n{}",
        shown(&report.licensee),
        show::laid_out(&report.terms(), &report.tables())
    )
}

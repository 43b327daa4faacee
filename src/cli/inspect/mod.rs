//! `olr inspect`: shows what a file is, what it contains, and whether it verifies.

use serde::Serialize;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

use olr_core::error::{Error, Problem, Refusal, Result};
#[cfg(feature = "vendor")]
use olr_core::report::RequestReport;
use olr_core::report::{Row, Table};
use olr_core::request::SealedRequest;
use olr_core::revocation::Revocations;
use olr_core::state::State;
use olr_core::trust::Trust;
use olr_core::wire::frame::{Frame, Header, Kind};

use crate::cli::args::home::HomeArg;
use crate::cli::context::Context;
use crate::cli::files::{of_file, read_artefact};
use crate::cli::hint;
use crate::cli::output::Output;
use crate::cli::show;

mod answers;
mod keys;

use answers::{license, receipt, revocations, time};
use keys::{delegation, key_file, proposal, trust};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    #[cfg(feature = "vendor")]
    #[command(flatten)]
    vendor: crate::cli::args::vendor::VendorArg,
    /// The file with the staff passphrase, to open requests.
    #[cfg(feature = "vendor")]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Also show the values in a request that are ignored.
    #[cfg(feature = "vendor")]
    #[arg(long)]
    all: bool,
    /// Any olr file except a state, armored or binary.
    file: PathBuf,
}

/// Result of inspecting a file.
#[derive(Default)]
struct Findings {
    pairs: Vec<(&'static str, String)>,
    json: Map<String, Value>,
    more: String,
    verified: Option<Result<()>>,
    /// Trust that was used to verify the file.
    under: Option<Trust>,
    /// Why a check could not be made.
    missing: Option<Error>,
}

impl Findings {
    /// Adds the content of a body.
    fn add(&mut self, report: &impl Serialize, rows: Vec<Row>, tables: &[Table]) {
        self.json.extend(show::object(report));
        self.pairs.extend(rows);
        self.more = show::laid_out(&[], tables);
    }
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let bytes = read_artefact(None, &args.file).map_err(of_toml(&args.file))?;
    if State::is_one(&bytes) {
        let fact = "this is a server's state: it contains secrets, so olr does not show it";
        return Err(Error::unable(Problem::Usage, fact, "run `olr status` on that server"));
    }
    let kind = Header::peek(&bytes).map_err(of_file(&args.file))?;
    #[cfg(feature = "vendor")]
    if let (Kind::Request, Some(folder)) = (kind, args.vendor.given()) {
        crate::cli::passphrase::warn_of_keys(&folder, context);
    }
    let _ = context;
    let signed = [Kind::License, Kind::Trust, Kind::Timestamp, Kind::Revocations, Kind::Delegation];
    if signed.contains(&kind) {
        Frame::parse(kind, &bytes).map_err(of_file(&args.file))?;
    }
    let findings = match kind {
        Kind::Request => request(&bytes, args)?,
        Kind::License => license(&bytes, args)?,
        Kind::Trust => trust(&bytes)?,
        Kind::Delegation => delegation(&bytes, args)?,
        Kind::KeyFile => key_file(&bytes)?,
        Kind::Receipt => receipt(&bytes, args)?,
        Kind::Timestamp => time(&bytes, args)?,
        Kind::Proposal => proposal(&bytes, args)?,
        Kind::Revocations => revocations(&bytes, args)?,
        other => frame(other, &bytes, args)?,
    };
    Ok(report(kind, bytes.len(), findings, args.is_at_vendor()))
}

/// Replaces the next step for a grant, a catalog or settings for alerts: people write these here,
/// so nobody can send them again.
fn of_toml(path: &Path) -> impl Fn(Error) -> Error {
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    move |error| match error.refusal() {
        Some(Refusal::Malformed) if is_toml => error.hint(
            "a .toml file is text: correct it in an editor; `olr vendor check-catalog` checks a \
             catalog, `olr issue --dry-run` a grant, `olr alert --dry-run` the alerts.toml of a \
             home",
        ),
        _ => error,
    }
}

fn report(kind: Kind, len: usize, findings: Findings, is_at_vendor: bool) -> Output {
    let (word, said) = match &findings.verified {
        Some(Ok(())) => ("yes", "yes".to_string()),
        Some(Err(error)) => ("no", format!("no: {error}")),
        None => (
            "not checked",
            match &findings.missing {
                Some(error) => format!("not checked: {}", error.fact()),
                None => "not checked".to_string(),
            },
        ),
    };
    let mut pairs =
        vec![("kind", kind.to_string()), ("verified", said), ("size", format!("{len} bytes"))];
    pairs.extend(findings.pairs);
    let under = findings.under.filter(|_| matches!(findings.verified, Some(Ok(()))));
    let mut json = findings.json;
    if let Some(trust) = under {
        pairs.push(("vendor code", trust.vendor_code()));
        json.insert("vendor_code".to_string(), json!(trust.vendor_code()));
    }
    json.insert("kind".to_string(), json!(kind.word()));
    json.insert("size".to_string(), json!(len));
    json.insert("verified".to_string(), json!(word));
    let more =
        if findings.more.is_empty() { String::new() } else { format!("\n\n{}", findings.more) };
    let mut report = Output::new(format!("{}{more}", show::pairs(&pairs)), Value::Object(json));
    if let Some(error) = findings.verified.and_then(Result::err).or(findings.missing) {
        let error = if is_at_vendor { error.at_vendor() } else { error };
        report.notes.push(format!("hint: {}", hint::said(error.next_step())));
        report = report.refused(&error);
    }
    report
}

/// Returns the trust that verifies signatures: the vendor's, or else this server's.
fn known_trust(args: &Args) -> Result<Option<Trust>> {
    #[cfg(feature = "vendor")]
    if let Some(folder) = args.vendor.given() {
        return folder.trust().map(Some);
    }
    let state = args.home.home().ok().and_then(|home| home.load().ok().flatten());
    Ok(state.map(|state| state.trust().clone()))
}

/// Returns the newest revocations that the vendor's folder or this server has.
fn known_revocations(args: &Args) -> Result<Option<Revocations>> {
    #[cfg(feature = "vendor")]
    if let Some(folder) = args.vendor.given() {
        return folder.newest_revocations();
    }
    let state = args.home.home().ok().and_then(|home| home.load().ok().flatten());
    Ok(state.and_then(|state| state.revocations()))
}

fn request(bytes: &[u8], args: &Args) -> Result<Findings> {
    let sealed = SealedRequest::parse(bytes)?;
    let mut findings = Findings {
        pairs: vec![
            ("vendor id", sealed.vendor.to_string()),
            ("sealed to key", sealed.recipient.to_string()),
            ("code", sealed.code()),
        ],
        ..Findings::default()
    };
    for (name, value) in [
        ("vendor_id", sealed.vendor.to_string()),
        ("recipient", sealed.recipient.to_string()),
        ("code", sealed.code()),
    ] {
        findings.json.insert(name.to_string(), json!(value));
    }
    findings.json.insert("vendor_code".to_string(), Value::Null);
    #[cfg(feature = "vendor")]
    if let Some(folder) = args.vendor.given() {
        let trust = folder.trust()?;
        let mut ask =
            |key: &_| crate::cli::passphrase::passphrase(key, args.passphrase_file.as_deref());
        match folder.open_request(bytes, None, &trust, &mut ask) {
            Ok(opened) => {
                let report = RequestReport::from(opened.body());
                findings.pairs.extend(report.rows());
                findings.more = show::request_factors(opened.body(), args.all);
                findings.json.insert("request".to_string(), show::json(&report));
                findings.json.extend(show::changes_json(opened.body()));
                findings.verified = Some(Ok(()));
                findings.under = Some(trust);
            }
            Err(error) if error.refusal().is_some() => findings.verified = Some(Err(error)),
            Err(error) => findings.missing = Some(error),
        }
    }
    let _ = args;
    Ok(findings)
}

/// Lists the signers of a frame, and its attachments.
fn signed(frame: &Frame<'_>, verified: Option<Result<()>>) -> Findings {
    let keys: Vec<_> = frame.signatures.iter().map(|s| s.key.to_string()).collect();
    let attached: Vec<_> = frame.attachments.iter().map(|a| a.kind.to_string()).collect();
    let mut pairs = vec![("vendor id", frame.vendor.to_string()), ("signed by", keys.join(", "))];
    if !attached.is_empty() {
        pairs.push(("attached", attached.join(", ")));
    }
    let mut json = Map::new();
    json.insert("vendor_id".to_string(), json!(frame.vendor.to_string()));
    json.insert("vendor_code".to_string(), Value::Null);
    json.insert("signed_by".to_string(), json!(keys));
    json.insert("attached".to_string(), json!(attached));
    Findings { pairs, json, verified, ..Findings::default() }
}

/// Describes a file of a kind whose body this version cannot read.
fn frame(kind: Kind, bytes: &[u8], args: &Args) -> Result<Findings> {
    let findings = signed(&Frame::parse(kind, bytes)?, None);
    let missing = args.is_at_vendor().then(|| {
        let fact = format!("this olr cannot verify a {kind} yet");
        Error::unable(Problem::Unsupported, fact, "use a newer olr")
    });
    Ok(Findings { missing, ..findings })
}

impl Args {
    /// Returns whether the file is compared with a vendor's folder.
    pub fn is_at_vendor(&self) -> bool {
        #[cfg(feature = "vendor")]
        return self.vendor.given().is_some();
        #[cfg(not(feature = "vendor"))]
        return false;
    }
}

//! `olr inspect`: what a file is and says, and whether it verifies.

use serde_json::{Map, Value, json};
use std::path::PathBuf;

use olr::anchor::{Anchor, AnchorBody};
use olr::error::{Error, Result};
use olr::license::{License, LicenseBody};
use olr::receipt::{Receipt, ReceiptBody};
use olr::request::SealedRequest;
use olr::revocation::{Revocations, read_body};
use olr::state::State;
use olr::trust::{DelegationBody, Trust};
use olr::wire::codec::{BODY_CAP, decode};
use olr::wire::frame::{Frame, Header, Kind};

use super::context::{Context, HomeArg};
use super::files::read_artefact;
use super::output::Report;
use super::show;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    home: HomeArg,
    #[cfg(feature = "vendor")]
    #[command(flatten)]
    vendor: super::vendor::VendorArg,
    /// The file with the staff's passphrase, to open requests.
    #[cfg(feature = "vendor")]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Any file of olr, armored or binary.
    file: PathBuf,
}

/// What a look at a file gave.
#[derive(Default)]
struct Findings {
    pairs: Vec<(&'static str, String)>,
    json: Map<String, Value>,
    more: String,
    verified: Option<Result<()>>,
    /// A check that should have been made and could not be.
    missing: Option<Error>,
}

pub fn run(args: &Args, _: &mut Context) -> Result<Report> {
    let bytes = read_artefact(None, &args.file)?;
    if State::is_one(&bytes) {
        let fact = "this is the state of a server: it holds secrets and is not shown";
        return Err(Error::unable(fact, "see `olr status`"));
    }
    let kind = Header::peek(&bytes)?;
    let findings = match kind {
        Kind::Request => request(&bytes, args)?,
        Kind::License => license(&bytes, args)?,
        Kind::Trust => trust(&bytes)?,
        Kind::Delegation => delegation(&bytes, args)?,
        Kind::KeyFile => key_file(&bytes)?,
        Kind::Receipt => receipt(&bytes, args)?,
        Kind::Time => time(&bytes, args)?,
        Kind::Revocations => revocations(&bytes, args)?,
        other => frame(other, &bytes, args)?,
    };
    Ok(report(kind, bytes.len(), findings))
}

fn report(kind: Kind, len: usize, findings: Findings) -> Report {
    let mut pairs = vec![("kind", kind.to_string()), ("size", format!("{len} bytes"))];
    pairs.extend(findings.pairs);
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
    pairs.push(("verified", said));
    let mut json = findings.json;
    json.insert("kind".to_string(), json!(kind.word()));
    json.insert("size".to_string(), json!(len));
    json.insert("verified".to_string(), json!(word));
    let more =
        if findings.more.is_empty() { String::new() } else { format!("\n\n{}", findings.more) };
    let mut report = Report::new(format!("{}{more}", show::pairs(&pairs)), Value::Object(json));
    if let Some(error) = findings.verified.and_then(Result::err).or(findings.missing) {
        report.notes.push(format!("hint: {}", error.next_step()));
        report = report.refused(&error);
    }
    report
}

/// The trust that signatures are held against: the vendor's, else this server's.
fn known_trust(args: &Args) -> Result<Option<Trust>> {
    #[cfg(feature = "vendor")]
    if let Some(folder) = args.vendor.given() {
        return folder.trust().map(Some);
    }
    let state = args.home.home().ok().and_then(|home| home.load().ok().flatten());
    Ok(state.map(|state| state.trust().clone()))
}

/// The newest revocations at hand, of the vendor or of this server.
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
    #[cfg(feature = "vendor")]
    if let Some(folder) = args.vendor.given() {
        let trust = folder.trust()?;
        let mut ask = |key: &_| super::vendor::passphrase(key, args.passphrase_file.as_deref());
        match folder.open_request(bytes, None, &trust, &mut ask) {
            Ok(opened) => {
                findings.pairs.extend(show::request_pairs(opened.body()));
                findings.more = show::request_factors(opened.body());
                findings.json.insert("request".to_string(), show::request_json(opened.body()));
                findings.json.extend(show::changes_json(opened.body()));
                findings.verified = Some(Ok(()));
            }
            Err(error) if error.refusal().is_some() => findings.verified = Some(Err(error)),
            Err(error) => findings.missing = Some(error),
        }
    }
    let _ = args;
    Ok(findings)
}

fn license(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::License, bytes)?;
    let list = known_revocations(args)?;
    let verified = known_trust(args)?.map(|trust| {
        let trust = trust.followed_by(&frame)?.pop().unwrap_or(trust);
        License::verify(bytes, &trust)?.expect_unrevoked(&trust, list.as_ref())
    });
    let mut findings = signed(&frame, verified);
    // Shown also where nobody can say whether it is true: `verified` says so.
    match decode::<LicenseBody>("license body", frame.body, BODY_CAP) {
        Ok(body) => {
            findings.pairs.extend(show::license_pairs(&body));
            findings.pairs.push(("answers request", olr::display::code(&body.request_hash)));
            findings.more = show::modules(&body, None);
            findings.json.extend(show::license_json(&body));
            findings.json.insert("code".to_string(), json!(olr::display::code(&body.request_hash)));
        }
        Err(error) if findings.verified.is_none() => return Err(error),
        Err(_) => {}
    }
    Ok(findings)
}

/// Who signed a frame, and what is attached.
fn signed(frame: &Frame<'_>, verified: Option<Result<()>>) -> Findings {
    let keys: Vec<_> = frame.signatures.iter().map(|s| s.key.to_string()).collect();
    let attached: Vec<_> = frame.attachments.iter().map(|a| a.kind.to_string()).collect();
    let mut pairs = vec![("vendor id", frame.vendor.to_string()), ("signed by", keys.join(", "))];
    if !attached.is_empty() {
        pairs.push(("attached", attached.join(", ")));
    }
    let mut json = Map::new();
    json.insert("vendor_id".to_string(), json!(frame.vendor.to_string()));
    json.insert("signed_by".to_string(), json!(keys));
    json.insert("attached".to_string(), json!(attached));
    Findings { pairs, json, verified, ..Findings::default() }
}

/// A trust is held against its own roots: whose they are, only the vendor code tells.
fn trust(bytes: &[u8]) -> Result<Findings> {
    let frame = Frame::parse(Kind::Trust, bytes)?;
    let pinned = Trust::pin(bytes);
    let mut findings = signed(&frame, Some(pinned.clone().map(|_| ())));
    if let Ok(trust) = pinned {
        let body = trust.body();
        let product = |p: &olr::trust::Product| {
            let slots: Vec<_> = p.slots.iter().map(|slot| slot.to_string()).collect();
            format!("{} ({})", &*p.id, slots.join(", "))
        };
        let products: Vec<_> = body.products.iter().map(product).collect();
        findings.pairs.extend([
            ("vendor", body.name.to_string()),
            ("vendor code", trust.vendor_code()),
            ("version", body.version.to_string()),
            ("roots", format!("{} of {} must sign", body.threshold, body.roots.len())),
            ("products", products.join("; ")),
            ("for tests only", if body.test { "yes" } else { "no" }.to_string()),
        ]);
        findings.json.extend([
            ("vendor".to_string(), json!(&*body.name)),
            ("vendor_code".to_string(), json!(trust.vendor_code())),
            ("version".to_string(), json!(body.version)),
            ("threshold".to_string(), json!(body.threshold)),
            ("roots".to_string(), json!(body.roots.len())),
            ("test".to_string(), json!(body.test)),
        ]);
    }
    Ok(findings)
}

fn delegation(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Delegation, bytes)?;
    let verified = known_trust(args)?
        .map(|trust| trust.delegation(&frame).and_then(|delegation| delegation.check_key()));
    let mut findings = signed(&frame, verified);
    match decode::<DelegationBody>("delegation body", frame.body, BODY_CAP) {
        Ok(body) => {
            let acts: Vec<_> = body.acts.iter().map(|act| act.to_string()).collect();
            let issuer = olr::key::key_id(olr::key::Role::Issuer, &body.issuer).to_string();
            findings.pairs.extend([("issuer", issuer.clone()), ("may sign", acts.join(", "))]);
            findings.json.insert("issuer".to_string(), json!(issuer));
            findings.json.insert("acts".to_string(), json!(acts));
        }
        Err(error) if findings.verified.is_none() => return Err(error),
        Err(_) => {}
    }
    Ok(findings)
}

/// The key that verifies a receipt stands in it: no trust is needed.
fn receipt(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Receipt, bytes)?;
    let verified = match known_trust(args)? {
        Some(trust) => Receipt::verify_for(trust.vendor(), bytes),
        None => Receipt::verify(bytes),
    };
    let mut findings = signed(&frame, Some(verified.clone().map(|_| ())));
    if let Ok(body) = decode::<ReceiptBody>("receipt body", frame.body, BODY_CAP) {
        findings.pairs.extend(show::receipt_pairs(&body));
        findings.json.extend(show::receipt_json(&body));
    }
    #[cfg(feature = "vendor")]
    if let (Ok(receipt), Some(folder)) = (verified, args.vendor.given()) {
        let (text, json) = ended(folder.ended(&receipt)?);
        findings.more = text;
        findings.json.insert("issued".to_string(), json);
    }
    Ok(findings)
}

/// What the vendor's records say of a receipt.
#[cfg(feature = "vendor")]
fn ended(ended: Option<olr::vendor::Ended>) -> (String, Value) {
    let Some(ended) = ended else {
        let text = "The license that it ends is none that was issued from this folder to that installation.";
        return (text.to_string(), Value::Null);
    };
    let record = &ended.record;
    let until = match ended.last_day {
        Some(day) => format!("until {day} ({})", day.ends()),
        None => "for ever".to_string(),
    };
    let mut text = format!(
        "It ends a license that was issued from this folder: to {}, on {}, for key {}.\nA copy of \
         the home that was made before could run {until}; the receipt does not show that none does.",
        olr::display::shown(&record.licensee),
        record.issued,
        show::masked(&record.license_key),
    );
    if ended.answered_since {
        text += "\nA later request of that installation was answered for this key: the receipt does not end that license.";
    }
    let json = json!({
        "license_id": record.license_id, "licensee": record.licensee, "issued": record.issued,
        "license_key": show::masked(&record.license_key), "expires": record.expires,
        "copy_could_run_until": show::day_json(ended.last_day),
        "answered_since": ended.answered_since,
    });
    (text, json)
}

fn time(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Time, bytes)?;
    let verified = known_trust(args)?.map(|trust| Anchor::verify(bytes, &trust).map(|_| ()));
    let mut findings = signed(&frame, verified);
    match decode::<AnchorBody>("time body", frame.body, BODY_CAP) {
        Ok(body) => {
            findings.pairs.extend(show::time_pairs(&body));
            findings.json.extend(show::time_json(&body));
        }
        Err(error) if findings.verified.is_none() => return Err(error),
        Err(_) => {}
    }
    Ok(findings)
}

fn revocations(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Revocations, bytes)?;
    let trust = known_trust(args)?;
    let verified = match trust {
        // One that is to be attached has its delegations elsewhere.
        Some(trust) if !frame.attachments.is_empty() => {
            let verified = trust.followed_by(&frame).and_then(|newer| {
                Revocations::verify(bytes, newer.last().unwrap_or(&trust)).map(drop)
            });
            match verified {
                Err(error) if error.refusal().is_none() => Err(Some(error)),
                verified => Ok(verified),
            }
        }
        _ => Err(None),
    };
    let (verified, missing) = match verified {
        Ok(verified) => (Some(verified), None),
        Err(missing) => (None, missing),
    };
    let mut findings = Findings { missing, ..signed(&frame, verified) };
    match read_body(&frame) {
        Ok(body) => {
            findings.pairs.extend(show::revocations_pairs(&body));
            findings.json.extend(show::revocations_json(&body));
        }
        Err(error) if findings.verified.is_none() => return Err(error),
        Err(_) => {}
    }
    Ok(findings)
}

#[cfg(feature = "vendor")]
fn key_file(bytes: &[u8]) -> Result<Findings> {
    let key = olr::key::file::KeyFile::parse(bytes)?;
    let protected = if key.needs_passphrase() { "by a passphrase" } else { "not at all" };
    let pairs = vec![
        ("role", key.role.to_string()),
        ("key id", key.id.to_string()),
        ("protected", protected.to_string()),
    ];
    let mut findings = Findings { pairs, ..Findings::default() };
    findings.json.extend([
        ("role".to_string(), json!(key.role.word())),
        ("key_id".to_string(), json!(key.id.to_string())),
        ("passphrase".to_string(), json!(key.needs_passphrase())),
    ]);
    Ok(findings)
}

#[cfg(not(feature = "vendor"))]
fn key_file(_: &[u8]) -> Result<Findings> {
    let fact = "this is a key of a vendor, and this build of olr is for servers";
    Err(Error::unable(fact, "use the olr of your vendor's office"))
}

/// A kind that this version only knows the frame of.
fn frame(kind: Kind, bytes: &[u8], args: &Args) -> Result<Findings> {
    let findings = signed(&Frame::parse(kind, bytes)?, None);
    let missing = names_vendor(args).then(|| {
        let fact = format!("this program cannot verify a {kind} yet");
        Error::unable(fact, "use a newer olr")
    });
    Ok(Findings { missing, ..findings })
}

#[cfg(feature = "vendor")]
fn names_vendor(args: &Args) -> bool {
    args.vendor.given().is_some()
}

#[cfg(not(feature = "vendor"))]
fn names_vendor(_: &Args) -> bool {
    false
}

//! Files that issuers sign for a server, and receipts from a server.

#[cfg(feature = "vendor")]
use serde_json::{Value, json};

use olr_core::error::{Error, Result};
use olr_core::license::{License, read_unverified};
use olr_core::receipt::{Receipt, ReceiptBody};
#[cfg(feature = "vendor")]
use olr_core::report::masked;
use olr_core::report::{LicenseReport, ReceiptReport, RevocationsReport, TimestampReport};
use olr_core::revocation::{Revocations, read_body};
use olr_core::timestamp::{Timestamp, TimestampBody};
use olr_core::trust::Trust;
use olr_core::wire::codec::{BODY_CAP, decode};
use olr_core::wire::frame::{Frame, Kind};

use super::{Args, Findings, known_revocations, known_trust, signed};

pub fn license(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::License, bytes)?;
    let list = known_revocations(args)?;
    let trust = newest_trust(args, &frame)?;
    let verified = trust.as_ref().map(|trust| {
        let trust = trust.as_ref().map_err(Error::clone)?;
        License::verify_even_revoked(bytes, trust)?.ensure_unrevoked(trust, list.as_ref())
    });
    let mut findings = signed(&frame, verified);
    findings.under = trust.and_then(Result::ok);
    // The content is shown even if no trust can verify it; `verified` says so.
    match read_unverified(bytes) {
        Ok(body) => {
            let report = LicenseReport::from(&body);
            findings.add(&report, report.rows(), &report.tables());
        }
        Err(error) if findings.verified.is_none() => return Err(error),
        Err(_) => {}
    }
    Ok(findings)
}

pub fn time(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Timestamp, bytes)?;
    let trust = newest_trust(args, &frame)?;
    let verified = trust.as_ref().map(|trust| {
        let trust = trust.as_ref().map_err(Error::clone)?;
        Timestamp::verify(bytes, trust).map(drop)
    });
    let mut findings = signed(&frame, verified);
    findings.under = trust.and_then(Result::ok);
    match decode::<TimestampBody>("time body", frame.body, BODY_CAP) {
        Ok(body) => {
            let report = TimestampReport::from(&body);
            findings.add(&report, report.rows(), &[]);
        }
        Err(error) if findings.verified.is_none() => return Err(error),
        Err(_) => {}
    }
    Ok(findings)
}

pub fn revocations(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Revocations, bytes)?;
    let trust = newest_trust(args, &frame)?;
    let verified = match &trust {
        // A list to be attached to licenses comes without its delegations.
        Some(trust) if !frame.attachments.is_empty() => {
            let trust = trust.as_ref().map_err(Error::clone);
            match trust.and_then(|trust| Revocations::verify(bytes, trust).map(drop)) {
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
    let under = trust.and_then(Result::ok);
    let mut findings = Findings { missing, under, ..signed(&frame, verified) };
    match read_body(&frame) {
        Ok(body) => {
            let report = RevocationsReport::from(&body);
            findings.add(&report, report.rows(), &report.tables());
        }
        Err(error) if findings.verified.is_none() => return Err(error),
        Err(_) => {}
    }
    Ok(findings)
}

/// Follows the known trust through the trusts attached to the file, and returns the newest. `None`
/// if no trust is known.
fn newest_trust(args: &Args, frame: &Frame<'_>) -> Result<Option<Result<Trust>>> {
    let newest = |trust: Trust| Ok(trust.followed_by(frame)?.pop().unwrap_or(trust));
    Ok(known_trust(args)?.map(newest))
}

/// Describes a receipt, which contains the key that verifies it: no trust is needed.
pub fn receipt(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Receipt, bytes)?;
    let under = known_trust(args)?;
    let verified = match &under {
        Some(trust) => Receipt::verify_for(trust.vendor(), bytes),
        None => Receipt::verify(bytes),
    };
    let mut findings = Findings { under, ..signed(&frame, Some(verified.clone().map(|_| ()))) };
    if let Ok(body) = decode::<ReceiptBody>("receipt body", frame.body, BODY_CAP) {
        let report = ReceiptReport::from(&body);
        findings.add(&report, report.rows(), &[]);
    }
    #[cfg(feature = "vendor")]
    if let (Ok(receipt), Some(folder)) = (verified, args.vendor.given()) {
        match folder.ended(&receipt) {
            Ok(found) => {
                let (text, json) = ended(found);
                findings.more = text;
                findings.json.insert("issued".to_string(), json);
            }
            // The receipt is valid by itself: only the comparison with the records is missing.
            Err(error) => {
                findings.more = format!("Not compared with the issued licenses: {}.", error.fact());
                let has_records = folder.path().join("ledger.db").symlink_metadata().is_ok();
                findings.missing = Some(error).filter(|_| has_records);
            }
        }
    }
    Ok(findings)
}

/// Describes what the vendor's records say about a receipt.
#[cfg(feature = "vendor")]
fn ended(ended: Option<olr_office::folder::Ended>) -> (String, Value) {
    let Some(ended) = ended else {
        let text = "This receipt ends no license that was issued from this folder.";
        return (text.to_string(), Value::Null);
    };
    let record = &ended.answer;
    let until = match ended.last_day {
        Some(day) => format!("until {day} (ends {})", day.ends()),
        None => "with no end date".to_string(),
    };
    let mut text = format!(
        "This receipt ends a license that was issued from this folder to {}, on {}, for key {}.\n\
         An older copy of the home could still run {until}; the receipt does not prove that there \
         is none.",
        olr_core::display::shown(&record.licensee),
        record.issued,
        masked(&record.license_key),
    );
    if ended.answered_since {
        text += "\nA later request from that installation was answered for this key: the receipt does not end the license in that answer.";
    }
    let until_json = ended.last_day.map_or("never".to_string(), |day| day.to_string());
    let json = json!({
        "license_id": record.license.to_string(), "licensee": record.licensee,
        "issued": record.issued.to_string(),
        "license_key": masked(&record.license_key),
        "expires": record.expires.map_or("never".to_string(), |day| day.to_string()),
        "copy_could_run_until": until_json,
        "answered_since": ended.answered_since,
    });
    (text, json)
}

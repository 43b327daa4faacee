//! Files that roots sign, and key files.

#[cfg(feature = "vendor")]
use serde_json::json;

use olr_core::error::Result;
#[cfg(not(feature = "vendor"))]
use olr_core::error::{Error, Problem};
#[cfg(feature = "vendor")]
use olr_core::proposal::Proposal;
#[cfg(feature = "vendor")]
use olr_core::report::ProposalReport;
use olr_core::report::{DelegationReport, TrustReport};
use olr_core::trust::{DelegationBody, Trust};
use olr_core::wire::codec::{BODY_CAP, decode};
use olr_core::wire::frame::{Frame, Kind};

use super::{Args, Findings, known_trust, signed};
#[cfg(feature = "vendor")]
use crate::cli::show;

/// Describes a trust, which is verified against its own roots: only the vendor code tells whose
/// they are.
pub fn trust(bytes: &[u8]) -> Result<Findings> {
    let frame = Frame::parse(Kind::Trust, bytes)?;
    let pinned = Trust::pin(bytes);
    let mut findings = signed(&frame, Some(pinned.clone().map(|_| ())));
    if let Ok(trust) = pinned {
        let report = TrustReport::from(&trust);
        findings.add(&report, report.rows(), &[]);
    }
    Ok(findings)
}

pub fn delegation(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Delegation, bytes)?;
    let under = known_trust(args)?;
    let check = |trust: &Trust| trust.delegation(&frame)?.check_key();
    let verified = under.as_ref().map(check);
    let mut findings = Findings { under, ..signed(&frame, verified) };
    match decode::<DelegationBody>("delegation body", frame.body, BODY_CAP) {
        Ok(body) => {
            let report = DelegationReport::from(&body);
            findings.add(&report, report.rows(), &[]);
        }
        Err(error) if findings.verified.is_none() => return Err(error),
        Err(_) => {}
    }
    Ok(findings)
}

#[cfg(feature = "vendor")]
pub fn key_file(bytes: &[u8]) -> Result<Findings> {
    let key = olr_office::key::file::KeyFile::parse(bytes)?;
    let protected = if key.needs_passphrase() { "by a passphrase" } else { "no" };
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
pub fn key_file(_: &[u8]) -> Result<Findings> {
    let fact = "this is a vendor's key, and this build of olr is for servers";
    Err(Error::unable(Problem::Unsupported, fact, "use the vendor's build of olr"))
}

/// Describes what a proposal would create, and who has signed it.
#[cfg(feature = "vendor")]
pub fn proposal(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Proposal, bytes)?;
    let trust = known_trust(args)?;
    let verified = match &trust {
        Some(trust) => Some(Proposal::verify(bytes, trust).map(drop)),
        // Without a trust, olr does not know who may sign a license or a delegation.
        None => match Proposal::parse(bytes)?.check(None) {
            Err(error) if error.refusal().is_none() => None,
            verified => Some(verified),
        },
    };
    let mut findings = Findings { under: trust.clone(), ..signed(&frame, verified) };
    if let Ok(proposal) = Proposal::parse(bytes) {
        let trust = trust.as_ref().filter(|trust| trust.vendor() == proposal.vendor());
        let report = ProposalReport::new(&proposal, trust);
        findings.add(&report, report.rows(), &[]);
        if let Ok(missing) = proposal.still_missing(trust) {
            findings.pairs.push(("signatures", missing.unwrap_or_else(|| "enough".to_string())));
        }
        findings.more = show::laid_out(&report.content.rows(), &report.content.tables());
    }
    Ok(findings)
}

#[cfg(not(feature = "vendor"))]
pub fn proposal(_: &[u8], _: &Args) -> Result<Findings> {
    let fact =
        "this is a proposal between a vendor's custodians, and this build of olr is for servers";
    Err(Error::unable(Problem::Unsupported, fact, "use the vendor's build of olr"))
}

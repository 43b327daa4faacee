//! What roots sign, and keys themselves.

use serde_json::json;

use olr_core::error::Result;
#[cfg(not(feature = "vendor"))]
use olr_core::error::{Error, Problem};
#[cfg(feature = "vendor")]
use olr_core::proposal::Proposal;
use olr_core::trust::{DelegationBody, Trust};
use olr_core::wire::codec::{BODY_CAP, decode};
use olr_core::wire::frame::{Frame, Kind};

use super::{Args, Findings, known_trust, signed};

/// A trust is held against its own roots: whose they are, only the vendor code tells.
pub fn trust(bytes: &[u8]) -> Result<Findings> {
    let frame = Frame::parse(Kind::Trust, bytes)?;
    let pinned = Trust::pin(bytes);
    let mut findings = signed(&frame, Some(pinned.clone().map(|_| ())));
    if let Ok(trust) = pinned {
        let body = trust.body();
        let product = |p: &olr_core::trust::Product| {
            let slots: Vec<_> = p.slots.iter().map(|slot| slot.to_string()).collect();
            format!("{} ({})", &*p.id, slots.join(", "))
        };
        let products: Vec<_> = body.products.iter().map(product).collect();
        findings.pairs.extend([
            ("vendor", body.name.to_string()),
            ("vendor code", trust.vendor_code()),
            ("whole code", trust.whole_vendor_code()),
            ("version", body.version.to_string()),
            ("roots", format!("{} of {} must sign", body.threshold, body.roots.len())),
            ("products", products.join("; ")),
            ("for tests only", if body.test { "yes" } else { "no" }.to_string()),
        ]);
        #[cfg(feature = "vendor")]
        findings.pairs.extend(crate::cli::proposal::trust_pairs(body));
        findings.json.extend([
            ("vendor".to_string(), json!(&*body.name)),
            ("vendor_code".to_string(), json!(trust.vendor_code())),
            ("whole_vendor_code".to_string(), json!(trust.whole_vendor_code())),
            ("version".to_string(), json!(body.version)),
            ("threshold".to_string(), json!(body.threshold)),
            ("roots".to_string(), json!(body.roots.len())),
            ("test".to_string(), json!(body.test)),
        ]);
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
            let acts: Vec<_> = body.acts.iter().map(|act| act.to_string()).collect();
            let issuer =
                olr_core::key::key_id(olr_core::key::Role::Issuer, &body.issuer).to_string();
            findings.pairs.extend(crate::cli::delegation::pairs(&body));
            let limits = crate::cli::delegation::limits_json(&body);
            findings.json.insert("limits".to_string(), limits);
            findings.json.insert("issuer".to_string(), json!(issuer));
            findings.json.insert("acts".to_string(), json!(acts));
        }
        Err(error) if findings.verified.is_none() => return Err(error),
        Err(_) => {}
    }
    Ok(findings)
}

#[cfg(feature = "vendor")]
pub fn key_file(bytes: &[u8]) -> Result<Findings> {
    let key = olr_office::key::file::KeyFile::parse(bytes)?;
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
pub fn key_file(_: &[u8]) -> Result<Findings> {
    let fact = "this is a key of a vendor, and this build of olr is for servers";
    Err(Error::unable(Problem::Unsupported, fact, "use the olr of your vendor's office"))
}

/// What would be made of a proposal, and who signed it.
#[cfg(feature = "vendor")]
pub fn proposal(bytes: &[u8], args: &Args) -> Result<Findings> {
    let frame = Frame::parse(Kind::Proposal, bytes)?;
    let trust = known_trust(args)?;
    let verified = match &trust {
        Some(trust) => Some(Proposal::verify(bytes, trust).map(drop)),
        // Who may sign anything but a trust stands in a trust.
        None => match Proposal::parse(bytes)?.check(None) {
            Err(error) if error.refusal().is_none() => None,
            verified => Some(verified),
        },
    };
    let mut findings = Findings { under: trust.clone(), ..signed(&frame, verified) };
    if let Ok(proposal) = Proposal::parse(bytes) {
        let trust = trust.as_ref().filter(|trust| trust.vendor() == proposal.vendor());
        findings.pairs.push(("proposes", proposal.kind().to_string()));
        findings.json.insert("proposes".to_string(), json!(proposal.kind().word()));
        if let Ok(missing) = proposal.still_missing(trust) {
            findings.pairs.push(("signatures", missing.unwrap_or_else(|| "enough".to_string())));
        }
        let missing = crate::cli::proposal::missing(&proposal, trust);
        findings.json.insert("missing".to_string(), missing);
        findings.more = crate::cli::proposal::changes(&proposal, trust);
        findings
            .json
            .insert("content".to_string(), crate::cli::proposal::content_json(&proposal, trust));
    }
    Ok(findings)
}

#[cfg(not(feature = "vendor"))]
pub fn proposal(_: &[u8], _: &Args) -> Result<Findings> {
    let fact =
        "this is on its way between people of a vendor, and this build of olr is for servers";
    Err(Error::unable(Problem::Unsupported, fact, "use the olr of your vendor's office"))
}

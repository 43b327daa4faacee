//! What a proposal would change, in a table.

use serde_json::{Value, json};

use olr_core::error::Result;
use olr_core::key::{Role, key_id};
use olr_core::proposal::{Content, Proposal};
use olr_core::trust::{SignerRule, Trust, TrustBody};
use olr_core::wire::codec::Limit;

use crate::cli::delegation::{maximum_text, pairs as delegation_pairs};
use crate::cli::{license, show};

/// What would be signed: of a next trust what differs from the one at hand, of anything else all.
pub fn changes(proposal: &Proposal, trust: Option<&Trust>) -> String {
    match proposal.content() {
        Content::Trust(next) => {
            let now = trust.map(|trust| facts(trust.body())).unwrap_or_default();
            let rows = differences(&now, &facts(next));
            let titles: &[&str] =
                if trust.is_some() { &["what", "now", "then"] } else { &["what", "then"] };
            let keep = |row: Vec<String>| match (trust, row.as_slice()) {
                (None, [what, _, then]) => vec![what.clone(), then.clone()],
                _ => row,
            };
            show::table(titles, &rows.into_iter().map(keep).collect::<Vec<_>>(), &[])
        }
        Content::Delegation(body) => show::pairs(&delegation_pairs(body)),
        Content::License(body) => {
            format!("{}\n\n{}", show::pairs(&license::pairs(body)), license::modules(body, None))
        }
    }
}

/// The same for programs.
pub fn content_json(proposal: &Proposal, trust: Option<&Trust>) -> Value {
    match proposal.content() {
        Content::Trust(next) => {
            let now = trust.map(|trust| facts(trust.body())).unwrap_or_default();
            let row = |row: Vec<String>| json!(row);
            let rows: Vec<_> = differences(&now, &facts(next)).into_iter().map(row).collect();
            json!({"version": next.version, "vendor": &*next.name, "changes": rows})
        }
        Content::Delegation(body) => {
            let pairs = delegation_pairs(body);
            Value::Object(
                pairs
                    .into_iter()
                    .map(|(name, value)| (name.replace(' ', "_"), json!(value)))
                    .collect(),
            )
        }
        Content::License(body) => Value::Object(license::report(body)),
    }
}

/// Everything a trust says, one line a fact; lists have a line for each entry.
fn facts(body: &TrustBody) -> Vec<(String, String)> {
    let hex = |digest: &[u8; 32]| data_encoding::HEXLOWER.encode(digest);
    let mut facts = vec![
        ("version".to_string(), body.version.to_string()),
        ("vendor".to_string(), body.name.to_string()),
        ("roots that must sign".to_string(), body.threshold.to_string()),
    ];
    facts.extend(
        body.roots.iter().map(|key| ("root".to_string(), key_id(Role::Root, key).to_string())),
    );
    for (at, key) in body.sealing.iter().enumerate() {
        let what = if at == 0 { "requests are sealed to" } else { "opened too with" };
        facts.push((what.to_string(), key_id(Role::Sealing, key).to_string()));
    }
    for product in body.products.iter() {
        let slots: Vec<_> = product.slots.iter().map(|slot| slot.to_string()).collect();
        facts.push(("product".to_string(), format!("{} ({})", &*product.id, slots.join(", "))));
    }
    facts.extend(body.kept.iter().map(|kept| ("kept delegation".to_string(), hex(kept))));
    facts.extend(body.revoked.iter().map(|key| ("revoked key".to_string(), key.to_string())));
    facts.extend(body.signer_rules.iter().map(|rule| ("rule".to_string(), rule_text(rule))));
    facts.push(("for tests only".to_string(), if body.test { "yes" } else { "no" }.to_string()));
    facts
}

/// What a trust says beyond its version, name and products, for people.
pub fn trust_pairs(body: &TrustBody) -> Vec<(&'static str, String)> {
    let list = |what: &str| {
        let of = |(name, value): (String, String)| (name == what).then_some(value);
        facts(body).into_iter().filter_map(of).collect::<Vec<_>>().join(", ")
    };
    let pairs = [
        ("root keys", list("root")),
        ("sealed to", list("requests are sealed to")),
        ("opened too", list("opened too with")),
        ("kept", list("kept delegation")),
        ("revoked", list("revoked key")),
        ("rules", list("rule").replace(", model", "; model")),
    ];
    pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// Rows of what stands on one side alone; where both sides have one value, in one row.
fn differences(now: &[(String, String)], then: &[(String, String)]) -> Vec<Vec<String>> {
    let gone: Vec<_> = now.iter().filter(|fact| !then.contains(fact)).collect();
    let new: Vec<_> = then.iter().filter(|fact| !now.contains(fact)).collect();
    let single = |list: &[&(String, String)], what: &str| {
        list.iter().filter(|fact| fact.0 == what).count() == 1
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for fact in &gone {
        let pair = new.iter().find(|other| other.0 == fact.0);
        let then = match pair.filter(|_| single(&gone, &fact.0) && single(&new, &fact.0)) {
            Some(pair) => pair.1.clone(),
            None => "-".to_string(),
        };
        rows.push(vec![fact.0.clone(), fact.1.clone(), then]);
    }
    for fact in &new {
        if !(single(&gone, &fact.0) && single(&new, &fact.0)) {
            rows.push(vec![fact.0.clone(), "-".to_string(), fact.1.clone()]);
        }
    }
    rows
}

/// A rule as `--rule` takes it.
pub fn rule_text(rule: &SignerRule) -> String {
    let mut text = match &rule.model {
        Limit::Any => "model=any".to_string(),
        Limit::Only(model) => format!("model={model}"),
    };
    if let Some(above) = &rule.above {
        text += &format!(" above={}", maximum_text(above));
    }
    format!("{text} signers={}", rule.signers)
}

/// Who signed, and who has still to.
pub fn signature_pairs(
    proposal: &Proposal,
    trust: Option<&Trust>,
) -> Result<Vec<(&'static str, String)>> {
    let signed: Vec<_> = proposal.signed_by().iter().map(|key| key.to_string()).collect();
    let signed = if signed.is_empty() { "nobody yet".to_string() } else { signed.join(", ") };
    let missing = proposal.still_missing(trust)?;
    Ok(vec![
        ("signed by", signed),
        ("signatures", missing.unwrap_or_else(|| "enough: combine it".to_string())),
    ])
}

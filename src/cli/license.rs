//! How a license looks to people and programs.

use serde_json::{Map, Value, json};

use olr_core::entitlement::{
    Cause, Count, GraceRule, Grant, Operation, Outcome, Quota, Quotas, ungranted,
};
use olr_core::license::LicenseBody;
use olr_core::time::DAY;
use olr_core::wire::codec::{Limit, Set};

use super::show::{day_json, last_day, object, quota_json, table};

/// Modules that are named where a license is to be recognised, not read.
const NAMED: usize = 8;

/// What a license is to the person who is about to end it: whose, for what, how much, how long.
pub fn hit(body: &LicenseBody) -> Vec<(&'static str, String)> {
    let mut quotas: Vec<_> =
        body.grants.iter().map(|g| format!("{} {}", &*g.module, g.quota)).collect();
    let more = quotas.len().saturating_sub(NAMED);
    quotas.truncate(NAMED);
    if more > 0 {
        quotas.push(format!("{more} more modules"));
    }
    vec![
        ("license", body.license.to_string()),
        ("licensee", body.licensee.to_string()),
        ("product", format!("{}, slot {}", &*body.product, &*body.slot)),
        ("type", body.type_id.to_string()),
        ("quota", quotas.join(", ")),
        ("expires", last_day(body.expires)),
    ]
}

pub fn pairs(body: &LicenseBody) -> Vec<(&'static str, String)> {
    let languages: Vec<_> = body.languages.iter().map(|l| l.to_string()).collect();
    let mut pairs = vec![
        ("license", body.license.to_string()),
        ("licensee", body.licensee.to_string()),
        ("product", body.product.to_string()),
        ("slot", body.slot.to_string()),
        ("type", format!("{} ({} {})", &*body.type_id, body.model, body.edition)),
        ("issued", body.issued.to_string()),
        ("starts", body.starts.to_string()),
        ("expires", last_day(body.expires)),
        ("maintenance", maintenance(body)),
        ("languages", languages.join(", ")),
        ("operations", words(&body.operations)),
    ];
    pairs.extend(body.grace.iter().map(|rule| follows(rule, body)));
    if !body.always.is_empty() {
        pairs.push(("never blocked", words(&body.always)));
    }
    if let Some(replaced) = body.replaces {
        pairs.push(("replaces", replaced.to_string()));
    }
    if !body.note.is_empty() {
        pairs.push(("note", body.note.to_string()));
    }
    pairs
}

fn maintenance(body: &LicenseBody) -> String {
    body.maintenance.map_or("no end date".to_string(), |day| last_day(Some(day)))
}

/// What follows a cause, in the words of the license.
fn follows(rule: &GraceRule, body: &LicenseBody) -> (&'static str, String) {
    let when = match rule.cause {
        Cause::Expired => "when expired",
        Cause::OverQuota => "over quota",
        Cause::Conflict => "other machine",
        Cause::Revoked => "when revoked",
        Cause::Pooled => "when pooled",
        Cause::Upgraded => "upgraded, over",
        // The others are causes of events only.
        other => other.word(),
    };
    let blocked = body.enforcement.get(&rule.cause).map(|rule| words(&rule.blocked));
    let then = match rule.outcome {
        Outcome::Warn => return (when, "goes on, and says so".to_string()),
        Outcome::Stop => "stops".to_string(),
        Outcome::Block => format!("blocks {}", blocked.unwrap_or_default()),
    };
    let text = match rule.seconds {
        0 => format!("{then} at once"),
        seconds => format!("goes on for {}, then {then}", span(seconds)),
    };
    (when, text)
}

fn words(operations: &[Operation]) -> String {
    operations.iter().map(Operation::word).collect::<Vec<_>>().join(", ")
}

/// So many seconds in days, hours or minutes, the largest two that are not 0.
pub fn span(seconds: u64) -> String {
    let units = [(DAY, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let mut left = seconds;
    let mut pieces = Vec::new();
    for (size, name) in units {
        let count = left.checked_div(size).unwrap_or_default();
        left = left.checked_rem(size).unwrap_or_default();
        match count {
            0 => {}
            1 => pieces.push(format!("1 {name}")),
            _ => pieces.push(format!("{count} {name}s")),
        }
    }
    pieces.truncate(2);
    if pieces.is_empty() { "0 seconds".to_string() } else { pieces.join(" ") }
}

/// The modules of a license as a table, by group; with what is used and left where that is known.
/// Of a pool, the quota of the module itself stands there, and what is left in the pool.
pub fn modules(body: &LicenseBody, usage: Option<&Set<Count, 4096>>) -> String {
    let quotas = usage.map(|usage| Quotas::new(&body.grants, usage));
    let row = |g: &Grant| {
        let mut row = vec![g.group.to_string(), g.module.to_string(), g.name.to_string()];
        row.push(g.quota.to_string());
        if let (Some(usage), Some(quotas)) = (usage, &quotas) {
            let used = usage.get(&*g.module).map_or(0, |count| count.count);
            let stands = quotas.of(&body.grants, &g.module);
            let available = stands.map_or(Limit::Any, |(_, quota)| quota.available());
            row.push(used.to_string());
            row.push(available.to_string());
        }
        row.push(g.unit.to_string());
        row.push(g.pool.to_string());
        row
    };
    let mut rows: Vec<_> = body.grants.iter().map(row).collect();
    rows.sort();
    // Last, where it is seen: what no grant stands for.
    let ungranted = usage.zip(quotas.as_ref());
    rows.extend(ungranted.into_iter().flat_map(|(usage, quotas)| {
        ungranted_rows(body, usage, quotas).map(|(count, quota)| {
            let name = if quota.granted == Limit::Any { "(included)" } else { "(not granted)" };
            vec![
                String::new(),
                count.module.to_string(),
                name.to_string(),
                quota.granted.to_string(),
                count.count.to_string(),
                quota.available().to_string(),
                String::new(),
                String::new(),
            ]
        })
    }));
    let mut header = vec!["group", "module", "name", "quota"];
    header.extend(if usage.is_some() { &["used", "available"][..] } else { &[] });
    header.extend(["unit", "pool"]);
    if rows.iter().all(|row| row.last().is_none_or(String::is_empty)) {
        header.pop();
        rows.iter_mut().for_each(|row| drop(row.pop()));
    }
    table(&header, &rows, if usage.is_some() { &[3, 4, 5] } else { &[3] })
}

/// What is left, as JSON has numbers.
fn available(quota: Quota) -> Option<i64> {
    let left = quota.available().only()?.clamp(i64::MIN.into(), i64::MAX.into());
    i64::try_from(left).ok()
}

/// What is in use without a grant of its own, and how it stands.
fn ungranted_rows<'a>(
    body: &'a LicenseBody,
    usage: &'a Set<Count, 4096>,
    quotas: &'a Quotas,
) -> impl Iterator<Item = (&'a Count, Quota)> {
    let stands = |count: &Count| quotas.standing(&body.grants, usage, &count.module);
    ungranted(&body.grants, usage).map(move |count| (count, stands(count)))
}

/// What a report says of a license.
pub fn report(body: &LicenseBody) -> Map<String, Value> {
    used_report(body, None)
}

/// As [`report`], with what is in use.
pub fn used_report(body: &LicenseBody, usage: Option<&Set<Count, 4096>>) -> Map<String, Value> {
    let quotas = usage.map(|usage| Quotas::new(&body.grants, usage));
    let module = |grant: &Grant| {
        let stands = quotas.as_ref().and_then(|quotas| quotas.of(&body.grants, &grant.module));
        let used = usage.map(|usage| usage.get(&*grant.module).map_or(0, |count| count.count));
        let available = stands.and_then(|(_, quota)| available(quota));
        let quota = quota_json(grant.quota);
        let entry = json!({
            "quota": quota, "used": used, "available": available, "unit": &*grant.unit, "group": &*grant.group,
        });
        (grant.module.to_string(), entry)
    };
    let ungranted = usage.zip(quotas.as_ref()).into_iter().flat_map(|(usage, quotas)| {
        ungranted_rows(body, usage, quotas).map(|(count, stands)| {
            let quota = quota_json(stands.granted);
            let entry = json!({
                "quota": quota, "used": count.count, "available": available(stands), "unit": "", "group": "",
            });
            (count.module.to_string(), entry)
        })
    });
    let modules: Map<_, _> = body.grants.iter().map(module).chain(ungranted).collect();
    let report = json!({
        "license_id": body.license.to_string(), "product": &*body.product, "slot": &*body.slot,
        "type": &*body.type_id, "model": body.model.word(), "edition": body.edition.word(),
        "licensee": &*body.licensee, "issued": body.issued.to_string(),
        "starts": body.starts.to_string(), "expires": day_json(body.expires),
        "maintenance": day_json(body.maintenance), "modules": modules,
        "languages": body.languages.iter().map(|l| l.to_string()).collect::<Vec<_>>(),
        "operations": body.operations.iter().map(Operation::word).collect::<Vec<_>>(),
        "grace": null, "note": &*body.note,
    });
    object(report)
}

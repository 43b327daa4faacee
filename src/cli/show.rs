//! How artefacts look to people and programs.

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use olr_core::display::code;
use olr_core::key::{Role, key_id};
use olr_core::machine::{Change, Factor, Line, Reason, label};
#[cfg(feature = "vendor")]
use olr_core::machine::{changes, judgement};
use olr_core::receipt::ReceiptBody;
use olr_core::request::{Earlier, RequestBody};
use olr_core::revocation::RevocationsBody;
use olr_core::time::Day;
use olr_core::timestamp::TimestampBody;
use olr_core::wire::codec::Limit;

use super::hint;
pub use super::layout::{pairs, table};

/// Factors that count, and the others with `all`.
pub fn factors(factors: &[Factor], all: bool) -> String {
    let row = |f: &Factor| {
        let why = if f.ignored.is_empty() { String::new() } else { format!(" ({})", &*f.ignored) };
        vec![label(f.kind, &f.name), f.class.to_string(), format!("{}{why}", &*f.value)]
    };
    let rows: Vec<_> = factors.iter().filter(|f| all || f.counts()).map(row).collect();
    let hidden = factors.len().saturating_sub(rows.len());
    let table = table(&["factor", "class", "value"], &rows, &[]);
    match hidden {
        0 => table,
        1 => format!("{table}\nOne more value does not count; --all shows it."),
        _ => format!("{table}\n{hidden} more values do not count; --all shows them."),
    }
}

pub fn factor_json(factor: &Factor) -> Value {
    json!({
        "kind": factor.kind.word(), "class": factor.class.word(), "name": &*factor.name,
        "value": &*factor.value, "ignored": &*factor.ignored,
    })
}

/// What became of factors; with their points, where these are known. What is another now has a
/// line of its own.
pub fn lines<'a>(lines: impl IntoIterator<Item = &'a Line>, points: bool) -> String {
    let rows = |line: &Line| {
        let weight = if line.weight == 0 { String::new() } else { line.weight.to_string() };
        let (then, now) = (line.then.as_ref(), line.now.as_ref());
        let value = match (then, now) {
            (Some(then), _) => value(Some(then), None),
            (None, now) => value(now, line.reason),
        };
        let name = label(line.kind, line.name());
        let mut rows = vec![vec![name, line.change.word().to_string(), weight, value]];
        if then.is_some() && line.change != Change::Same && (now.is_some() || line.reason.is_some())
        {
            let value = self::value(now, line.reason);
            rows.push(vec![String::new(), "now".to_string(), String::new(), value]);
        }
        rows
    };
    let mut rows: Vec<_> = lines.into_iter().flat_map(rows).collect();
    if !points {
        rows.iter_mut().for_each(|row| drop(row.remove(2)));
        return table(&["factor", "verdict", "value"], &rows, &[]);
    }
    table(&["factor", "verdict", "points", "value"], &rows, &[2])
}

fn value(factor: Option<&Factor>, otherwise: Option<Reason>) -> String {
    match factor {
        Some(factor) if factor.counts() => factor.value.to_string(),
        Some(factor) => format!("{} (ignored: {})", &*factor.value, &*factor.ignored),
        None => otherwise.map_or("-".to_string(), |reason| format!("({})", hint::reason(reason))),
    }
}

/// The factors of a request; where it knows those that the installed license was issued for, first
/// what became of them.
#[cfg(feature = "vendor")]
pub fn request_factors(body: &RequestBody, all: bool) -> String {
    let found = factors(&body.found, all);
    request_changes(body).map_or(found.clone(), |changes| format!("{changes}\n\n{found}"))
}

/// What became of the factors that the installed license was issued for, and first what that looks
/// like; nothing where none are known.
#[cfg(feature = "vendor")]
pub fn request_changes(body: &RequestBody) -> Option<String> {
    if body.enrolled.is_empty() {
        return None;
    }
    let changes = changes(&body.enrolled, &body.found, &[]);
    let (judgement, table) = (judgement(&changes), lines(&changes, false));
    Some(format!("Judgement: {judgement}.\n\nSince the installed license was asked for:\n{table}"))
}

/// The same for programs: nothing where nothing is known to compare with.
#[cfg(feature = "vendor")]
pub fn changes_json(body: &RequestBody) -> Option<(String, Value)> {
    if body.enrolled.is_empty() {
        return None;
    }
    let changes = changes(&body.enrolled, &body.found, &[]);
    let line = |line: &Line| {
        let mut json = object(line_json(line));
        json.remove("weight");
        json
    };
    let lines: Vec<_> = changes.iter().map(line).collect();
    Some(("changes".to_string(), json!({"factors": lines, "judgement": judgement(&changes)})))
}

pub fn line_json(line: &Line) -> Value {
    let value = |factor: &Option<Factor>| json!(factor.as_ref().map(|factor| &*factor.value));
    json!({
        "kind": line.kind.word(), "class": line.class.word(), "name": line.name(),
        "verdict": line.change.word(), "weight": line.weight, "same": line.change == Change::Same,
        "old": value(&line.then), "new": value(&line.now),
    })
}

/// A license key, of which outputs show only the end.
pub fn masked(key: &str) -> String {
    if key.chars().count() <= 8 {
        return "****".to_string();
    }
    let end = key.char_indices().rev().nth(3).and_then(|(start, _)| key.get(start..));
    format!("…{}", end.unwrap_or_default())
}

pub fn quota_json(quota: Limit<u64>) -> Value {
    match quota {
        Limit::Only(count) => json!(count),
        Limit::Any => json!("unlimited"),
    }
}

/// A last day and the instant at which it has ended everywhere.
pub fn last_day(day: Option<Day>) -> String {
    day.map_or("never".to_string(), |day| format!("{day} (until {})", day.ends()))
}

pub fn day_json(day: Option<Day>) -> Value {
    day.map_or(json!("never"), |day| json!(day.to_string()))
}

pub fn request_pairs(body: &RequestBody) -> Vec<(&'static str, String)> {
    let join =
        |texts: Vec<String>| if texts.is_empty() { "none".to_string() } else { texts.join(", ") };
    let facts = body.facts.iter().map(|fact| format!("{} {}", &*fact.name, &*fact.value));
    let wanted = body.wanted.iter().map(|count| format!("{}={}", &*count.module, count.count));
    let mut pairs = vec![
        ("licensee", body.licensee.to_string()),
        ("license key", masked(&body.license_key.0)),
        ("product", [&*body.product, &*body.product_version].join(" ").trim_end().to_string()),
        ("slot", body.slot.to_string()),
        ("request", format!("{} (number {})", body.request, body.number)),
        ("install id", install_id(&body.install_key)),
        ("server clock", body.clock.to_string()),
        ("addresses", join(body.addresses.iter().map(|a| a.to_string()).collect())),
        ("host", join(facts.collect())),
    ];
    let earlier = body.earlier.iter().map(|e| format!("{} ({})", e.number, code(&e.hash)));
    let enrolled = body.enrolled.iter().filter(|f| f.counts());
    let enrolled = enrolled.map(|f| format!("{} {}", f.kind, &*f.value));
    let usage = body.usage.iter().map(|count| format!("{}={}", &*count.module, count.count));
    let optional = [
        ("boot", body.boot.to_string()),
        ("made before", earlier.collect::<Vec<_>>().join(", ")),
        ("licensed for", enrolled.collect::<Vec<_>>().join(", ")),
        ("in use", usage.collect::<Vec<_>>().join(", ")),
        ("renews", body.renews.map(|id| id.to_string()).unwrap_or_default()),
        ("wanted", wanted.collect::<Vec<_>>().join(", ")),
        ("note", body.note.to_string()),
    ];
    pairs.extend(optional.into_iter().filter(|(_, value)| !value.is_empty()));
    pairs
}

/// Everything in a request but what must not be shown.
pub fn request_json(body: &RequestBody) -> Value {
    let facts: Map<_, _> =
        body.facts.iter().map(|f| (f.name.to_string(), json!(&*f.value))).collect();
    let wanted: Map<_, _> =
        body.wanted.iter().map(|c| (c.module.to_string(), json!(c.count))).collect();
    json!({
        "request": body.request.to_string(), "number": body.number,
        "earlier": earlier_json(&body.earlier),
        "install_id": install_id(&body.install_key),
        "product": &*body.product, "product_version": &*body.product_version, "slot": &*body.slot,
        "licensee": &*body.licensee, "license_key": masked(&body.license_key.0),
        "enrolled": body.enrolled.iter().map(factor_json).collect::<Vec<_>>(),
        "found": body.found.iter().map(factor_json).collect::<Vec<_>>(),
        "addresses": body.addresses.iter().map(|a| a.to_string()).collect::<Vec<_>>(),
        "facts": facts, "clock": body.clock.to_string(), "boot": &*body.boot,
        "renews": body.renews.map(|id| id.to_string()), "wanted": wanted, "note": &*body.note,
    })
}

/// The install id of an install key.
pub fn install_id(key: &[u8; 32]) -> String {
    key_id(Role::Install, key).to_string()
}

pub fn receipt_pairs(body: &ReceiptBody) -> Vec<(&'static str, String)> {
    vec![
        ("ended license", body.license.to_string()),
        ("product", body.product.to_string()),
        ("slot", body.slot.to_string()),
        ("install id", install_id(&body.install_key)),
        ("number", body.number.to_string()),
        ("server clock", body.at.to_string()),
    ]
}

pub fn receipt_json(body: &ReceiptBody) -> Map<String, Value> {
    let report = json!({
        "license_id": body.license.to_string(), "license_hash": HEXLOWER.encode(&body.license_hash),
        "product": &*body.product, "slot": &*body.slot,
        "install_id": install_id(&body.install_key),
        "number": body.number, "earlier": earlier_json(&body.earlier), "at": body.at.to_string(),
    });
    object(report)
}

pub fn revocations_pairs(body: &RevocationsBody) -> Vec<(&'static str, String)> {
    let named = match body.licenses.len() {
        1 => "1 license, named by a digest of its id".to_string(),
        count => format!("{count} licenses, named by digests of their ids"),
    };
    vec![
        ("list", format!("{} under trust {}", body.sequence, body.version)),
        ("issued", body.issued.to_string()),
        ("revoked", named),
    ]
}

pub fn revocations_json(body: &RevocationsBody) -> Map<String, Value> {
    let licenses = body.licenses.iter();
    let licenses: Vec<_> = licenses
        .map(|w| json!({"license": w.license.to_string(), "cause": w.cause.word()}))
        .collect();
    object(json!({
        "version": body.version, "sequence": body.sequence, "issued": body.issued.to_string(),
        "licenses": licenses,
    }))
}

pub fn time_pairs(body: &TimestampBody) -> Vec<(&'static str, String)> {
    vec![
        ("answers request", format!("{} (number {})", code(&body.request_hash), body.number)),
        ("install id", install_id(&body.install_key)),
        ("time", body.time.to_string()),
    ]
}

pub fn time_json(body: &TimestampBody) -> Map<String, Value> {
    object(json!({
        "request": body.request.to_string(), "code": code(&body.request_hash),
        "number": body.number, "install_id": install_id(&body.install_key),
        "time": body.time.to_string(),
    }))
}

pub fn earlier_json(earlier: &[Earlier]) -> Value {
    json!(
        earlier
            .iter()
            .map(|e| json!({"number": e.number, "code": code(&e.hash)}))
            .collect::<Vec<_>>()
    )
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

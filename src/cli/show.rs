//! Layout of reports: rows and tables as text, and JSON objects for programs.

use serde::Serialize;
use serde_json::{Map, Value};

#[cfg(feature = "vendor")]
use olr_core::key::{Role, key_id};
use olr_core::machine::{Change, Factor, Line, Reason, label};
#[cfg(feature = "vendor")]
use olr_core::machine::{changes, judgement};
#[cfg(feature = "vendor")]
use olr_core::report::RequestChangesReport;
use olr_core::report::{FactorReport, Row, Table, factor_table};
#[cfg(feature = "vendor")]
use olr_core::request::RequestBody;

use super::hint;
pub use super::layout::{pairs, table};

/// Lays out rows, and tables below them.
pub fn laid_out(rows: &[Row], tables: &[Table]) -> String {
    let rows = Some(pairs(rows)).filter(|text| !text.is_empty());
    rows.into_iter().chain(tables.iter().map(lines_of)).collect::<Vec<_>>().join("\n\n")
}

fn lines_of(entries: &Table) -> String {
    table(&entries.header, &entries.rows, &entries.numbers)
}

/// Returns a report as JSON.
pub fn json(report: &impl Serialize) -> Value {
    // Cannot fail: a report holds only texts, numbers, lists and objects.
    serde_json::to_value(report).unwrap_or_default()
}

/// Returns the fields of a report, to be merged into another object.
pub fn object(report: &impl Serialize) -> Map<String, Value> {
    match json(report) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// Lists the factors that can identify a machine and, with `all`, the ignored ones too.
pub fn factors(factors: &[Factor], all: bool) -> String {
    let reports: Vec<_> = factors.iter().map(FactorReport::from).collect();
    let entries = factor_table(&reports, all);
    let hidden = factors.len().saturating_sub(entries.rows.len());
    let table = lines_of(&entries);
    match hidden {
        0 => table,
        1 => format!("{table}\nOne more value is ignored; --all shows it."),
        _ => format!("{table}\n{hidden} more values are ignored; --all shows them."),
    }
}

/// Lists what became of each factor, with a column of points if `points` is true. The new value of
/// a changed factor gets a line of its own.
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

/// Lists the factors of a request. If the request also names those of the installed license, the
/// changes come first.
#[cfg(feature = "vendor")]
pub fn request_factors(body: &RequestBody, all: bool) -> String {
    let found = factors(&body.found, all);
    request_changes(body).map_or(found.clone(), |changes| format!("{changes}\n\n{found}"))
}

/// Describes the changes since the installed license was issued, judgement first. `None` if the
/// request does not name that license's factors.
#[cfg(feature = "vendor")]
pub fn request_changes(body: &RequestBody) -> Option<String> {
    if body.enrolled.is_empty() {
        return None;
    }
    let changes = changes(&body.enrolled, &body.found, &[]);
    let (judgement, table) = (judgement(&changes), lines(&changes, false));
    Some(format!("Verdict: {judgement}.\n\nSince the request for the installed license:\n{table}"))
}

/// Returns the changes of [`request_changes`] as JSON, under their key.
#[cfg(feature = "vendor")]
pub fn changes_json(body: &RequestBody) -> Option<(String, Value)> {
    RequestChangesReport::of(body).map(|changes| ("changes".to_string(), json(&changes)))
}

/// Returns the install id of an install key.
#[cfg(feature = "vendor")]
pub fn install_id(key: &[u8; 32]) -> String {
    key_id(Role::Install, key).to_string()
}

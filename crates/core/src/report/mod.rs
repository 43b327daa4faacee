//! Reports: contents of bodies and decisions as data, for people and programs. Implements
//! `docs/reports.md`.
//!
//! A report destructures its body field by field, so that a new field does not compile until the
//! report shows it. `rows` and `tables` return its text, whose layout the caller decides. With the
//! feature `serde`, the report itself is the object described in `docs/json.md`.

mod decision;
mod delegation;
mod extension;
mod factor;
#[cfg(feature = "serde")]
mod json;
mod license;
mod module;
mod policy;
mod proposal;
mod receipt;
mod request;
mod revocation;
mod timestamp;
mod trust;

pub use decision::{
    DecisionReport, DriftReport, ErrorReport, NearEndReport, NextReport, WaitingReport,
};
pub use delegation::{DelegationReport, LimitsReport, ModuleMaxima};
pub use extension::ExtensionReport;
pub use factor::{ChangeReport, FactorReport, MachineReport, factor_table};
pub use license::{EnforcementReport, GraceReport, LicenseReport, RuleReport};
pub use module::ModuleReport;
pub use policy::{PolicyFactorReport, PolicyReport};
pub use proposal::{ContentReport, DelegationContent, ProposalReport, TrustContent};
pub use receipt::ReceiptReport;
pub use request::{EarlierReport, RequestChangesReport, RequestReport};
pub use revocation::{RevocationsReport, WithdrawnReport};
pub use timestamp::TimestampReport;
pub use trust::{AboveReport, ProductReport, SignerRuleReport, TrustReport};

use crate::time::{DAY, Day};

/// A line of text: label and value.
pub type Row = (&'static str, String);

/// A table: lines of text below a header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Headings of the columns.
    pub header: Vec<&'static str>,
    /// The entries, each with a value for every column.
    pub rows: Vec<Vec<String>>,
    /// Indices of the columns that contain numbers. The first column has index 0.
    pub numbers: Vec<usize>,
}

impl Table {
    /// Removes the columns in which no entry has a value.
    #[must_use]
    fn without_empty_columns(self) -> Self {
        let is_used = |at: &usize| {
            self.rows.is_empty()
                || self.rows.iter().any(|row| row.get(*at).is_some_and(|value| !value.is_empty()))
        };
        let used: Vec<_> = (0..self.header.len()).filter(is_used).collect();
        let kept = |row: &Vec<String>| used.iter().filter_map(|at| row.get(*at).cloned()).collect();
        Self {
            header: used.iter().filter_map(|at| self.header.get(*at).copied()).collect(),
            rows: self.rows.iter().map(kept).collect(),
            numbers: (0..used.len())
                .filter(|at| used.get(*at).is_some_and(|was| self.numbers.contains(was)))
                .collect(),
        }
    }
}

/// Masks a license key, so that reports show only its end. Hides a key of up to 8 characters
/// completely.
pub fn masked(key: &str) -> String {
    if key.chars().count() <= 8 {
        return "****".to_string();
    }
    let end = key.char_indices().rev().nth(3).and_then(|(start, _)| key.get(start..));
    format!("…{}", end.unwrap_or_default())
}

/// Formats a last day with the instant at which it has ended in every time zone.
pub fn last_day(day: Option<Day>) -> String {
    day.map_or("no end date".to_string(), |day| format!("{day} (ends {})", day.ends()))
}

/// Formats seconds as days, hours, minutes and seconds.
pub fn span(seconds: u64) -> String {
    pieces(seconds, usize::MAX)
}

/// Formats seconds in the two largest units that are not 0.
pub fn short_span(seconds: u64) -> String {
    pieces(seconds, 2)
}

fn pieces(seconds: u64, most: usize) -> String {
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
    pieces.truncate(most);
    if pieces.is_empty() { "0 seconds".to_string() } else { pieces.join(" ") }
}

fn joined<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

/// The values, or *none*.
fn joined_or_none<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let values = joined(values);
    if values.is_empty() { "none".to_string() } else { values }
}

fn yes_or_no(is: bool) -> String {
    if is { "yes" } else { "no" }.to_string()
}

/// Formats bytes in lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Returns the rows that have a value.
fn present<const N: usize>(rows: [Row; N]) -> impl Iterator<Item = Row> {
    rows.into_iter().filter(|(_, value)| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_exact_and_its_estimate_short() {
        for (seconds, exact, short) in [
            (0, "0 seconds", "0 seconds"),
            (DAY, "1 day", "1 day"),
            (36 * 3600, "1 day 12 hours", "1 day 12 hours"),
            (2 * DAY + 3661, "2 days 1 hour 1 minute 1 second", "2 days 1 hour"),
        ] {
            assert_eq!((span(seconds).as_str(), short_span(seconds).as_str()), (exact, short));
        }
    }

    #[test]
    fn a_key_shows_only_its_end() {
        assert_eq!([masked("12345678"), masked("123456789")], ["****", "…6789"]);
    }

    #[test]
    fn columns_without_a_value_go() {
        let row = |row: [&str; 3]| row.map(str::to_string).to_vec();
        let table = Table {
            header: vec!["a", "b", "c"],
            rows: vec![row(["1", "", "2"]), row(["", "", "3"])],
            numbers: vec![1, 2],
        };
        let slim = table.without_empty_columns();
        assert_eq!((slim.header, slim.numbers), (vec!["a", "c"], vec![1]));
        assert_eq!(slim.rows, [["1", "2"], ["", "3"]]);
    }
}

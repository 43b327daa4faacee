//! Reports: what bodies and decisions say, as data, for people and programs. Obeys `docs/format.md`, section
//! "Reports".
//!
//! A report takes its body apart field by field, so that a new field of a body does not compile until
//! it is shown. `rows` and `tables` are its text; with the feature `serde` the report itself is the
//! object of `docs/json.md`. How text is laid out, a surface decides.

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

/// Label and value: a line of text.
pub type Row = (&'static str, String);

/// Entries with several values each: lines of text below a header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// What the columns are.
    pub header: Vec<&'static str>,
    /// The entries, each with a value for every column.
    pub rows: Vec<Vec<String>>,
    /// The columns of numbers, from 0.
    pub numbers: Vec<usize>,
}

impl Table {
    /// The table without the columns in which no entry has a value.
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

/// A license key, of which reports show only the end.
pub fn masked(key: &str) -> String {
    if key.chars().count() <= 8 {
        return "****".to_string();
    }
    let end = key.char_indices().rev().nth(3).and_then(|(start, _)| key.get(start..));
    format!("…{}", end.unwrap_or_default())
}

/// A last day and the instant at which it has ended everywhere.
pub fn last_day(day: Option<Day>) -> String {
    day.map_or("never".to_string(), |day| format!("{day} (until {})", day.ends()))
}

/// So many seconds in days, hours, minutes and seconds.
pub fn span(seconds: u64) -> String {
    pieces(seconds, usize::MAX)
}

/// So many seconds in the largest two units that are not 0.
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

fn yes_or_no(is: bool) -> String {
    if is { "yes" } else { "no" }.to_string()
}

/// Bytes in lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// The rows that have a value.
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

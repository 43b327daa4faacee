//! Checks of what callers give: texts and numbers of CALs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::db::DbResult;
use crate::ledger::order::Arguments;
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};

/// Maximum number of CALs in one line. Sums of such numbers fit into 64 bits.
pub const CALS_CAP: u64 = 1_000_000_000_000;

/// Maximum length of a text in bytes.
const TEXT_CAP: usize = 256;

/// A number of CALs of one module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cals {
    /// Id of the module.
    pub module: String,
    /// What one CAL counts.
    pub unit: String,
    /// How many.
    pub count: u64,
}

impl Cals {
    /// Makes a number of CALs.
    pub fn new(module: impl Into<String>, unit: impl Into<String>, count: u64) -> Self {
        Self { module: module.into(), unit: unit.into(), count }
    }
}

/// Numbers of CALs by module and unit, in the form in which they are booked.
pub(super) type Counted = BTreeMap<(String, String), i64>;

/// Checks numbers of CALs that are moved: at least one each.
pub(super) fn counted(cals: &[Cals]) -> DbResult<Counted> {
    if let Some(none) = cals.iter().find(|cals| cals.count == 0) {
        let fact = format!("{}: 0 CALs cannot be booked", shown(&none.module));
        return Err(Error::unable(Problem::Usage, fact, "write 1 or more").into());
    }
    quotas(cals)
}

/// Checks quotas, which may be 0.
pub(super) fn quotas(cals: &[Cals]) -> DbResult<Counted> {
    let mut counted = Counted::new();
    for Cals { module, unit, count } in cals {
        ensure_text("a module", module)?;
        ensure_text("a unit", unit)?;
        let number = booked(module, *count)?;
        if counted.insert((module.clone(), unit.clone()), number).is_some() {
            let fact = format!("{} is named twice", shown(module));
            return Err(Error::unable(Problem::Usage, fact, "write each module once").into());
        }
    }
    if counted.is_empty() {
        let fact = "no module is named";
        return Err(Error::unable(Problem::Usage, fact, "name a module and a number").into());
    }
    Ok(counted)
}

/// Checks that a number of CALs is not more than the ledger books.
pub(super) fn booked(module: &str, count: u64) -> Result<i64> {
    i64::try_from(count).ok().filter(|_| count <= CALS_CAP).ok_or_else(|| {
        let fact = format!("{}: {count} CALs are more than the ledger books", shown(module));
        Error::unable(Problem::TooLarge, fact, format!("write at most {CALS_CAP}"))
    })
}

/// Adds CALs to the arguments of an order, in any order of the lines.
pub(super) fn add_cals(arguments: &mut Arguments, cals: &[Cals]) {
    let mut sorted: Vec<_> = cals.iter().collect();
    sorted.sort();
    arguments.number(sorted.len() as u64);
    for cals in sorted {
        arguments.text(&cals.module).text(&cals.unit).number(cals.count);
    }
}

/// Checks that a text is neither empty nor too long, and contains no control characters.
pub(super) fn ensure_text(what: &str, text: &str) -> Result<()> {
    let why = match text {
        "" => "is empty".to_string(),
        _ if text.len() > TEXT_CAP => format!("has more than {TEXT_CAP} bytes"),
        _ if text.contains(char::is_control) => "contains a control character".to_string(),
        _ => return Ok(()),
    };
    let fact = format!("{what} {why}");
    Err(Error::unable(Problem::Usage, fact, format!("write {what} with 1 to {TEXT_CAP} bytes")))
}

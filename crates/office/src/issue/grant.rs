//! The grant: what support staff write down for one answer, in `grant.toml`.

use std::collections::BTreeMap;

use crate::catalog::{End, LicenseType, Module, Rules, Written, read_rules, read_toml};
use olr_core::error::{Error, Problem, Result};
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::Limit;

mod identity;
mod raw;

/// The grant that `vendor init` writes; it fits the starter catalog.
pub const STARTER_GRANT: &str = include_str!("starter-grant.toml");

/// A grant.
#[derive(Clone, PartialEq, Eq)]
pub struct GrantFile {
    /// The licensee's name; compared exactly.
    pub licensee: String,
    /// The license key; compared exactly.
    pub key: String,
    /// The product.
    pub product: String,
    /// The license type's id in the catalog.
    pub license_type: String,
    /// The slot that the key belongs to.
    pub slot: String,
    /// The first day; without, the day of issue.
    pub starts: Option<Day>,
    /// When it expires; without, what the type says.
    pub expires: Option<End>,
    /// When maintenance ends; without, what the type says.
    pub maintenance: Option<End>,
    /// Interface languages.
    pub languages: Vec<String>,
    /// A word to the customer.
    pub note: String,
    /// The machine policy's name in the catalog; without, the type's.
    pub policy: Option<String>,
    /// How many CALs of each module.
    pub modules: BTreeMap<String, Limit<u64>>,
    /// At most how many of a module one sub-administrator may be given.
    pub administrators: BTreeMap<String, u64>,
    /// What follows a cause, in place of the type's rule for it.
    pub on: Rules,
    /// The text it was read from, for line numbers.
    text: String,
}

/// The license key does not print.
impl std::fmt::Debug for GrantFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrantFile").field("licensee", &self.licensee).finish_non_exhaustive()
    }
}

/// The days of a grant, spans counted out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub starts: Day,
    /// The last day, or never.
    pub expires: Option<Day>,
    /// The last day of maintenance, or never.
    pub maintenance: Option<Day>,
}

impl GrantFile {
    /// Reads a grant.
    ///
    /// # Errors
    /// Exit 2, naming line and reason.
    pub fn parse(text: &str) -> Result<Self> {
        let written = Written { what: "grant", problem: Problem::Content, text };
        let raw: raw::Grant = read_toml(written.what, text)?;
        let within = |key: &'static str| {
            move |error: Error| error.within(format!("{}: {key}", written.place(&[key])))
        };
        let modules = raw.modules.into_iter().map(|(id, quota)| match quota.limit() {
            Ok(limit) => Ok((id, limit)),
            Err(error) => Err(error.within(format!("{}: {id}", written.place(&["modules", &id])))),
        });
        let end = |key: &'static str, text: Option<String>| {
            text.map(|text| text.parse::<End>()).transpose().map_err(within(key))
        };
        let grant = Self {
            modules: modules.collect::<Result<_>>()?,
            on: read_rules(&raw.on, "", written, &["on"])?,
            starts: match raw.starts.as_str() {
                "today" => None,
                day => Some(day.parse::<Day>().map_err(within("starts"))?),
            },
            expires: end("expires", raw.expires)?,
            maintenance: end("maintenance", raw.maintenance)?,
            licensee: raw.licensee,
            key: raw.key,
            product: raw.product,
            license_type: raw.license_type,
            slot: raw.slot,
            languages: raw.languages,
            note: raw.note,
            policy: raw.policy,
            administrators: raw.administrators,
            text: text.to_string(),
        };
        grant.days_or(Instant::default(), Some(End::Never), Some(End::Never))?;
        Ok(grant)
    }

    /// The least grant of these modules, from today: nothing else is said in it.
    pub(crate) fn least(
        [product, license_type, slot]: [&str; 3],
        modules: BTreeMap<String, Limit<u64>>,
    ) -> Self {
        Self {
            licensee: String::new(),
            key: String::new(),
            product: product.to_string(),
            license_type: license_type.to_string(),
            slot: slot.to_string(),
            starts: None,
            expires: None,
            maintenance: None,
            languages: Vec::new(),
            note: String::new(),
            policy: None,
            modules,
            administrators: BTreeMap::new(),
            on: Rules::new(),
            text: String::new(),
        }
    }

    /// At most how many of `module`, which the catalog describes so, one sub-administrator may be given.
    pub fn admin_cap(&self, module: &str, described: &Module) -> Limit<u64> {
        let cap = self.administrators.get(module).copied().or(described.admin_cap);
        cap.map_or(Limit::Any, Limit::Only)
    }

    /// Its text, for errors that name the line.
    pub(super) fn written(&self) -> Written<'_> {
        Written { what: "grant", problem: Problem::Grant, text: &self.text }
    }

    /// Its days, for a license of the type `kind` issued at `issued`. Spans count from the later of
    /// the start and the UTC day of issue.
    ///
    /// # Errors
    /// Exit 2 when one is said nowhere, or lies in the wrong order.
    pub fn days(&self, issued: Instant, kind: &LicenseType) -> Result<Days> {
        self.days_or(issued, kind.term, kind.maintenance)
    }

    fn days_or(
        &self,
        issued: Instant,
        term: Option<End>,
        maintenance: Option<End>,
    ) -> Result<Days> {
        let starts = self.starts.unwrap_or(issued.day());
        let from = starts.max(issued.day());
        let end = |key: &'static str, own: Option<End>, usual: Option<End>| {
            let Some(end) = own.or(usual) else {
                let fact = format!("{key} is missing, and the type does not say it either");
                let hint = "write a day, a span such as \"1 year\", or \"never\"";
                return Err(self.written().wrong(&["type"], &fact, hint));
            };
            let place = || format!("{}: {key}", self.written().place(&[key]));
            end.last_day(from).map_err(|error| in_grant(error, &place()))
        };
        let expires = end("expires", self.expires, term)?;
        let maintenance = end("maintenance", self.maintenance, maintenance)?;
        if let Some(last) = expires.filter(|last| *last < starts) {
            let fact = format!("it expires on {last}, before it starts");
            let hint = "correct starts or expires";
            return Err(self.written().wrong(&["expires"], &fact, hint));
        }
        Ok(Days { starts, expires, maintenance })
    }
}

/// An error at this place of a grant.
pub(super) fn in_grant(error: Error, place: &str) -> Error {
    error.within(place).become_problem(Problem::Grant)
}

/// Whether nothing of a module is granted.
pub(super) fn is_zero(quota: &Limit<u64>) -> bool {
    *quota == Limit::Only(0)
}

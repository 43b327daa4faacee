//! The grant: a `grant.toml` in which support staff write what one customer bought.

use std::collections::BTreeMap;

use crate::catalog::{End, LicenseType, Module, Rules, Written, read_rules, read_toml};
use olr_core::error::{Error, Problem, Result};
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::Limit;

mod identity;
mod raw;

/// The grant of a new vendor folder. It fits the starter catalog.
pub const STARTER_GRANT: &str = include_str!("starter-grant.toml");

/// A parsed grant.
#[derive(Clone, PartialEq, Eq)]
pub struct GrantFile {
    /// Name of the licensee; must equal the request's exactly.
    pub licensee: String,
    /// License key; must equal the request's exactly.
    pub key: String,
    /// Id of the product.
    pub product: String,
    /// Id of the license type in the catalog.
    pub license_type: String,
    /// Slot that the license key belongs to.
    pub slot: String,
    /// First day; `None` for the day of issue.
    pub starts: Option<Day>,
    /// End of the license; `None` to use the type's.
    pub expires: Option<End>,
    /// End of maintenance; `None` to use the type's.
    pub maintenance: Option<End>,
    /// Interface languages.
    pub languages: Vec<String>,
    /// Note to the customer.
    pub note: String,
    /// Name of the machine policy in the catalog; `None` to use the type's.
    pub policy: Option<String>,
    /// Quota (CALs) of each module.
    pub modules: BTreeMap<String, Limit<u64>>,
    /// Maximum quota of each module that one sub-administrator may be given.
    pub administrators: BTreeMap<String, u64>,
    /// Rules that replace the type's rules for the same causes.
    pub on: Rules,
    /// Source text, for line numbers in errors.
    text: String,
}

/// Leaves out all fields but the licensee: the license key must not reach logs.
impl std::fmt::Debug for GrantFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrantFile").field("licensee", &self.licensee).finish_non_exhaustive()
    }
}

/// Days of a license, with spans resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// First day.
    pub starts: Day,
    /// Last day; `None` if it does not expire.
    pub expires: Option<Day>,
    /// Last day of maintenance; `None` if it does not end.
    pub maintenance: Option<Day>,
}

impl GrantFile {
    /// Parses a grant.
    ///
    /// # Errors
    /// Exit 2, naming the line and the reason.
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

    /// Builds the smallest grant of these modules, starting on the day of issue.
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

    /// Maximum of `module` that one sub-administrator may be given. `described` is the entry of the
    /// module in the catalog.
    pub fn admin_cap(&self, module: &str, described: &Module) -> Limit<u64> {
        let cap = self.administrators.get(module).copied().or(described.admin_cap);
        cap.map_or(Limit::Any, Limit::Only)
    }

    /// Source text, for errors that name the line.
    pub(super) fn written(&self) -> Written<'_> {
        Written { what: "grant", problem: Problem::Grant, text: &self.text }
    }

    /// Resolves the days of a license of type `kind` issued at `issued`. Spans count from the start
    /// or the UTC day of issue, whichever is later.
    ///
    /// # Errors
    /// Exit 2 when neither the grant nor the type gives an end, an end is after the year 9999, or
    /// the license would expire before it starts.
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
                let fact = format!("{key} is missing here and in the type");
                let hint = format!("add `{key}`: a day, a span such as \"1 year\", or \"never\"");
                return Err(self.written().wrong(&["type"], &fact, &hint));
            };
            let place = || format!("{}: {key}", self.written().place(&[key]));
            end.last_day(from).map_err(|error| in_grant(error, &place()))
        };
        let expires = end("expires", self.expires, term)?;
        let maintenance = end("maintenance", self.maintenance, maintenance)?;
        if let Some(last) = expires.filter(|last| *last < starts) {
            let fact = format!("the license would expire on {last}, before it starts");
            let hint = "correct `starts` or `expires`";
            return Err(self.written().wrong(&["expires"], &fact, hint));
        }
        Ok(Days { starts, expires, maintenance })
    }
}

/// Attributes an error to a place in the grant.
pub(super) fn in_grant(error: Error, place: &str) -> Error {
    error.within(place).become_problem(Problem::Grant)
}

/// True if the quota is zero.
pub(super) fn is_zero(quota: &Limit<u64>) -> bool {
    *quota == Limit::Only(0)
}

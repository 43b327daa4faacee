//! The grant: what support staff write down for one answer, in `grant.toml`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::catalog::{LicenseType, Module, Rules, Written, check_rules, read_toml};
use crate::crypto::digest::tagged;
use crate::crypto::label::GRANT;
use crate::error::{Error, Problem, Result};
use crate::time::{Day, Instant, Span};
use crate::wire::codec::Limit;

/// The grant that `vendor init` writes; it fits the starter catalog.
pub const STARTER_GRANT: &str = include_str!("starter-grant.toml");

/// A grant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantFile {
    /// The licensee's name; compared exactly.
    pub licensee: String,
    /// The license key; compared exactly.
    pub key: String,
    /// The product.
    pub product: String,
    /// The license type's id in the catalog.
    #[serde(rename = "type")]
    pub license_type: String,
    /// The slot that the key belongs to.
    pub slot: String,
    /// `today`, or a day.
    pub starts: String,
    /// `never`, a day, or a span; without, what the type says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// `never` (maintenance never ends), a day, or a span; without, what the type says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<String>,
    /// Interface languages.
    #[serde(default)]
    pub languages: Vec<String>,
    /// A word to the customer.
    #[serde(default)]
    pub note: String,
    /// The machine policy's name in the catalog; without, the type's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// How many CALs of each module.
    pub modules: BTreeMap<String, QuotaText>,
    /// At most how many of a module one sub-administrator may be given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub administrators: BTreeMap<String, u64>,
    /// What follows a cause, in place of the type's rule for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub on: Rules,
    /// The text it was read from, for line numbers.
    #[serde(skip)]
    text: String,
}

/// The license key does not print.
impl std::fmt::Debug for GrantFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrantFile").field("licensee", &self.licensee).finish_non_exhaustive()
    }
}

/// A number of CALs, or `"unlimited"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum QuotaText {
    /// So many.
    Count(u64),
    /// A word; only `unlimited` is one.
    Word(String),
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
        let mut grant: Self = read_toml("grant", text)?;
        grant.text = text.to_string();
        for (id, quota) in &grant.modules {
            quota.limit().map_err(|error| {
                error.within(format!("{}: {id}", grant.written().place(&["modules", id])))
            })?;
        }
        check_rules(&grant.on, "", grant.written(), &["on"], &[], None)?;
        let never = Some("never");
        grant.days_or(Instant::default(), never, never)?;
        Ok(grant)
    }

    /// What it says, independent of its layout and of the day: the same grant has the same digest.
    pub fn digest(&self) -> [u8; 32] {
        tagged(&[GRANT, toml::to_string(self).unwrap_or_default().as_bytes()])
    }

    /// At most how many of `module`, which the catalog describes so, one sub-administrator may be given.
    pub fn admin_cap(&self, module: &str, described: &Module) -> Limit<u64> {
        let cap = self.administrators.get(module).copied().or(described.admin_cap);
        cap.map_or(Limit::Any, Limit::Only)
    }

    /// Its text, for errors that name the line.
    pub(super) fn written(&self) -> Written<'_> {
        Written { what: "grant", text: &self.text }
    }

    /// Its days, for a license of the type `kind` issued at `issued`. Spans count from the later of
    /// the start and the UTC day of issue.
    ///
    /// # Errors
    /// Exit 2 when one is not a day, is said nowhere, or lies in the wrong order.
    pub fn days(&self, issued: Instant, kind: &LicenseType) -> Result<Days> {
        self.days_or(issued, kind.term.as_deref(), kind.maintenance.as_deref())
    }

    fn days_or(
        &self,
        issued: Instant,
        term: Option<&str>,
        maintenance: Option<&str>,
    ) -> Result<Days> {
        let within = |key: &'static str| {
            move |error: Error| error.within(format!("{}: {key}", self.written().place(&[key])))
        };
        let starts = match self.starts.as_str() {
            "today" => issued.day(),
            day => Day::parse(day).map_err(within("starts"))?,
        };
        let from = starts.max(issued.day());
        let end = |key: &'static str, own: &Option<String>, usual: Option<&str>| {
            let Some(text) = own.as_deref().or(usual) else {
                let fact = format!("{key} is missing, and the type does not say it either");
                let hint = "write a day, a span such as \"1 year\", or \"never\"";
                return Err(self.written().wrong(&["type"], &fact, hint));
            };
            if text == "never" {
                return Ok(None);
            }
            let end = match Day::parse(text) {
                Err(_) if !Day::is_meant(text) => Span::parse(text).and_then(|s| s.end_from(from)),
                day => day,
            };
            let hint = match Day::written_otherwise(text) {
                Some(days) => format!("write {days}"),
                None if text.eq_ignore_ascii_case("never") => "write \"never\"".to_string(),
                None => "write a day, a span such as \"1 year\", or \"never\"".to_string(),
            };
            end.map(Some).map_err(|error| within(key)(error.hint(hint)))
        };
        let expires = end("expires", &self.expires, term)?;
        let maintenance = end("maintenance", &self.maintenance, maintenance)?;
        if let Some(last) = expires.filter(|last| *last < starts) {
            let fact = format!("it expires on {last}, before it starts");
            let hint = "correct starts or expires";
            return Err(self.written().wrong(&["expires"], &fact, hint));
        }
        Ok(Days { starts, expires, maintenance })
    }
}

impl QuotaText {
    /// Whether nothing is granted.
    pub fn is_zero(&self) -> bool {
        *self == Self::Count(0)
    }

    /// As a license writes it.
    ///
    /// # Errors
    /// Exit 2 when it is another word than `unlimited`.
    pub fn limit(&self) -> Result<Limit<u64>> {
        match self {
            Self::Count(count) => Ok(Limit::Only(*count)),
            Self::Word(word) if word == "unlimited" => Ok(Limit::Any),
            Self::Word(word) => {
                let fact = format!("{word:?} is no quantity");
                let word = word.trim();
                let hint = match word.parse::<u64>() {
                    Ok(count) => format!("write {count} without quotes"),
                    Err(_) if word.eq_ignore_ascii_case("unlimited") => {
                        "write \"unlimited\"".to_string()
                    }
                    Err(_) => "write a whole number without quotes, or \"unlimited\"".to_string(),
                };
                Err(Error::unable(Problem::Content, fact, hint))
            }
        }
    }
}

//! The grant: what support staff write down for one answer, in `grant.toml`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::catalog::read_toml;
use crate::crypto::digest::tagged;
use crate::crypto::label::GRANT;
use crate::error::{Error, Result};
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
    /// `never`, a day, or a span.
    pub expires: String,
    /// `never` (maintenance never ends), a day, or a span.
    pub maintenance: String,
    /// Interface languages.
    #[serde(default)]
    pub languages: Vec<String>,
    /// A word to the customer.
    #[serde(default)]
    pub note: String,
    /// The machine policy's name in the catalog.
    #[serde(default = "server")]
    pub policy: String,
    /// How many CALs of each module.
    pub modules: BTreeMap<String, Quota>,
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
pub enum Quota {
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

fn server() -> String {
    "server".to_string()
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
                let line = grant.line_of(id).map(|line| format!(" line {line}"));
                error.within(format!("grant{}: {id}", line.unwrap_or_default()))
            })?;
        }
        grant.days(Instant::default())?;
        Ok(grant)
    }

    /// What it says, independent of its layout and of the day: the same grant has the same digest.
    pub fn digest(&self) -> [u8; 32] {
        tagged(&[GRANT, toml::to_string(self).unwrap_or_default().as_bytes()])
    }

    /// The line on which a key stands.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        let is_key = |line: &str| {
            let name = line.split('=').next().unwrap_or_default().trim();
            name.trim_matches(|c| c == '"' || c == '\'') == key
        };
        self.text.lines().position(is_key).map(|at| at.saturating_add(1))
    }

    /// Its days, for a license issued at `issued`. Spans count from the later of the start and
    /// the UTC day of issue.
    ///
    /// # Errors
    /// Exit 2 when one is not a day, or lies in the wrong order.
    pub fn days(&self, issued: Instant) -> Result<Days> {
        let within = |key: &'static str| {
            let line = self.line_of(key).map(|line| format!(" line {line}")).unwrap_or_default();
            move |error: Error| error.within(format!("grant{line}: {key}"))
        };
        let starts = match self.starts.as_str() {
            "today" => issued.day(),
            day => Day::parse(day).map_err(within("starts"))?,
        };
        let from = starts.max(issued.day());
        let end = |text: &str| match text {
            "never" => Ok(None),
            text => {
                Day::parse(text).or_else(|_| Span::parse(text)?.end_from(from)).map(Some).map_err(
                    |error| error.hint("write a day, a span such as \"1 year\", or \"never\""),
                )
            }
        };
        let expires = end(&self.expires).map_err(within("expires"))?;
        let maintenance = end(&self.maintenance).map_err(within("maintenance"))?;
        if expires.is_some_and(|last| last < starts) {
            let fact = format!("grant: it expires on {}, before it starts", self.expires);
            return Err(Error::unable(fact, "correct starts or expires"));
        }
        Ok(Days { starts, expires, maintenance })
    }
}

impl Quota {
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
                Err(Error::unable(fact, "write a number, or \"unlimited\""))
            }
        }
    }
}

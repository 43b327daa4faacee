//! Grant file as deserialized from TOML.

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::catalog::raw::Rule;
use olr_core::error::{Error, Problem, Result};
use olr_core::wire::codec::Limit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub licensee: String,
    pub key: String,
    pub product: String,
    #[serde(rename = "type")]
    pub license_type: String,
    pub slot: String,
    pub starts: String,
    #[serde(default)]
    pub expires: Option<String>,
    #[serde(default)]
    pub maintenance: Option<String>,
    #[serde(default)]
    pub languages: Vec<String>,
    #[serde(default)]
    pub note: String,
    #[serde(default)]
    pub policy: Option<String>,
    pub modules: BTreeMap<String, Quota>,
    #[serde(default)]
    pub administrators: BTreeMap<String, u64>,
    #[serde(default)]
    pub on: BTreeMap<String, Rule>,
}

/// A number of CALs, or `"unlimited"`.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Quota {
    Count(u64),
    Word(String),
}

impl Quota {
    /// Converts to the form used in licenses.
    ///
    /// # Errors
    /// Exit 2 when the word is not `unlimited`.
    pub fn limit(&self) -> Result<Limit<u64>> {
        let word = match self {
            Self::Count(count) => return Ok(Limit::Only(*count)),
            Self::Word(word) if word == "unlimited" => return Ok(Limit::Any),
            Self::Word(word) => word,
        };
        let fact = format!("{word:?} is not a quantity");
        let word = word.trim();
        let hint = match word.parse::<u64>() {
            Ok(count) => format!("write {count} without quotes"),
            Err(_) if word.eq_ignore_ascii_case("unlimited") => "write \"unlimited\"".to_string(),
            Err(_) => "write a whole number without quotes, or \"unlimited\"".to_string(),
        };
        Err(Error::unable(Problem::Content, fact, hint))
    }
}

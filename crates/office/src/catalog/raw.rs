//! Catalog and rules as deserialized from TOML. [`super::read`] converts them to the types of
//! [`crate::catalog`].

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    #[serde(default)]
    pub languages: Vec<String>,
    #[serde(default)]
    pub operations: Vec<String>,
    #[serde(rename = "product")]
    pub products: Vec<Product>,
    #[serde(rename = "type")]
    pub types: BTreeMap<String, LicenseType>,
    #[serde(rename = "module")]
    pub modules: BTreeMap<String, Module>,
    #[serde(rename = "policy")]
    pub policies: BTreeMap<String, Policy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    pub id: String,
    pub slots: Vec<String>,
    #[serde(default, rename = "release")]
    pub releases: Vec<Release>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub version: String,
    pub date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenseType {
    pub model: String,
    pub edition: String,
    pub offline: bool,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub term: Option<String>,
    #[serde(default)]
    pub maintenance: Option<String>,
    #[serde(default)]
    pub renewal: Option<String>,
    #[serde(default)]
    pub policy: Option<String>,
    #[serde(default)]
    pub products: Option<Vec<String>>,
    #[serde(default)]
    pub slots: Option<Vec<String>>,
    #[serde(default)]
    pub modules: Option<Vec<String>>,
    #[serde(default)]
    pub minimum_version: Option<String>,
    #[serde(default)]
    pub always: Vec<String>,
    #[serde(default)]
    pub on: BTreeMap<String, Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    pub name: String,
    pub unit: String,
    #[serde(default)]
    pub group: String,
    #[serde(default)]
    pub pool: Option<String>,
    #[serde(default)]
    pub unlimited: bool,
    #[serde(default)]
    pub account_cap: Option<u64>,
    #[serde(default)]
    pub admin_cap: Option<u64>,
    #[serde(default)]
    pub minimum_version: Option<String>,
    #[serde(default)]
    pub requires: Vec<String>,
    #[serde(default)]
    pub extra: BTreeMap<String, String>,
    #[serde(default)]
    pub includes: Vec<String>,
    #[serde(default)]
    pub server: bool,
    #[serde(default)]
    pub product: Option<String>,
    #[serde(default)]
    pub slots: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub share: u32,
    pub minimum: u32,
    pub hardware: bool,
    pub weights: BTreeMap<String, u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(default)]
    pub after: Option<String>,
    pub then: String,
    #[serde(default)]
    pub blocks: Vec<String>,
}

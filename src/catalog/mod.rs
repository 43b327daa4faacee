//! The catalog: what a vendor sells, in `catalog.toml`. Servers never see it.
//! `docs/catalog.md` explains every key.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::entitlement::{Edition, Model};
use crate::error::{Error, Problem, Result};
use crate::trust::Product;
use crate::wire::codec::{List, Text};

mod check;
mod rule;
mod warnings;

pub(crate) use rule::check_rules;
pub use rule::{Rule, Rules, operation};

pub(crate) use crate::display::listed;
pub(crate) use crate::toml_text::Written;
pub use crate::toml_text::{TOML_CAP as CATALOG_CAP, TOML_TOKENS_CAP, read_toml};

/// The catalog that `vendor init` writes when it is given none.
pub const STARTER: &str = include_str!("starter.toml");

/// The machine policy of a license whose grant and type name none.
pub const USUAL_POLICY: &str = "server";

/// A catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The interface languages that a grant may name; without, it may name any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Products; the first is the default.
    #[serde(rename = "product")]
    pub products: Vec<CatalogProduct>,
    /// License types by id.
    #[serde(rename = "type")]
    pub types: BTreeMap<String, LicenseType>,
    /// Modules by id.
    #[serde(rename = "module")]
    pub modules: BTreeMap<String, Module>,
    /// Machine policies by name.
    #[serde(rename = "policy")]
    pub policies: BTreeMap<String, MachinePolicy>,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogProduct {
    /// Its id.
    pub id: String,
    /// Its slots; the first is the default.
    pub slots: Vec<String>,
    /// Its releases, the oldest first.
    #[serde(default, rename = "release", skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<Release>,
}

/// A release of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Numbers with dots: `10.1`.
    pub version: String,
    /// The day it was released: maintenance has to reach it.
    pub date: String,
}

/// A license type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenseType {
    /// `purchased`, `meter`, `evaluation` or `pool`.
    pub model: String,
    /// `standard` or `oem`.
    pub edition: String,
    /// Whether it may be activated offline.
    pub offline: bool,
    /// Why it may not be; shown where it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it expires where the grant does not say it: a span, or `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// How long maintenance lasts where the grant does not say it: a span, or `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<String>,
    /// `automatic`, `manual` or `none`: for people, nothing acts on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<String>,
    /// The machine policy where the grant names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The products it may be granted for; all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<Vec<String>>,
    /// The slots it may be granted for; all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<Vec<String>>,
    /// The modules it may grant; all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<Vec<String>>,
    /// The first product version that may run what it grants: numbers with dots. A module may say
    /// a later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<String>,
    /// Operations that nothing blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<String>,
    /// What follows which cause.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub on: Rules,
}

/// Something that is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Its name for people.
    pub name: String,
    /// What one CAL counts.
    pub unit: String,
    /// The heading it stands under.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Modules of one pool share their quotas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Whether it is free: its quota is always *any*.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlimited: bool,
    /// At most so many per account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_cap: Option<u64>,
    /// At most so many for one sub-administrator, where the grant does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_cap: Option<u64>,
    /// The first product version that counts it: numbers with dots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<String>,
    /// Modules that must be granted too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Modules of which one more must be granted, and what that one is for: modules that say the
    /// same share it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// What comes with it and is never counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<String>,
    /// Whether it is the server itself: who is over quota without it has the cause `upgraded`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub server: bool,
    /// The product it belongs to; any where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The slots it may be granted for; all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<Vec<String>>,
}

/// When a machine is the one that a license was issued for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachinePolicy {
    /// Percent of the enrolled weight that must match.
    pub share: u32,
    /// The weight that must match at least, whatever is enrolled.
    pub minimum: u32,
    /// Whether a hardware factor must match, where one is enrolled.
    pub hardware: bool,
    /// The weight of each kind of factor; kinds without one are not enrolled.
    pub weights: BTreeMap<String, u16>,
}

/// Whether a list that may be left out has `name`.
pub(crate) fn allows(list: Option<&Vec<String>>, name: &str) -> bool {
    list.is_none_or(|list| list.iter().any(|entry| entry == name))
}

impl Catalog {
    /// Reads a catalog.
    ///
    /// # Errors
    /// Exit 2, naming line and reason.
    pub fn parse(text: &str) -> Result<Self> {
        let catalog: Self = read_toml("catalog", text)?;
        check::check(&catalog, text)?;
        Ok(catalog)
    }

    /// The product with this id.
    pub fn product(&self, id: &str) -> Option<&CatalogProduct> {
        self.products.iter().find(|product| product.id == id)
    }

    /// What is allowed and looks like a mistake; one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        warnings::warnings(self)
    }

    /// The products as a trust names them.
    ///
    /// # Errors
    /// Exit 2 when a name or list is too long.
    pub fn wire_products(&self) -> Result<List<Product>> {
        let product = |product: &CatalogProduct| {
            let slots = product.slots.iter().map(|slot| Text::new(slot)).collect::<Result<_>>()?;
            Ok(Product { id: Text::new(&product.id)?, slots: List::new(slots)? })
        };
        List::new(self.products.iter().map(product).collect::<Result<_>>()?)
    }
}

impl LicenseType {
    /// Its model.
    ///
    /// # Errors
    /// Exit 2 when there is no such model.
    pub fn model(&self) -> Result<Model> {
        Model::from_word(&self.model).ok_or_else(|| {
            let fact = format!("there is no model {:?}", self.model);
            Error::unable(Problem::Content, fact, "write purchased, meter, evaluation or pool")
        })
    }

    /// Its edition.
    ///
    /// # Errors
    /// Exit 2 when there is no such edition.
    pub fn edition(&self) -> Result<Edition> {
        Edition::from_word(&self.edition).ok_or_else(|| {
            let fact = format!("there is no edition {:?}", self.edition);
            Error::unable(Problem::Content, fact, "write standard or oem")
        })
    }
}

impl Module {
    /// The modules that must be granted too, each once.
    pub fn needs(&self) -> BTreeSet<&str> {
        self.requires.iter().chain(self.extra.keys()).map(String::as_str).collect()
    }

    /// Whether it can be granted for this product and slot.
    pub fn is_for(&self, product: &str, slot: &str) -> bool {
        self.product.as_ref().is_none_or(|own| own == product) && allows(self.slots.as_ref(), slot)
    }
}

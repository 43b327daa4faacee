//! The catalog: what a vendor sells, in `catalog.toml`. Servers never see it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::entitlement::{Cause, Edition, GraceRule, Model, Outcome};
use crate::error::{Error, Result};
use crate::machine::FactorKind;
use crate::time::Span;
use crate::trust::Product;
use crate::wire::codec::{List, Text};

mod toml_text;
pub use toml_text::read_toml;

/// The catalog that `vendor init` writes when it is given none.
pub const STARTER: &str = include_str!("starter.toml");

/// Most bytes of a catalog or a grant: some 2000 modules. Parsing takes up to 170 times as much.
pub const CATALOG_CAP: usize = 256 * 1024;

/// A catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
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
    /// What follows when a license is revoked: `stop`, `warn`, or a span of days until it stops.
    /// Without, it stops at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
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
    pub group: String,
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
    /// How long a license goes on where the machine no longer matches: a span of days. Without, it
    /// stops at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
    /// The weight of each kind of factor; kinds without one are not enrolled.
    pub weights: BTreeMap<String, u16>,
}

impl Catalog {
    /// Reads a catalog.
    ///
    /// # Errors
    /// Exit 2, naming line and reason.
    pub fn parse(text: &str) -> Result<Self> {
        let catalog: Self = read_toml("catalog", text)?;
        catalog.check()?;
        Ok(catalog)
    }

    fn check(&self) -> Result<()> {
        let wrong =
            |fact: String| Err(Error::unable(format!("catalog: {fact}"), "correct the catalog"));
        if self.products.is_empty() || self.products.iter().any(|product| product.slots.is_empty())
        {
            return wrong("a catalog has a product, and each product a slot".to_string());
        }
        for (id, kind) in &self.types {
            kind.model().map_err(|error| error.within(format!("catalog: type {id}")))?;
            kind.edition().map_err(|error| error.within(format!("catalog: type {id}")))?;
            kind.grace().map_err(|error| error.within(format!("catalog: type {id}")))?;
        }
        for (name, policy) in &self.policies {
            if policy.share == 0 || policy.share > 100 {
                return wrong(format!("policy {name}: share is a percentage from 1 to 100"));
            }
            policy.grace().map_err(|error| error.within(format!("catalog: policy {name}")))?;
            if let Some(kind) =
                policy.weights.keys().find(|kind| FactorKind::from_word(kind).is_none())
            {
                return wrong(format!("policy {name}: there is no factor {kind:?}"));
            }
        }
        self.wire_products().map(|_| ())
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

impl MachinePolicy {
    /// The grace that a license has where the machine no longer matches, if any.
    ///
    /// # Errors
    /// Exit 2 when it is no span of days.
    pub fn grace(&self) -> Result<Option<GraceRule>> {
        let Some(text) = &self.conflict else { return Ok(None) };
        let Some(seconds) = seconds_of(text) else {
            let fact = format!("conflict: {text:?} is no span of days");
            let hint = "write it like \"14 days\", or leave it out: then there is no grace";
            return Err(Error::unable(fact, hint));
        };
        Ok(Some(GraceRule { cause: Cause::Conflict, seconds, outcome: Outcome::Stop }))
    }
}

/// The seconds of a span of days.
fn seconds_of(text: &str) -> Option<u64> {
    match Span::parse(text) {
        Ok(Span::Days(days)) => Some(u64::from(days).saturating_mul(86_400)),
        _ => None,
    }
}

impl LicenseType {
    /// What follows when a license is revoked; nothing where it stops at once.
    ///
    /// # Errors
    /// Exit 2 when it is none of the words and no span of days.
    pub fn grace(&self) -> Result<Option<GraceRule>> {
        let (cause, stop, warn) = (Cause::Revoked, Outcome::Stop, Outcome::Warn);
        match self.revoked.as_deref() {
            None | Some("stop") => Ok(None),
            Some("warn") => Ok(Some(GraceRule { cause, seconds: 0, outcome: warn })),
            Some(text) => match seconds_of(text) {
                Some(seconds) => Ok(Some(GraceRule { cause, seconds, outcome: stop })),
                None => {
                    let fact = format!("revoked: {text:?} is no span of days");
                    Err(Error::unable(fact, "write stop, warn, or a span like \"14 days\""))
                }
            },
        }
    }

    /// Its model.
    ///
    /// # Errors
    /// Exit 2 when there is no such model.
    pub fn model(&self) -> Result<Model> {
        Model::from_word(&self.model).ok_or_else(|| {
            let fact = format!("there is no model {:?}", self.model);
            Error::unable(fact, "write purchased, meter, evaluation or pool")
        })
    }

    /// Its edition.
    ///
    /// # Errors
    /// Exit 2 when there is no such edition.
    pub fn edition(&self) -> Result<Edition> {
        Edition::from_word(&self.edition).ok_or_else(|| {
            let fact = format!("there is no edition {:?}", self.edition);
            Error::unable(fact, "write standard or oem")
        })
    }
}

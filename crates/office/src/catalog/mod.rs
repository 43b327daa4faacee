//! The catalog: a `catalog.toml` that describes what a vendor sells. Servers never see it.
//! `docs/catalog.md` explains every key.

use std::collections::{BTreeMap, BTreeSet};

use olr_core::entitlement::{Edition, Model, OPERATIONS_CAP, Operation};
use olr_core::error::{Problem, Result};
use olr_core::machine::FactorKind;
use olr_core::time::Day;
use olr_core::trust::Product;
use olr_core::wire::codec::{List, Set, Text};

mod check;
mod end;
mod name;
pub(crate) mod raw;
mod read;
mod rule;
mod warnings;

pub use end::End;
pub(crate) use rule::{Fits, ensure_rules_fit, read_rules};
pub use rule::{Rule, Rules};

pub(crate) use olr_core::display::listed;
pub(crate) use olr_files::toml_text::Written;
pub use olr_files::toml_text::{TOML_CAP as CATALOG_CAP, TOML_TOKENS_CAP, read_toml};

/// Default catalog of a new vendor folder.
pub const STARTER: &str = include_str!("starter.toml");

/// Machine policy if neither the grant nor the license type names one.
pub const USUAL_POLICY: &str = "server";

/// A parsed and checked catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// Interface languages that a grant may name; empty allows any.
    pub languages: Vec<Text>,
    /// Operations of the product that a license may block, in addition to the built-in ones.
    pub operations: Set<Operation, OPERATIONS_CAP>,
    /// Products; the first is the default.
    pub products: Vec<CatalogProduct>,
    /// License types by id.
    pub types: BTreeMap<String, LicenseType>,
    /// Modules by id.
    pub modules: BTreeMap<String, Module>,
    /// Machine policies by name.
    pub policies: BTreeMap<String, MachinePolicy>,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogProduct {
    /// Id of the product.
    pub id: Text,
    /// Slots of the product; the first is the default.
    pub slots: Vec<Text>,
    /// Releases of the product, oldest first.
    pub releases: Vec<Release>,
}

/// A release of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Version, as numbers separated by dots: `10.1`.
    pub version: Text,
    /// Release date, which the maintenance of a license must cover.
    pub date: Day,
}

/// A license type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseType {
    /// How the license is paid for.
    pub model: Model,
    /// Whose brand the product carries.
    pub edition: Edition,
    /// True if a license of this type may be activated offline.
    pub offline: bool,
    /// Why a license of this type may not be activated offline, shown with the refusal.
    pub reason: Option<Text>,
    /// End of the license if the grant gives none.
    pub term: Option<End>,
    /// End of maintenance if the grant gives none.
    pub maintenance: Option<End>,
    /// How the license is renewed. Informational only.
    pub renewal: Option<Renewal>,
    /// Machine policy if the grant names none.
    pub policy: Option<String>,
    /// Products it may be granted for; `None` allows all.
    pub products: Option<Vec<String>>,
    /// Slots it may be granted for; `None` allows all.
    pub slots: Option<Vec<String>>,
    /// Modules it may grant; `None` allows all.
    pub modules: Option<Vec<String>>,
    /// Minimum product version, as numbers separated by dots. A module may require a later one.
    pub minimum_version: Option<Text>,
    /// Operations that are never blocked.
    pub always: Set<Operation>,
    /// Outcome of each cause.
    pub on: Rules,
}

/// How a license is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Automatically.
    Automatic,
    /// On request.
    Manual,
    /// Never.
    None,
}

/// A counted module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Display name.
    pub name: Text,
    /// What one CAL (client access license) counts.
    pub unit: Text,
    /// Heading under which the module is listed; empty for none.
    pub group: Text,
    /// Pool whose quotas the module shares with the pool's other modules.
    pub pool: Option<Text>,
    /// True if the module is free of charge: its quota is always unlimited.
    pub unlimited: bool,
    /// Maximum quota per account.
    pub account_cap: Option<u64>,
    /// Maximum quota of one sub-administrator if the grant gives none.
    pub admin_cap: Option<u64>,
    /// Minimum product version that may use this module, as numbers separated by dots.
    pub minimum_version: Option<Text>,
    /// Modules that must be granted too.
    pub requires: Vec<Text>,
    /// Modules of which one additional CAL must be granted, each with its purpose. Modules that
    /// state the same purpose share the additional CAL.
    pub extra: BTreeMap<String, Text>,
    /// Names of what is included with the module and not counted, unless it is granted itself.
    pub includes: Vec<Text>,
    /// True if the module is the server itself. If no server module is granted, exceeding a quota
    /// has the cause `upgraded`, provided that the type or the grant has a rule for it.
    pub server: bool,
    /// Product that it belongs to; `None` for any.
    pub product: Option<String>,
    /// Slots it may be granted for; `None` allows all.
    pub slots: Option<Vec<String>>,
}

/// Policy that decides whether a machine is still the one that a license was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachinePolicy {
    /// Percentage of the enrolled weight that must match.
    pub share: u32,
    /// Minimum weight that must match, whatever is enrolled.
    pub minimum: u32,
    /// True if a hardware factor must match, provided that one is enrolled.
    pub hardware: bool,
    /// Weight of each kind of factor. Kinds without a weight are not enrolled.
    pub weights: BTreeMap<FactorKind, u16>,
}

/// True if an optional list contains `name` or is left out.
pub(crate) fn allows(list: Option<&Vec<String>>, name: &str) -> bool {
    list.is_none_or(|list| list.iter().any(|entry| entry == name))
}

/// Next step after an unknown name: choose one of `names`, which `what` describes, or add the name.
pub(crate) fn one_of<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.peekable();
    if names.peek().is_none() {
        return "add it to the catalog".to_string();
    }
    format!("write one of {what}: {}", listed(names))
}

impl Catalog {
    /// Parses and checks a catalog.
    ///
    /// # Errors
    /// Exit 2, naming the line and the reason.
    pub fn parse(text: &str) -> Result<Self> {
        let written = Written { what: "catalog", problem: Problem::Content, text };
        let catalog = read::typed(read_toml(written.what, text)?, written)?;
        check::check(&catalog, written)?;
        Ok(catalog)
    }

    /// Looks up a product by id.
    pub fn product(&self, id: &str) -> Option<&CatalogProduct> {
        self.products.iter().find(|product| *product.id == *id)
    }

    /// Likely mistakes that are allowed, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        warnings::warnings(self)
    }

    /// Products as a trust lists them.
    ///
    /// # Errors
    /// Exit 2 when a name or list is too long.
    pub fn wire_products(&self) -> Result<List<Product>> {
        let product = |product: &CatalogProduct| {
            Ok(Product { id: product.id.clone(), slots: List::new(product.slots.clone())? })
        };
        List::new(self.products.iter().map(product).collect::<Result<_>>()?)
    }
}

impl Module {
    /// Modules that must be granted too, without duplicates.
    pub fn needs(&self) -> BTreeSet<&str> {
        self.requires.iter().map(|id| &**id).chain(self.extra.keys().map(String::as_str)).collect()
    }

    /// True if the module can be granted for this product and slot.
    pub fn is_for(&self, product: &str, slot: &str) -> bool {
        self.product.as_ref().is_none_or(|own| own == product) && allows(self.slots.as_ref(), slot)
    }
}

//! The catalog: what a vendor sells, in `catalog.toml`. Servers never see it.
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

/// The catalog that `vendor init` writes when it is given none.
pub const STARTER: &str = include_str!("starter.toml");

/// The machine policy of a license whose grant and type name none.
pub const USUAL_POLICY: &str = "server";

/// A catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The interface languages that a grant may name; without, it may name any.
    pub languages: Vec<Text>,
    /// What the product asks permission for, besides the operations that are built in.
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
    /// Its id.
    pub id: Text,
    /// Its slots; the first is the default.
    pub slots: Vec<Text>,
    /// Its releases, the oldest first.
    pub releases: Vec<Release>,
}

/// A release of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Numbers with dots: `10.1`.
    pub version: Text,
    /// The day it was released: maintenance has to reach it.
    pub date: Day,
}

/// A license type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseType {
    /// How it is paid for.
    pub model: Model,
    /// Whose name the product carries.
    pub edition: Edition,
    /// Whether it may be activated offline.
    pub offline: bool,
    /// Why it may not be; shown where it is refused.
    pub reason: Option<Text>,
    /// When it expires where the grant does not say it.
    pub term: Option<End>,
    /// When maintenance ends where the grant does not say it.
    pub maintenance: Option<End>,
    /// How it is renewed: for people, nothing acts on it.
    pub renewal: Option<Renewal>,
    /// The machine policy where the grant names none.
    pub policy: Option<String>,
    /// The products it may be granted for; all where it is left out.
    pub products: Option<Vec<String>>,
    /// The slots it may be granted for; all where it is left out.
    pub slots: Option<Vec<String>>,
    /// The modules it may grant; all where it is left out.
    pub modules: Option<Vec<String>>,
    /// The first product version that may run what it grants: numbers with dots. A module may say
    /// a later one.
    pub minimum_version: Option<Text>,
    /// Operations that nothing blocks.
    pub always: Set<Operation>,
    /// What follows which cause.
    pub on: Rules,
}

/// How a license of a type is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Without anybody asking for it.
    Automatic,
    /// When somebody asks for it.
    Manual,
    /// Not at all.
    None,
}

/// Something that is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its name for people.
    pub name: Text,
    /// What one CAL counts.
    pub unit: Text,
    /// The heading it stands under.
    pub group: Text,
    /// Modules of one pool share their quotas.
    pub pool: Option<Text>,
    /// Whether it is free: its quota is always *any*.
    pub unlimited: bool,
    /// At most so many per account.
    pub account_cap: Option<u64>,
    /// At most so many for one sub-administrator, where the grant does not say it.
    pub admin_cap: Option<u64>,
    /// The first product version that counts it: numbers with dots.
    pub minimum_version: Option<Text>,
    /// Modules that must be granted too.
    pub requires: Vec<Text>,
    /// Modules of which one more must be granted, and what that one is for: modules that say the
    /// same share it.
    pub extra: BTreeMap<String, Text>,
    /// What comes with it and is never counted.
    pub includes: Vec<Text>,
    /// Whether it is the server itself: who is over quota without it has the cause `upgraded`.
    pub server: bool,
    /// The product it belongs to; any where it is left out.
    pub product: Option<String>,
    /// The slots it may be granted for; all where it is left out.
    pub slots: Option<Vec<String>>,
}

/// When a machine is the one that a license was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachinePolicy {
    /// Percent of the enrolled weight that must match.
    pub share: u32,
    /// The weight that must match at least, whatever is enrolled.
    pub minimum: u32,
    /// Whether a hardware factor must match, where one is enrolled.
    pub hardware: bool,
    /// The weight of each kind of factor; kinds without one are not enrolled.
    pub weights: BTreeMap<FactorKind, u16>,
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
        let written = Written { what: "catalog", problem: Problem::Content, text };
        let catalog = read::typed(read_toml(written.what, text)?, written)?;
        check::check(&catalog, written)?;
        Ok(catalog)
    }

    /// The product with this id.
    pub fn product(&self, id: &str) -> Option<&CatalogProduct> {
        self.products.iter().find(|product| *product.id == *id)
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
            Ok(Product { id: product.id.clone(), slots: List::new(product.slots.clone())? })
        };
        List::new(self.products.iter().map(product).collect::<Result<_>>()?)
    }
}

impl Module {
    /// The modules that must be granted too, each once.
    pub fn needs(&self) -> BTreeSet<&str> {
        self.requires.iter().map(|id| &**id).chain(self.extra.keys().map(String::as_str)).collect()
    }

    /// Whether it can be granted for this product and slot.
    pub fn is_for(&self, product: &str, slot: &str) -> bool {
        self.product.as_ref().is_none_or(|own| own == product) && allows(self.slots.as_ref(), slot)
    }
}

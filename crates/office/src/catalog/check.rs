//! Checks the entries of a catalog against each other: contradictions, and references to missing
//! entries. Errors name the line.

use std::collections::BTreeSet;

use crate::catalog::name::LIST_CAP;
use crate::catalog::rule::ensure_known;
use crate::catalog::{Catalog, End, Fits, LicenseType, Module, Renewal};
use crate::catalog::{ensure_rules_fit, one_of};
use olr_core::entitlement::Operation;
use olr_core::error::Result;
use olr_files::toml_text::Written;

mod module;

/// Maximum number of modules in a catalog; a license has no room for more.
const MODULES_CAP: usize = 4096;
/// Owner of a name, for errors.
const CATALOG: &str = "the catalog";

/// Checks the rules of a catalog that involve several entries or lists.
///
/// # Errors
/// Exit 2, naming the line and the reason.
pub(super) fn check(catalog: &Catalog, written: Written<'_>) -> Result<()> {
    let slots = catalog.products.iter().flat_map(|product| &product.slots);
    let slots = slots.map(|slot| &**slot).collect();
    let check = Check { catalog, slots, written };
    check.products()?;
    let modules = catalog.modules.len();
    if modules > MODULES_CAP {
        let fact = format!("{modules} modules, but a catalog can have at most {MODULES_CAP}");
        return check.wrong(&["module"], fact, "remove modules that are no longer sold");
    }
    for (id, module) in &catalog.modules {
        check.module(id, module)?;
    }
    check.pools()?;
    for (id, kind) in &catalog.types {
        check.license_type(id, kind)?;
    }
    Ok(())
}

struct Check<'a> {
    catalog: &'a Catalog,
    /// Slots of all products.
    slots: BTreeSet<&'a str>,
    written: Written<'a>,
}

impl Check<'_> {
    fn wrong<T>(&self, path: &[&str], fact: impl AsRef<str>, hint: impl AsRef<str>) -> Result<T> {
        Err(self.written.wrong(path, fact.as_ref(), hint.as_ref()))
    }

    /// Checks that an optional list is not empty, has no duplicates, and contains only names that
    /// `owner` has.
    fn among<'n>(
        &self,
        path: &[&str],
        [what, owner]: [&str; 2],
        list: Option<&Vec<String>>,
        is_known: impl Fn(&str) -> bool,
        known: impl Iterator<Item = &'n str>,
    ) -> Result<()> {
        let Some(list) = list else { return Ok(()) };
        if list.is_empty() {
            let hint = "add some entries, or leave the line out to allow all";
            return self.wrong(path, format!("{what}: the list is empty"), hint);
        }
        let mut seen = BTreeSet::new();
        for (index, name) in list.iter().enumerate() {
            let index = index.to_string();
            let here = [path, &[index.as_str()]].concat();
            if !is_known(name) {
                let fact = format!("{what}: {owner} has no {name:?}");
                return self.wrong(&here, fact, one_of("these", known));
            }
            if !seen.insert(name) {
                return self.wrong(
                    &here,
                    format!("{what}: {name} appears twice"),
                    "list it only once",
                );
            }
        }
        Ok(())
    }

    fn among_slots(&self, path: &[&str], what: &str, list: Option<&Vec<String>>) -> Result<()> {
        let (what, known) = ([what, CATALOG], self.slots.iter().copied());
        self.among(path, what, list, |slot| self.slots.contains(slot), known)
    }

    fn products(&self) -> Result<()> {
        let products = &self.catalog.products;
        if products.is_empty() || products.len() > LIST_CAP {
            let fact =
                format!("{} products, but a catalog must have 1 to {LIST_CAP}", products.len());
            return self.wrong(
                &["product"],
                fact,
                "write a [[product]] table for each product that is still sold",
            );
        }
        let mut ids = BTreeSet::new();
        for (index, product) in products.iter().enumerate() {
            if !ids.insert(&product.id) {
                let fact = format!("product {} appears twice", &*product.id);
                let path = ["product", &index.to_string(), "id"];
                return self.wrong(&path, fact, "list all its slots in one [[product]]");
            }
        }
        Ok(())
    }

    fn license_type(&self, id: &str, kind: &LicenseType) -> Result<()> {
        let at = |key: &'static str| ["type", id, key];
        let what = |key: &str| format!("type {id}: {key}");
        if kind.reason.is_some() && kind.offline {
            let fact = what("reason: only a type that cannot be activated offline has one");
            return self.wrong(&at("reason"), fact, "leave `reason` out");
        }
        if kind.renewal == Some(Renewal::Automatic) && kind.term == Some(End::Never) {
            let fact = what("renewal: a license with no end date is not renewed automatically");
            return self.wrong(&at("renewal"), fact, "write \"manual\" or \"none\", or a term");
        }
        let is_policy = |policy: &&String| self.catalog.policies.contains_key(*policy);
        if let Some(policy) = kind.policy.as_ref().filter(|policy| !is_policy(policy)) {
            let fact = what(&format!("the catalog has no policy {policy:?}"));
            let hint = one_of("its policies", self.catalog.policies.keys().map(String::as_str));
            return self.wrong(&at("policy"), fact, hint);
        }
        let products = self.catalog.products.iter().map(|product| &*product.id);
        let is_product = |id: &str| self.catalog.product(id).is_some();
        let list = kind.products.as_ref();
        self.among(&at("products"), [&what("products"), CATALOG], list, is_product, products)?;
        self.among_slots(&at("slots"), &what("slots"), kind.slots.as_ref())?;
        let modules = self.catalog.modules.keys().map(String::as_str);
        let is_module = |id: &str| self.catalog.modules.contains_key(id);
        let list = kind.modules.as_ref();
        self.among(&at("modules"), [&what("modules"), CATALOG], list, is_module, modules)?;
        let allowed: BTreeSet<_> = list.into_iter().flatten().map(String::as_str).collect();
        for name in &allowed {
            let module = self.catalog.modules.get(*name);
            let mut needs = module.into_iter().flat_map(Module::needs);
            if let Some(needed) = needs.find(|needed| !allowed.contains(needed)) {
                let fact =
                    format!("modules: {name} requires {needed}, which this list does not allow");
                let hint = format!("add {needed}, or remove {name}");
                return self.wrong(&at("modules"), what(&fact), hint);
            }
        }
        let known = &self.catalog.operations;
        ensure_known(&kind.always, known, &what("always"), self.written, &at("always"))?;
        if kind.always.contains(&Operation::RUN) {
            let fact = what(
                "always: run cannot be in this list: a product that may always run needs no license",
            );
            return self.wrong(&at("always"), fact, "write then = \"warn\" for each cause instead");
        }
        let this = format!("type {id}");
        let fits = Fits { known, always: &kind.always, model: kind.model };
        ensure_rules_fit(&kind.on, &this, self.written, &["type", id, "on"], fits)
    }
}

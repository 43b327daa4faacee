//! Checks the entries of a catalog against each other: contradictions, and references to missing
//! entries. Errors name the line.

use std::collections::BTreeSet;

use crate::catalog::name::LIST_CAP;
use crate::catalog::rule::ensure_known;
use crate::catalog::{Catalog, End, Fits, LicenseType, Module, Renewal, ensure_rules_fit};
use olr_core::display::listed;
use olr_core::entitlement::Operation;
use olr_core::error::Result;
use olr_files::toml_text::Written;

mod module;

/// Maximum number of modules in a catalog; a license has no room for more.
const MODULES_CAP: usize = 4096;

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
        let fact = format!("{modules} modules, where a catalog has at most {MODULES_CAP}");
        return check.wrong(&["module"], fact, "take out what is not sold any more");
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

    /// Checks that an optional list is not empty, has no duplicates, and contains known names only.
    fn among<'n>(
        &self,
        path: &[&str],
        what: &str,
        list: Option<&Vec<String>>,
        is_known: impl Fn(&str) -> bool,
        known: impl Iterator<Item = &'n str>,
    ) -> Result<()> {
        let Some(list) = list else { return Ok(()) };
        if list.is_empty() {
            let hint = "name some, or leave the line out: then all are allowed";
            return self.wrong(path, format!("{what}: the list is empty"), hint);
        }
        let mut seen = BTreeSet::new();
        for (index, name) in list.iter().enumerate() {
            let index = index.to_string();
            let here = [path, &[index.as_str()]].concat();
            if !is_known(name) {
                let fact = format!("{what}: the catalog has no {name:?}");
                return self.wrong(&here, fact, format!("it has {}", listed(known)));
            }
            if !seen.insert(name) {
                return self.wrong(&here, format!("{what}: {name} stands twice"), "name it once");
            }
        }
        Ok(())
    }

    fn among_slots(&self, path: &[&str], what: &str, list: Option<&Vec<String>>) -> Result<()> {
        self.among(path, what, list, |slot| self.slots.contains(slot), self.slots.iter().copied())
    }

    fn products(&self) -> Result<()> {
        let products = &self.catalog.products;
        if products.is_empty() || products.len() > LIST_CAP {
            let fact = format!("{} products, where a catalog has 1 to {LIST_CAP}", products.len());
            return self.wrong(&["product"], fact, "begin a product with [[product]]");
        }
        let mut ids = BTreeSet::new();
        for (index, product) in products.iter().enumerate() {
            if !ids.insert(&product.id) {
                let fact = format!("product {} stands twice", &*product.id);
                let path = ["product", &index.to_string(), "id"];
                return self.wrong(&path, fact, "write all its slots into one [[product]]");
            }
        }
        Ok(())
    }

    fn license_type(&self, id: &str, kind: &LicenseType) -> Result<()> {
        let at = |key: &'static str| ["type", id, key];
        let what = |key: &str| format!("type {id}: {key}");
        if kind.reason.is_some() && kind.offline {
            let fact = what("reason: this type may be activated offline");
            return self.wrong(&at("reason"), fact, "leave `reason` out");
        }
        if kind.renewal == Some(Renewal::Automatic) && kind.term == Some(End::Never) {
            let fact = what("renewal: what never ends is not renewed automatically");
            return self.wrong(&at("renewal"), fact, "write \"manual\" or \"none\", or a term");
        }
        let is_policy = |policy: &&String| self.catalog.policies.contains_key(*policy);
        if let Some(policy) = kind.policy.as_ref().filter(|policy| !is_policy(policy)) {
            let fact = what(&format!("the catalog has no policy {policy:?}"));
            let known = listed(self.catalog.policies.keys().map(String::as_str));
            return self.wrong(&at("policy"), fact, format!("its policies are {known}"));
        }
        let products = self.catalog.products.iter().map(|product| &*product.id);
        let is_product = |id: &str| self.catalog.product(id).is_some();
        let list = kind.products.as_ref();
        self.among(&at("products"), &what("products"), list, is_product, products)?;
        self.among_slots(&at("slots"), &what("slots"), kind.slots.as_ref())?;
        let modules = self.catalog.modules.keys().map(String::as_str);
        let is_module = |id: &str| self.catalog.modules.contains_key(id);
        let list = kind.modules.as_ref();
        self.among(&at("modules"), &what("modules"), list, is_module, modules)?;
        let allowed: BTreeSet<_> = list.into_iter().flatten().map(String::as_str).collect();
        for name in &allowed {
            let module = self.catalog.modules.get(*name);
            let mut needs = module.into_iter().flat_map(Module::needs);
            if let Some(needed) = needs.find(|needed| !allowed.contains(needed)) {
                let fact = format!("modules: {name} requires {needed}, which is not allowed");
                let hint = format!("add {needed}, or take {name} out");
                return self.wrong(&at("modules"), what(&fact), hint);
            }
        }
        let known = &self.catalog.operations;
        ensure_known(&kind.always, known, &what("always"), self.written, &at("always"))?;
        if kind.always.contains(&Operation::RUN) {
            let fact = what("always: what always runs needs no license");
            return self.wrong(&at("always"), fact, "write then = \"warn\" for each cause instead");
        }
        let this = format!("type {id}");
        let fits = Fits { known, always: &kind.always, model: kind.model };
        ensure_rules_fit(&kind.on, &this, self.written, &["type", id, "on"], fits)
    }
}

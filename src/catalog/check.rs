//! What is contradictory in a catalog, or names nothing. Each is told with its line.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, CatalogProduct, LicenseType, MachinePolicy, Module};
use crate::catalog::{check_rules, rule};
use crate::display::is_shown;
use crate::display::listed;
use crate::entitlement::Operation;
use crate::error::{Error, Result};
use crate::machine::FactorKind;
use crate::time::{Day, Span};
use crate::toml_text::Written;

mod module;

/// Most entries of a list that a license or a trust carries.
const LIST_CAP: usize = 64;
/// Most modules of a catalog: as many as a license has room for.
const MODULES_CAP: usize = 4096;
/// Most bytes of a name there.
const NAME_CAP: usize = 256;

/// Checks what the types of a catalog cannot say.
///
/// # Errors
/// Exit 2, naming line and reason.
pub(super) fn check(catalog: &Catalog, text: &str) -> Result<()> {
    let slots = catalog.products.iter().flat_map(|product| &product.slots);
    let slots = slots.map(String::as_str).collect();
    let check = Check { catalog, slots, written: Written { what: "catalog", text } };
    check.names(&["languages"], "languages", &catalog.languages)?;
    check.products()?;
    for (name, policy) in &catalog.policies {
        check.policy(name, policy)?;
    }
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
    /// Those of all products.
    slots: BTreeSet<&'a str>,
    written: Written<'a>,
}

impl Check<'_> {
    fn wrong<T>(&self, path: &[&str], fact: impl AsRef<str>, hint: impl AsRef<str>) -> Result<T> {
        Err(self.written.wrong(path, fact.as_ref(), hint.as_ref()))
    }

    /// Puts the line and `what` before an error.
    fn at(&self, path: &[&str], what: &str) -> impl FnOnce(Error) -> Error {
        move |error| error.within(format!("{}: {what}", self.written.place(path)))
    }

    /// A name that people read and that stands in licenses.
    fn name(&self, path: &[&str], what: &str, name: &str) -> Result<()> {
        let problem = if name.trim().is_empty() {
            "it is empty"
        } else if name.len() > NAME_CAP {
            "it is longer than 256 bytes"
        } else if !name.chars().all(is_shown) {
            "it has a character that is not shown"
        } else {
            return Ok(());
        };
        self.wrong(path, format!("{what}: {problem}"), "write a short name")
    }

    /// A list of names, none twice.
    fn names(&self, path: &[&str], what: &str, names: &[String]) -> Result<()> {
        let mut seen = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            let index = index.to_string();
            let here = [path, &[index.as_str()]].concat();
            self.name(&here, what, name)?;
            if !seen.insert(name) {
                return self.wrong(&here, format!("{what}: {name} stands twice"), "name it once");
            }
        }
        if names.len() > LIST_CAP {
            let fact = format!("{what}: {} entries, where at most {LIST_CAP} fit", names.len());
            return self.wrong(path, fact, "use fewer");
        }
        Ok(())
    }

    /// A list, if there is one, of names among the `known`.
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
            let index = index.to_string();
            let at = |key: &'static str| ["product", index.as_str(), key];
            let what = format!("product {}", product.id);
            self.name(&at("id"), "product: id", &product.id)?;
            if !ids.insert(&product.id) {
                let fact = format!("{what} stands twice");
                return self.wrong(&at("id"), fact, "write all its slots into one [[product]]");
            }
            if product.slots.is_empty() {
                let fact = format!("{what}: it has no slot");
                return self.wrong(&at("slots"), fact, "write slots = [\"main\"]");
            }
            self.names(&at("slots"), &format!("{what}: slots"), &product.slots)?;
            self.releases(&index, &what, product)?;
        }
        Ok(())
    }

    fn releases(&self, product: &str, what: &str, of: &CatalogProduct) -> Result<()> {
        let (mut versions, mut latest) = (BTreeSet::new(), Day::default());
        for (index, release) in of.releases.iter().enumerate() {
            let index = index.to_string();
            let path = |key: &'static str| ["product", product, "release", index.as_str(), key];
            let what = format!("{what}: release {}", release.version);
            let version = self.version(&path("version"), &what, &release.version)?;
            if !versions.insert(version) {
                let fact = format!("{what} stands twice");
                return self.wrong(&path("version"), fact, "name each release once");
            }
            let date = Day::parse(&release.date).map_err(self.at(&path("date"), &what))?;
            if date < latest {
                let fact = format!("{what}: {date} is before the release above it");
                return self.wrong(&path("date"), fact, "put the oldest release first");
            }
            latest = date;
        }
        Ok(())
    }

    /// The numbers of a version, without zeros at the end.
    fn version(&self, path: &[&str], what: &str, text: &str) -> Result<Vec<u32>> {
        let number = |part: &str| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| is_number)
        };
        match text.split('.').map(number).collect::<Option<Vec<_>>>() {
            Some(mut numbers) if numbers.len() <= 8 => {
                while numbers.last() == Some(&0) {
                    numbers.pop();
                }
                Ok(numbers)
            }
            _ => {
                let fact = format!("{what}: {text:?} is no version");
                self.wrong(path, fact, "write numbers with dots, like \"10.1\"")
            }
        }
    }

    fn policy(&self, name: &str, policy: &MachinePolicy) -> Result<()> {
        let (path, what) = (["policy", name], format!("policy {name}"));
        self.name(&path, &what, name)?;
        if policy.share == 0 || policy.share > 100 {
            let fact = format!("{what}: share is a percentage from 1 to 100");
            return self.wrong(&["policy", name, "share"], fact, "write share = 50");
        }
        let unknown = policy.weights.keys().find(|kind| FactorKind::from_word(kind).is_none());
        if let Some(kind) = unknown {
            let known = FactorKind::ALL.iter().map(|kind| kind.word());
            let fact = format!("{what}: there is no factor {kind:?}");
            let hint = format!("the factors are {}", known.collect::<Vec<_>>().join(", "));
            return self.wrong(&["policy", name, "weights", kind], fact, hint);
        }
        Ok(())
    }

    fn license_type(&self, id: &str, kind: &LicenseType) -> Result<()> {
        let at = |key: &'static str| ["type", id, key];
        let what = |key: &str| format!("type {id}: {key}");
        let this = format!("type {id}");
        self.name(&["type", id], &this, id)?;
        let model = kind.model().map_err(self.at(&at("model"), &this))?;
        kind.edition().map_err(self.at(&at("edition"), &this))?;
        if let Some(reason) = &kind.reason {
            self.name(&at("reason"), &what("reason"), reason)?;
            if kind.offline {
                let fact = what("reason: this type may be activated offline");
                return self.wrong(&at("reason"), fact, "leave `reason` out");
            }
        }
        for (key, span) in [("term", &kind.term), ("maintenance", &kind.maintenance)] {
            let Some(text) = span else { continue };
            if text != "never" && Span::parse(text).is_err() {
                let fact = what(&format!("{key}: {text:?} is no span of a day or more"));
                let hint = "write it like \"30 days\", \"6 months\", \"1 year\", or \"never\"";
                return self.wrong(&at(key), fact, hint);
            }
        }
        match kind.renewal.as_deref() {
            Some("automatic") if kind.term.as_deref() == Some("never") => {
                let fact = what("renewal: what never ends is not renewed automatically");
                return self.wrong(&at("renewal"), fact, "write \"manual\" or \"none\", or a term");
            }
            None | Some("automatic" | "manual" | "none") => {}
            Some(word) => {
                let fact = what(&format!("renewal: {word:?} is none of its words"));
                return self.wrong(&at("renewal"), fact, "write automatic, manual or none");
            }
        }
        if let Some(version) = &kind.minimum_version {
            self.version(&at("minimum_version"), &what("minimum_version"), version)?;
        }
        if let Some(policy) =
            kind.policy.as_ref().filter(|p| !self.catalog.policies.contains_key(*p))
        {
            let fact = what(&format!("the catalog has no policy {policy:?}"));
            let known = listed(self.catalog.policies.keys().map(String::as_str));
            return self.wrong(&at("policy"), fact, format!("its policies are {known}"));
        }
        let products = self.catalog.products.iter().map(|product| product.id.as_str());
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
                let fact =
                    what(&format!("modules: {name} requires {needed}, which is not allowed"));
                return self.wrong(
                    &at("modules"),
                    fact,
                    format!("add {needed}, or take {name} out"),
                );
            }
        }
        rule::operations("always", &kind.always, &this, self.written, &["type", id])?;
        if kind.always.iter().any(|word| word == Operation::Run.word()) {
            let fact = what("always: what always runs needs no license");
            return self.wrong(&at("always"), fact, "write then = \"warn\" for each cause instead");
        }
        check_rules(&kind.on, &this, self.written, &["type", id, "on"], &kind.always, Some(model))
    }
}

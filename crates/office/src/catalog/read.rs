//! Converts the raw text of a catalog to its types, and checks each entry by itself.
//! [`super::check`] checks entries against each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::name::{name, names};
use crate::catalog::rule::{read_operations, read_rules};
use crate::catalog::{
    Catalog, CatalogProduct, LicenseType, MachinePolicy, Module, Release, Renewal,
};
use crate::catalog::{End, raw};
use olr_core::entitlement::{Edition, Model, OPERATIONS_CAP, Operation};
use olr_core::error::{Error, Problem, Result};
use olr_core::machine::FactorKind;
use olr_core::time::{Day, Span};
use olr_core::wire::codec::{Set, Text};
use olr_files::toml_text::Written;

/// Converts a raw catalog.
///
/// # Errors
/// Exit 2, naming the line and the reason.
pub(super) fn typed(raw: raw::Catalog, written: Written<'_>) -> Result<Catalog> {
    let read = Reader { written };
    Ok(Catalog {
        languages: names(written, &["languages"], "languages", &raw.languages)?,
        operations: read.operations(&raw.operations)?,
        products: (raw.products.iter().enumerate())
            .map(|(index, product)| read.product(&index.to_string(), product))
            .collect::<Result<_>>()?,
        policies: each(raw.policies, |name, policy| read.policy(name, policy))?,
        modules: each(raw.modules, |id, module| read.module(id, module))?,
        types: each(raw.types, |id, kind| read.license_type(id, kind))?,
    })
}

fn each<R, T>(
    raw: BTreeMap<String, R>,
    read: impl Fn(&str, R) -> Result<T>,
) -> Result<BTreeMap<String, T>> {
    raw.into_iter().map(|(id, raw)| read(&id, raw).map(|typed| (id, typed))).collect()
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    written: Written<'a>,
}

impl Reader<'_> {
    fn wrong<T>(self, path: &[&str], fact: impl AsRef<str>, hint: &str) -> Result<T> {
        Err(self.written.wrong(path, fact.as_ref(), hint))
    }

    fn name(self, path: &[&str], what: &str, text: &str) -> Result<Text> {
        name(self.written, path, what, text)
    }

    /// Prefixes an error with the line and `what`.
    fn at(self, path: &[&str], what: &str) -> impl FnOnce(Error) -> Error {
        move |error| error.within(format!("{}: {what}", self.written.place(path)))
    }

    fn operations(self, words: &[String]) -> Result<Set<Operation, OPERATIONS_CAP>> {
        let read = read_operations(words, "operations", self.written, &["operations"])?;
        if let Some(built_in) = read.iter().find(|operation| operation.is_built_in()) {
            let fact = format!("operations: {built_in} is built in");
            return self.wrong(&["operations"], fact, "leave it out: every catalog has it");
        }
        if read.len() > OPERATIONS_CAP {
            let many = read.len();
            let fact =
                format!("operations: {many} entries, but at most {OPERATIONS_CAP} are allowed");
            return self.wrong(&["operations"], fact, "use fewer");
        }
        Set::new(read)
    }

    fn product(self, index: &str, raw: &raw::Product) -> Result<CatalogProduct> {
        let at = |key: &'static str| ["product", index, key];
        let what = format!("product {}", raw.id);
        let id = self.name(&at("id"), "product: id", &raw.id)?;
        if raw.slots.is_empty() {
            let fact = format!("{what}: it has no slot");
            return self.wrong(&at("slots"), fact, "write slots = [\"main\"]");
        }
        let slots = names(self.written, &at("slots"), &format!("{what}: slots"), &raw.slots)?;
        Ok(CatalogProduct { id, slots, releases: self.releases(index, &what, &raw.releases)? })
    }

    fn releases(self, product: &str, what: &str, raw: &[raw::Release]) -> Result<Vec<Release>> {
        let (mut versions, mut latest) = (BTreeSet::new(), Day::default());
        let mut releases = Vec::new();
        for (index, release) in raw.iter().enumerate() {
            let index = index.to_string();
            let path = |key: &'static str| ["product", product, "release", index.as_str(), key];
            let what = format!("{what}: release {}", release.version);
            let (version, numbers) = self.version(&path("version"), &what, &release.version)?;
            if !versions.insert(numbers) {
                let fact = format!("{what} appears twice");
                return self.wrong(&path("version"), fact, "list each release only once");
            }
            let date = release.date.parse::<Day>().map_err(self.at(&path("date"), &what))?;
            if date < latest {
                let fact = format!("{what}: {date} is before the release above it");
                return self.wrong(&path("date"), fact, "put the oldest release first");
            }
            latest = date;
            releases.push(Release { version, date });
        }
        Ok(releases)
    }

    /// Parses a version; also returns its numbers without trailing zeros, for comparison.
    fn version(self, path: &[&str], what: &str, text: &str) -> Result<(Text, Vec<u32>)> {
        let number = |part: &str| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| is_number)
        };
        match text.split('.').map(number).collect::<Option<Vec<_>>>() {
            Some(mut numbers) if numbers.len() <= 8 => {
                while numbers.last() == Some(&0) {
                    numbers.pop();
                }
                Ok((self.name(path, what, text)?, numbers))
            }
            _ => {
                let fact = format!("{what}: {text:?} is not a version");
                self.wrong(path, fact, "write 1 to 8 numbers with dots, like \"10.1\"")
            }
        }
    }

    fn policy(self, name: &str, raw: raw::Policy) -> Result<MachinePolicy> {
        let what = format!("policy {name}");
        self.name(&["policy", name], &what, name)?;
        if raw.share == 0 || raw.share > 100 {
            let fact = format!("{what}: share is a percentage from 1 to 100");
            return self.wrong(&["policy", name, "share"], fact, "write share = 50");
        }
        let weight = |(word, weight): (String, u16)| match word.parse::<FactorKind>() {
            Ok(kind) => Ok((kind, weight)),
            Err(_) => {
                let known = FactorKind::ALL.iter().map(|kind| kind.word());
                let fact = format!("{what}: there is no factor {word:?}");
                let hint = format!("write one of {}", known.collect::<Vec<_>>().join(", "));
                self.wrong(&["policy", name, "weights", &word], fact, &hint)
            }
        };
        Ok(MachinePolicy {
            share: raw.share,
            minimum: raw.minimum,
            hardware: raw.hardware,
            weights: raw.weights.into_iter().map(weight).collect::<Result<_>>()?,
        })
    }

    fn module(self, id: &str, raw: raw::Module) -> Result<Module> {
        let at = |key: &'static str| ["module", id, key];
        let what = |key: &str| format!("module {id}: {key}");
        let named = |key: &'static str, text: &str| self.name(&at(key), &what(key), text);
        let list = |key: &'static str, texts| names(self.written, &at(key), &what(key), texts);
        self.name(&["module", id], &format!("module {id}"), id)?;
        let extra = |(other, what_for): (String, String)| {
            let path = ["module", id, "extra", &other];
            let what_for = self.name(&path, &what("extra"), &what_for)?;
            Ok((other, what_for))
        };
        Ok(Module {
            name: named("name", &raw.name)?,
            unit: named("unit", &raw.unit)?,
            group: match raw.group.as_str() {
                "" => Text::default(),
                group => named("group", group)?,
            },
            pool: raw.pool.map(|pool| named("pool", &pool)).transpose()?,
            unlimited: raw.unlimited,
            account_cap: match raw.account_cap {
                Some(0) => {
                    let hint = "write a number above 0, or leave the line out to set no maximum";
                    let fact = what("account_cap: with 0, no account could use it");
                    return self.wrong(&at("account_cap"), fact, hint);
                }
                cap => cap,
            },
            admin_cap: raw.admin_cap,
            minimum_version: self.minimum(&at("minimum_version"), &what, raw.minimum_version)?,
            includes: list("includes", &raw.includes)?,
            requires: list("requires", &raw.requires)?,
            extra: raw.extra.into_iter().map(extra).collect::<Result<_>>()?,
            server: raw.server,
            product: raw.product,
            slots: raw.slots,
        })
    }

    fn minimum(
        self,
        path: &[&str],
        what: &dyn Fn(&str) -> String,
        text: Option<String>,
    ) -> Result<Option<Text>> {
        let read = |text: String| self.version(path, &what("minimum_version"), &text);
        Ok(text.map(read).transpose()?.map(|(text, _)| text))
    }

    fn license_type(self, id: &str, raw: raw::LicenseType) -> Result<LicenseType> {
        let at = |key: &'static str| ["type", id, key];
        let what = |key: &str| format!("type {id}: {key}");
        let this = format!("type {id}");
        self.name(&["type", id], &this, id)?;
        let reason = |text: String| self.name(&at("reason"), &what("reason"), &text);
        let end = |key: &'static str, text: Option<String>| {
            text.map(|text| self.span(&at(key), &what(key), &text)).transpose()
        };
        Ok(LicenseType {
            model: model(&raw.model).map_err(self.at(&at("model"), &this))?,
            edition: edition(&raw.edition).map_err(self.at(&at("edition"), &this))?,
            offline: raw.offline,
            reason: raw.reason.map(reason).transpose()?,
            term: end("term", raw.term)?,
            maintenance: end("maintenance", raw.maintenance)?,
            renewal: match raw.renewal.as_deref() {
                None => None,
                Some("automatic") => Some(Renewal::Automatic),
                Some("manual") => Some(Renewal::Manual),
                Some("none") => Some(Renewal::None),
                Some(word) => {
                    let fact = what(&format!("renewal: {word:?} is not a valid value"));
                    let hint = "write automatic, manual or none";
                    return self.wrong(&at("renewal"), fact, hint);
                }
            },
            policy: raw.policy,
            products: raw.products,
            slots: raw.slots,
            modules: raw.modules,
            minimum_version: self.minimum(&at("minimum_version"), &what, raw.minimum_version)?,
            always: Set::new(read_operations(
                &raw.always,
                &what("always"),
                self.written,
                &at("always"),
            )?)?,
            on: read_rules(&raw.on, &this, self.written, &["type", id, "on"])?,
        })
    }

    /// Parses a span or `never`.
    fn span(self, path: &[&str], what: &str, text: &str) -> Result<End> {
        match text.parse::<Span>() {
            Ok(span) => Ok(End::After(span)),
            Err(_) if text == "never" => Ok(End::Never),
            Err(_) => {
                let fact = format!("{what}: {text:?} is not a span of at least a day");
                let hint = "write it like \"30 days\", \"6 months\", \"1 year\", or \"never\"";
                self.wrong(path, fact, hint)
            }
        }
    }
}

fn model(word: &str) -> Result<Model> {
    word.parse().map_err(|_| {
        let fact = format!("there is no model {word:?}");
        Error::unable(Problem::Content, fact, "write purchased, meter, evaluation or pool")
    })
}

fn edition(word: &str) -> Result<Edition> {
    word.parse().map_err(|_| {
        let fact = format!("there is no edition {word:?}");
        Error::unable(Problem::Content, fact, "write standard or oem")
    })
}

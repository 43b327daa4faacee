//! Checks a grant against the catalog: every name must exist, and every combination must be
//! allowed.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, LicenseType, MachinePolicy, Module, USUAL_POLICY};
use crate::catalog::{Fits, allows, ensure_rules_fit, listed, one_of};
use crate::issue::GrantFile;
use crate::issue::grant::{in_grant, is_zero};
use olr_core::entitlement::{Grant, is_older};
use olr_core::error::{Error, Refusal, Result};
use olr_core::wire::codec::{Limit, Set, Text};

impl GrantFile {
    /// Looks up the license type, which must be one that may be activated offline.
    ///
    /// # Errors
    /// `offline-not-allowed`; exit 2 when the catalog has no such type.
    pub fn kind<'a>(&self, catalog: &'a Catalog) -> Result<&'a LicenseType> {
        let Some(kind) = catalog.types.get(&self.license_type) else {
            let hint = one_of("its types", catalog.types.keys().map(String::as_str));
            let fact = format!("the catalog has no type {:?}", self.license_type);
            return Err(self.written().wrong(&["type"], &fact, &hint));
        };
        if kind.offline {
            return Ok(kind);
        }
        let reason = kind.reason.as_deref();
        let reason = reason.unwrap_or("the catalog marks it `offline = false`");
        let fact = format!(
            "type {} ({} {}) may not be activated offline: {reason}",
            self.license_type, kind.model, kind.edition
        );
        Err(Error::refuse(Refusal::OfflineNotAllowed, fact).rule("request-16"))
    }

    /// Looks up the machine policy and its name: from the grant, else from the type, else
    /// [`USUAL_POLICY`].
    ///
    /// # Errors
    /// Exit 2 when the catalog has no such policy.
    pub fn machine_policy<'a>(
        &'a self,
        kind: &'a LicenseType,
        catalog: &'a Catalog,
    ) -> Result<(&'a str, &'a MachinePolicy)> {
        let name = self.policy.as_deref().or(kind.policy.as_deref()).unwrap_or(USUAL_POLICY);
        let policy = catalog.policies.get(name).ok_or_else(|| {
            let known = catalog.policies.keys().map(String::as_str);
            let hint = one_of("its policies as `policy` in the grant", known);
            let fact = format!("the catalog has no policy {name:?}");
            self.written().wrong(&["policy"], &fact, &hint)
        })?;
        Ok((name, policy))
    }

    /// Checks the whole grant against `catalog`, where `kind` is its license type.
    ///
    /// # Errors
    /// Exit 2, naming the line and what is known or allowed.
    pub fn ensure_allowed(&self, kind: &LicenseType, catalog: &Catalog) -> Result<()> {
        self.ensure_place(kind, catalog)?;
        self.machine_policy(kind, catalog)?;
        self.ensure_languages(catalog)?;
        for (id, quota) in &self.modules {
            self.ensure_module(id, quota, kind, catalog)?;
        }
        self.ensure_extra(catalog)?;
        for (id, cap) in &self.administrators {
            let wrong = |fact: String, hint: &str| {
                Err(self.written().wrong(&["administrators", id], &fact, hint))
            };
            let Some(quota) = self.modules.get(id) else {
                let known = listed(self.modules.keys().map(String::as_str));
                let hint = format!("remove this line, or grant {id} too (now granted: {known})");
                return wrong(format!("administrators: {id} is not granted"), &hint);
            };
            if let Limit::Only(quota) = quota
                && cap > quota
            {
                let fact = format!("administrators: {cap} {id}, but only {quota} are granted");
                return wrong(fact, "write at most the granted number");
            }
        }
        let fits = Fits { known: &catalog.operations, always: &kind.always, model: kind.model };
        ensure_rules_fit(&self.on, "", self.written(), &["on"], fits)
    }

    /// Checks that product and slot exist, and that the type may be granted for them.
    fn ensure_place(&self, kind: &LicenseType, catalog: &Catalog) -> Result<()> {
        let wrong = |key, fact: &str, hint: &str| Err(self.written().wrong(&[key], fact, hint));
        let (product, slot, this) = (&self.product, &self.slot, &self.license_type);
        let Some(described) = catalog.product(product) else {
            let hint = one_of("its products", catalog.products.iter().map(|product| &*product.id));
            let fact = format!("the catalog has no product {product:?}");
            return wrong("product", &fact, &hint);
        };
        if !allows(kind.products.as_ref(), product) {
            let known = listed(kind.products.iter().flatten().map(String::as_str));
            let fact = format!("type {this} is not for product {product}");
            let hint = format!("choose another type; this one is only for {known}");
            return wrong("product", &fact, &hint);
        }
        if !described.slots.iter().any(|own| **own == **slot) {
            let hint = one_of("its slots", described.slots.iter().map(|slot| &**slot));
            let fact = format!("product {product} has no slot {slot:?}");
            return wrong("slot", &fact, &hint);
        }
        if !allows(kind.slots.as_ref(), slot) {
            let known = listed(kind.slots.iter().flatten().map(String::as_str));
            let fact = format!("type {this} is not for slot {slot}");
            let hint = format!("choose another type; this one is only for {known}");
            return wrong("slot", &fact, &hint);
        }
        Ok(())
    }

    fn ensure_languages(&self, catalog: &Catalog) -> Result<()> {
        let mut seen = BTreeSet::new();
        for (index, language) in self.languages.iter().enumerate() {
            let index = index.to_string();
            let wrong = |fact: String, hint: &str| {
                Err(self.written().wrong(&["languages", index.as_str()], &fact, hint))
            };
            let mut known = catalog.languages.iter().map(|known| &**known);
            if !catalog.languages.is_empty() && !known.any(|known| known == language) {
                let hint = one_of("its languages", catalog.languages.iter().map(|known| &**known));
                let fact = format!("the catalog has no language {language:?}");
                return wrong(fact, &hint);
            }
            if !seen.insert(language) {
                return wrong(format!("language {language} appears twice"), "list it only once");
            }
        }
        Ok(())
    }

    fn known_module<'a>(&self, id: &str, catalog: &'a Catalog) -> Result<&'a Module> {
        catalog.modules.get(id).ok_or_else(|| {
            let hint = one_of("its modules", catalog.modules.keys().map(String::as_str));
            let fact = format!("the catalog has no module {id:?}");
            self.written().wrong(&["modules", id], &fact, &hint)
        })
    }

    fn ensure_module(
        &self,
        id: &str,
        quota: &Limit<u64>,
        kind: &LicenseType,
        catalog: &Catalog,
    ) -> Result<()> {
        let wrong =
            |fact: String, hint: &str| Err(self.written().wrong(&["modules", id], &fact, hint));
        let module = self.known_module(id, catalog)?;
        if !allows(kind.modules.as_ref(), id) {
            let known = listed(kind.modules.iter().flatten().map(String::as_str));
            let fact = format!("type {} cannot grant module {id}", self.license_type);
            let hint = format!("remove {id}, or choose another type; this one can grant {known}");
            return wrong(fact, &hint);
        }
        if !module.is_for(&self.product, &self.slot) {
            let fits = |(_, module): &(&String, &Module)| module.is_for(&self.product, &self.slot);
            let known = listed(catalog.modules.iter().filter(fits).map(|(id, _)| id.as_str()));
            let fact = format!("module {id} is not for slot {} of {}", self.slot, self.product);
            return wrong(fact, &format!("remove {id}; the modules for this slot are {known}"));
        }
        if module.unlimited && *quota != Limit::Any {
            let fact = format!("module {id} is free: its quota is always unlimited");
            return wrong(fact, &format!("write {id} = \"unlimited\""));
        }
        let needs = module.needs();
        let missing = |needed: &&&str| self.modules.get(**needed).is_none_or(is_zero);
        if !is_zero(quota)
            && let Some(needed) = needs.iter().find(missing)
        {
            let fact = format!("module {id} requires {needed}, which is not granted");
            let least = if module.extra.contains_key(*needed) { 2 } else { 1 };
            return wrong(fact, &format!("grant {needed} too, at least {least}, or remove {id}"));
        }
        Ok(())
    }

    /// Checks the quota of each module that other modules need `extra`: one CAL for the module
    /// itself, and one more for each distinct purpose.
    fn ensure_extra(&self, catalog: &Catalog) -> Result<()> {
        for (id, needed) in self.extra(catalog) {
            let least = u64::try_from(needed.len()).unwrap_or(u64::MAX).saturating_add(1);
            let granted = self.modules.get(id).unwrap_or(&Limit::Only(0));
            let Limit::Only(granted) = *granted else { continue };
            if granted >= least {
                continue;
            }
            let what_for: Vec<_> =
                needed.keys().map(|what| format!("one more for the {what}")).collect();
            let by: Vec<_> = needed.values().copied().collect();
            let what_for = what_for.join(", ");
            let fact =
                format!("module {id}: {granted} granted, but {least} are needed: {what_for}");
            let hint = format!("write {id} = {least} or more, or remove {}", by.join(" and "));
            return Err(self.written().wrong(&["modules", id], &fact, &hint));
        }
        Ok(())
    }

    /// Maps each module that is needed `extra` to the purposes, each with the first granted module
    /// that states it.
    fn extra<'a>(&self, catalog: &'a Catalog) -> BTreeMap<&'a str, BTreeMap<&'a str, &'a str>> {
        let mut extra: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
        for (by, _) in self.modules.iter().filter(|(_, quota)| !is_zero(quota)) {
            let Some((by, module)) = catalog.modules.get_key_value(by) else { continue };
            for (id, what_for) in &module.extra {
                extra.entry(id).or_default().entry(what_for).or_insert(by);
            }
        }
        extra
    }

    /// Builds the grants of the license. Call [`GrantFile::ensure_allowed`] first.
    ///
    /// # Errors
    /// Exit 2 when a module is unknown, or there are too many modules.
    pub fn grants(&self, kind: &LicenseType, catalog: &Catalog) -> Result<Set<Grant, 4096>> {
        let pools: BTreeSet<_> =
            self.modules.keys().filter_map(|id| catalog.modules.get(id)?.pool.as_deref()).collect();
        // A quota in a pool may be used for the other modules of that pool, so the license lists
        // all that the type can grant for this slot: with 0 if they are not granted themselves.
        let shares = |(_, module): &(&String, &Module)| {
            module.is_for(&self.product, &self.slot)
                && module.pool.as_deref().is_some_and(|pool| pools.contains(pool))
        };
        let nothing = Limit::Only(0);
        let mut quotas: BTreeMap<&String, &Limit<u64>> = self.modules.iter().collect();
        for (id, _) in catalog.modules.iter().filter(shares) {
            if allows(kind.modules.as_ref(), id) {
                quotas.entry(id).or_insert(&nothing);
            }
        }
        let mut grants = Vec::new();
        for (id, quota) in quotas {
            let module = self.known_module(id, catalog)?;
            let needs = module.needs().into_iter().map(Text::new);
            grants.push(Grant {
                module: Text::new(id)?,
                name: module.name.clone(),
                group: module.group.clone(),
                unit: module.unit.clone(),
                quota: *quota,
                account_cap: module.account_cap.map_or(Limit::Any, Limit::Only),
                admin_cap: self.admin_cap(id, module),
                pool: module.pool.clone().unwrap_or_default(),
                requires: Set::new(needs.collect::<Result<_>>()?)?,
                includes: Set::new(module.includes.clone())?,
                minimum_version: first_version(kind, module),
            });
        }
        Set::new(grants).map_err(|error| in_grant(error, "grant: modules"))
    }
}

/// Minimum product version: the later of the type's and the module's; empty if neither has one.
fn first_version(kind: &LicenseType, module: &Module) -> Text {
    let said = |version: &Option<Text>| version.clone().unwrap_or_default();
    let (of_type, of_module) = (said(&kind.minimum_version), said(&module.minimum_version));
    if of_module.is_empty() || is_older(&of_module, &of_type) { of_type } else { of_module }
}

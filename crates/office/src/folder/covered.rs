//! Checks what a vendor sells against what its issuers may sign: the smallest license of each type
//! and each module, tested against every delegation with the same function that verifies licenses.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, End, LicenseType, Module, allows};
use crate::folder::Folder;
use crate::issue::{GrantFile, Terms};
use olr_core::display::shown;
use olr_core::error::Result;
use olr_core::license::LicenseBody;
use olr_core::machine::Policy;
use olr_core::time::Instant;
use olr_core::trust::{Act, Delegation, Trust};
use olr_core::wire::codec::{Limit, Note, Set, Text};
use olr_core::wire::frame::{Frame, Kind};
use olr_core::wire::id::{LicenseId, RequestId};

impl Folder {
    /// Lists what no delegation covers at `now`, one sentence each.
    ///
    /// # Errors
    /// Exit 2 when a delegation cannot be read, or a license of some type would end after the year
    /// 9999.
    pub fn not_covered(
        &self,
        catalog: &Catalog,
        trust: &Trust,
        now: Instant,
    ) -> Result<Vec<String>> {
        let mut keys = BTreeSet::new();
        for (_, bytes) in self.delegations()? {
            let frame = Frame::parse(Kind::Delegation, &bytes)?;
            keys.extend(Delegation::read(&frame).map(|may| may.key_id()));
        }
        let counts = |may: &Delegation| {
            trust.ensure_unrevoked([may.key_id()]).is_ok() && may.permits(Act::License, now).is_ok()
        };
        // Of several delegations for one key, use the one that issuing would choose.
        let newest = keys.into_iter().filter_map(|key| self.delegation_of(key, trust).ok());
        let issuers: Vec<_> = newest.map(|(may, _)| may).filter(counts).collect();
        if issuers.is_empty() {
            return Ok(vec!["no delegation allows anybody to sign licenses now".to_string()]);
        }
        let mut missing = Vec::new();
        let mut modules = BTreeSet::new();
        for (id, kind) in &catalog.types {
            let Some((product, slot)) = places(kind, catalog).next() else { continue };
            let sale = Sale { catalog, id, kind, now };
            if let Some(limit) = refused_by_all(&sale.body(product, slot, None)?, &issuers) {
                missing.push(format!("type {}: no delegation covers it: {limit}", shown(id)));
                continue;
            }
            for (module, described) in &catalog.modules {
                let fits = |(product, slot): &(&str, &str)| described.is_for(product, slot);
                let Some((product, slot)) = places(kind, catalog).find(fits) else { continue };
                if !allows(kind.modules.as_ref(), module) || modules.contains(module) {
                    continue;
                }
                let body = sale.body(product, slot, Some((module, described)))?;
                if let Some(limit) = refused_by_all(&body, &issuers) {
                    modules.insert(module);
                    let (module, id) = (shown(module), shown(id));
                    missing.push(format!(
                        "module {module}: no delegation covers it in type {id}: {limit}"
                    ));
                }
            }
        }
        Ok(missing)
    }
}

/// Returns the limit of the last delegation if all of them refuse the license, otherwise `None`.
fn refused_by_all(body: &LicenseBody, issuers: &[Delegation]) -> Option<String> {
    let mut limit = None;
    for may in issuers {
        limit = Some(body.ensure_within(may).err()?.fact().to_string());
    }
    limit
}

/// Pairs of product and slot in which a type is sold.
fn places<'a>(
    kind: &'a LicenseType,
    catalog: &'a Catalog,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let products = catalog.products.iter().filter(|p| allows(kind.products.as_ref(), &p.id));
    products.flat_map(|product| {
        let slots = product.slots.iter().filter(|slot| allows(kind.slots.as_ref(), slot));
        slots.map(|slot| (&*product.id, &**slot))
    })
}

/// A license type, and the instant when it is sold.
struct Sale<'a> {
    catalog: &'a Catalog,
    id: &'a str,
    kind: &'a LicenseType,
    now: Instant,
}

impl Sale<'_> {
    /// Smallest license of this type: without modules, or with one CAL of `module` and one of each
    /// module that it needs.
    fn body(
        &self,
        product: &str,
        slot: &str,
        module: Option<(&str, &Module)>,
    ) -> Result<LicenseBody> {
        let Self { catalog, id, kind, now } = *self;
        let quota = |unlimited: bool| if unlimited { Limit::Any } else { Limit::Only(1) };
        let mut modules = BTreeMap::new();
        if let Some((module, described)) = module {
            modules.insert(module.to_string(), quota(described.unlimited));
            for needed in described.needs() {
                let unlimited = catalog.modules.get(needed).is_some_and(|other| other.unlimited);
                modules.insert(needed.to_string(), quota(unlimited));
            }
        }
        let grant = GrantFile::least([product, id, slot], modules);
        let terms = Terms::of(&grant, kind, catalog)?;
        let today = now.day();
        // An end that the catalog leaves to the grant may be as early as today.
        let end = |end: Option<End>| end.unwrap_or(End::On(today)).last_day(today);
        let policy = grant.machine_policy(kind, catalog).map(|(_, policy)| policy.hardware);
        Ok(LicenseBody {
            license: LicenseId([0; 16]),
            request: RequestId([0; 16]),
            request_hash: [0; 32],
            number: 1,
            answer: 1,
            install_key: [0; 32],
            licensee: Text::default(),
            product: Text::new(product)?,
            slot: Text::new(slot)?,
            type_id: Text::new(id)?,
            model: kind.model,
            edition: kind.edition,
            grants: grant.grants(kind, catalog)?,
            languages: Set::default(),
            issued: now,
            starts: today,
            expires: end(kind.term)?,
            maintenance: end(kind.maintenance)?,
            tolerance: 0,
            policy: Policy {
                name: Text::default(),
                threshold: 1,
                hardware: policy.unwrap_or(true),
                enrolled: Set::default(),
            },
            grace: terms.grace,
            enforcement: terms.enforcement,
            always: terms.always,
            operations: catalog.operations.clone(),
            replaces: None,
            note: Note::default(),
            extensions: Set::default(),
        })
    }
}

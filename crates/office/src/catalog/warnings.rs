//! Warnings about a catalog that is valid but probably not what was meant.

use crate::catalog::{Catalog, USUAL_POLICY, allows};
use olr_core::entitlement::{Cause, Model};
use olr_core::machine::{Class, FactorKind};

pub(super) fn warnings(catalog: &Catalog) -> Vec<String> {
    let mut all = Vec::new();
    if !catalog.types.values().any(|kind| kind.offline) {
        all.push("no type has `offline = true`, so no license can be issued".to_string());
    }
    for (id, kind) in &catalog.types {
        if kind.policy.is_none() && !catalog.policies.contains_key(USUAL_POLICY) {
            all.push(format!(
                "type {id}: it has no machine policy, and no policy is called {USUAL_POLICY}, so each grant must name one"
            ));
        }
        if kind.model != Model::Purchased && kind.on.contains_key(&Cause::Pooled) {
            all.push(format!("type {id}: on pooled: only purchased licenses can be pooled"));
        }
        let upgraded = kind.on.contains_key(&Cause::Upgraded);
        if upgraded && !catalog.modules.values().any(|module| module.server) {
            all.push(format!(
                "type {id}: on upgraded: no module has `server = true`, so this never happens"
            ));
        }
        let fits = |product: &&str| allows(kind.products.as_ref(), product);
        let slots = |product: &str| catalog.product(product).map(|product| &product.slots);
        let ids = || catalog.products.iter().map(|product| &*product.id).filter(fits);
        let has_slot =
            ids().filter_map(slots).flatten().any(|slot| allows(kind.slots.as_ref(), slot));
        if !has_slot {
            all.push(format!("type {id}: none of its products has one of its slots"));
        }
    }
    for (id, module) in &catalog.modules {
        if module.group.is_empty() {
            all.push(format!("module {id}: it is in no group, so it appears under no heading"));
        }
        if !catalog.types.values().any(|kind| allows(kind.modules.as_ref(), id)) {
            all.push(format!("module {id}: no type can grant it"));
        }
    }
    for (name, policy) in &catalog.policies {
        let weighed = |kind: &FactorKind| policy.weights.get(kind).is_some_and(|w| *w > 0);
        if !FactorKind::ALL.iter().any(weighed) {
            all.push(format!(
                "policy {name}: no factor has a weight, so no machine can be licensed"
            ));
        } else if policy.hardware
            && !FactorKind::ALL.iter().any(|kind| weighed(kind) && kind.may_be(Class::Hardware))
        {
            all.push(format!(
                "policy {name}: hardware must match, but no hardware factor has a weight"
            ));
        }
    }
    all
}

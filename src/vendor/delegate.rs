//! Delegations that are proposed to the roots. Obeys `docs/format.md`, section "Delegation".

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::display::shown;
use crate::error::{Error, Result};
use crate::partial::Proposal;
use crate::trust::{DelegationBody, Trust};
use crate::wire::codec::{Limit, Set, Text, encode};
use crate::wire::frame::{Kind, Unsigned};

/// Proposes to the roots of `trust` that a key may issue.
///
/// # Errors
/// Exit 2: a limit leaves nothing, the key is weak or revoked.
pub fn propose_delegation(body: &DelegationBody, trust: &Trust) -> Result<Proposal> {
    let unable = |fact: &str, hint: &'static str| Err(Error::unable(fact, hint));
    if body.acts.is_empty() {
        return unable("a delegation for no act allows nothing", "name one with --act");
    }
    if let (Limit::Only(from), Limit::Only(until)) = (&body.from, &body.until)
        && from > until
    {
        return unable("the delegation ends before it begins", "correct --from or --until");
    }
    let unsigned = Unsigned::new(Kind::Delegation, trust.vendor(), Vec::new(), encode(body))?;
    let proposal = Proposal::new(&unsigned, &BTreeSet::new());
    let proposal = proposal.map_err(|error| Error::unable(error.fact(), "name another key"))?;
    let issuer = crate::key::key_id(crate::key::Role::Issuer, &body.issuer);
    trust.expect_unrevoked([issuer]).map_err(|_| {
        let fact = format!("key {issuer} is revoked: it counts no longer, whoever delegates to it");
        Error::unable(fact, "make a new key with `olr key new --role issuer`")
    })?;
    Ok(proposal)
}

/// What a delegation names must stand in the catalog: a name that was mistyped would allow nothing.
///
/// # Errors
/// Exit 2, naming what is known.
pub fn check_names(body: &DelegationBody, catalog: &Catalog) -> Result<()> {
    let names = |limit: &Limit<Set<Text>>| match limit {
        Limit::Only(names) => names.iter().map(|name| name.to_string()).collect(),
        Limit::Any => Vec::new(),
    };
    let modules = match &body.modules {
        Limit::Only(maxima) => maxima.iter().map(|maximum| maximum.module.to_string()).collect(),
        Limit::Any => Vec::new(),
    };
    let products = catalog.products.iter().map(|product| product.id.as_str());
    let slots = catalog.products.iter().flat_map(|p| p.slots.iter().map(String::as_str));
    let types = catalog.types.keys().map(String::as_str);
    let known_modules = catalog.modules.keys().map(String::as_str);
    expect_known("product", &names(&body.products), products.collect())?;
    expect_known("slot", &names(&body.slots), slots.collect())?;
    expect_known("type", &names(&body.types), types.collect())?;
    expect_known("module", &modules, known_modules.collect())
}

fn expect_known(what: &str, names: &[String], known: BTreeSet<&str>) -> Result<()> {
    match names.iter().find(|name| !known.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let fact = format!("the catalog has no {what} {:?}", shown(name));
            let known: Vec<_> = known.into_iter().collect();
            Err(Error::unable(fact, format!("its {what}s are {}", known.join(", "))))
        }
    }
}

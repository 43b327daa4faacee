//! Proposals for delegations, for the roots to sign. Implements `docs/format.md`, section
//! "Delegation".

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, LicenseType, one_of};
use olr_core::display::shown;
use olr_core::entitlement::{Cause, Edition, Model, Operation, Operations, Outcome};
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::proposal::Proposal;
use olr_core::time::Instant;
use olr_core::trust::{DelegationBody, ModuleMaximum, Trust};
use olr_core::wire::codec::{Limit, Set, Text, encode};
use olr_core::wire::frame::{Kind, Unsigned};

/// Proposes a delegation to the roots of `trust`.
///
/// # Errors
/// Exit 2: the delegation allows no act, ends before it begins, or has ended by `now`, or the key
/// is weak or revoked.
pub fn propose_delegation(body: &DelegationBody, trust: &Trust, now: Instant) -> Result<Proposal> {
    let unable = |fact: &str, step: NextStep| Err(Error::unable(Problem::Usage, fact, step));
    if body.acts.is_empty() {
        return unable(
            "the delegation has no act, so it allows nothing",
            NextStep::new("name at least one act", &[Remedy::NameAct]),
        );
    }
    if let (Limit::Only(from), Limit::Only(until)) = (&body.from, &body.until)
        && from > until
    {
        return unable(
            "the delegation ends before it starts",
            NextStep::new("choose a later end, or an earlier start", &[Remedy::NameEnd]),
        );
    }
    if let Limit::Only(until) = &body.until
        && *until < now
    {
        let fact =
            format!("a delegation until {until} has already ended: the clock here says {now}");
        let hint = NextStep::new(
            "delegate with a later end, or set the clock of this computer",
            &[Remedy::Delegate, Remedy::NameEnd],
        );
        return Err(Error::unable(Problem::Usage, fact, hint));
    }
    let unsigned = Unsigned::new(Kind::Delegation, trust.vendor(), Vec::new(), encode(body))?;
    let proposal = Proposal::new(&unsigned, &BTreeSet::new());
    let proposal = proposal
        .map_err(|error| Error::unable(Problem::Usage, error.fact(), "name another key"))?;
    let issuer = olr_core::key::key_id(olr_core::key::Role::Issuer, &body.issuer);
    trust.ensure_unrevoked([issuer]).map_err(|_| {
        let fact = format!("key {issuer} is revoked: no delegation can make it valid again");
        Error::unable(
            Problem::WrongKey,
            fact,
            NextStep::new("make a new key", &[Remedy::MakeIssuer]),
        )
    })?;
    Ok(proposal)
}

/// Checks that every name in a delegation is in the catalog: a mistyped name would allow nothing.
///
/// # Errors
/// Exit 2, listing the known names.
pub fn check_names(body: &DelegationBody, catalog: &Catalog) -> Result<()> {
    let names = |limit: &Limit<Set<Text>>| match limit {
        Limit::Only(names) => names.iter().map(|name| name.to_string()).collect(),
        Limit::Any => Vec::new(),
    };
    let modules = match &body.modules {
        Limit::Only(maxima) => maxima.iter().map(|maximum| maximum.module.to_string()).collect(),
        Limit::Any => Vec::new(),
    };
    let products = catalog.products.iter().map(|product| &*product.id);
    let slots = catalog.products.iter().flat_map(|p| p.slots.iter().map(|slot| &**slot));
    let types = catalog.types.keys().map(String::as_str);
    let included = catalog.modules.values().flat_map(|module| &module.includes);
    let known_modules =
        catalog.modules.keys().map(String::as_str).chain(included.map(|module| &**module));
    ensure_known("product", &names(&body.products), products.collect())?;
    ensure_known("slot", &names(&body.slots), slots.collect())?;
    ensure_known("type", &names(&body.types), types.collect())?;
    ensure_known("module", &modules, known_modules.collect())?;
    let operations = match &body.afterwards {
        Limit::Only(operations) => operations.iter().map(|word| word.to_string()).collect(),
        Limit::Any => Vec::new(),
    };
    let known = Operations::known(&catalog.operations);
    ensure_known("operation", &operations, known.iter().map(Operation::word).collect())
}

fn ensure_known(what: &str, names: &[String], known: BTreeSet<&str>) -> Result<()> {
    match names.iter().find(|name| !known.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let fact = format!("the catalog has no {what} {:?}", shown(name));
            let hint = one_of(&format!("its {what}s"), known.into_iter());
            Err(Error::unable(Problem::Usage, fact, hint))
        }
    }
}

/// Limits that the user left out, to be derived from the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsaid {
    /// True to allow the models of the named types.
    pub models: bool,
    /// True to allow the editions of the named types.
    pub editions: bool,
    /// True to allow the longest grace period of the named types.
    pub longest_grace: bool,
    /// True to allow, after the end of a license, the operations that any of the named types still
    /// allows then.
    pub afterwards: bool,
    /// True to allow licenses without a hardware factor if a machine policy requires none.
    pub weak_machine: bool,
}

/// Fills in the limits that were left out, and extends the named modules: adds the other members of
/// their pools, with the largest maximum named for the pool, and the modules that all of these
/// include, without a maximum.
///
/// # Errors
/// Exit 2 when one of these modules includes a counted module that is not among them, or there are
/// too many modules.
pub fn fill_in(body: &mut DelegationBody, unsaid: Unsaid, catalog: &Catalog) -> Result<()> {
    let types = types_of(body, catalog);
    if unsaid.models && body.types != Limit::Any {
        let models = types.iter().map(|kind| kind.model).collect::<BTreeSet<_>>();
        body.models = Limit::Only(Set::new(models.into_iter().collect::<Vec<Model>>())?);
    }
    if unsaid.editions && body.types != Limit::Any {
        let editions = types.iter().map(|kind| kind.edition).collect::<BTreeSet<_>>();
        body.editions = Limit::Only(Set::new(editions.into_iter().collect::<Vec<Edition>>())?);
    }
    let (mut longest, mut left) = (Limit::Only(0), Operations::default());
    for kind in types {
        longest = longest.max(longest_grace(kind));
        left = left.and(left_afterwards(kind, catalog).iter().copied());
    }
    if unsaid.longest_grace {
        body.longest_grace = longest;
    }
    if unsaid.afterwards {
        body.afterwards = Limit::Only(Set::new(left.to_vec())?);
    }
    if unsaid.weak_machine {
        body.weak_machine = catalog.policies.values().any(|policy| !policy.hardware);
    }
    if let Limit::Only(maxima) = &body.modules {
        body.modules = Limit::Only(with_company(maxima, catalog)?);
    }
    Ok(())
}

fn types_of<'a>(body: &DelegationBody, catalog: &'a Catalog) -> Vec<&'a LicenseType> {
    let is_named = |id: &str| match &body.types {
        Limit::Any => true,
        Limit::Only(names) => names.get(id).is_some(),
    };
    catalog.types.iter().filter(|(id, _)| is_named(id)).map(|(_, kind)| kind).collect()
}

/// Rules of a type for the causes whose grace period a delegation limits.
fn rules(kind: &LicenseType) -> impl Iterator<Item = &crate::catalog::Rule> {
    let rules = kind.on.iter();
    let rules = rules.filter(|(cause, _)| !matches!(cause, Cause::OverQuota | Cause::Upgraded));
    rules.map(|(_, rule)| rule)
}

fn longest_grace(kind: &LicenseType) -> Limit<u64> {
    rules(kind).fold(Limit::Only(0), |longest, rule| match rule.outcome {
        Outcome::Warn => Limit::Any,
        Outcome::Stop | Outcome::Block => longest.max(Limit::Only(rule.seconds)),
    })
}

fn left_afterwards(kind: &LicenseType, catalog: &Catalog) -> Operations {
    let known = || Operations::known(&catalog.operations);
    let mut left = Operations::of(kind.always.iter().copied());
    for rule in rules(kind).filter(|rule| rule.outcome == Outcome::Block) {
        left = left.and(
            known().without(&rule.blocks).without(&[Operation::UPDATE_LICENSE]).iter().copied(),
        );
    }
    left
}

/// Maximum number of modules in a delegation.
const MOST: usize = 4096;

/// Returns the named modules, the other members of their pools, and the modules that these include.
fn with_company(
    maxima: &Set<ModuleMaximum, 4096>,
    catalog: &Catalog,
) -> Result<Set<ModuleMaximum, 4096>> {
    let mut all: BTreeMap<&str, Limit<u64>> = BTreeMap::new();
    for entry in maxima.iter() {
        all.insert(&entry.module, entry.maximum);
    }
    let pool = |id: &str| catalog.modules.get(id).and_then(|module| module.pool.as_ref());
    for (id, module) in &catalog.modules {
        if maxima.get(id.as_str()).is_some() || module.pool.is_none() {
            continue;
        }
        let named = maxima.iter().filter(|entry| pool(&entry.module) == module.pool.as_ref());
        let largest = named.map(|entry| entry.maximum).max();
        all.extend(largest.map(|largest| (id.as_str(), largest)));
    }
    let granted = all.iter().filter(|(_, maximum)| **maximum != Limit::Only(0));
    let granted: Vec<_> =
        granted.filter_map(|(id, _)| catalog.modules.get_key_value(*id)).collect();
    for (id, module) in granted {
        for included in &module.includes {
            if !all.contains_key(&**included) && catalog.modules.contains_key(&**included) {
                let (id, included) = (shown(id), shown(included));
                let fact = format!(
                    "module {id} includes any number of {included}, which this delegation does not list"
                );
                let text = format!("to allow {id}, allow any number of {included} too");
                let step = NextStep::new(text, &[Remedy::AllowAny]);
                return Err(Error::unable(Problem::Usage, fact, step));
            }
            all.entry(included).or_insert(Limit::Any);
        }
    }
    if all.len() > MOST {
        let fact = format!(
            "with included modules and pools, this delegation lists {} modules, but at most {MOST} are allowed",
            all.len()
        );
        return Err(Error::unable(
            Problem::TooLarge,
            fact,
            "limit fewer modules, or none to allow them all",
        ));
    }
    let entry = |(module, maximum)| Ok(ModuleMaximum { module: Text::new(module)?, maximum });
    Set::new(all.into_iter().map(entry).collect::<Result<_>>()?)
}

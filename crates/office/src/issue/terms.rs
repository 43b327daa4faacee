//! The terms of a license: what follows which cause, and what nothing blocks.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, LicenseType, Rule};
use crate::issue::GrantFile;
use crate::issue::grant::is_zero;
use olr_core::entitlement::{Cause, EnforcementRule, GraceRule, Model, Operation, Outcome};
use olr_core::error::Result;
use olr_core::wire::codec::Set;

/// What a license says of its causes. A cause without a rule stops at once; over quota, what would
/// exceed a quota is blocked, and the server goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What follows, and when.
    pub grace: Set<GraceRule>,
    /// What is blocked where that is `block`.
    pub enforcement: Set<EnforcementRule>,
    /// What nothing blocks.
    pub always: Set<Operation>,
}

impl Terms {
    /// The terms of a grant of the type `kind`. A rule of the grant stands in place of the type's.
    ///
    /// # Errors
    /// Exit 2 when there are more rules than causes, which no map of them has.
    pub fn of(grant: &GrantFile, kind: &LicenseType, catalog: &Catalog) -> Result<Self> {
        let mut rules: BTreeMap<Cause, &Rule> = BTreeMap::new();
        rules.extend(kind.on.iter().chain(&grant.on).map(|(cause, rule)| (*cause, rule)));
        if has_server(grant, catalog) {
            rules.remove(&Cause::Upgraded);
        } else if rules.contains_key(&Cause::Upgraded) {
            rules.remove(&Cause::OverQuota);
        }
        let (mut grace, mut enforcement) = (Vec::new(), Vec::new());
        if kind.model == Model::Evaluation {
            rules.retain(|cause, _| !matches!(cause, Cause::OverQuota | Cause::Upgraded));
            grace.push(GraceRule { cause: Cause::OverQuota, seconds: 0, outcome: Outcome::Warn });
        }
        for (cause, rule) in rules.into_iter().filter(|(cause, rule)| !rule.is_usual(*cause)) {
            let (rule, blocked) = rule.wire(cause);
            grace.push(rule);
            enforcement.extend(blocked);
        }
        let always = kind.always.clone();
        Ok(Self { grace: Set::new(grace)?, enforcement: Set::new(enforcement)?, always })
    }
}

/// Whether the server itself is granted, or nothing that could be granted here is one.
fn has_server(grant: &GrantFile, catalog: &Catalog) -> bool {
    let granted = |id: &str| grant.modules.get(id).is_some_and(|quota| !is_zero(quota));
    let mut servers = catalog
        .modules
        .iter()
        .filter(|(_, module)| module.server && module.is_for(&grant.product, &grant.slot))
        .peekable();
    servers.peek().is_none() || servers.any(|(id, _)| granted(id))
}

//! Terms of a license: the outcome of each cause, and the operations that are never blocked.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, LicenseType, Rule};
use crate::issue::GrantFile;
use crate::issue::grant::is_zero;
use olr_core::entitlement::{Cause, EnforcementRule, GraceRule, Model, Operation, Outcome};
use olr_core::error::Result;
use olr_core::wire::codec::Set;

/// Terms of a license. A cause without a rule stops the server at once, except `over-quota` and
/// `upgraded`: the operation that would exceed the quota is blocked, and the server continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Outcome of each cause, and its grace period.
    pub grace: Set<GraceRule>,
    /// Operations blocked by each cause whose outcome is `block`.
    pub enforcement: Set<EnforcementRule>,
    /// Operations that are never blocked.
    pub always: Set<Operation>,
}

impl Terms {
    /// Combines the rules of the type `kind` and the grant. A rule of the grant replaces the type's
    /// rule for the same cause.
    ///
    /// # Errors
    /// Exit 2 when there are more rules than causes, which cannot happen: both are keyed by cause.
    pub fn of(grant: &GrantFile, kind: &LicenseType, catalog: &Catalog) -> Result<Self> {
        let mut rules: BTreeMap<Cause, &Rule> = BTreeMap::new();
        rules.extend(kind.on.iter().chain(&grant.on).map(|(cause, rule)| (*cause, rule)));
        // A license has one rule for exceeding a quota: the one for `upgraded` if there is one and
        // the catalog has server modules here, but none is granted; otherwise the one for
        // `over-quota`.
        if has_server(grant, catalog) {
            rules.remove(&Cause::Upgraded);
        } else if rules.contains_key(&Cause::Upgraded) {
            rules.remove(&Cause::OverQuota);
        }
        let (mut grace, mut enforcement) = (Vec::new(), Vec::new());
        // A trial only warns when a quota is exceeded, whatever the rules say.
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

/// True if a server module is granted, or if the catalog has none for this product and slot.
fn has_server(grant: &GrantFile, catalog: &Catalog) -> bool {
    let granted = |id: &str| grant.modules.get(id).is_some_and(|quota| !is_zero(quota));
    let mut servers = catalog
        .modules
        .iter()
        .filter(|(_, module)| module.server && module.is_for(&grant.product, &grant.slot))
        .peekable();
    servers.peek().is_none() || servers.any(|(id, _)| granted(id))
}

//! A license against the limits of its signers' delegations.
//! Obeys `docs/format.md`, section "Limits".

use crate::error::{Error, Refusal, Result};
use crate::license::LicenseBody;
use crate::trust::{Delegation, ModuleMaximum, TrustBody};
use crate::wire::codec::{Limit, Set, Text};

/// Every field of `body` must be inside `delegation`.
///
/// # Errors
/// `not-delegated`, naming the limit.
pub(super) fn expect_within(body: &LicenseBody, delegation: &Delegation) -> Result<()> {
    let limits = delegation.body();
    for (what, value, allowed) in [
        ("product", &body.product, &limits.products),
        ("slot", &body.slot, &limits.slots),
        ("type", &body.type_id, &limits.types),
    ] {
        if !names(allowed, value) {
            let value = crate::display::shown(value);
            let limit = format!("{what} {value} is not among its {what}s");
            return Err(delegation.outside("limit-3", limit));
        }
    }
    if let Limit::Only(maxima) = &limits.modules {
        for grant in body.grants.iter() {
            // A module without a maximum may stand there with quota 0, for its pool.
            let entry = maxima.get(&grant.module);
            let maximum = entry.map_or(&Limit::Only(0), |entry| &entry.maximum);
            if !covers(maximum, &grant.quota) {
                let module = crate::display::shown(&grant.module);
                let limit = format!("module {module} is above its maximum");
                return Err(delegation.outside("limit-4", limit));
            }
        }
    }
    if let Limit::Only(longest) = limits.longest_term {
        let term = body.expires.map(|end| end.number.saturating_sub(body.starts.number));
        if term.is_none_or(|term| term > longest) {
            let limit = format!("its longest term is {longest} days");
            return Err(delegation.outside("limit-5", limit));
        }
    }
    Ok(())
}

/// The trust may ask for several signers.
///
/// # Errors
/// `not-delegated`.
pub(super) fn expect_enough_signers(
    body: &LicenseBody,
    signers: usize,
    trust: &TrustBody,
) -> Result<()> {
    let applies = |model: &Limit<_>, above: &Option<ModuleMaximum>| {
        let model_fits = match model {
            Limit::Any => true,
            Limit::Only(model) => *model == body.model,
        };
        let is_above = above.as_ref().is_none_or(|above| {
            let granted = body.grants.get(&above.module);
            granted.is_some_and(|grant| !covers(&above.maximum, &grant.quota))
        });
        model_fits && is_above
    };
    let needed = trust
        .signer_rules
        .iter()
        .filter(|rule| applies(&rule.model, &rule.above))
        .map(|rule| usize::from(rule.signers))
        .max()
        .unwrap_or(1);
    if signers >= needed {
        return Ok(());
    }
    let fact = format!("{signers} signers, where the vendor's trust asks for {needed}");
    Err(Error::refuse(Refusal::NotDelegated, fact).rule("limit-6"))
}

fn names(allowed: &Limit<Set<Text>>, value: &str) -> bool {
    match allowed {
        Limit::Any => true,
        Limit::Only(names) => names.get(value).is_some(),
    }
}

fn covers(maximum: &Limit<u64>, quota: &Limit<u64>) -> bool {
    match (maximum, quota) {
        (Limit::Any, _) => true,
        (Limit::Only(maximum), Limit::Only(quota)) => quota <= maximum,
        (Limit::Only(_), Limit::Any) => false,
    }
}

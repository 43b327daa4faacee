//! Limits that delegations set on a license. Everything that the license allows, to anybody and at
//! any time, must be within the limits of every delegation under which it was signed. Implements
//! `docs/format.md`, section "Limits".

use std::cell::OnceCell;

use crate::display::shown;
use crate::entitlement::{Cause, GraceRule, Model, Operation, Operations, Outcome, Quotas};
use crate::error::{Error, NextStep, Refusal, Remedy, Result};
use crate::license::LicenseBody;
use crate::time::{DAY, Day};
use crate::trust::{Delegation, DelegationBody, ModuleMaximum, SignerRule, TrustBody};
use crate::wire::codec::{Keyed, Limit, Set};

/// Causes whose grace period a delegation limits. An exceeded quota is not among them, because
/// nothing can be added during its grace period.
const BOUNDED: [Cause; 4] = [Cause::Expired, Cause::Conflict, Cause::Revoked, Cause::Pooled];

/// How much of each module a license makes available. This can be more than the grant of the module
/// itself states, because of pools and included modules.
pub(super) struct Opened<'a> {
    body: &'a LicenseBody,
    /// Computed when a delegation or a signer rule limits a module. Most do not limit any.
    quotas: OnceCell<Quotas>,
}

impl<'a> Opened<'a> {
    pub(super) fn by(body: &'a LicenseBody) -> Self {
        Self { body, quotas: OnceCell::new() }
    }

    /// Returns how much of a module is available: the quota of its grant, or of the pool of the
    /// grant; without a grant, *any* if a granted module includes it, otherwise 0.
    fn of(&self, module: &str) -> Limit<u64> {
        let grants = &self.body.grants;
        let quotas = self.quotas.get_or_init(|| Quotas::new(grants, &Set::default()));
        match quotas.of(grants, module) {
            Some((_, quota)) => quota.granted,
            None if quotas.includes(module) => Limit::Any,
            None => Limit::Only(0),
        }
    }

    /// Returns the first module of which the license makes more available than `maxima` allow.
    fn beyond(&self, maxima: &Set<ModuleMaximum, 4096>) -> Option<&str> {
        let granted = self.body.grants.iter().map(|grant| &*grant.module);
        let included = self.body.grants.iter().flat_map(|grant| grant.includes.iter());
        granted.chain(included.map(|module| &**module)).find(|module| {
            let maximum = maxima.get(*module).map_or(Limit::Only(0), |entry| entry.maximum);
            self.of(module) > maximum
        })
    }
}

/// The rule that a license breaks, and the limit that it exceeds, in words.
type Beyond = (&'static str, String);

/// Checks that everything that the license allows is within `delegation`.
///
/// # Errors
/// `not-delegated`, naming the limit.
pub(super) fn ensure_within(opened: &Opened<'_>, delegation: &Delegation) -> Result<()> {
    let (body, limits) = (opened.body, delegation.body());
    let beyond = beyond_names(body, limits)
        .or_else(|| beyond_modules(opened, limits))
        .or_else(|| beyond_days(body, limits))
        .or_else(|| beyond_grace(body, limits))
        .or_else(|| beyond_afterwards(body, delegation))
        .or_else(|| {
            let weak = !body.policy.hardware && !limits.weak_machine;
            let limit = "its licenses need a hardware factor of the machine";
            weak.then(|| ("limit-11", limit.to_string()))
        });
    beyond.map_or(Ok(()), |(rule, limit)| Err(delegation.outside(rule, limit)))
}

fn beyond_names(body: &LicenseBody, limits: &DelegationBody) -> Option<Beyond> {
    let outside = |rule, what: &str, value: &str| {
        Some((rule, format!("{what} {} is not among its {what}s", shown(value))))
    };
    for (what, value, allowed) in [
        ("product", &body.product, &limits.products),
        ("slot", &body.slot, &limits.slots),
        ("type", &body.type_id, &limits.types),
    ] {
        if !names(allowed, &**value) {
            return outside("limit-3", what, value);
        }
    }
    if !names(&limits.models, &body.model) {
        return outside("limit-4", "model", body.model.word());
    }
    if !names(&limits.editions, &body.edition) {
        return outside("limit-4", "edition", body.edition.word());
    }
    None
}

fn beyond_modules(opened: &Opened<'_>, limits: &DelegationBody) -> Option<Beyond> {
    let Limit::Only(maxima) = &limits.modules else { return None };
    let module = shown(opened.beyond(maxima)?);
    Some(("limit-5", format!("module {module} is above its maximum")))
}

fn beyond_days(body: &LicenseBody, limits: &DelegationBody) -> Option<Beyond> {
    let (starts, issued) = (u64::from(body.starts.number), body.issued.seconds / DAY);
    let span = |from: u64| move |end: Day| u64::from(end.number).saturating_sub(from);
    let is_above = |span: Limit<u64>, longest: u32| span > Limit::Only(longest.into());
    let days = |days: u32| if days == 1 { "1 day".to_string() } else { format!("{days} days") };
    if let Limit::Only(longest) = limits.longest_term
        && is_above(body.last_day().map(span(starts)), longest)
    {
        return Some(("limit-6", format!("its longest term is {}", days(longest))));
    }
    if let Limit::Only(ahead) = limits.ahead
        && is_above(Limit::Only(starts.saturating_sub(issued)), ahead)
    {
        let ahead = days(ahead);
        let limit = format!("its licenses start at most {ahead} after they are issued");
        return Some(("limit-7", limit));
    }
    let Limit::Only(longest) = limits.longest_maintenance else { return None };
    // The end of the license does not limit maintenance: while the license is valid, a product can
    // ask about a release that comes out after that end.
    let maintenance = body.maintained_to().map(span(starts.max(issued)));
    is_above(maintenance, longest).then(|| {
        let endless = if maintenance == Limit::Any { ", and this one has no end date" } else { "" };
        ("limit-8", format!("its longest maintenance is {}{endless}", days(longest)))
    })
}

fn beyond_grace(body: &LicenseBody, limits: &DelegationBody) -> Option<Beyond> {
    let Limit::Only(longest) = limits.longest_grace else { return None };
    let is_beyond = |rule: &&GraceRule| rule.outcome == Outcome::Warn || rule.seconds > longest;
    let beyond = bounded(body).filter_map(|cause| body.grace.get(&cause)).find(is_beyond)?;
    let cause = beyond.cause;
    let limit = match beyond.outcome {
        Outcome::Warn => format!("a warning alone is not allowed for {cause}"),
        Outcome::Stop | Outcome::Block => {
            format!("its longest grace period for {cause} is {}", span(longest))
        }
    };
    Some(("limit-9", limit))
}

/// Formats seconds in the largest unit that divides them.
fn span(seconds: u64) -> String {
    let units = [(DAY, "day"), (3600, "hour"), (60, "minute")];
    let fits = |size: u64| seconds > 0 && seconds.checked_rem(size) == Some(0);
    let whole = units.into_iter().find(|(size, _)| fits(*size));
    let (size, unit) = whole.unwrap_or((1, "second"));
    match seconds.checked_div(size).unwrap_or_default() {
        1 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    }
}

fn beyond_afterwards(body: &LicenseBody, delegation: &Delegation) -> Option<Beyond> {
    let Limit::Only(afterwards) = &delegation.body().afterwards else { return None };
    let blocks =
        |cause: &Cause| body.grace.get(cause).is_some_and(|rule| rule.outcome == Outcome::Block);
    let first = |left: Operations| left.without(afterwards).first().copied();
    if let Some(operation) = first(always(body)) {
        return Some(("limit-10", format!("this license never blocks {operation}")));
    }
    bounded(body).filter(blocks).find_map(|cause| {
        let operation = first(left_after(body, cause))?;
        Some(("limit-10", format!("on {cause}, this license does not block {operation}")))
    })
}

/// Returns the limited causes that can occur with this license.
fn bounded(body: &LicenseBody) -> impl Iterator<Item = Cause> {
    let may_happen = |cause: &Cause| *cause != Cause::Expired || body.expires.is_some();
    BOUNDED.into_iter().filter(may_happen)
}

/// Returns the operations that stay allowed after the grace period of `cause`, except importing a
/// license.
fn left_after(body: &LicenseBody, cause: Cause) -> Operations {
    let left = body.enforcement.get(&cause).map(|rule| body.known().without(&rule.blocked));
    let left = left.unwrap_or_default().without(&[Operation::UPDATE_LICENSE]);
    left.and(always(body).iter().copied())
}

/// Returns the operations that are never blocked, except importing a license.
fn always(body: &LicenseBody) -> Operations {
    Operations::of(body.always.iter().copied()).without(&[Operation::UPDATE_LICENSE])
}

/// Checks the number of signers, because the trust may require more than one.
///
/// # Errors
/// `not-delegated`.
pub(super) fn ensure_enough_signers(
    opened: &Opened<'_>,
    delegations: &[Delegation],
    signers: usize,
    trust: &TrustBody,
) -> Result<()> {
    // The signers chose the model, so a rule applies if they could have written the model that it
    // names.
    let may_be = |model: &Model| delegations.iter().any(|may| names(&may.body().models, model));
    let applies = |rule: &&SignerRule| {
        let model_fits = match &rule.model {
            Limit::Any => true,
            Limit::Only(model) => may_be(model),
        };
        let is_above = |above: &ModuleMaximum| opened.of(&above.module) > above.maximum;
        model_fits && rule.above.as_ref().is_none_or(is_above)
    };
    let rules = trust.signer_rules.iter().filter(applies);
    let needed = rules.map(|rule| usize::from(rule.signers)).max().unwrap_or(1);
    if signers >= needed {
        return Ok(());
    }
    let fact = format!(
        "signed by only {signers} of the {needed} signers that the vendor's trust requires"
    );
    let error = Error::refuse(Refusal::NotDelegated, fact).hints(
        "ask the vendor for a license that enough of its issuers signed",
        NextStep::new(
            "have another issuer sign too; if its key is not here, name it as absent",
            &[Remedy::NameAbsent],
        ),
    );
    Err(error.rule("limit-12"))
}

fn names<T: Keyed>(allowed: &Limit<Set<T>>, value: &T::Key) -> bool {
    match allowed {
        Limit::Any => true,
        Limit::Only(names) => names.get(value).is_some(),
    }
}

//! Report of a delegation: every limit, or `any` where it sets none.

use crate::entitlement::{Edition, Model, Operation};
use crate::key::{Role, key_id};
use crate::report::{ExtensionReport, Row, extension, joined_or_none, span, yes_or_no};
use crate::time::{DAY, Instant};
use crate::trust::{Act, DelegationBody, ModuleMaximum};
use crate::wire::codec::{Keyed, Limit, Set, Text};
use crate::wire::id::KeyId;

/// Report of a delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DelegationReport {
    /// Id of the issuer's key.
    pub issuer: KeyId,
    /// Acts that it allows.
    pub acts: Vec<Act>,
    /// Limits of the delegation.
    pub limits: LimitsReport,
    /// Extensions of the body.
    pub extensions: Vec<ExtensionReport>,
}

/// Limits of a delegation, named like the fields of [`DelegationBody`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LimitsReport {
    /// Products that it allows.
    pub products: Limit<Vec<Text>>,
    /// Slots that it allows.
    pub slots: Limit<Vec<Text>>,
    /// License types that it allows.
    pub types: Limit<Vec<Text>>,
    /// Models that it allows.
    pub models: Limit<Vec<Model>>,
    /// Editions that it allows.
    pub editions: Limit<Vec<Edition>>,
    /// Modules that it allows, and how much of each.
    pub modules: Limit<ModuleMaxima>,
    /// Maximum days of a license.
    pub longest_term: Limit<u32>,
    /// Maximum days from the issue to the start.
    pub ahead: Limit<u32>,
    /// Maximum seconds of grace.
    pub longest_grace: Limit<u64>,
    /// Maximum days of maintenance.
    pub longest_maintenance: Limit<u32>,
    /// Operations that may stay allowed after the grace period.
    pub afterwards: Limit<Vec<Operation>>,
    /// True if it allows licenses that require no hardware factor.
    pub weak_machine: bool,
    /// First instant at which the key may sign.
    pub from: Limit<Instant>,
    /// Last instant at which the key may sign.
    pub until: Limit<Instant>,
}

/// Maximum for each module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleMaxima(pub Vec<ModuleMaximum>);

fn list<T: Clone + Keyed, const CAP: usize>(limit: &Limit<Set<T, CAP>>) -> Limit<Vec<T>> {
    limit.clone().map(|set| set.into_vec())
}

impl From<&DelegationBody> for DelegationReport {
    fn from(body: &DelegationBody) -> Self {
        let DelegationBody {
            issuer,
            acts,
            products,
            slots,
            types,
            models,
            editions,
            modules,
            longest_term,
            ahead,
            longest_grace,
            longest_maintenance,
            afterwards,
            weak_machine,
            from,
            until,
            extensions,
        } = body;
        let limits = LimitsReport {
            products: list(products),
            slots: list(slots),
            types: list(types),
            models: list(models),
            editions: list(editions),
            modules: list(modules).map(ModuleMaxima),
            longest_term: *longest_term,
            ahead: *ahead,
            longest_grace: *longest_grace,
            longest_maintenance: *longest_maintenance,
            afterwards: list(afterwards),
            weak_machine: *weak_machine,
            from: *from,
            until: *until,
        };
        Self {
            issuer: key_id(Role::Issuer, issuer),
            acts: acts.to_vec(),
            limits,
            extensions: extension::reports(extensions),
        }
    }
}

impl DelegationReport {
    /// Returns all rows.
    pub fn rows(&self) -> Vec<Row> {
        let limits = &self.limits;
        let days = |days: &u32| span(u64::from(*days).saturating_mul(DAY));
        let maximum = |entry: &ModuleMaximum| maximum_text(&entry.module, entry.maximum);
        let modules = one(&limits.modules, |maxima| joined_or_none(maxima.0.iter().map(maximum)));
        let mut rows = vec![
            ("issuer", self.issuer.to_string()),
            ("may sign", joined_or_none(&self.acts)),
            ("products", texts(&limits.products)),
            ("slots", texts(&limits.slots)),
            ("types", texts(&limits.types)),
            ("models", one(&limits.models, joined_or_none)),
            ("editions", one(&limits.editions, joined_or_none)),
            ("modules at most", modules),
            ("longest term", one(&limits.longest_term, days)),
            ("start ahead", one(&limits.ahead, days)),
            ("longest maintenance", one(&limits.longest_maintenance, days)),
            ("longest grace", one(&limits.longest_grace, |seconds| span(*seconds))),
            ("allowed afterwards", one(&limits.afterwards, joined_or_none)),
            ("weak machines", yes_or_no(limits.weak_machine)),
            ("issues from", one(&limits.from, ToString::to_string)),
            ("issues until", one(&limits.until, ToString::to_string)),
        ];
        rows.extend(extension::row(&self.extensions));
        rows
    }
}

/// Formats a maximum: `OBM:50`.
pub(super) fn maximum_text(module: &Text, maximum: Limit<u64>) -> String {
    format!("{}:{maximum}", &**module)
}

fn texts(limit: &Limit<Vec<Text>>) -> String {
    one(limit, |texts| joined_or_none(texts.iter().map(|text| &**text)))
}

fn one<'a, T>(limit: &'a Limit<T>, text: impl Fn(&'a T) -> String) -> String {
    match limit {
        Limit::Any => "any".to_string(),
        Limit::Only(only) => text(only),
    }
}

//! Quotas compared with usage. Implements `docs/format.md`, section "Quotas".

use std::collections::{BTreeMap, BTreeSet};

use crate::entitlement::{Count, Grant};
use crate::wire::codec::{Keyed, Limit, Set, Text};

/// Quota and use of a module. A module in a pool shares both with the other modules of the pool.
///
/// ```
/// # mod olr { pub use olr_core::{entitlement::Quota, judge::Decision}; }
/// use olr::{Decision, Quota};
///
/// fn meter(decision: &Decision, module: &str) -> Option<String> {
///     let quota: Quota = decision.quota(module)?;
///     Some(format!("{} of {} in use", quota.used, quota.granted))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Number granted.
    pub granted: Limit<u64>,
    /// Number in use.
    pub used: u64,
}

impl Quota {
    /// Returns the number still available. Below 0 if more is used than granted.
    pub fn available(self) -> Limit<i128> {
        self.granted.map(|granted| i128::from(granted).saturating_sub(self.used.into()))
    }

    /// True if more is used than granted.
    pub fn is_exceeded(self) -> bool {
        Limit::Only(self.used) > self.granted
    }

    /// True if `more` can be added within the quota.
    pub fn has_room(self, more: u64) -> bool {
        Limit::Only(self.used.saturating_add(more)) <= self.granted
    }

    /// Quota and use of one module without its pool.
    fn alone(grant: &Grant, usage: &Set<Count, 4096>) -> Self {
        let used = usage.get(&*grant.module).map_or(0, |count| count.count);
        Self { granted: grant.quota, used }
    }

    /// Adds up two modules of one pool.
    fn with(self, other: Self) -> Self {
        let granted = match (self.granted, other.granted) {
            (Limit::Only(one), Limit::Only(other)) => Limit::Only(one.saturating_add(other)),
            _ => Limit::Any,
        };
        Self { granted, used: self.used.saturating_add(other.used) }
    }
}

impl Grant {
    /// True if both grants share one quota.
    pub fn shares(&self, other: &Self) -> bool {
        self.module == other.module || (!self.pool.is_empty() && self.pool == other.pool)
    }
}

/// Quota and use of every granted module. Computed once, so that looking up a module costs only a
/// binary search, however many modules there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quotas {
    /// In the order of the grants.
    quotas: Vec<Quota>,
    /// Modules included in granted ones, in ascending order.
    included: Vec<Text>,
}

impl Quotas {
    /// Computes the quotas from the grants and the usage.
    pub fn new(grants: &Set<Grant, 4096>, usage: &Set<Count, 4096>) -> Self {
        let mut pools: BTreeMap<&str, Quota> = BTreeMap::new();
        for grant in grants.iter().filter(|grant| !grant.pool.is_empty()) {
            let alone = Quota::alone(grant, usage);
            pools.entry(&grant.pool).and_modify(|pool| *pool = pool.with(alone)).or_insert(alone);
        }
        let quota = |grant: &Grant| {
            pools.get(&*grant.pool).copied().unwrap_or_else(|| Quota::alone(grant, usage))
        };
        let quotas = grants.iter().map(quota).collect();
        let granted = grants.iter().filter(|grant| grant.quota != Limit::Only(0));
        let included: BTreeSet<&Text> = granted.flat_map(|grant| grant.includes.iter()).collect();
        Self { quotas, included: included.into_iter().cloned().collect() }
    }

    /// Returns the grant and the quota of `module`, or `None` if it has no grant. `grants` must be
    /// those given to [`Self::new`].
    pub fn of<'a>(&self, grants: &'a Set<Grant, 4096>, module: &str) -> Option<(&'a Grant, Quota)> {
        let at = grants.binary_search_by(|grant| grant.key().cmp(module)).ok()?;
        Some(((**grants).get(at)?, *self.quotas.get(at)?))
    }

    /// True if a granted module includes `module`. It is then not counted, unless it has a grant of
    /// its own.
    pub fn includes(&self, module: &str) -> bool {
        self.included.binary_search_by(|included| (**included).cmp(module)).is_ok()
    }

    /// Returns the quota of `module`, granted or not. Without a grant, it is unlimited if a granted
    /// module includes it, and otherwise 0.
    pub fn standing(
        &self,
        grants: &Set<Grant, 4096>,
        usage: &Set<Count, 4096>,
        module: &str,
    ) -> Quota {
        let ungranted = || {
            let used = usage.get(module).map_or(0, |count| count.count);
            let granted = if self.includes(module) { Limit::Any } else { Limit::Only(0) };
            Quota { granted, used }
        };
        self.of(grants, module).map_or_else(ungranted, |(_, quota)| quota)
    }

    /// Returns the modules in use whose quota, or that of their pool, is exceeded, in the order of
    /// their ids.
    pub fn excesses<'a>(
        &self,
        grants: &'a Set<Grant, 4096>,
        usage: &'a Set<Count, 4096>,
    ) -> impl Iterator<Item = Excess<'a>> {
        usage.iter().filter(|count| count.count > 0).filter_map(|count| {
            let quota = self.standing(grants, usage, &count.module);
            let excess =
                Excess { module: &count.module, granted: quota.granted.only()?, used: quota.used };
            quota.is_exceeded().then_some(excess)
        })
    }
}

/// A module in use whose quota, or that of its pool, is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excess<'a> {
    /// Id of the module.
    pub module: &'a str,
    /// Number granted to the module, or to its pool if it has one. 0 if it is not granted at all.
    pub granted: u64,
    /// Number in use in the module, or in its pool if it has one.
    pub used: u64,
}

/// Returns the first of the modules that [`Quotas::excesses`] returns.
pub fn excess<'a>(grants: &'a Set<Grant, 4096>, usage: &'a Set<Count, 4096>) -> Option<Excess<'a>> {
    Quotas::new(grants, usage).excesses(grants, usage).next()
}

/// Returns the use of modules without a grant, in the order of their ids. Among them are modules
/// that granted ones include.
pub fn ungranted<'a>(
    grants: &'a Set<Grant, 4096>,
    usage: &'a Set<Count, 4096>,
) -> impl Iterator<Item = &'a Count> {
    usage.iter().filter(|count| count.count > 0 && grants.get(&*count.module).is_none())
}

/// Returns every module and pool name in these grants: the modules, their pools, and the modules
/// that they require or include.
pub fn named(grants: &Set<Grant, 4096>) -> BTreeSet<&str> {
    let names = grants.iter().flat_map(|grant| {
        let others = grant.requires.iter().chain(grant.includes.iter());
        [&grant.module, &grant.pool].into_iter().chain(others)
    });
    names.map(|name| &**name).filter(|name| !name.is_empty()).collect()
}

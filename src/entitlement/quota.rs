//! What is granted against what is used. Obeys `docs/format.md`, section "Quotas".

use crate::entitlement::{Count, Grant};
use crate::wire::codec::{Limit, Set};

/// How a module stands: with the others of its pool, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many are granted; nothing where there is no limit.
    pub granted: Option<u64>,
    /// How many are in use.
    pub used: u64,
}

impl Quota {
    /// What is left, below 0 where more is used than granted; nothing where there is no limit.
    pub fn available(self) -> Option<i128> {
        Some(i128::from(self.granted?).saturating_sub(self.used.into()))
    }

    /// Whether more is used than granted.
    pub fn is_exceeded(self) -> bool {
        self.granted.is_some_and(|granted| self.used > granted)
    }
}

impl Grant {
    /// Whether both have one quota.
    pub fn shares(&self, other: &Self) -> bool {
        self.module == other.module || (!self.pool.is_empty() && self.pool == other.pool)
    }
}

/// The quota that counts for `grant`.
pub fn quota(grant: &Grant, grants: &Set<Grant, 4096>, usage: &Set<Count, 4096>) -> Quota {
    let used = |module: &str| usage.get(module).map_or(0, |count| count.count);
    let pool = grants.iter().filter(|other| other.shares(grant));
    pool.fold(Quota { granted: Some(0), used: 0 }, |sum, grant| Quota {
        granted: sum.granted.zip(limit(&grant.quota)).map(|(a, b)| a.saturating_add(b)),
        used: sum.used.saturating_add(used(&grant.module)),
    })
}

/// A module of which more is used than granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excess<'a> {
    /// Its id.
    pub module: &'a str,
    /// How many are granted, 0 where it is not granted at all.
    pub granted: u64,
    /// How many are used.
    pub used: u64,
}

/// The first module of which more is used than granted.
pub fn excess<'a>(grants: &'a Set<Grant, 4096>, usage: &'a Set<Count, 4096>) -> Option<Excess<'a>> {
    usage.iter().filter(|count| count.count > 0).find_map(|count| {
        let module = &*count.module;
        let Some(grant) = grants.get(module) else {
            let excess = Excess { module, granted: 0, used: count.count };
            return (!is_included(grants, module)).then_some(excess);
        };
        let quota = quota(grant, grants, usage);
        let granted = quota.granted?;
        quota.is_exceeded().then_some(Excess { module, granted, used: quota.used })
    })
}

/// Whether `module` comes with a granted one and is never counted.
pub fn is_included(grants: &Set<Grant, 4096>, module: &str) -> bool {
    let granted = |grant: &&Grant| grant.quota != Limit::Only(0);
    grants.iter().filter(granted).any(|grant| grant.includes.get(module).is_some())
}

fn limit(quota: &Limit<u64>) -> Option<u64> {
    match quota {
        Limit::Only(quota) => Some(*quota),
        Limit::Any => None,
    }
}

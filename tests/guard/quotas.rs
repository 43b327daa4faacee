//! The quotas computed for all modules at once equal those computed for each one.

use olr_core::entitlement::{Count, Grant, Quota, Quotas, excess};
use olr_core::wire::codec::{Limit, Set};
use rand::{RngExt, SeedableRng, rngs::ChaCha20Rng};

use crate::server::{count, grant};
use crate::world::text;

/// Adds up the quota of one grant independently.
fn quota(grant: &Grant, grants: &Set<Grant, 4096>, usage: &Set<Count, 4096>) -> Quota {
    let pool = grants.iter().filter(|other| other.shares(grant));
    pool.fold(Quota { granted: Limit::Only(0), used: 0 }, |sum, grant| Quota {
        granted: match grant.quota {
            Limit::Only(quota) => sum.granted.map(|granted| granted.saturating_add(quota)),
            Limit::Any => Limit::Any,
        },
        used: sum.used.saturating_add(usage.get(&*grant.module).map_or(0, |count| count.count)),
    })
}

#[test]
fn all_at_once_is_one_by_one() {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let (mut over, mut pooled, mut included) = (0, 0, 0);
    for _ in 0..2_000 {
        let size = rng.random_range(0..12);
        let mut grants = Vec::new();
        for n in 0..size {
            let quotas = [None, Some(0), Some(3), Some(10), Some(u64::MAX)];
            let mut grant = grant(&format!("m{n}"), quotas[rng.random_range(0..5)]);
            grant.pool = text(["", "", "a", "b"][rng.random_range(0..4)]);
            let other = format!("m{}", rng.random_range(0..16));
            grant.includes = Set::new(vec![text(&other), text("i1")]).unwrap();
            grants.push(grant);
        }
        let grants = Set::new(grants).unwrap();
        let modules = (0..16).map(|n| format!("m{n}")).chain(["i1".to_string()]);
        let usage = modules.clone().filter(|_| rng.random_bool(0.3));
        let usage: Vec<_> = usage.collect();
        let amounts = [0, 1, 3, 4, 11, u64::MAX];
        let usage = usage.iter().map(|m| count(m, amounts[rng.random_range(0..6)])).collect();
        let usage = Set::new(usage).unwrap();
        let quotas = Quotas::new(&grants, &usage);
        for module in modules {
            let one = grants.get(&module).map(|found| (found, quota(found, &grants, &usage)));
            assert_eq!(quotas.of(&grants, &module), one);
            let comes_with = |g: &olr_core::entitlement::Grant| {
                g.quota != Limit::Only(0) && g.includes.get(&module).is_some()
            };
            assert_eq!(quotas.includes(&module), grants.iter().any(comes_with));
            pooled += u32::from(one.is_some_and(|(grant, _)| !grant.pool.is_empty()));
            included += u32::from(one.is_none() && quotas.includes(&module));
        }
        let first = usage.iter().filter(|used| used.count > 0).find(|used| {
            match grants.get(&*used.module) {
                Some(found) => quota(found, &grants, &usage).is_exceeded(),
                None => !quotas.includes(&used.module),
            }
        });
        let excess = excess(&grants, &usage);
        assert_eq!(excess.map(|excess| excess.module), first.map(|first| &*first.module));
        over += u32::from(excess.is_some());
    }
    assert!(over > 300 && pooled > 1_000 && included > 500, "{over} {pooled} {included}");
}

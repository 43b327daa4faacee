//! Modules of a license: what is granted of each, and how much of that is in use.

use crate::entitlement::{Count, Grant, Quotas, ungranted};
use crate::report::{Table, joined};
use crate::wire::codec::{Limit, Set, Text};

/// How a module is licensed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ModuleReport {
    /// Its id: in JSON the name of its entry.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub module: Text,
    /// Its name for people.
    pub name: Text,
    /// The heading it belongs under.
    pub group: Text,
    /// What one of it counts.
    pub unit: Text,
    /// How many are granted.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::quota"))]
    pub quota: Limit<u64>,
    /// At most so many per account.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::quota"))]
    pub account_cap: Limit<u64>,
    /// At most so many for one sub-administrator.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::quota"))]
    pub admin_cap: Limit<u64>,
    /// The pool that it shares a quota with; empty for none.
    pub pool: Text,
    /// Modules that must be granted too.
    pub requires: Vec<Text>,
    /// What comes with it and is never counted.
    pub includes: Vec<Text>,
    /// The first product version that counts it; empty for all.
    pub minimum_version: Text,
    /// How many are in use; `None` where that is not known.
    pub used: Option<u64>,
    /// How many are left, of a pool those of the pool; `None` where it is not known what is in use.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::available"))]
    pub available: Option<Limit<i128>>,
    /// Whether the license grants it: what is in use without a grant is listed too.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub granted: bool,
}

impl From<&Grant> for ModuleReport {
    fn from(grant: &Grant) -> Self {
        let Grant {
            module,
            name,
            group,
            unit,
            quota,
            account_cap,
            admin_cap,
            pool,
            requires,
            includes,
            minimum_version,
        } = grant;
        Self {
            module: module.clone(),
            name: name.clone(),
            group: group.clone(),
            unit: unit.clone(),
            quota: *quota,
            account_cap: *account_cap,
            admin_cap: *admin_cap,
            pool: pool.clone(),
            requires: requires.to_vec(),
            includes: includes.to_vec(),
            minimum_version: minimum_version.clone(),
            used: None,
            available: None,
            granted: true,
        }
    }
}

/// Each module that is granted; with the usage also how it stands, and what is in use without a
/// grant.
pub(super) fn reports(
    grants: &Set<Grant, 4096>,
    usage: Option<&Set<Count, 4096>>,
) -> Vec<ModuleReport> {
    let granted = grants.iter().map(ModuleReport::from);
    let Some(usage) = usage else { return granted.collect() };
    let quotas = Quotas::new(grants, usage);
    let with_usage = |module: ModuleReport| {
        let available = quotas.of(grants, &module.module).map(|(_, quota)| quota.available());
        let used = usage.get(&*module.module).map_or(0, |count| count.count);
        ModuleReport { used: Some(used), available: available.or(Some(Limit::Any)), ..module }
    };
    let ungranted = ungranted(grants, usage).map(|count| {
        let quota = quotas.standing(grants, usage, &count.module);
        ModuleReport {
            module: count.module.clone(),
            name: Text::default(),
            group: Text::default(),
            unit: Text::default(),
            quota: quota.granted,
            account_cap: Limit::Any,
            admin_cap: Limit::Any,
            pool: Text::default(),
            requires: Vec::new(),
            includes: Vec::new(),
            minimum_version: Text::default(),
            used: Some(count.count),
            available: Some(quota.available()),
            granted: false,
        }
    });
    granted.map(with_usage).chain(ungranted).collect()
}

/// Quotas by group, and behind them what is in use without a grant; then the rules of single
/// modules, where there are any. Of a pool, the quota is that of the module, and what is left that
/// of the pool.
pub(super) fn tables(modules: &[ModuleReport]) -> Vec<Table> {
    let mut quotas: Vec<_> = modules.iter().filter(|module| module.granted).collect();
    quotas.sort_by(|a, b| (&a.group, &a.module).cmp(&(&b.group, &b.module)));
    quotas.extend(modules.iter().filter(|module| !module.granted));
    let table = Table {
        header: vec!["group", "module", "name", "quota", "used", "available", "unit", "pool"],
        rows: quotas.into_iter().map(quota_row).collect(),
        numbers: vec![3, 4, 5],
    };
    let rules = Table {
        header: vec!["module", "per account", "per admin", "requires", "includes", "from version"],
        rows: modules.iter().filter_map(rule_row).collect(),
        numbers: vec![1, 2],
    };
    let rules = Some(rules).filter(|rules| !rules.rows.is_empty());
    [table].into_iter().chain(rules).map(Table::without_empty_columns).collect()
}

fn quota_row(module: &ModuleReport) -> Vec<String> {
    let name = match (module.granted, module.quota) {
        (true, _) => module.name.to_string(),
        (false, Limit::Any) => "(included)".to_string(),
        (false, Limit::Only(_)) => "(not granted)".to_string(),
    };
    vec![
        module.group.to_string(),
        module.module.to_string(),
        name,
        module.quota.to_string(),
        module.used.map(|used| used.to_string()).unwrap_or_default(),
        module.available.map(|left| left.to_string()).unwrap_or_default(),
        module.unit.to_string(),
        module.pool.to_string(),
    ]
}

/// What the license says of a module besides its quota; `None` where that is nothing.
fn rule_row(module: &ModuleReport) -> Option<Vec<String>> {
    let cap = |cap: Limit<u64>| cap.only().map(|cap| cap.to_string()).unwrap_or_default();
    let names = |names: &[Text]| joined(names.iter().map(|name| name.to_string()));
    let rules = [
        cap(module.account_cap),
        cap(module.admin_cap),
        names(&module.requires),
        names(&module.includes),
        module.minimum_version.to_string(),
    ];
    let has_one = rules.iter().any(|rule| !rule.is_empty());
    has_one.then(|| [module.module.to_string()].into_iter().chain(rules).collect())
}

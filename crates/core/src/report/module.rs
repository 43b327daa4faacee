//! Report of the modules of a license: what is granted and how much is in use.

use crate::entitlement::{Count, Grant, Quotas, ungranted};
use crate::report::{Table, joined};
use crate::wire::codec::{Limit, Set, Text};

/// Report of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ModuleReport {
    /// Id of the module. In JSON, it is the name of the entry.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub module: Text,
    /// Name of the module, for people.
    pub name: Text,
    /// Heading under which it is shown.
    pub group: Text,
    /// What the quota counts.
    pub unit: Text,
    /// Number granted.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::quota"))]
    pub quota: Limit<u64>,
    /// Maximum for one account.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::quota"))]
    pub account_cap: Limit<u64>,
    /// Maximum for one sub-administrator.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::quota"))]
    pub admin_cap: Limit<u64>,
    /// Pool with which it shares its quota. Empty if there is none.
    pub pool: Text,
    /// Modules that must be granted too.
    pub requires: Vec<Text>,
    /// Modules that are included without being counted.
    pub includes: Vec<Text>,
    /// First product version to which it is granted. Empty for all versions.
    pub minimum_version: Text,
    /// Number in use. `None` if it is not known.
    pub used: Option<u64>,
    /// Number left. For a module in a pool, the number left in the pool. `None` if the usage is not
    /// known.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::available"))]
    pub available: Option<Limit<i128>>,
    /// True if the license grants it. Modules in use without a grant are listed too.
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

/// Makes the reports of the granted modules. With `usage`, they include the use of each module, and
/// the modules in use without a grant.
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

/// Returns a table of quotas by group, followed by the modules in use without a grant, and a table
/// of the rules of single modules, if there are any. For a module in a pool, the quota is that of
/// the module, but the number available is that of the pool.
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

/// Returns what the license states about a module besides its quota, or `None`.
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

//! A delegation for people and programs: every limit, and what it allows where it is none.

use serde_json::{Value, json};

use olr_core::key::{Role, key_id};
use olr_core::time::DAY;
use olr_core::trust::{DelegationBody, ModuleMaximum};
use olr_core::wire::codec::{Limit, Set};

use super::show;

/// Every limit, one line each.
pub fn pairs(body: &DelegationBody) -> Vec<(&'static str, String)> {
    let acts = joined(body.acts.iter().map(|act| act.to_string()));
    vec![
        ("issuer", key_id(Role::Issuer, &body.issuer).to_string()),
        ("may sign", acts),
        ("products", names(&body.products, |name| name.to_string())),
        ("slots", names(&body.slots, |name| name.to_string())),
        ("types", names(&body.types, |name| name.to_string())),
        ("models", names(&body.models, |model| model.to_string())),
        ("editions", names(&body.editions, |edition| edition.to_string())),
        ("modules at most", names(&body.modules, maximum_text)),
        ("longest term", one(&body.longest_term, |days| format!("{days} days"))),
        ("start ahead", one(&body.ahead, |days| format!("{days} days"))),
        ("longest maintenance", one(&body.longest_maintenance, |days| format!("{days} days"))),
        ("longest grace", one(&body.longest_grace, |seconds| span(*seconds))),
        ("allowed afterwards", names(&body.afterwards, |operation| operation.to_string())),
        ("weak machines", if body.weak_machine { "yes" } else { "no" }.to_string()),
        ("issues from", one(&body.from, ToString::to_string)),
        ("issues until", one(&body.until, ToString::to_string)),
    ]
}

/// The same for programs: each limit by the name of its field.
pub fn limits_json(body: &DelegationBody) -> Value {
    let module =
        |entry: &ModuleMaximum| (entry.module.to_string(), show::quota_json(entry.maximum));
    json!({
        "products": value(&body.products, |all| all.iter().map(|one| one.to_string()).collect()),
        "slots": value(&body.slots, |all| all.iter().map(|one| one.to_string()).collect()),
        "types": value(&body.types, |all| all.iter().map(|one| one.to_string()).collect()),
        "models": value(&body.models, |all| all.iter().map(|one| one.to_string()).collect()),
        "editions": value(&body.editions, |all| all.iter().map(|one| one.to_string()).collect()),
        "modules": value(&body.modules, |all| all.iter().map(module).collect()),
        "longest_term": value(&body.longest_term, |days| json!(days)),
        "ahead": value(&body.ahead, |days| json!(days)),
        "longest_grace": value(&body.longest_grace, |seconds| json!(seconds)),
        "longest_maintenance": value(&body.longest_maintenance, |days| json!(days)),
        "afterwards": value(&body.afterwards, |all| all.iter().map(|one| one.to_string()).collect()),
        "weak_machine": body.weak_machine,
        "from": value(&body.from, |at| json!(at.to_string())),
        "until": value(&body.until, |at| json!(at.to_string())),
    })
}

fn value<T>(limit: &Limit<T>, only: impl Fn(&T) -> Value) -> Value {
    match limit {
        Limit::Any => json!("any"),
        Limit::Only(value) => only(value),
    }
}

/// `OBM:50`.
pub fn maximum_text(maximum: &ModuleMaximum) -> String {
    format!("{}:{}", &*maximum.module, maximum.maximum)
}

fn names<T, const CAP: usize>(limit: &Limit<Set<T, CAP>>, text: impl Fn(&T) -> String) -> String {
    one(limit, |names| joined(names.iter().map(&text)))
}

fn joined(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "none".to_string() } else { names.join(", ") }
}

fn one<T>(limit: &Limit<T>, text: impl Fn(&T) -> String) -> String {
    match limit {
        Limit::Any => "any".to_string(),
        Limit::Only(only) => text(only),
    }
}

/// Whole days or hours, where it is some.
fn span(seconds: u64) -> String {
    let (days, hours) = (seconds / DAY, seconds / 3600);
    match (seconds % DAY, seconds % 3600) {
        (0, _) => format!("{days} days"),
        (_, 0) => format!("{hours} hours"),
        _ => format!("{seconds} seconds"),
    }
}

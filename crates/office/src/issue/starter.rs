//! Generates a first grant for a catalog: complete and valid, for the vendor to edit.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::catalog::{Catalog, End, LicenseType, Module, USUAL_POLICY, allows};
use crate::issue::{GrantFile, Terms};

/// Returns a grant for the first type that may be activated offline and for which a valid grant
/// exists, in the order of the catalog's `text`. The grant has the first product and slot that fit
/// the type, and one or two modules with all modules that these need. `None` if there is no such
/// type.
pub fn starter_grant(catalog: &Catalog, text: &str) -> Option<String> {
    let mut types: Vec<_> = catalog.types.iter().filter(|(_, kind)| kind.offline).collect();
    types.sort_by_key(|(id, _)| place(text, "type", id));
    types.into_iter().find_map(|(id, kind)| for_type(catalog, text, id, kind))
}

fn for_type(catalog: &Catalog, text: &str, id: &str, kind: &LicenseType) -> Option<String> {
    let products = catalog.products.iter().filter(|p| allows(kind.products.as_ref(), &p.id));
    let places = products.flat_map(|p| p.slots.iter().map(|slot| (&*p.id, &**slot)));
    let mut places = places.filter(|(_, slot)| allows(kind.slots.as_ref(), slot));
    places.find_map(|(product, slot)| {
        let fits = |(id, module): &(&String, &Module)| {
            allows(kind.modules.as_ref(), id) && module.is_for(product, slot)
        };
        let mut modules: Vec<&str> =
            catalog.modules.iter().filter(fits).map(|(id, _)| id.as_str()).collect();
        modules.sort_by_key(|id| place(text, "module", id));
        // Two modules show how a list is written. If their needs cannot be met here, try single
        // modules.
        let pairs = modules.iter().zip(modules.iter().skip(1)).map(|(a, b)| vec![*a, *b]);
        let mut tries = pairs.take(1).chain(modules.iter().map(|one| vec![*one]));
        tries.find_map(|wanted| {
            let grant = written(catalog, (id, kind), (product, slot), &wanted);
            is_right(&grant, kind, catalog).then_some(grant)
        })
    })
}

/// True if a license can be issued for the grant.
fn is_right(grant: &str, kind: &LicenseType, catalog: &Catalog) -> bool {
    GrantFile::parse(grant).is_ok_and(|grant| {
        grant.ensure_allowed(kind, catalog).is_ok()
            && Terms::of(&grant, kind, catalog).is_ok()
            && grant.grants(kind, catalog).is_ok()
            && grant.days(olr_core::time::Instant::default(), kind).is_ok()
    })
}

fn written(
    catalog: &Catalog,
    (id, kind): (&str, &LicenseType),
    (product, slot): (&str, &str),
    wanted: &[&str],
) -> String {
    let mut text = format!(
        "# What one customer bought: copy this file, fill it in, and run\n\
         #   olr issue req.olr --grant THIS-FILE\n\
         licensee    = \"ACME Ltd\"\n\
         key         = \"AbCd-1234\"\n\
         product     = {}\n\
         type        = {}\n\
         slot        = {}\n\
         starts      = \"today\"\n",
        quoted(product),
        quoted(id),
        quoted(slot)
    );
    let mut line = |name: &str, value: &str, said: Option<End>| {
        let _ = match said {
            // A value that the type already gives appears only as a comment.
            Some(usual) => {
                writeln!(text, "# {name} = {} comes from the type", quoted(&usual.to_string()))
            }
            None => writeln!(text, "{name:11} = {}", quoted(value)),
        };
    };
    line("expires", "1 year", kind.term);
    line("maintenance", "1 year", kind.maintenance);
    let languages: Vec<_> = catalog.languages.iter().take(1).map(|l| quoted(l)).collect();
    let _ = writeln!(text, "languages   = [{}]\nnote        = \"\"", languages.join(", "));
    if kind.policy.is_none()
        && !catalog.policies.contains_key(USUAL_POLICY)
        && let Some(first) = catalog.policies.keys().next()
    {
        let _ = writeln!(text, "policy      = {}", quoted(first));
    }
    text += "\n[modules]\n";
    for id in with_needs(catalog, wanted) {
        let free = catalog.modules.get(id).is_some_and(|module| module.unlimited);
        let quota = if free { "\"unlimited\"" } else { "10" };
        let _ = writeln!(text, "{} = {quota}", key(id));
    }
    text
}

/// Returns the modules and, transitively, all modules they need.
fn with_needs<'a>(catalog: &'a Catalog, wanted: &[&'a str]) -> Vec<&'a str> {
    let (mut all, mut seen) = (wanted.to_vec(), wanted.iter().copied().collect::<BTreeSet<_>>());
    let mut at = 0usize;
    while let Some(id) = all.get(at).copied() {
        let needs = catalog.modules.get(id).into_iter().flat_map(Module::needs);
        all.extend(needs.filter(|needed| seen.insert(needed)).collect::<Vec<_>>());
        at = at.saturating_add(1);
    }
    all
}

/// Position of an entry in the text: the vendor's order decides, not the alphabet.
fn place(text: &str, table: &str, id: &str) -> usize {
    let found = text.find(&format!("[{table}.{id}]"));
    found.or_else(|| text.find(&format!("[{table}.{}]", quoted(id)))).unwrap_or(usize::MAX)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}

fn key(id: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !id.is_empty() && id.chars().all(is_bare) { id.to_string() } else { quoted(id) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::STARTER;

    fn grant(text: &str) -> Option<String> {
        starter_grant(&Catalog::parse(text).unwrap(), text)
    }

    fn example(name: &str) -> String {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/catalogs");
        std::fs::read_to_string(folder.join(name)).unwrap()
    }

    #[test]
    fn the_first_offline_type_in_the_vendors_order_is_granted() {
        for (text, says) in [
            (STARTER.to_string(), "type        = \"oem\""),
            (example("self-hosted.toml"), "type        = \"purchased-oem\""),
            (example("managed.toml"), "type        = \"annual\""),
        ] {
            let grant = grant(&text).unwrap();
            assert!(grant.contains(says), "{grant}");
            assert!(grant.lines().all(|line| line.len() <= 80), "{grant}");
        }
        let later = example("self-hosted.toml").replacen("offline = true", "offline = false", 1);
        assert_eq!(grant(&later), None);
        let trial = "offline = false\nreason = \"a trial is started over the network, without a key of \
                     its own\"\n";
        let other = later.replacen(trial, "offline = true\n", 1);
        assert!(grant(&other).unwrap().contains("\"evaluation-standard\""));
    }

    #[test]
    fn what_a_module_needs_comes_with_it() {
        let text = example("self-hosted.toml");
        for module in Catalog::parse(&text).unwrap().modules.keys() {
            let only = format!("[type.purchased-oem]\nmodules = [\"{module}\", \"CBS\"]\n");
            let mut changed = text.replacen("[type.purchased-oem]\n", &only, 1);
            if module == "CBS" {
                changed = changed.replacen(", \"CBS\"]", "]", 1);
            }
            let grant = grant(&changed).unwrap_or_else(|| panic!("{module}"));
            assert!(grant.contains("[modules]\n"), "{grant}");
        }
    }
}

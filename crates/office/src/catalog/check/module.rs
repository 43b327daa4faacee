//! Checks for contradictions among the modules of a catalog.

use std::collections::{BTreeMap, BTreeSet};

use super::Check;
use crate::catalog::name::LIST_CAP;
use crate::catalog::{Module, one_of};
use olr_core::error::Result;

impl Check<'_> {
    pub(super) fn module(&self, id: &str, module: &Module) -> Result<()> {
        let at = |key: &'static str| ["module", id, key];
        let what = |key: &str| format!("module {id}: {key}");
        let product = module.product.as_deref();
        if let Some(product) = product.filter(|id| self.catalog.product(id).is_none()) {
            let fact = what(&format!("the catalog has no product {product:?}"));
            let products = self.catalog.products.iter().map(|product| &*product.id);
            return self.wrong(&at("product"), fact, one_of("its products", products));
        }
        let (slots, what) = (module.slots.as_ref(), what("slots"));
        match product.and_then(|id| self.catalog.product(id)) {
            Some(product) => {
                let known = || product.slots.iter().map(|slot| &**slot);
                let owner = format!("product {}", &*product.id);
                let what = [what.as_str(), owner.as_str()];
                self.among(&at("slots"), what, slots, |slot| known().any(|s| s == slot), known())?;
            }
            None => self.among_slots(&at("slots"), &what, slots)?,
        }
        self.needs(id, module)
    }

    /// Checks `requires` and `extra`.
    fn needs(&self, id: &str, module: &Module) -> Result<()> {
        for (index, name) in module.requires.iter().enumerate() {
            self.need(id, module, name, &["requires", &index.to_string()])?;
        }
        for name in module.extra.keys() {
            let (path, what) = (["module", id, "extra", name], format!("module {id}: extra"));
            let needed = self.need(id, module, name, &["extra", name])?;
            if needed.unlimited {
                let fact = format!("{what}: {name} is unlimited, so it needs no additional CAL");
                return self.wrong(&path, fact, format!("move {name} to `requires`"));
            }
        }
        let count = module.needs().len();
        if count > LIST_CAP {
            let fact = format!(
                "module {id}: it needs {count} other modules, but at most {LIST_CAP} are allowed"
            );
            return self.wrong(&["module", id, "extra"], fact, "list fewer");
        }
        Ok(())
    }

    /// Looks up module `name`, which module `id` needs according to the entry `at` of its key
    /// `key`, and checks that one slot can have both modules.
    fn need(
        &self,
        id: &str,
        module: &Module,
        name: &str,
        [key, at]: &[&str; 2],
    ) -> Result<&Module> {
        let (here, what) = (["module", id, key, at], format!("module {id}: {key}"));
        let Some(needed) = self.catalog.modules.get(name) else {
            let hint = one_of("its modules", self.catalog.modules.keys().map(String::as_str));
            let fact = format!("{what}: the catalog has no module {name:?}");
            return self.wrong(&here, fact, hint);
        };
        if name == id {
            let fact = format!("{what}: it names itself");
            let hint = format!("name another module, or remove {id} from `{key}`");
            return self.wrong(&here, fact, hint);
        }
        let apart = match (&module.product, &needed.product) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        };
        let slots = |of: &Module| of.slots.iter().flatten().cloned().collect::<BTreeSet<_>>();
        let both = module.slots.is_some() && needed.slots.is_some();
        if apart || (both && slots(module).is_disjoint(&slots(needed))) {
            let fact = format!("{what}: no product and slot can have both {id} and {name}");
            return self.wrong(&here, fact, "allow both in one slot of the same product");
        }
        Ok(needed)
    }

    /// Checks that each pool has several modules, which count the same unit and are all unlimited
    /// or all counted.
    pub(super) fn pools(&self) -> Result<()> {
        let mut pools: BTreeMap<&str, Vec<(&str, &Module)>> = BTreeMap::new();
        for (id, module) in &self.catalog.modules {
            if let Some(pool) = &module.pool {
                pools.entry(pool).or_default().push((id, module));
            }
        }
        for (pool, modules) in pools {
            let Some(((first, like), others)) = modules.split_first() else { continue };
            if others.is_empty() {
                let fact = format!("module {first}: pool: no other module is in {pool:?}");
                let hint = "set the pool in each module that shares it, or leave the line out";
                return self.wrong(&["module", first, "pool"], fact, hint);
            }
            for (id, module) in others {
                let fact = if module.unit != like.unit {
                    format!("its unit is {}, and that of {first} is {}", &*module.unit, &*like.unit)
                } else if module.unlimited != like.unlimited {
                    "only one of them is unlimited".to_string()
                } else {
                    continue;
                };
                let fact = format!("module {id}: it shares pool {pool:?} with {first}, but {fact}");
                let hint = "give both the same `unit` and `unlimited`, or leave `pool` out of both";
                return self.wrong(&["module", id, "pool"], fact, hint);
            }
        }
        Ok(())
    }
}

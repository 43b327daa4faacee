//! What a catalog proves about what is booked: a license type, its modules and units, the product
//! and the slot. Nothing else about a catalog is known to the ledger.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, End, LicenseType, allows, one_of};
use crate::ledger::db::DbResult;
use crate::ledger::input::Counted;
use crate::ledger::key::{self, KeyRow, KeyTerms, NewKey};
use crate::ledger::order::Books;
use olr_core::display::shown;
use olr_core::entitlement::{Edition, Model};
use olr_core::error::{Error, Problem, Result};

/// What a license type may be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Offer {
    /// Slots of each product.
    places: BTreeMap<String, Vec<String>>,
    /// Unit of each module that is counted.
    units: BTreeMap<String, String>,
}

impl Offer {
    fn of(catalog: &Catalog, kind: &LicenseType) -> Self {
        let products = catalog.products.iter();
        let places = products.filter(|product| allows(kind.products.as_ref(), &product.id));
        let slots = |slots: &[olr_core::wire::codec::Text]| {
            let slots = slots.iter().filter(|slot| allows(kind.slots.as_ref(), slot));
            slots.map(|slot| (**slot).to_string()).collect()
        };
        let modules = catalog.modules.iter();
        let units =
            modules.filter(|(id, module)| !module.unlimited && allows(kind.modules.as_ref(), id));
        Self {
            places: places.map(|product| (product.id.to_string(), slots(&product.slots))).collect(),
            units: units.map(|(id, module)| (id.clone(), module.unit.to_string())).collect(),
        }
    }

    fn ensure_place(&self, product: &str, slot: &str) -> Result<()> {
        let known = self.places.keys().map(String::as_str);
        let slots = self.places.get(product).ok_or_else(|| {
            let fact = format!("the license type is not for product {}", shown(product));
            Error::unable(Problem::Usage, fact, one_of("the products of the type", known))
        })?;
        if slots.iter().any(|known| known == slot) {
            return Ok(());
        }
        let fact = format!("the license type is not for slot {}", shown(slot));
        let known = slots.iter().map(String::as_str);
        Err(Error::unable(Problem::Usage, fact, one_of("the slots of the type", known)))
    }

    fn ensure_counted(&self, cals: &Counted) -> Result<()> {
        for (module, unit) in cals.keys() {
            let known = self.units.keys().map(String::as_str);
            let right = self.units.get(module).ok_or_else(|| {
                let fact = format!("the license type has no counted module {}", shown(module));
                Error::unable(Problem::Usage, fact, one_of("the modules of the type", known))
            })?;
            if right != unit {
                let (module, unit) = (shown(module), shown(unit));
                let fact = format!("{module} is counted in {}, not in {unit}", shown(right));
                let hint = "write the unit that the catalog has";
                return Err(Error::unable(Problem::Usage, fact, hint));
            }
        }
        Ok(())
    }
}

fn find<'c>(catalog: &'c Catalog, id: &str) -> Result<&'c LicenseType> {
    catalog.types.get(id).ok_or_else(|| {
        let known = catalog.types.keys().map(String::as_str);
        let fact = format!("the catalog has no license type {}", shown(id));
        Error::unable(Problem::Usage, fact, one_of("the license types of the catalog", known))
    })
}

/// A license type that is purchased, as a catalog defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchasedType {
    pub(super) license_type: String,
    pub(super) edition: Edition,
    pub(super) included: End,
    offer: Offer,
}

impl PurchasedType {
    /// Looks up a license type. Types without an end of maintenance include it for ever.
    ///
    /// # Errors
    /// Exit 2 when the catalog has no such type, or when it is not purchased.
    pub fn of(catalog: &Catalog, id: &str) -> Result<Self> {
        let found = find(catalog, id)?;
        if found.model != Model::Purchased {
            let fact = format!("{} is a {} license, which has no CALs", shown(id), found.model);
            let hint = "name a license type with model \"purchased\"";
            return Err(Error::unable(Problem::Usage, fact, hint));
        }
        let included = found.maintenance.unwrap_or(End::Never);
        let offer = Offer::of(catalog, found);
        Ok(Self { license_type: id.to_string(), edition: found.edition, included, offer })
    }

    /// Checks that the type has these modules, counted in these units.
    pub(super) fn ensure_sells(&self, cals: &Counted) -> Result<()> {
        self.offer.ensure_counted(cals)
    }

    /// The type as it was when a lot was bought.
    pub(super) fn stocked(&self, edition: Edition, included: End) -> Self {
        Self { edition, included, ..self.clone() }
    }

    /// Creates a key of this type.
    pub(super) fn create_key(
        &self,
        books: &mut Books<'_>,
        new: &NewKey,
        party: i64,
    ) -> DbResult<KeyRow> {
        self.offer.ensure_place(&new.product, &new.slot)?;
        let terms = KeyTerms {
            party,
            license_type: &self.license_type,
            model: Model::Purchased,
            edition: self.edition,
            pool: None,
            included: self.included,
        };
        key::create(books, new, &terms)
    }
}

/// A license type of pool keys, as a catalog defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolType {
    pub(super) license_type: String,
    edition: Edition,
    offer: Offer,
}

impl PoolType {
    /// Looks up a license type.
    ///
    /// # Errors
    /// Exit 2 when the catalog has no such type, or when it is not of model pool.
    pub fn of(catalog: &Catalog, id: &str) -> Result<Self> {
        let found = find(catalog, id)?;
        if found.model != Model::Pool {
            let fact = format!("{} is a {} license, not one of a pool", shown(id), found.model);
            let hint = "name a license type with model \"pool\"";
            return Err(Error::unable(Problem::Usage, fact, hint));
        }
        let offer = Offer::of(catalog, found);
        Ok(Self { license_type: id.to_string(), edition: found.edition, offer })
    }

    /// Creates a key of this type with quotas `cals`, in a pool of a party.
    pub(super) fn create_key(
        &self,
        books: &mut Books<'_>,
        new: &NewKey,
        (party, pool, edition): (i64, i64, Edition),
        cals: &Counted,
    ) -> DbResult<KeyRow> {
        self.offer.ensure_place(&new.product, &new.slot)?;
        self.offer.ensure_counted(cals)?;
        if edition != self.edition {
            let (name, own) = (shown(&self.license_type), self.edition);
            let fact = format!("license type {name} is {own}, the pool is {edition}");
            let hint = "name a license type with the edition of the pool";
            return Err(Error::unable(Problem::Usage, fact, hint).into());
        }
        let terms = KeyTerms {
            party,
            license_type: &self.license_type,
            model: Model::Pool,
            edition,
            pool: Some(pool),
            included: End::Never,
        };
        key::create(books, new, &terms)
    }
}

//! The parameters of a request, completed from what the home remembers.

use olr_core::display::shown;
use olr_core::entitlement::Count;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_core::machine::Factor;
use olr_core::state::Asked;
use olr_core::trust::{Product, Trust, VendorCode};
use olr_core::wire::codec::{Hidden, List, Note, Set, Text};

/// Parameters of a request. The previous request supplies the licensee, key, product, version, slot
/// and pins that are missing here.
///
/// ```
/// use olr::RequestParams;
///
/// let order = RequestParams {
///     licensee: Some("ACME Ltd".parse()?),
///     license_key: Some("AbCd-1234".parse()?),
///     note: "two servers more since May".parse()?,
///     ..RequestParams::default()
/// };
/// assert!(!order.renew);
/// # Ok::<(), olr::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RequestParams {
    /// The vendor's trust, in binary form; required at first contact and with `new_identity`.
    pub trust: Option<Vec<u8>>,
    /// The vendor code that the operator got from the vendor.
    pub vendor_code: Option<VendorCode>,
    /// The licensee's name.
    pub licensee: Option<Text>,
    /// The license key.
    pub license_key: Option<Hidden<Text>>,
    /// The product; by default that of the previous request, or else the vendor's first one.
    pub product: Option<Text>,
    /// The installed release; by default that of the previous request, if it named this product.
    pub product_version: Option<Text>,
    /// The slot; by default that of the previous request for this product, or else the product's
    /// first one.
    pub slot: Option<Text>,
    /// Pins: factors that the operator sets.
    pub pins: Vec<Factor>,
    /// True to ask for a license that replaces the installed one.
    pub renew: bool,
    /// True to start a new installation; the old state is set aside.
    pub new_identity: bool,
    /// True to try the request only: the state is not saved, so this home cannot import an answer
    /// to it.
    pub dry_run: bool,
    /// Modules that the customer asks for.
    pub wanted: Set<Count, 4096>,
    /// Note to the support staff.
    pub note: Note,
}

impl RequestParams {
    /// Fills the gaps in these parameters from the previous request.
    ///
    /// # Errors
    /// `wrong-product`, `wrong-slot`. Exit 2 if the licensee or the key was never given, if the
    /// remembered key belongs to a different slot than the one to renew, or if there are more than
    /// 64 pins.
    pub(super) fn asked(&self, trust: &Trust, before: Option<&Asked>) -> Result<Asked> {
        let missing = |what: &str, remedies| {
            let fact = format!("{what} was never given for this installation");
            let step = NextStep::new(format!("give {what}, as on the sales receipt"), remedies);
            Error::unable(Problem::Usage, fact, step)
        };
        let licensee = self.licensee.clone().or_else(|| before.map(|b| b.licensee.clone()));
        let key = self.license_key.clone().or_else(|| before.map(|b| b.license_key.clone()));
        let product = self.product.clone().or_else(|| before.map(|b| b.product.clone()));
        let product = trust.product(product.as_deref())?;
        // A slot is remembered together with its product.
        let before_here = before.filter(|before| before.product == product.id);
        let slot = self.slot.clone().or_else(|| before_here.map(|b| b.slot.clone()));
        let slot = slot_of(product, slot)?;
        if let Some(before) = before
            && self.renew
            && self.license_key.is_none()
            && (&before.product, &before.slot) != (&product.id, &slot)
        {
            // Each slot has its own key, and only the last one is remembered.
            let (here, last) = (shown(&slot), shown(&before.slot));
            let fact = format!(
                "the license key of slot {here} is not stored: the last request was for another \
                 product or slot ({last})"
            );
            return Err(Error::unable(
                Problem::Usage,
                fact,
                NextStep::new(
                    "give the license key, as on the sales receipt",
                    &[Remedy::NameLicenseKey],
                ),
            ));
        }
        let version = self.product_version.clone();
        let version = version.or_else(|| before_here.map(|b| b.product_version.clone()));
        Ok(Asked {
            licensee: licensee
                .ok_or_else(|| missing("the licensee's name", &[Remedy::NameLicensee]))?,
            license_key: key
                .ok_or_else(|| missing("the license key", &[Remedy::NameLicenseKey]))?,
            product: product.id.clone(),
            product_version: version.unwrap_or_default(),
            slot,
            pins: self.pins(before)?,
        })
    }

    /// Returns these pins, and the earlier ones that they do not replace.
    fn pins(&self, before: Option<&Asked>) -> Result<List<Factor>> {
        let before = before.map(|before| before.pins.to_vec()).unwrap_or_default();
        let named = |pin: &Factor| self.pins.iter().any(|new| new.name == pin.name);
        let old = before.into_iter().filter(|pin| !named(pin));
        List::new(old.chain(self.pins.iter().cloned()).collect()).map_err(|error| {
            error.within("pins, with those of earlier requests").hint(NextStep::new(
                "pin fewer values, or start again as a new installation",
                &[Remedy::NewIdentity],
            ))
        })
    }
}

fn slot_of(product: &Product, wanted: Option<Text>) -> Result<Text> {
    let found = match &wanted {
        None => product.slots.first(),
        Some(wanted) => product.slots.iter().find(|slot| *slot == wanted),
    };
    found.cloned().ok_or_else(|| {
        let names: Vec<_> = product.slots.iter().map(|slot| shown(slot)).collect();
        let wanted = wanted.unwrap_or_default();
        let fact = format!("product {} has no slot {:?}", shown(&product.id), shown(&wanted));
        let hint = format!("choose one of its slots: {}", names.join(", "));
        Error::refuse(Refusal::WrongSlot, fact).hint(hint)
    })
}

//! Deactivation of a license. Implements `docs/judgement.md`, section "Deactivation".

use crate::crypto::digest::sha256;
use crate::entitlement::Cause;
use crate::error::{Error, Refusal, Result};
use crate::license::read_unverified;
use crate::receipt::{Receipt, ReceiptBody};
use crate::state::{Announced, Overuse, Slot, SlotName, State};
use crate::time::Instant;
use crate::wire::codec::{Blob, Set};

impl State {
    /// Removes the licenses of a slot, raises the floor of the slot, and signs a receipt. Save the
    /// state before you hand out the receipt. For a slot that was deactivated before, returns the
    /// same receipt again.
    ///
    /// # Errors
    /// `not-activated` if nothing was ever installed in the slot; exit 2 if a cap is exceeded or
    /// this computer miscalculates.
    pub fn deactivate(&mut self, name: &SlotName, clock: Instant) -> Result<Receipt> {
        let slot = self.memory.slots.get(name).ok_or_else(nothing_installed)?;
        let Some(held) = slot.held() else {
            let receipt = slot.receipt.as_ref().ok_or_else(nothing_installed)?;
            return Receipt::verify(receipt);
        };
        // Not verified: a license that is no longer valid can be deactivated too.
        let license = read_unverified(&held.license)?;
        let number = self.next_number()?;
        let body = ReceiptBody {
            install_key: self.install_key(),
            product: name.product.clone(),
            slot: name.slot.clone(),
            number,
            earlier: self.earlier()?,
            license: license.license,
            license_hash: sha256(&held.license),
            at: clock,
            extensions: Set::default(),
        };
        let receipt = Receipt::sign(self.trust.vendor(), &body, &self.install)?;
        let ended = Slot {
            installed: None,
            next: None,
            took_over: false,
            floor: number,
            over: Overuse::default(),
            announced: of_clock(slot),
            receipt: Some(Blob::new(receipt.bytes())?),
            ..slot.clone()
        };
        self.put(ended)?;
        self.memory.number = number;
        self.remember(receipt.bytes());
        Ok(receipt)
    }
}

fn nothing_installed() -> Error {
    let fact = "no license is installed in this slot";
    Error::refuse(Refusal::NotActivated, fact).rule("judgement-1")
}

/// Returns what was announced about the clock. The clock belongs to the home, so another slot will
/// announce that the problem with the clock is resolved.
fn of_clock(slot: &Slot) -> Set<Announced> {
    let of_clock = slot.announced.get(&Cause::Clock).cloned();
    Set::new(of_clock.into_iter().collect()).unwrap_or_default()
}

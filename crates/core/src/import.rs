//! Import of a file from the vendor into a state: completely, or not at all. Implements
//! `docs/judgement.md`, section "Order of answers".

use crate::display::shown;
use crate::entitlement::excess;
use crate::error::{Error, NextStep, Refusal, Remedy, Result};
use crate::judge::{assess, judge};
use crate::license::License;
use crate::state::{Accepted, SlotName, State, Surroundings};
use crate::time::Instant;
use crate::timestamp::Timestamp;
use crate::trust::{Delegation, Trust};
use crate::wire::frame::{Frame, Header, Kind, wrong_kind};

/// What to do with a license that grants less than is in use.
///
/// ```
/// # mod olr { pub use olr_core::{import::OverQuota}; }
/// use olr::OverQuota;
///
/// assert_eq!(OverQuota::default(), OverQuota::Refused);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverQuota {
    /// Refuse it.
    #[default]
    Refused,
    /// Install it. Its rule for an exceeded quota then applies; without one, there is only a
    /// warning.
    Accepted,
}

/// Result of an import.
///
/// ```
/// # mod olr { pub use olr_core::{import::Imported}; }
/// use olr::Imported;
///
/// fn text(imported: &Imported) -> String {
///     match imported {
///         Imported::License { license, .. } => format!("license {}", license.body().license),
///         Imported::Trust { trust, .. } => format!("trust {}", trust.body().version),
///         Imported::Revocations { licenses, .. } => format!("{licenses} licenses revoked"),
///         Imported::Time { time, .. } => format!("it was {time}"),
///     }
/// }
/// ```
#[derive(Debug)]
pub enum Imported {
    /// A license.
    License {
        /// The imported license.
        license: Box<License>,
        /// Whether it is in effect, waits, or was already held.
        accepted: Accepted,
        /// The waiting license that it replaced.
        dropped: Option<Box<License>>,
    },
    /// A newer trust, or the current one.
    Trust {
        /// The trust that is now in effect.
        trust: Box<Trust>,
        /// True if it is new here.
        new: bool,
    },
    /// A list of revocations.
    Revocations {
        /// Number of licenses in the list in effect.
        licenses: usize,
        /// True if the list is new here.
        new: bool,
    },
    /// A time from the vendor.
    Time {
        /// Time of the vendor's clock.
        time: Instant,
        /// The new high-water mark.
        mark: Instant,
        /// True if the time is new here.
        new: bool,
    },
}

/// Explains the refusal of a license whose time of issue is in the future for this clock: this
/// machine's clock or the vendor's is wrong.
fn of_the_future(error: Error, license: &License, clock: Instant) -> Error {
    let body = license.body();
    let is_near = body.issued.seconds <= clock.seconds.saturating_add(body.tolerance.into());
    if is_near || error.refusal() != Some(Refusal::ClockRolledBack) {
        return error;
    }
    let fact = format!(
        "this license was issued at {}, which is in the future for this clock ({clock}): this clock or the vendor's is wrong",
        body.issued
    );
    error.told(fact).hint(NextStep::new(
        "compare this clock with a watch: if it is wrong, set it; if it is right, ask the vendor to set theirs and to answer again",
        &[Remedy::IssueAgain],
    ))
}

/// Next step for a license whose product or slot no remembered request of this home names.
fn where_requested() -> NextStep {
    NextStep::new(
        "name the home that requested this license; if you need a license in this home, make a \
         request for that product and slot here",
        &[Remedy::NameHome, Remedy::MakeRequest],
    )
}

impl State {
    /// Imports a file like `Home::import`, but saves nothing. After a refusal, discard the state.
    ///
    /// # Errors
    /// Every refusal of an answer, except those for an unexpected vendor. Exit 2 if a cap is
    /// exceeded, or if revocations were made under a trust that is newer than the one here.
    pub fn import(
        &mut self,
        bytes: &[u8],
        around: &Surroundings,
        over: OverQuota,
    ) -> Result<Imported> {
        let before = self.memory.counter;
        let kind = Header::peek(bytes)?;
        if !matches!(kind, Kind::License | Kind::Trust | Kind::Timestamp | Kind::Revocations) {
            return Err(wrong_kind(Kind::License, kind));
        }
        // Observes the clock before the file raises the mark, so that a wrong pending clock is
        // discarded, not confirmed.
        self.observe(around);
        let imported =
            self.take_in(kind, bytes, around, over).map_err(|error| self.foreign(error))?;
        if self.memory.counter != before {
            self.note_revoked(around.clock);
        }
        Ok(imported)
    }

    /// In the next step of a `wrong-vendor` refusal, names the vendor that this home trusts.
    /// Returns any other error as it is.
    pub fn foreign(&self, error: Error) -> Error {
        if error.refusal() != Some(Refusal::WrongVendor) {
            return error;
        }
        let (name, code) = (shown(&self.trust().body().name), self.trust().vendor_code());
        let text = format!(
            "this home trusts {name} (code {code}): check who sent this file, or name the home of its \
             vendor"
        );
        error.hint(NextStep::new(text, &[Remedy::NameHome]))
    }

    fn take_in(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        around: &Surroundings,
        over: OverQuota,
    ) -> Result<Imported> {
        Ok(match kind {
            Kind::Trust => {
                let new = self.follow(bytes)?;
                Imported::Trust { trust: Box::new(self.trust().clone()), new }
            }
            Kind::Revocations => {
                let new = self.revoke(bytes, around.clock)?;
                self.observe(around);
                let licenses = self.revocations().map_or(0, |list| list.body().licenses.len());
                Imported::Revocations { licenses, new }
            }
            Kind::Timestamp => {
                let frame = Frame::parse(Kind::Timestamp, bytes)?;
                self.take_up_attached(&frame, around.clock)?;
                let timestamp = Timestamp::verify(bytes, self.trust())?;
                let new = self.accept_timestamp(&timestamp)?;
                if new {
                    self.trust().signers(&frame)?.iter().try_for_each(Delegation::check_key)?;
                }
                Imported::Time { time: timestamp.body().time, mark: self.memory.mark, new }
            }
            _ => {
                let (license, accepted, dropped) = self.import_license(bytes, around, over)?;
                Imported::License { license, accepted, dropped }
            }
        })
    }

    /// Installs a license. Returns the license, what happened to it, and the waiting license that
    /// it replaced.
    ///
    /// # Errors
    /// Same as [`State::import`].
    pub fn import_license(
        &mut self,
        bytes: &[u8],
        around: &Surroundings,
        over: OverQuota,
    ) -> Result<(Box<License>, Accepted, Option<Box<License>>)> {
        let frame = Frame::parse(Kind::License, bytes)?;
        self.take_up_attached(&frame, around.clock)?;
        let license = License::verify_even_revoked(bytes, self.trust())?;
        license.ensure_unrevoked(self.trust(), self.revocations().as_ref())?;
        self.ensure_asked_for(&license)?;
        let name = license.body();
        license.ensure_here(&name.product, &name.slot, &self.install_key())?;
        let license = Box::new(license);
        if self.holds(bytes) {
            return Ok((license, Accepted::Already, None));
        }
        self.ensure_answer(&license)?;
        license.check_keys(self.trust())?;
        let found = self.found(around)?;
        let machine = assess(&license, self, around.here(&found));
        self.raise(license.body().issued);
        self.observe(around);
        // A clock that is implausibly far ahead must not decide what is stored.
        match judge(&license, &machine, self, self.believed(around.clock), None).refusal {
            // The license waits for its first day.
            Some(error) if error.refusal() == Some(Refusal::NotYetValid) => {}
            Some(error) => {
                return Err(of_the_future(error, &license, around.clock).rule("answer-4"));
            }
            None => {}
        }
        if over == OverQuota::Refused {
            self.ensure_room(&license)?;
        }
        let dropped = self.waiting_with(&license).map(Box::new);
        let accepted = self.accept(&license, around.clock)?;
        Ok((license, accepted, dropped))
    }

    /// Returns the waiting license that `license` will replace.
    fn waiting_with(&self, license: &License) -> Option<License> {
        let body = license.body();
        let name = SlotName { product: body.product.clone(), slot: body.slot.clone() };
        let slot = self.memory.slots.get(&name).filter(|slot| !slot.has_taken_over())?;
        slot.next.as_ref().and_then(|next| self.license(&name, next).ok())
    }

    /// Checks that a license grants everything that is in use.
    fn ensure_room(&self, license: &License) -> Result<()> {
        let body = license.body();
        let name = SlotName { product: body.product.clone(), slot: body.slot.clone() };
        let usage = self.memory.slots.get(&name).map(|slot| slot.usage.clone());
        let usage = usage.unwrap_or_default();
        let Some(excess) = excess(&body.grants, &usage) else { return Ok(()) };
        let fact = format!(
            "this license grants {} of {}, but {} are in use",
            excess.granted,
            shown(excess.module),
            excess.used
        );
        Err(Error::refuse(Refusal::QuotaExceeded, fact)
            .hint(NextStep::new(
                "use less first, or import the license anyway: then its rule for an exceeded quota \
                 applies, if it has one",
                &[Remedy::AcceptOverQuota],
            ))
            .rule("answer-5"))
    }

    /// Checks that a remembered request or a slot of this home has the product and slot of
    /// `license`.
    fn ensure_asked_for(&self, license: &License) -> Result<()> {
        let body = license.body();
        let memory = self.memory();
        let sent = memory.requests.iter().map(|sent| (&sent.product, &sent.slot));
        let held = memory.slots.iter().map(|slot| (&slot.name.product, &slot.name.slot));
        let asked: Vec<_> = sent.chain(held).collect();
        let product = shown(&body.product);
        if !asked.iter().any(|(product, _)| **product == body.product) {
            let fact = format!(
                "this license is for product {product}, but none of the last 16 requests here was \
                 for it"
            );
            return Err(Error::refuse(Refusal::WrongProduct, fact)
                .hint(where_requested())
                .rule("license-14"));
        }
        if !asked.contains(&(&body.product, &body.slot)) {
            let slot = shown(&body.slot);
            let fact = format!(
                "this license belongs to slot {slot} of {product}, but none of the last 16 \
                 requests here was for it"
            );
            return Err(Error::refuse(Refusal::WrongSlot, fact)
                .hint(where_requested())
                .rule("license-15"));
        }
        Ok(())
    }
}

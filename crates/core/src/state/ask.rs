//! Making a request from what an installation knows.

use rand::CryptoRng;

use crate::crypto::digest::sha256;
use crate::display::code;
use crate::entitlement::Count;
use crate::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use crate::machine::{Factor, Here, Machine, Unreadable, ensure_two};
use crate::request::{Earlier, Fact, RequestBody, seal_request};
use crate::state::{Sent, Slot, SlotName, State};
use crate::time::Instant;
use crate::wire::codec::{Hidden, List, Note, Set, Text, record};
use crate::wire::id::{LicenseId, RequestId};

record! {
    /// What the operator enters about the license to ask for.
    pub struct Asked {
        /// Name of the licensee.
        pub licensee: Text,
        /// The license key.
        pub license_key: Hidden<Text>,
        /// The product.
        pub product: Text,
        /// Installed release. Empty if not stated.
        pub product_version: Text,
        /// The slot.
        pub slot: Text,
        /// Values that the operator pinned, as factors.
        pub pins: List<Factor>,
    }
}

/// Content of a request, in addition to what is remembered from earlier ones.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// License that the answer is to replace.
    pub renews: Option<LicenseId>,
    /// Modules wanted, and how many of each.
    pub wanted: Set<Count, 4096>,
    /// Message to the support staff.
    pub note: Note,
}

/// The machine and the clock, as the program finds them.
///
/// ```
/// # mod olr { pub use olr_core::{state::Surroundings, machine::Machine, time::Instant}; }
/// use olr::{Instant, Machine, Surroundings};
///
/// // In a test: a machine that shows nothing, at a noon that is known.
/// let noon: Instant = "2028-03-01T12:00:00Z".parse()?;
/// let around = Surroundings::of(&Machine::default(), noon);
/// assert_eq!(around.clock, noon);
/// # Ok::<(), olr_core::error::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Factors, without the pins.
    pub factors: Vec<Factor>,
    /// Factors that exist but could not be read, so that nobody knows whether they have changed.
    pub unreadable: Vec<Unreadable>,
    /// Local IP addresses.
    pub addresses: Vec<Text>,
    /// Facts about host and system.
    pub facts: Vec<Fact>,
    /// Time of the system clock.
    pub clock: Instant,
    /// Id of this boot. Empty if unknown.
    pub boot: Text,
    /// Seconds since this boot, including time spent suspended. 0 if unknown.
    pub uptime: u64,
    /// Instant that has certainly passed, which the caller knows from another source.
    pub evidence: Option<Instant>,
}

impl Surroundings {
    /// Combines the findings on a machine with the time `clock`.
    pub fn of(found: &Machine, clock: Instant) -> Self {
        let fact = |(name, value): &(&str, Text)| Fact {
            name: Text::truncated(name),
            value: value.clone(),
        };
        Self {
            factors: found.factors.clone(),
            unreadable: found.unreadable.clone(),
            addresses: found.addresses.clone(),
            facts: found.facts.iter().map(fact).collect(),
            clock,
            boot: found.boot_id.clone().unwrap_or_default(),
            uptime: found.uptime.unwrap_or_default(),
            evidence: None,
        }
    }

    /// Returns the machine for an assessment. `factors` must include the pins of the home: see
    /// [`State::found`].
    pub fn here<'a>(&'a self, factors: &'a [Factor]) -> Here<'a> {
        Here { factors, unreadable: &self.unreadable }
    }
}

/// Says how a request reaches the vendor. The file may have any name, may be lost, or may never
/// have been written.
fn sending(file: &str) -> String {
    format!("send {file} to your vendor (if it is lost, make another request)")
}

/// Next step while an answer is awaited.
fn awaiting(file: &str) -> NextStep {
    let text = format!("{}, and import the answer", sending(file));
    NextStep::new(text, &[Remedy::ImportLicense])
}

impl Sent {
    /// Describes its file so that people can tell it from others.
    fn file(&self) -> String {
        format!("the file of request {} (code {})", self.number, code(&self.hash))
    }

    /// Says how it reaches the vendor.
    pub(crate) fn sending(&self) -> String {
        sending(&self.file())
    }

    /// Next step while its answer is awaited.
    pub(crate) fn next_step(&self) -> NextStep {
        awaiting(&self.file())
    }
}

impl State {
    /// Returns the newest request for this product and slot. If nothing is installed, the answer
    /// to this request is awaited.
    pub(super) fn awaited(&self, product: Option<&str>, slot: Option<&str>) -> Option<&Sent> {
        self.memory.requests.iter().rev().find(|sent| {
            product.is_none_or(|product| *sent.product == *product)
                && slot.is_none_or(|slot| *sent.slot == *slot)
        })
    }

    /// Refusal because nothing is installed for this product and slot. Names the request whose
    /// answer is awaited, if there is one.
    pub(super) fn nothing_installed(&self, product: Option<&str>, slot: Option<&str>) -> Error {
        let refuse = |fact: &str| Error::refuse(Refusal::NotActivated, fact).rule("judgement-1");
        match self.awaited(product, slot) {
            None => refuse("no license is installed here"),
            Some(sent) => {
                let code = code(&sent.hash);
                let place = match self.memory.slots.is_empty() {
                    true => "here",
                    false => "for that product and slot",
                };
                let fact = format!(
                    "no license is installed {place} yet: request {} (code {code}) is waiting for \
                     its answer",
                    sent.number
                );
                refuse(&fact).hint(awaiting("its file"))
            }
        }
    }

    /// Refusal of a file that answers a request which this installation does not remember. Names
    /// that request by its code, as shown to the person who made it.
    pub(super) fn answers_another(&self, (what, number, hash): (&str, u64, [u8; 32])) -> Error {
        let code = code(&hash);
        let fact = format!(
            "this {what} answers request {number} (code {code}), which is not among the last 16 \
             requests of this installation"
        );
        let newest = self.memory.requests.iter().next_back().map(|sent| {
            let code = crate::display::code(&sent.hash);
            format!(" (the newest one made here is request {}, code {code})", sent.number)
        });
        let step = NextStep::new(
            "if another home made that request, name that home; if not, make a new request here \
             and have your vendor answer it",
            &[Remedy::NameHome, Remedy::MakeRequest],
        );
        Error::refuse(Refusal::WrongRequest, fact + &newest.unwrap_or_default()).hint(step)
    }

    /// Returns the newest request for a slot, if its answer has not been imported.
    pub(crate) fn awaited_in(&self, slot: &Slot) -> Option<&Sent> {
        let (product, name) = (&*slot.name.product, &*slot.name.slot);
        let sent = self.awaited(Some(product), Some(name))?;
        (sent.number >= slot.floor && sent.number > slot.highest.number).then_some(sent)
    }

    /// Makes the next request and remembers it. Save the state before you send the request.
    ///
    /// # Errors
    /// Exit 2 if fewer than two factors can carry weight, or a cap is exceeded; errors of
    /// [`seal_request`].
    pub fn request(
        &mut self,
        asked: Asked,
        ask: Ask,
        around: &Surroundings,
        rng: &mut impl CryptoRng,
    ) -> Result<(RequestBody, Vec<u8>)> {
        let found = self.factors_with_pins(&around.factors, &asked.pins)?;
        ensure_two(&found)?;
        let mut request = RequestId([0; 16]);
        rng.fill_bytes(&mut request.0);
        let number = self.next_number()?;
        let name = SlotName { product: asked.product.clone(), slot: asked.slot.clone() };
        let slot = self.memory.slots.get(&name);
        let installed = slot.and_then(Slot::held);
        let body = RequestBody {
            request,
            number,
            earlier: self.earlier()?,
            install_key: self.install_key(),
            commitment_key: Hidden(*self.install.commitment_key(request).expose()),
            product: asked.product.clone(),
            product_version: asked.product_version.clone(),
            slot: asked.slot.clone(),
            licensee: asked.licensee.clone(),
            license_key: asked.license_key.clone(),
            enrolled: installed.map(|held| held.enrolled.clone()).unwrap_or_default(),
            found: found.clone(),
            addresses: List::new(first_64(&around.addresses))?,
            facts: List::new(first_64(&around.facts))?,
            clock: around.clock,
            boot: around.boot.clone(),
            renews: ask.renews,
            usage: slot.map(|slot| slot.usage.clone()).unwrap_or_default(),
            wanted: ask.wanted,
            note: ask.note,
            extensions: Set::default(),
        };
        let bytes = seal_request(&body, &self.trust, &self.install, rng)?;
        let hash = sha256(&bytes);
        let SlotName { product, slot } = name;
        let sent = Sent { number, request, hash, product, slot, mark: self.memory.mark, found };
        let mut requests = std::mem::take(&mut self.memory.requests).into_vec();
        requests.push(sent);
        let surplus = requests.len().saturating_sub(16);
        self.memory.requests = List::new(requests.split_off(surplus))?;
        self.memory.number = number;
        self.memory.asked = Some(asked);
        self.remember(&bytes);
        Ok((body, bytes))
    }

    /// Combines the factors found with those that the operator pinned. Factors with weight come
    /// first, so that the cap removes none of them on a host with very many virtual interfaces.
    ///
    /// # Errors
    /// Exit 2 if there are more than 64 factors with weight.
    pub fn factors_with_pins(&self, found: &[Factor], pins: &[Factor]) -> Result<List<Factor>> {
        let all = || pins.iter().chain(found);
        let mut factors: Vec<_> = all().filter(|factor| factor.counts()).cloned().collect();
        let room = 64_usize.saturating_sub(factors.len());
        factors.extend(all().filter(|factor| !factor.counts()).take(room).cloned());
        List::new(factors).map_err(|error| {
            error.within("factors of this machine and pins").hint(NextStep::new(
                "pin fewer values, or start again as a new installation with fewer pins",
                &[Remedy::NewIdentity],
            ))
        })
    }

    /// Returns the number for the next request or deactivation.
    pub(super) fn next_number(&self) -> Result<u64> {
        self.memory.number.checked_add(1).ok_or_else(|| {
            Error::unable(
                Problem::TooLarge,
                "this installation has made too many requests",
                NextStep::new("start again as a new installation", &[Remedy::NewIdentity]),
            )
        })
    }

    /// Returns the numbers and hashes of earlier requests, as a request or receipt lists them.
    pub(super) fn earlier(&self) -> Result<Set<Earlier, 16>> {
        let requests = self.memory.requests.iter();
        Set::new(requests.map(|sent| Earlier { number: sent.number, hash: sent.hash }).collect())
    }
}

fn first_64<T: Clone>(entries: &[T]) -> Vec<T> {
    entries.iter().take(64).cloned().collect()
}

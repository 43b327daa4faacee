//! The memory of one installation. Implements `docs/judgement.md`, section "State".

use zeroize::Zeroizing;

use crate::crypto::digest::tagged;
use crate::crypto::label::{STATE, STATE_CHAIN};
use crate::crypto::secret::Secret;
use crate::error::{Error, NextStep, Problem, Refusal, Remedy, Result, under};
use crate::key::install::InstallSecret;
use crate::key::{Role, key_id};
use crate::license::License;
use crate::machine::{Factor, FactorKind};
use crate::revocation::Withdrawn;
use crate::time::Instant;
use crate::trust::Trust;
use crate::wire::codec::{Blob, List, Set, Text, decode, encode, record};
use crate::wire::extension::{Extensions, refuse_critical};
use crate::wire::frame::{FRAME_CAP, Frame, Kind, MAGIC, SUITE};
use crate::wire::id::{KeyId, RequestId};
use crate::wire::reader::Reader;

mod answer;
mod ask;
mod clock;
mod deactivate;
mod event;
mod expected;
mod follow;
mod over;
mod revoked;
mod slot;
mod usage;
mod verified;

pub use answer::Accepted;
pub use ask::{Ask, Asked, Surroundings};
pub use clock::{LAG, LastTimestamp, Noted, Pending, TimeMemory};
pub use event::{ActiveCause, Announced, Event, Listener, Stage};
pub use expected::Expected;
pub use over::{Overuse, Spent};
pub use revoked::Listed;
pub use slot::{Held, Pair, Slot, SlotName};
use verified::Verified;

/// Maximum size of the body of a state in bytes: the licenses of a few slots, with room to spare.
pub const STATE_CAP: usize = 2 * 1024 * 1024;
/// Maximum size of a state file in bytes.
pub const STATE_FILE_CAP: usize = 4 * 1024 * 1024;

/// Version of the state, which is independent of the version of other files.
const STATE_VERSION: u8 = 6;

record! {
    /// Everything that is remembered, except the install secret.
    pub struct Memory {
        /// Incremented with every change.
        pub counter: u64,
        /// The last 16 of the pinned trust and its successors, oldest first. The last one is in
        /// effect.
        pub trusts: List<Blob<FRAME_CAP>, 16>,
        /// Number of the last request or deactivation. 0 before the first.
        pub number: u64,
        /// The last requests, oldest first.
        pub requests: List<Sent, 16>,
        /// Installed and waiting licenses, by slot.
        pub slots: Set<Slot>,
        /// What the operator entered for the last request, as defaults for the next one.
        pub asked: Option<Asked>,
        /// High-water mark of trusted time. 0 before the first answer from the vendor.
        pub mark: Instant,
        /// A clock that is implausibly far ahead of the mark and not confirmed yet.
        pub pending: Option<Pending>,
        /// The time file from the vendor that was imported last.
        pub last_timestamp: Option<LastTimestamp>,
        /// The newest list of revocations that was accepted.
        pub revocations: Option<Listed>,
        /// Events to notify people of, oldest first.
        pub events: List<Event>,
        /// SHA-256 chain over every artefact made or accepted.
        pub chain: [u8; 32],
        /// Room for later fields.
        pub extensions: Extensions,
    }
}

record! {
    /// A request that this installation made.
    pub struct Sent {
        /// Number of the request.
        pub number: u64,
        /// Id of the request.
        pub request: RequestId,
        /// SHA-256 of the request.
        pub hash: [u8; 32],
        /// The product asked for.
        pub product: Text,
        /// The slot asked for.
        pub slot: Text,
        /// The high-water mark when the request was made.
        pub mark: Instant,
        /// The factors in the request. They become the enrolled factors once its answer is
        /// installed.
        pub found: List<Factor>,
    }
}

/// The state of one installation.
#[derive(Debug)]
pub struct State {
    install: InstallSecret,
    trust: Trust,
    /// Everything except the secret.
    pub(crate) memory: Memory,
    /// Licenses assumed to be revoked in a simulation. Never stored.
    supposed: Vec<Withdrawn>,
    /// Licenses that `trust` has verified.
    verified: Verified,
}

impl State {
    /// Creates a state that pins `trust`, at first contact with the vendor.
    ///
    /// # Errors
    /// Exit 2 if a cap is exceeded.
    pub fn new(install: InstallSecret, trust: Trust) -> Result<Self> {
        let memory = Memory {
            counter: 0,
            trusts: List::new(vec![Blob::new(trust.bytes())?])?,
            number: 0,
            requests: List::default(),
            slots: Set::default(),
            asked: None,
            mark: Instant::default(),
            pending: None,
            last_timestamp: None,
            revocations: None,
            events: List::default(),
            chain: [0; 32],
            extensions: Set::default(),
        };
        Ok(Self { install, trust, memory, supposed: Vec::new(), verified: Verified::default() })
    }

    /// Returns a copy, to try a change that may be refused.
    pub fn twin(&self) -> Self {
        Self {
            install: InstallSecret::from_secret(Secret::new(self.install.secret().expose())),
            trust: self.trust.clone(),
            memory: self.memory.clone(),
            supposed: self.supposed.clone(),
            verified: self.verified.clone(),
        }
    }

    /// The install secret.
    pub fn install(&self) -> &InstallSecret {
        &self.install
    }

    /// The newest trust, which is in effect.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Returns the newest trust that `anchor` leads to through the trusts of this home and those
    /// attached to its licenses. The operator chose what the home trusts; a product accepts only
    /// what its own anchor leads to.
    pub fn trust_from(&self, anchor: &Trust) -> Trust {
        let held =
            self.memory.slots.iter().flat_map(|slot| [&slot.installed, &slot.next]).flatten();
        let frames: Vec<_> =
            held.filter_map(|held| Frame::parse(Kind::License, &held.license).ok()).collect();
        let attached = frames.iter().flat_map(|frame| &frame.attachments);
        let attached = attached.filter(|attached| attached.kind == Kind::Trust);
        let own = self.memory.trusts.iter().map(|trust| &**trust);
        anchor.leads_to(own.chain(attached.map(|trust| trust.bytes)))
    }

    /// Everything that is remembered, except the secret.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The public key that identifies this installation.
    pub fn install_key(&self) -> [u8; 32] {
        self.install.signing_key().public()
    }

    /// The install id, for people.
    pub fn install_id(&self) -> KeyId {
        key_id(Role::Install, &self.install_key())
    }

    /// Returns the only slot that matches this product and name. `None` matches every one.
    ///
    /// # Errors
    /// `not-activated` if there is no such slot; exit 2 if several slots match.
    pub fn slot(&self, product: Option<&str>, slot: Option<&str>) -> Result<&Slot> {
        let fits = |found: &&Slot| {
            product.is_none_or(|product| *found.name.product == *product)
                && slot.is_none_or(|slot| *found.name.slot == *slot)
        };
        let name = |slot: &Slot| format!("{}/{}", &*slot.name.product, &*slot.name.slot);
        let mut fitting = self.memory.slots.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (None, _) if self.memory.slots.is_empty() => Err(self.nothing_installed(product, slot)),
            (None, _) if self.awaited(product, slot).is_some() => {
                Err(self.nothing_installed(product, slot))
            }
            (None, _) => {
                let installed: Vec<_> = self.memory.slots.iter().map(name).collect();
                let fact = format!(
                    "no license was ever installed for that product and slot, only for {}",
                    installed.join(", ")
                );
                Err(Error::refuse(Refusal::NotActivated, fact)
                    .hint(NextStep::new(
                        "name product and slot as listed here; if only one is listed, you can \
                         leave both out",
                        &[Remedy::NameSlot],
                    ))
                    .rule("judgement-1"))
            }
            (Some(_), Some(_)) => {
                let several: Vec<_> = self.memory.slots.iter().filter(fits).map(name).collect();
                let fact = format!("several slots fit (PRODUCT/SLOT): {}", several.join(", "));
                Err(Error::unable(
                    Problem::Usage,
                    fact,
                    NextStep::new("name product and slot of one of them", &[Remedy::NameSlot]),
                ))
            }
        }
    }

    /// Verifies a stored license and returns it. Keeps up to 32 verified licenses until the trust
    /// changes.
    ///
    /// # Errors
    /// The refusals of [`License::verify_even_revoked`] and [`License::ensure_here`].
    pub fn license(&self, name: &SlotName, held: &Held) -> Result<License> {
        let verify = || License::verify_even_revoked(&held.license, &self.trust);
        let license = self.verified.get(&held.license, verify)?;
        license.ensure_here(&name.product, &name.slot, &self.install_key())?;
        Ok(license)
    }

    /// Adopts a trust that [`Trust::successor`] has verified.
    ///
    /// # Errors
    /// Exit 2 if a cap is exceeded.
    pub fn take_up(&mut self, newer: Trust) -> Result<()> {
        let mut trusts = self.memory.trusts.to_vec();
        trusts.push(Blob::new(newer.bytes())?);
        // The oldest trusts are no longer needed: each was only used to verify its successor.
        let surplus = trusts.len().saturating_sub(16);
        self.memory.trusts = List::new(trusts.split_off(surplus))?;
        self.remember(newer.bytes());
        self.trust = newer;
        self.verified = Verified::default();
        Ok(())
    }

    /// Replaces the slot of the same name, or adds the slot.
    ///
    /// # Errors
    /// Exit 2 if a cap is exceeded.
    fn put(&mut self, slot: Slot) -> Result<()> {
        let others = self.memory.slots.iter().filter(|other| other.name != slot.name).cloned();
        let others: Vec<_> = others.collect();
        self.memory.slots = Set::new(others.into_iter().chain([slot]).collect())?;
        Ok(())
    }

    /// Adds an artefact to the hash chain and increments the counter.
    fn remember(&mut self, artefact: &[u8]) {
        self.memory.chain = tagged(&[STATE_CHAIN, &self.memory.chain, artefact]);
        self.memory.counter = self.memory.counter.saturating_add(1);
    }

    /// Returns the bytes of the state file.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let body = encode(&self.memory);
        let mut bytes = Zeroizing::new(Vec::with_capacity(body.len().saturating_add(128)));
        bytes.extend(MAGIC);
        bytes.extend([STATE_VERSION, SUITE, u8::try_from(Kind::State.number()).unwrap_or(0)]);
        bytes.extend(self.install.secret().expose());
        bytes.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(body);
        let digest = tagged(&[STATE, &bytes]);
        bytes.extend(digest);
        bytes
    }

    /// Reads a state file.
    ///
    /// # Errors
    /// `damaged-state`; exit 2 if another version of the program wrote it.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let (install, memory) = parse(bytes).map_err(damaged)?;
        let newest = newest_trust(&memory).map_err(under("state-4")).map_err(damaged)?;
        ensure_pins(&memory).map_err(damaged)?;
        let listed = memory.revocations.as_ref().map_or(Ok(()), Listed::check);
        listed.map_err(under("state-6")).map_err(damaged)?;
        let (supposed, verified) = (Vec::new(), Verified::default());
        Ok(Self { install, trust: newest, memory, supposed, verified })
    }

    /// True if the bytes begin like a state file of any version.
    pub fn is_one(bytes: &[u8]) -> bool {
        let kind = bytes.get(6).copied().map(u16::from);
        bytes.starts_with(&MAGIC) && kind == Some(Kind::State.number())
    }
}

fn newest_trust(memory: &Memory) -> Result<Trust> {
    let first = memory.trusts.first().map(|first| &**first).unwrap_or_default();
    let mut later = memory.trusts.iter().skip(1);
    later.try_fold(Trust::pin(first)?, |trust, next| trust.successor(next))
}

fn ensure_pins(memory: &Memory) -> Result<()> {
    let is_pin = |factor: &Factor| factor.kind == FactorKind::Pin && factor.is_plausible();
    if memory.asked.iter().flat_map(|asked| asked.pins.iter()).all(is_pin) {
        return Ok(());
    }
    let fact = "state body: pins: an entry is not a pin";
    Err(Error::refuse(Refusal::Malformed, fact).rule("state-5"))
}

fn parse(bytes: &[u8]) -> Result<(InstallSecret, Memory)> {
    if bytes.len() > STATE_FILE_CAP {
        let error = Reader::new("state", bytes).malformed("file", "it is too long");
        return Err(error.rule("state-1"));
    }
    let mut reader = Reader::new("state", bytes).ends_by(&["state-1"]);
    if reader.array::<4>("magic")? != MAGIC {
        return Err(reader.malformed("magic", "this is not an olr state file").rule("state-1"));
    }
    let (version, suite, kind) = (reader.u8("version")?, reader.u8("suite")?, reader.u8("kind")?);
    if u16::from(kind) != Kind::State.number() {
        return Err(reader.malformed("kind", "this is not a state").rule("state-1"));
    }
    if version != STATE_VERSION || suite != SUITE {
        let (age, hint) = match version < STATE_VERSION {
            true => ("an older", "use the olr that wrote it, or start again as a new installation"),
            false => ("a newer", "update olr, or start again as a new installation"),
        };
        let fact = format!(
            "{age} olr wrote it: it has state version {version} and suite {suite}, but this olr reads only version {STATE_VERSION} and suite {SUITE}"
        );
        let step = NextStep::new(hint, &[Remedy::NewIdentity]);
        return Err(Error::refuse(Refusal::UnknownVersion, fact).hint(step));
    }
    let secret = Zeroizing::new(reader.array("install secret")?);
    let body = reader.sized("body", STATE_FILE_CAP, "state-1")?;
    let covered = reader.since(0);
    let digest: [u8; 32] = reader.array("digest")?;
    reader.clone().finish("state-1")?;
    if digest != tagged(&[STATE, covered]) {
        return Err(reader.malformed("digest", "it does not match the content").rule("state-2"));
    }
    let memory: Memory = decode("state body", body, STATE_CAP).map_err(under("state-3"))?;
    refuse_critical("state body", &memory.extensions)?;
    Ok((InstallSecret::from_secret(Secret::new(&secret)), memory))
}

/// Turns every refusal into `damaged-state`, unless another version of the program wrote the state.
fn damaged(error: Error) -> Error {
    if error.refusal() == Some(Refusal::UnknownVersion) {
        let fact = format!("this state cannot be read ({})", error.fact());
        return Error::unable(Problem::NewerVersion, fact, error.next_step().clone());
    }
    error.become_refusal(Refusal::DamagedState)
}

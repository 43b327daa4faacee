//! Home: the files of one server. No other module reads or writes a state.

use rand::CryptoRng;
use std::path::{Path, PathBuf};

use olr_core::display::shown;
use olr_core::entitlement::Count;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result, under};
use olr_core::key::install::InstallSecret;
use olr_core::license::read_unverified;
use olr_core::receipt::Receipt;
use olr_core::request::RequestBody;
use olr_core::state::{Ask, Asked, SlotName, State, Surroundings};
use olr_core::trust::Trust;
use olr_core::wire::id::LicenseId;

mod import;
mod judge;
mod params;
mod session;
mod store;
mod watch;

pub use import::Import;
use olr_core::state::Expected;
pub use params::RequestParams;
pub(crate) use session::Session;
#[cfg(all(test, feature = "vendor"))]
pub(crate) use store::READS;
pub(crate) use store::{Stamp, Wait};
#[cfg(feature = "alert")]
pub use watch::News;

/// Folder with the state of one installation.
///
/// ```no_run
/// use olr::{Home, Import, Instant, Surroundings, probe};
///
/// let home = Home::at("/var/lib/olr");
/// let around = Surroundings::of(&probe(false), Instant::new(1_900_000_000)); // your clock
/// home.import(&std::fs::read("license.olr").unwrap(), &around, Import::default())?;
/// let (_, decision) = home.decide(Some("example"), None, &around)?;
/// println!("{}", decision.condition());
/// # Ok::<(), olr::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a home is neither read nor written until it is used"]
pub struct Home {
    folder: PathBuf,
    expected: Expected,
}

/// Result of [`Home::request`].
///
/// ```
/// use olr::Requested;
///
/// fn send(made: &Requested) -> std::io::Result<()> {
///     println!("its code, to compare by phone: {}", made.code);
///     std::fs::write("req.olr", &made.bytes)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a request is useless until its bytes are sent"]
pub struct Requested {
    /// Body of the request, before sealing.
    pub body: RequestBody,
    /// The sealed request, in binary form.
    pub bytes: Vec<u8>,
    /// Code of the request, to be compared on the phone.
    pub code: String,
    /// Trust that the request is sealed to.
    pub trust: Trust,
    /// True if this request pinned the trust: the operator should compare the vendor code.
    pub first_contact: bool,
    /// First file of the old state that was set aside, if the request started a new installation.
    pub aside: Option<PathBuf>,
}

impl Home {
    /// Returns the home in `folder`, which need not exist yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), expected: Expected::default() }
    }

    /// Restricts decisions, imports and usage reports to one vendor: they refuse a home or license
    /// of another vendor. Requests and deactivations do not check the vendor.
    pub fn expecting(self, expected: impl Into<Expected>) -> Self {
        Self { expected: expected.into(), ..self }
    }

    /// Returns the folder of this home.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Loads the state, and fails if there is none.
    ///
    /// # Errors
    /// `not-activated` before the first request; otherwise see [`Home::load`].
    pub fn require_state(&self) -> Result<State> {
        self.require().map(Session::into_state)
    }

    /// Returns whether this installation, or one set aside here, made this binary request as one of
    /// its last 16. A newer request may then overwrite its file.
    pub fn made(&self, request: &[u8]) -> bool {
        let hash = olr_core::crypto::digest::sha256(request);
        let mut states = self.load().ok().flatten().into_iter().chain(self.aside());
        states.any(|state| state.memory().requests.iter().any(|sent| sent.hash == hash))
    }

    /// Makes a request. Except in a dry run, the state is saved before this function returns the
    /// bytes.
    ///
    /// # Errors
    /// `wrong-vendor`, `wrong-product`, `wrong-slot`, `superseded`, `damaged-state`,
    /// `not-activated` if there is no license to renew, and the refusals of [`Trust::pin`] for a
    /// new trust. Exit 2 if a required value is missing, if the machine shows fewer than two
    /// factors or more than 64 with weight, if there are more than 64 pins, if the request or the
    /// state would be too large, if the vendor's sealing key is unusable, if the home cannot be
    /// read or written to, or if another process holds its lock.
    pub fn request(
        &self,
        order: &RequestParams,
        around: &Surroundings,
        rng: &mut impl CryptoRng,
    ) -> Result<Requested> {
        // A new home is created last, so that a failed request leaves no folder behind.
        let mut lock = match order.dry_run || !self.folder.is_dir() {
            true => None,
            false => Some(self.lock_for(Wait::Long)?),
        };
        let known = if order.new_identity { None } else { self.load()? };
        let first_contact = known.is_none();
        let mut state = match (known, &order.trust) {
            (Some(mut state), Some(bytes)) => {
                if state.follow(bytes)? {
                    state.observe(around);
                    state.note_revoked(around.clock);
                }
                state
            }
            (Some(state), None) => state,
            (None, Some(bytes)) => State::new(InstallSecret::random(rng), Trust::pin(bytes)?)?,
            (None, None) => {
                let fact = "the first request needs the vendor's trust";
                return Err(Error::unable(
                    Problem::Usage,
                    fact,
                    NextStep::new(
                        "name vendor.trust, a file from your vendor",
                        &[Remedy::NameTrust],
                    ),
                ));
            }
        };
        let told = order.vendor_code.as_ref();
        told.map_or(Ok(()), |code| state.ensure_code(code)).map_err(under("trust-13"))?;
        let asked = order.asked(state.trust(), state.memory().asked.as_ref())?;
        let ask = Ask {
            renews: if order.renew { Some(installed_id(&state, &asked)?) } else { None },
            wanted: order.wanted.clone(),
            note: order.note.clone(),
        };
        let (body, bytes) = state.request(asked, ask, around, rng)?;
        let mut aside = None;
        if !order.dry_run {
            if lock.is_none() {
                lock = Some(self.lock_for(Wait::Long)?);
                self.ensure_still_new()?;
            }
            match order.new_identity {
                true => aside = self.begin_again(&state, around.clock)?,
                false => self.save(&state)?,
            }
        }
        drop(lock);
        let code = olr_core::display::code(&olr_core::crypto::digest::sha256(&bytes));
        Ok(Requested { body, bytes, code, trust: state.trust().clone(), first_contact, aside })
    }

    /// Records how many of each module a slot uses; modules that are not named keep their count.
    ///
    /// # Errors
    /// `not-activated`, `damaged-state`, and the refusals for an unexpected vendor. Exit 2 if the
    /// home cannot be read or written to, if another process holds its lock, if several slots
    /// match, if a module is named twice, or if there are too many modules.
    pub fn report(
        &self,
        product: Option<&str>,
        slot: Option<&str>,
        usage: &[Count],
        around: &Surroundings,
    ) -> Result<()> {
        self.require()?.report(Wait::Long, product, slot, usage, around)
    }

    /// Deactivates the license in a slot and returns its receipt. Until another license is
    /// imported, a later call returns the same receipt. The state is saved before this function
    /// returns it.
    ///
    /// # Errors
    /// `not-activated`, `damaged-state`. Exit 2 if the home cannot be read or written to, or if
    /// another process holds its lock.
    pub fn deactivate(&self, name: &SlotName, around: &Surroundings) -> Result<Receipt> {
        self.require()?.deactivate(name, around)
    }
}

impl Session<'_> {
    /// See [`Home::report`]. If the report cannot be stored, this session keeps its old state.
    ///
    /// # Errors
    /// See [`Home::report`].
    pub fn report(
        &mut self,
        wait: Wait,
        product: Option<&str>,
        slot: Option<&str>,
        usage: &[Count],
        around: &Surroundings,
    ) -> Result<()> {
        self.claim_newest(wait)?;
        let slot = self.state.slot(product, slot)?;
        let name = slot.name.clone();
        match slot.held().map(|held| self.state.license(&name, held)) {
            Some(Ok(license)) => self.expected().check(&self.state, &license)?,
            _ => self.expected().check_home(&self.state)?,
        }
        let mut state = self.state.twin();
        state.observe(around);
        if state.report(&name, usage, around.clock)? {
            self.change(state)?;
        }
        Ok(())
    }

    /// See [`Home::deactivate`].
    ///
    /// # Errors
    /// See [`Home::deactivate`].
    pub fn deactivate(&mut self, name: &SlotName, around: &Surroundings) -> Result<Receipt> {
        self.claim_newest(Wait::Long)?;
        let mut state = self.state.twin();
        state.observe(around);
        let receipt = state.deactivate(name, around.clock)?;
        if state.memory().number != self.state.memory().number {
            self.change(state)?;
        }
        Ok(receipt)
    }
}

/// Returns the id of the license that a renewal replaces. The license is not verified: it may no
/// longer be valid, which is a reason to renew.
fn installed_id(state: &State, asked: &Asked) -> Result<LicenseId> {
    let slot = state.slot(Some(&asked.product), Some(&asked.slot))?;
    let Some(held) = slot.held() else {
        let slot = shown(&asked.slot).into_owned();
        let fact = format!("there is no license in slot {slot} to renew");
        return Err(Error::refuse(Refusal::NotActivated, fact)
            .hint(NextStep::new("make a request without a renewal", &[Remedy::MakeRequest])));
    };
    Ok(read_unverified(&held.license)?.license)
}

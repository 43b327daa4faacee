//! The home: the files of one server. The only place that reads and writes a state.

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

/// A folder with the state of one installation.
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

/// A request that was made.
///
/// ```
/// use olr::Requested;
///
/// fn send(made: &Requested) -> std::io::Result<()> {
///     println!("its code for the phone: {}", made.code);
///     std::fs::write("req.olr", &made.bytes)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a request is not made until its bytes are on their way"]
pub struct Requested {
    /// What was sealed.
    pub body: RequestBody,
    /// The binary request.
    pub bytes: Vec<u8>,
    /// The code for the phone.
    pub code: String,
    /// The trust it was sealed to.
    pub trust: Trust,
    /// Whether this request pinned the trust: the vendor code is to be compared.
    pub first_contact: bool,
    /// Where the old state was set aside.
    pub aside: Option<PathBuf>,
}

impl Home {
    /// The home in `folder`, which need not exist yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), expected: Expected::default() }
    }

    /// The same home, believed only where it is of this vendor: what is of another one is refused,
    /// and none of it is imported.
    pub fn expecting(self, expected: impl Into<Expected>) -> Self {
        Self { expected: expected.into(), ..self }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The state, where there must be one.
    ///
    /// # Errors
    /// `not-activated` before the first request, and as [`Home::load`].
    pub fn require_state(&self) -> Result<State> {
        self.require().map(Session::into_state)
    }

    /// Whether a binary request was made here, by this installation or one before it: then a newer one may replace its file.
    pub fn made(&self, request: &[u8]) -> bool {
        let hash = olr_core::crypto::digest::sha256(request);
        let mut states = self.load().ok().flatten().into_iter().chain(self.aside());
        states.any(|state| state.memory().requests.iter().any(|sent| sent.hash == hash))
    }

    /// Makes a request. The state is saved before the bytes leave this function, but in a dry run.
    ///
    /// # Errors
    /// `wrong-vendor`, `wrong-product`, `wrong-slot`, `superseded`, `not-activated` (a renewal of
    /// nothing), `damaged-state`; exit 2: something is missing, or fewer than two factors.
    pub fn request(
        &self,
        order: &RequestParams,
        around: &Surroundings,
        rng: &mut impl CryptoRng,
    ) -> Result<Requested> {
        // A home that is not there yet is made only once nothing else can go wrong.
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

    /// Takes in what is in use in a slot; modules that are not named keep their count.
    ///
    /// # Errors
    /// `not-activated`, `damaged-state`, those of another vendor than the expected one; exit 2.
    pub fn report(
        &self,
        product: Option<&str>,
        slot: Option<&str>,
        usage: &[Count],
        around: &Surroundings,
    ) -> Result<()> {
        self.require()?.report(Wait::Long, product, slot, usage, around)
    }

    /// Stops what is installed in a slot and gives the receipt, the same one again later. The state
    /// is saved before the receipt leaves this function.
    ///
    /// # Errors
    /// `not-activated`, `damaged-state`; exit 2.
    pub fn deactivate(&self, name: &SlotName, around: &Surroundings) -> Result<Receipt> {
        self.require()?.deactivate(name, around)
    }
}

impl Session<'_> {
    /// As [`Home::report`]. What cannot be stored changes nothing here.
    ///
    /// # Errors
    /// As [`Home::report`].
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

    /// As [`Home::deactivate`].
    ///
    /// # Errors
    /// As [`Home::deactivate`].
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

/// The id of the license that a renewal replaces. It need not count any more: that may be why a new
/// one is asked for.
fn installed_id(state: &State, asked: &Asked) -> Result<LicenseId> {
    let slot = state.slot(Some(&asked.product), Some(&asked.slot))?;
    let Some(held) = slot.held() else {
        let slot = shown(&asked.slot).into_owned();
        let fact = format!("there is no license in slot {slot} to renew");
        return Err(Error::refuse(Refusal::NotActivated, fact)
            .hint(NextStep::new("make a request that renews nothing", &[Remedy::MakeRequest])));
    };
    Ok(read_unverified(&held.license)?.license)
}

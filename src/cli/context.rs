//! Context of a verb: clock, randomness, how to read the machine, and the notes and the home to
//! report.

use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::SystemTime;

use crate::home::Session;
use olr_core::error::{Error, Problem, Result};
use olr_core::machine::Machine;
use olr_core::state::Surroundings;
use olr_core::time::Instant;
use zeroize::Zeroizing;

use super::env::{Env, Fill, Probe};

/// Clock and randomness, read once, and a function that reads the machine.
pub struct Context {
    pub now: Instant,
    pub rng: ChaCha20Rng,
    pub probe: Probe,
    /// Notes to print on stderr, whether the verb succeeds or not.
    pub notes: Vec<String>,
    /// The home that was used, for errors that name it.
    pub home: Option<PathBuf>,
    /// True with `--json`.
    #[cfg_attr(not(feature = "vendor"), allow(dead_code, reason = "only vendor verbs ask"))]
    pub as_json: bool,
}

impl Context {
    pub fn new(env: &Env, as_json: bool) -> Result<Self> {
        let since = (env.clock)().duration_since(SystemTime::UNIX_EPOCH);
        let now = since.map(|since| Instant::new(since.as_secs())).map_err(|_| {
            Error::unable(
                Problem::System,
                "the clock is before 1970",
                "set the clock of this machine",
            )
        })?;
        let rng = seeded(&env.randomness)?;
        Ok(Self { now, rng, probe: Rc::clone(&env.probe), notes: Vec::new(), home: None, as_json })
    }

    /// Repairs the state of a session if one of its copies is damaged, missing or older.
    pub fn mended<'h>(&mut self, mut session: Session<'h>) -> Session<'h> {
        self.notes.extend(session.mend());
        session
    }

    /// Returns the surroundings that a request or a decision needs, and the machine as it was read.
    pub fn around(&self, privileged: bool) -> (Surroundings, Machine) {
        let found = (self.probe)(privileged);
        let around = Surroundings::of(&found, self.now);
        (around, found)
    }
}

/// Name of the user who runs this, as the environment says.
#[cfg(feature = "vendor")]
pub fn user() -> String {
    let names = ["USER", "LOGNAME", "USERNAME"];
    let name =
        names.into_iter().find_map(|name| std::env::var(name).ok().filter(|n| !n.is_empty()));
    name.unwrap_or_else(|| "unknown".to_string())
}

/// Returns a generator seeded by the system. Fails if the system provides no random bytes, or bytes
/// that are plainly not random: the same seed twice, or a seed of one repeated byte.
fn seeded(randomness: &Fill) -> Result<ChaCha20Rng> {
    let draw = || -> Result<Zeroizing<[u8; 32]>> {
        let mut seed = Zeroizing::new([0; 32]);
        if randomness(seed.as_mut_slice()) { Ok(seed) } else { Err(broken()) }
    };
    let (first, second) = (draw()?, draw()?);
    let same = |seed: &[u8; 32]| seed.iter().all(|byte| Some(byte) == seed.first());
    if first == second || same(&first) || same(&second) {
        return Err(broken());
    }
    Ok(ChaCha20Rng::from_seed(*first))
}

fn broken() -> Error {
    Error::unable(
        Problem::System,
        "the system does not provide random numbers",
        "repair the system's random number generator",
    )
}

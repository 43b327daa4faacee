//! What the program finds around itself: clock, randomness, folders, the terminal, the machine.

use rand::rngs::{ChaCha20Rng, SysRng};
use rand::{SeedableRng, TryRng};
use std::path::PathBuf;
use std::time::SystemTime;

use olr::error::{Error, Result};
use olr::machine::probe::{Findings, probe};
use olr::state::Surroundings;
use olr::time::Instant;
use zeroize::Zeroizing;

/// Clock and randomness, taken once, and a way to look at the machine.
pub struct Context {
    pub now: Instant,
    pub rng: ChaCha20Rng,
    pub probe: Box<dyn Fn(bool) -> Findings>,
    /// What is to be said on stderr, whatever comes of the verb.
    pub notes: Vec<String>,
    /// The home that was used, for a refusal that names it.
    pub home: Option<PathBuf>,
    /// Whether one JSON object is printed.
    pub as_json: bool,
}

impl Context {
    pub fn new() -> Result<Self> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = since.map(|since| Instant::new(since.as_secs())).map_err(|_| {
            Error::unable("the clock is before 1970", "set the clock of this machine")
        })?;
        Ok(Self {
            now,
            rng: system_rng()?,
            probe: Box::new(probe),
            notes: Vec::new(),
            home: None,
            as_json: false,
        })
    }

    /// What a request or a judgement needs to know of this machine now.
    pub fn around(&self, privileged: bool) -> (Surroundings, Findings) {
        let found = (self.probe)(privileged);
        let around = Surroundings::of(&found, self.now);
        (around, found)
    }
}

/// A generator seeded by the system, refused when the system repeats itself.
fn system_rng() -> Result<ChaCha20Rng> {
    let draw = || -> Result<Zeroizing<[u8; 32]>> {
        let mut seed = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(seed.as_mut_slice()).map_err(|_| broken())?;
        Ok(seed)
    };
    let (first, second) = (draw()?, draw()?);
    let same = |seed: &[u8; 32]| seed.iter().all(|byte| Some(byte) == seed.first());
    if first == second || same(&first) || same(&second) {
        return Err(broken());
    }
    Ok(ChaCha20Rng::from_seed(*first))
}

fn broken() -> Error {
    Error::unable("the system gives no randomness", "repair the system's random generator first")
}

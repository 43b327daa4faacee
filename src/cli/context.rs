//! What the program finds around itself: clock, randomness, folders, the terminal, the machine.

use rand::rngs::{ChaCha20Rng, SysRng};
use rand::{SeedableRng, TryRng};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use olr::error::{Error, Result};
use olr::home::Home;
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

/// Where the server's state is: told, or `/var/lib/olr`, or the user's state folder.
#[derive(clap::Args)]
pub struct HomeArg {
    /// The folder with this server's state [default: $OLR_HOME, else /var/lib/olr, or the user's
    /// state folder].
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

impl HomeArg {
    /// The home, its state mended where one of its copies is not as it should be.
    pub fn open(&self, context: &mut Context) -> Result<Home> {
        let home = self.home()?;
        context.home = Some(home.folder().to_path_buf());
        // What nobody can mend, the verb meets by itself.
        if let Ok(Some(mended)) = home.repair() {
            context.notes.push(mended);
        }
        Ok(home)
    }

    pub fn home(&self) -> Result<Home> {
        if let Some(home) = self.home.clone().or_else(|| from_environment("OLR_HOME")) {
            return Ok(Home::at(home));
        }
        let system = Path::new("/var/lib/olr");
        if cfg!(unix) && (system.is_dir() || is_root()) {
            return Ok(Home::at(system));
        }
        use etcetera::BaseStrategy;
        let strategy = etcetera::choose_base_strategy().ok();
        let state =
            strategy.map(|strategy| strategy.state_dir().unwrap_or_else(|| strategy.data_dir()));
        // An empty $HOME would put it into whatever folder this runs in.
        match state.filter(|state| state.is_absolute()) {
            Some(state) => Ok(Home::at(state.join("olr"))),
            None => {
                let fact = "this user has no home folder";
                Err(Error::unable(fact, "name the folder of the state with --home"))
            }
        }
    }
}

/// A folder that the environment names. An empty value is as none: compose files and units write
/// `NAME=` for what is not set.
pub fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Which of several licenses a question is about.
#[derive(clap::Args)]
pub struct SlotArg {
    /// The product, where the home has several.
    #[arg(long, value_name = "P")]
    pub product: Option<String>,
    /// The slot, where the home has several.
    #[arg(long, value_name = "S")]
    pub slot: Option<String>,
}

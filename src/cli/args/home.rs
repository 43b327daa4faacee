//! The home of a server, and the slot that a verb acts on.

use std::path::{Path, PathBuf};

use crate::home::Home;
use olr_core::error::{Error, Problem, Result};

use crate::cli::context::Context;

// Folder of the server's state: `--home`, `$OLR_HOME`, `/var/lib/olr`, or the user's state folder.
#[derive(clap::Args)]
pub struct HomeArg {
    /// The folder with this server's state [default: $OLR_HOME; else /var/lib/olr, if it exists or
    /// for root; else the user's state folder].
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

impl HomeArg {
    /// Opens the home, and repairs its state if one of the copies is damaged, missing or older.
    pub fn open(&self, context: &mut Context) -> Result<Home> {
        let home = self.find(context)?;
        // If it cannot be repaired, the verb reports that itself.
        if let Ok(Some(mended)) = home.repair() {
            context.notes.push(mended);
        }
        Ok(home)
    }

    /// Returns the home for a verb that repairs the state as it reads it.
    pub fn find(&self, context: &mut Context) -> Result<Home> {
        let home = self.home()?;
        context.home = Some(home.folder().to_path_buf());
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
        // With an empty $HOME the path is relative: the state would be kept in the current folder.
        match state.filter(|state| state.is_absolute()) {
            Some(state) => Ok(Home::at(state.join("olr"))),
            None => {
                let fact = "this user has no home directory ($HOME) to keep state in";
                Err(Error::unable(Problem::Usage, fact, "name a state folder with --home DIR"))
            }
        }
    }
}

/// Returns a folder named by an environment variable. An empty value is ignored: compose files and
/// units write `NAME=` for unset variables.
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

// Product and slot that a verb acts on.
#[derive(clap::Args)]
pub struct SlotArg {
    /// The product, if the home has several.
    #[arg(long, value_name = "P")]
    pub product: Option<String>,
    /// The slot, if the home has several.
    #[arg(long, value_name = "S")]
    pub slot: Option<String>,
}

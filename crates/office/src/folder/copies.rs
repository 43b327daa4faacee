//! Backup and restore of the ledger of a vendor folder.

use std::path::{Path, PathBuf};

use crate::file::{self, Access, Staged, Writing};
use crate::folder::Folder;
use crate::folder::records::NAME;
use crate::ledger::db::Sqlite;
use crate::ledger::{Ledger, Overview, Violation, has_schema, missing_steps, overview};
use olr_core::error::{Error, Problem, Result};
use olr_core::time::Instant;

/// What a restore would do: both ledgers, for the question whether to do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restore {
    /// The ledger of the folder; `None` if it is missing or cannot be read.
    pub now: Option<Overview>,
    /// The backup.
    pub backup: Overview,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What it replaced, and with what.
    pub restore: Restore,
    /// New name of the ledger that was replaced.
    pub kept: Option<PathBuf>,
}

impl Folder {
    /// Copies the ledger to the new file `to`, for its owner only, and checks the copy. Other
    /// processes may use the ledger meanwhile. Violations of invariants are in the copy as in the
    /// ledger, and are returned.
    ///
    /// # Errors
    /// Exit 2 when the file exists or cannot be written, or when the ledger is damaged.
    pub fn back_up_ledger(&self, to: &Path) -> Result<(Overview, Vec<Violation>)> {
        self.ensure_ledger()?;
        if file::is_there(to)? {
            let fact = format!("{}: this file already exists", file::name(to));
            return Err(Error::unable(Problem::Exists, fact, "name a new file for each backup"));
        }
        let staged = file::stage(to, b"", Writing::NewSecret)?;
        let mut copy = Sqlite::copy(&self.path().join(NAME), staged.path())?;
        let found = overview(&mut copy)?;
        // The invariants are those of this version's schema.
        let is_current = missing_steps(&mut copy)?.is_empty();
        let broken = if is_current { Ledger::open(copy)?.check()? } else { Vec::new() };
        staged.commit()?;
        Ok((found, broken))
    }

    /// Replaces the ledger by a backup, if `confirm` agrees. Keeps the ledger that was there under a
    /// new name.
    ///
    /// # Errors
    /// Exit 2 when another process uses the ledger, when the backup is damaged or breaks an
    /// invariant, or when a file cannot be moved.
    pub fn restore_ledger(
        &self,
        from: &Path,
        at: Instant,
        confirm: impl FnOnce(&Restore) -> Result<()>,
    ) -> Result<Restored> {
        let path = self.path().join(NAME);
        let _lock = Sqlite::lock(&path)?;
        let (staged, backup) = self.staged_backup(from, &path)?;
        let now = match file::is_there(&path)? {
            true => Sqlite::unlogged(&path).and_then(|mut db| Ok(overview(&mut db)?)).ok(),
            false => None,
        };
        let restore = Restore { now, backup };
        confirm(&restore)?;
        let kept = self.move_aside(&path, at)?;
        staged.commit()?;
        Ok(Restored { restore, kept })
    }

    /// Checks that a file is a backup that could be restored, and says what it contains.
    ///
    /// # Errors
    /// Exit 2 when it is not, or when this folder cannot hold a copy of it.
    pub fn check_backup(&self, from: &Path) -> Result<Overview> {
        self.staged_backup(from, &self.path().join(NAME)).map(|(_, backup)| backup)
    }

    /// Copies a backup into this folder, and checks the copy.
    fn staged_backup<'p>(&self, from: &Path, path: &'p Path) -> Result<(Staged<'p>, Overview)> {
        // Only a vendor's folder has a trust; a new ledger elsewhere would be of nobody.
        self.trust()?;
        if !file::is_there(from)? {
            let fact = format!("{} does not exist", file::name(from));
            return Err(Error::unable(Problem::NotFound, fact, "name a backup of the ledger"));
        }
        let staged = file::stage(path, b"", Writing::Secret)?;
        let sound = ensure_sound(Sqlite::copy(from, staged.path())?);
        Ok((staged, sound.map_err(|error| error.within(file::name(from)))?))
    }

    /// Gives the ledger another name. If it is one file, it keeps the old name too, until another
    /// ledger takes that: so there is a ledger at any time. A log goes with its ledger: beside
    /// another one, it would be applied to that.
    fn move_aside(&self, path: &Path, at: Instant) -> Result<Option<PathBuf>> {
        let stamp: String = at.to_string().chars().filter(|c| *c != ':').collect();
        let mut names = (1u32..1000).map(|number| match number {
            1 => self.path().join(format!("ledger-until-{stamp}.db")),
            _ => self.path().join(format!("ledger-until-{stamp}-{number}.db")),
        });
        let is_free = |name: &PathBuf| file::is_there(name).is_ok_and(|there| !there);
        let kept = names.find(is_free).ok_or_else(|| {
            let fact = format!("{}: no name is left for the old ledger", file::name(path));
            Error::unable(Problem::Exists, fact, "move the old ledgers away")
        })?;
        if !file::is_there(&with_end(path, "-wal"))? && std::fs::hard_link(path, &kept).is_ok() {
            return Ok(Some(kept));
        }
        let mut any = None;
        for end in ["", "-wal", "-shm"] {
            let (old, new) = (with_end(path, end), with_end(&kept, end));
            if file::is_there(&old)? {
                std::fs::rename(&old, &new)
                    .map_err(|error| file::failed(Access::Write, &old, &error))?;
                any = Some(kept.clone());
            }
        }
        Ok(any)
    }

    /// Brings the schema of the ledger up to date, unless `dry_run`. Returns the steps that it
    /// lacked.
    ///
    /// # Errors
    /// Exit 2 when a newer version of olr has changed it, or when it cannot be opened.
    pub fn migrate_ledger(&self, dry_run: bool) -> Result<Vec<i64>> {
        self.ensure_ledger()?;
        let mut db = Sqlite::open(&self.path().join(NAME))?;
        let missing = missing_steps(&mut db)?;
        if !dry_run {
            drop(Ledger::open(db)?);
        }
        Ok(missing)
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(end);
    name.into()
}

/// Checks that a copy is a ledger that keeps all invariants, and brings its schema up to date.
fn ensure_sound(mut copy: Sqlite) -> Result<Overview> {
    // Otherwise, any database would become a ledger without records.
    if !has_schema(&mut copy)? {
        let fact = "this database is not a ledger";
        return Err(Error::unable(Problem::Content, fact, "name a backup of the ledger"));
    }
    let mut ledger = Ledger::open(copy)?;
    let Some(broken) = ledger.check()?.into_iter().next() else { return ledger.overview() };
    let fact = format!("this backup breaks {}: {}", broken.id, broken.fact);
    Err(Error::unable(Problem::Damaged, fact, "use another backup"))
}

//! Copies of a ledger in a file, by SQLite's online backup.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::{PATIENCE, STATEMENTS, said};
use crate::file::{self, Access, Lock};
use crate::ledger::db::lock::take;
use crate::ledger::db::{DbResult, Sqlite};
use olr_core::error::{Error, Problem, Result};

/// Settings of a connection without a write-ahead log.
const SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; \
     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";

/// Journal of a copy: if the process is killed, the copy is lost anyway, and no journal is left.
const IN_MEMORY: &str = "PRAGMA journal_mode = MEMORY;";

/// Journal of a ledger whose write-ahead log ends: it becomes one file.
const ONE_FILE: &str = "PRAGMA journal_mode = DELETE;";

/// Place of the two bytes in the header of a database that say whether it has a write-ahead log.
const VERSIONS: u64 = 18;

/// Pause while another connection keeps the database from being read.
const PAUSE: Duration = Duration::from_millis(20);

impl Sqlite {
    /// Takes the lock of the ledger at `path`, without waiting.
    ///
    /// # Errors
    /// Exit 2 when another process uses the ledger.
    pub(crate) fn lock(path: &Path) -> Result<Lock> {
        take(path, Duration::ZERO)
    }

    /// Copies the ledger at `from` into the empty file at `to`, and opens the copy. Other processes
    /// may use the ledger meanwhile; the copy is as it was at one instant.
    ///
    /// # Errors
    /// Exit 2 when `from` is not a database or is damaged, or when `to` cannot be written.
    pub(crate) fn copy(from: &Path, to: &Path) -> Result<Self> {
        let failed = |error: &rusqlite::Error| Error::from(said(error)).within(file::name(from));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let source = Connection::open_with_flags(from, flags).map_err(|error| failed(&error))?;
        source.busy_timeout(PATIENCE).map_err(|error| failed(&error))?;
        let mut copy = Connection::open(to).map_err(|error| Error::from(said(&error)))?;
        copy.execute_batch(IN_MEMORY).map_err(|error| Error::from(said(&error)))?;
        let backup = Backup::new(&source, &mut copy).map_err(|error| failed(&error))?;
        let mut waited = Duration::ZERO;
        while backup.step(-1).map_err(|error| failed(&error))? != StepResult::Done {
            if waited > PATIENCE {
                let fact = format!("{}: another process is using this ledger", file::name(from));
                return Err(Error::unable(Problem::Locked, fact, "wait until it is done"));
            }
            std::thread::sleep(PAUSE);
            waited = waited.saturating_add(PAUSE);
        }
        drop(backup);
        drop(copy);
        end_log(to).map_err(|error| file::failed(Access::Write, to, &error))?;
        let copy = Connection::open(to).map_err(|error| said(&error));
        let copy = copy.and_then(|copy| Self::with(copy, IN_MEMORY));
        let copy = copy.map_err(|error| Error::from(error).within(file::name(from)))?;
        copy.ensure_whole().map_err(|error| error.within(file::name(from)))?;
        Ok(copy)
    }

    /// Opens a ledger of which the caller holds the lock, and ends its write-ahead log, so that all
    /// of it is in one file.
    ///
    /// # Errors
    /// Exit 2 when it is not a database or is damaged.
    pub(crate) fn unlogged(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags).map_err(|error| said(&error));
        let opened = opened.and_then(|ledger| Self::with(ledger, ONE_FILE));
        opened.map_err(|error| Error::from(error).within(file::name(path)))
    }

    fn with(connection: Connection, journal: &str) -> DbResult<Self> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let settings = format!("{journal} {SETTINGS}");
        connection.execute_batch(&settings).map_err(|error| said(&error))?;
        Ok(Self { connection, _lock: None })
    }

    /// Checks every page and index of the file.
    fn ensure_whole(&self) -> Result<()> {
        let check = "PRAGMA integrity_check(1)";
        let found = self.connection.query_row(check, [], |row| row.get::<_, String>(0));
        if found.map_err(|error| Error::from(said(&error)))? == "ok" {
            return Ok(());
        }
        let fact = "the database is damaged";
        Err(Error::unable(Problem::Damaged, fact, "use another backup, or repair the disk first"))
    }
}

/// Writes into the header of a copy that it has no write-ahead log. SQLite would do so too, but
/// with a log beside the file, which a killed process leaves behind.
fn end_log(path: &Path) -> std::io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut versions = [0; 2];
    file.seek(SeekFrom::Start(VERSIONS))?;
    // An empty database has no header.
    if file.read(&mut versions)? == versions.len() && versions == [2, 2] {
        file.seek(SeekFrom::Start(VERSIONS))?;
        file.write_all(&[1, 1])?;
    }
    file.sync_all()
}

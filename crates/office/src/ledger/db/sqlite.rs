//! The ledger in a file, with SQLite.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::ffi;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{CachedStatement, Connection};

use crate::file::{self, Access, Lock};
use crate::ledger::db::lock::{ensure_local, take};
use crate::ledger::db::{Db, DbError, DbResult, Engine, SqlRow, SqlValue};
use olr_core::error::{Error, Problem, Result};

mod copy;

/// How long a command waits for another one that uses the ledger.
const PATIENCE: Duration = Duration::from_secs(20);

/// Statements that are kept prepared.
const STATEMENTS: usize = 128;

/// Settings of each connection. `FULL` syncs the write-ahead log at each commit; on macOS, only a
/// `fullfsync` reaches the disk.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; \
     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";

/// A connection to a ledger in a file. It is the only one that may write, until it is dropped.
pub struct Sqlite {
    // Dropped first: the connection is closed before the lock is released.
    connection: Connection,
    _lock: Option<Lock>,
}

impl Sqlite {
    /// Opens the file, and creates it if it is missing. Waits a bounded time for another process
    /// that uses it.
    ///
    /// # Errors
    /// Exit 2 when another process uses the ledger, when the folder is on a network filesystem, or
    /// when the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_within(path, PATIENCE)
    }

    pub(crate) fn open_within(path: &Path, patience: Duration) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        ensure_local(folder.unwrap_or(Path::new(".")))?;
        let lock = take(path, patience)?;
        // SQLite does not say why it cannot open a file.
        if let Err(error) = File::options().read(true).write(true).open(path)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(file::failed(Access::Write, path, &error));
        }
        let opened = Connection::open(path).and_then(|connection| {
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.busy_timeout(patience)?;
            connection.execute_batch(SETTINGS)?;
            Ok(connection)
        });
        let connection =
            opened.map_err(|error| Error::from(said(&error)).within(file::name(path)))?;
        Ok(Self { connection, _lock: Some(lock) })
    }

    fn prepare(&self, sql: &str, values: &[SqlValue]) -> rusqlite::Result<CachedStatement<'_>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        for (number, value) in (1..).zip(values) {
            let name = format!("${number}");
            let unused = || rusqlite::Error::InvalidParameterName(name.clone());
            let index = statement.parameter_index(&name)?.ok_or_else(unused)?;
            let value = match value {
                SqlValue::Integer(value) => Value::Integer(*value),
                SqlValue::Text(value) => Value::Text(value.clone()),
                SqlValue::Blob(value) => Value::Blob(value.clone()),
                SqlValue::Null => Value::Null,
            };
            statement.raw_bind_parameter(index, value)?;
        }
        Ok(statement)
    }

    fn query(&self, sql: &str, values: &[SqlValue]) -> rusqlite::Result<Vec<SqlRow>> {
        let mut statement = self.prepare(sql, values)?;
        let columns = statement.column_count();
        let (mut rows, mut found) = (statement.raw_query(), Vec::new());
        while let Some(row) = rows.next()? {
            let cells = (0..columns).map(|column| Ok(value(row.get_ref(column)?)));
            found.push(SqlRow(cells.collect::<rusqlite::Result<_>>()?));
        }
        Ok(found)
    }
}

fn value(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Integer(value) => SqlValue::Integer(value),
        ValueRef::Text(value) => match str::from_utf8(value) {
            Ok(text) => SqlValue::Text(text.to_string()),
            Err(_) => SqlValue::Blob(value.to_vec()),
        },
        ValueRef::Blob(value) => SqlValue::Blob(value.to_vec()),
        // No column of a STRICT table holds a number with a fraction; nobody asks for one.
        ValueRef::Null | ValueRef::Real(_) => SqlValue::Null,
    }
}

impl Db for Sqlite {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn exec(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<u64> {
        let changed = self.prepare(sql, values).and_then(|mut statement| statement.raw_execute());
        let changed = changed.map_err(|error| said(&error))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn rows(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<Vec<SqlRow>> {
        self.query(sql, values).map_err(|error| said(&error))
    }

    fn batch(&mut self, sql: &str) -> DbResult<()> {
        self.connection.execute_batch(sql).map_err(|error| said(&error))
    }

    fn begin(&mut self) -> DbResult<()> {
        self.batch("BEGIN IMMEDIATE")
    }
}

/// Sorts an error of SQLite into the four kinds.
fn said(error: &rusqlite::Error) -> DbError {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return fault() };
    let kind = failure.extended_code & 0xff;
    let (problem, why, hint) = match (failure.extended_code, kind) {
        (ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY, _) => {
            return DbError::Duplicate;
        }
        (_, ffi::SQLITE_CONSTRAINT) => return DbError::Check,
        (_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => return DbError::Retry,
        (_, ffi::SQLITE_FULL) => (Problem::Io, "the disk is full", "free some space on it"),
        // SQLite does not say which of them it is.
        (_, ffi::SQLITE_IOERR) => (
            Problem::Io,
            "the ledger cannot be read or written: the disk is full, or fails",
            "check the disk, its free space and your disk quota",
        ),
        (_, ffi::SQLITE_CANTOPEN) => {
            (Problem::NotFound, "the ledger cannot be opened", "check the name of its folder")
        }
        (_, ffi::SQLITE_READONLY | ffi::SQLITE_PERM) => (
            Problem::Permission,
            "the ledger cannot be written: permission denied",
            "run as the owner of its folder",
        ),
        (_, ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB) => (
            Problem::Damaged,
            "the file is damaged, or is not a ledger",
            "restore the ledger from a backup",
        ),
        _ => return fault(),
    };
    DbError::Other(Error::unable(problem, why, hint))
}

fn fault() -> DbError {
    let fact = "ledger: SQLite does not accept a statement";
    DbError::Other(Error::unable(Problem::Fault, fact, "report this as a bug"))
}

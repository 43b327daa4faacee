//! The database of the ledger: one trait, and an engine for SQLite and one for PostgreSQL. Both run
//! the same SQL; `words.rs` replaces the few words that differ.

use olr_core::error::{Error, Problem, Result};

mod lock;
#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
mod words;

#[cfg(feature = "postgres")]
pub use postgres::Postgres;
pub use sqlite::Sqlite;
pub(crate) use words::Engine;

/// Result of a statement.
pub type DbResult<T> = std::result::Result<T, DbError>;

/// Why a statement or an act failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DbError {
    /// Another transaction was in the way. The same transaction may succeed if it is run again.
    Retry,
    /// A row breaks a rule of the schema: a `CHECK`, a foreign key, or a value that is required.
    Check,
    /// A row with this key exists.
    Duplicate,
    /// Everything else: what the database could not do, or why an act was refused.
    Other(Error),
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Other(error) => error,
            DbError::Retry => Self::unable(
                Problem::Locked,
                "ledger: other changes were in the way each time",
                "try again in a moment",
            ),
            DbError::Check => Self::unable(
                Problem::Fault,
                "ledger: the database refuses a row that breaks a rule of the schema",
                "report this as a bug",
            ),
            DbError::Duplicate => Self::unable(
                Problem::Exists,
                "ledger: a record with this key already exists",
                "choose another name or reference",
            ),
        }
    }
}

/// A value in a statement or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlValue {
    /// An integer.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// No value.
    Null,
}

impl From<i64> for SqlValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for SqlValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<&String> for SqlValue {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<&[u8]> for SqlValue {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl From<Vec<u8>> for SqlValue {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<T: Into<SqlValue>> From<Option<T>> for SqlValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Makes the values of a statement: `values![1, "text", None::<i64>]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::ledger::db::SqlValue::from($value)),*] };
}
pub(crate) use values;

/// A row of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlRow(pub(crate) Vec<SqlValue>);

impl SqlRow {
    /// Returns the integer in a column.
    ///
    /// # Errors
    /// Exit 2 when it is not an integer. The other getters do the same for their types.
    pub fn integer(&self, column: usize) -> Result<i64> {
        match self.0.get(column) {
            Some(SqlValue::Integer(value)) => Ok(*value),
            _ => Err(wrong_type()),
        }
    }

    /// Returns the text in a column.
    pub fn text(&self, column: usize) -> Result<&str> {
        match self.0.get(column) {
            Some(SqlValue::Text(value)) => Ok(value),
            _ => Err(wrong_type()),
        }
    }

    /// Returns the bytes in a column.
    pub fn blob(&self, column: usize) -> Result<&[u8]> {
        match self.0.get(column) {
            Some(SqlValue::Blob(value)) => Ok(value),
            _ => Err(wrong_type()),
        }
    }

    /// Returns the integer in a column, or `None` if the column is null.
    pub fn maybe_integer(&self, column: usize) -> Result<Option<i64>> {
        if self.is_null(column) { Ok(None) } else { self.integer(column).map(Some) }
    }

    /// Returns the text in a column, or `None` if the column is null.
    pub fn maybe_text(&self, column: usize) -> Result<Option<&str>> {
        if self.is_null(column) { Ok(None) } else { self.text(column).map(Some) }
    }

    /// Returns the bytes in a column, or `None` if the column is null.
    pub fn maybe_blob(&self, column: usize) -> Result<Option<&[u8]>> {
        if self.is_null(column) { Ok(None) } else { self.blob(column).map(Some) }
    }

    fn is_null(&self, column: usize) -> bool {
        matches!(self.0.get(column), Some(SqlValue::Null))
    }
}

fn wrong_type() -> Error {
    Error::unable(
        Problem::Damaged,
        "ledger: a column holds a value of another type",
        "restore the ledger from a backup",
    )
}

/// A connection to the database of a ledger.
///
/// The nth value of a statement is bound to `$n`. The transaction that [`Db::begin`] starts takes
/// the locks of a writer.
pub trait Db: Send {
    /// Which engine it is.
    #[doc(hidden)]
    fn engine(&self) -> Engine;

    /// Runs a statement, and returns how many rows it changed.
    fn exec(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<u64>;

    /// Runs a statement, and returns its rows.
    fn rows(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<Vec<SqlRow>>;

    /// Runs several statements without values.
    fn batch(&mut self, sql: &str) -> DbResult<()>;

    /// Begins a transaction.
    fn begin(&mut self) -> DbResult<()>;

    /// Begins a transaction during which nobody else changes the schema.
    fn begin_alone(&mut self) -> DbResult<()> {
        self.begin()
    }

    /// Commits the transaction. After success, its changes survive a loss of power.
    fn commit(&mut self) -> DbResult<()> {
        self.batch("COMMIT")
    }

    /// Undoes the transaction.
    fn rollback(&mut self) -> DbResult<()> {
        self.batch("ROLLBACK")
    }

    /// Sets a savepoint within the transaction.
    fn savepoint(&mut self) -> DbResult<()> {
        self.batch("SAVEPOINT one_order")
    }

    /// Keeps the changes since the savepoint, as a part of the transaction.
    fn release(&mut self) -> DbResult<()> {
        self.batch("RELEASE SAVEPOINT one_order")
    }

    /// Undoes the changes since the savepoint.
    fn rollback_to_savepoint(&mut self) -> DbResult<()> {
        self.batch("ROLLBACK TO SAVEPOINT one_order; RELEASE SAVEPOINT one_order")
    }
}

/// A transaction that is undone unless it was committed, even by a panic.
struct Begun<'a> {
    db: &'a mut dyn Db,
    is_committed: bool,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.is_committed {
            // A database that failed may have undone the transaction by itself.
            let _ = self.db.rollback();
        }
    }
}

/// Runs `work` in the transaction that was begun, and commits it. If it fails, everything is undone.
pub(crate) fn commit_after<T>(
    db: &mut dyn Db,
    work: impl FnOnce(&mut dyn Db) -> DbResult<T>,
) -> DbResult<T> {
    let mut begun = Begun { db, is_committed: false };
    let done = work(&mut *begun.db)?;
    begun.db.commit()?;
    begun.is_committed = true;
    Ok(done)
}

/// Returns the only row, or `None` if there is none.
pub(crate) fn one_row(rows: Vec<SqlRow>) -> Option<SqlRow> {
    rows.into_iter().next()
}

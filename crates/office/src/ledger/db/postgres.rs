//! The ledger in PostgreSQL, for vendors for whom one machine is not enough.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::Duration;

use ::postgres::config::Host;
use ::postgres::error::SqlState;
use ::postgres::types::private::BytesMut;
use ::postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use ::postgres::{Client, Config, NoTls, Statement};

use crate::ledger::db::{Db, DbError, DbResult, Engine, SqlRow, SqlValue, one_row};
use olr_core::error::{Error, Problem, Result};

/// Settings of each connection: no statement and no lock waits for ever.
const SETTINGS: &str = "SET lock_timeout = '20s'; SET statement_timeout = '60s'; \
     SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = 'warning'";

/// Oldest version, as PostgreSQL numbers them.
const OLDEST: i64 = 140_000;

/// Number of the advisory lock of a migration; any number that other programs do not use.
const SCHEMA_LOCK: i64 = 0x006f_6c72;

/// A connection to a ledger in PostgreSQL.
///
/// A connection that is lost is made again when the next transaction begins.
pub struct Postgres {
    config: Config,
    client: Client,
    /// True within a transaction. What is lost then is not made again.
    is_begun: bool,
    /// True after an error with which the server ends the connection.
    is_lost: bool,
    statements: HashMap<String, Statement>,
}

impl Postgres {
    /// Connects to a database: `postgres://user@localhost/ledger`. The connection is not encrypted,
    /// so it must not leave this machine.
    ///
    /// # Errors
    /// Exit 2 when the address is wrong or on another machine, when the server does not answer, is
    /// too old, or does not wait for its disk.
    pub fn connect(url: &str) -> Result<Self> {
        let wrong = "write it like postgres://user@localhost/ledger";
        let config = url.parse::<Config>().map_err(|_| {
            Error::unable(Problem::Usage, "the address of the ledger is not valid", wrong)
        })?;
        ensure_here(&config)?;
        Self::open(config)
    }

    fn open(config: Config) -> Result<Self> {
        let client = config.clone().connect_timeout(Duration::from_secs(10)).connect(NoTls);
        let client = client.map_err(|error| refused(&error))?;
        let mut db =
            Self { config, client, is_begun: false, is_lost: false, statements: HashMap::new() };
        db.batch(SETTINGS)?;
        db.ensure_new_enough()?;
        db.ensure_durable()?;
        Ok(db)
    }

    /// Connects again if the connection was lost, outside of a transaction.
    fn ensure_connected(&mut self) -> DbResult<()> {
        if !self.is_begun && self.is_lost() {
            *self = Self::open(self.config.clone())?;
        }
        Ok(())
    }

    fn is_lost(&self) -> bool {
        self.is_lost || self.client.is_closed()
    }

    /// Sorts an error, and notices if it ends the connection.
    fn heard<T>(&mut self, result: std::result::Result<T, ::postgres::Error>) -> DbResult<T> {
        result.map_err(|error| {
            self.is_lost |= error.code().is_some_and(ends_connection);
            said(&error)
        })
    }

    fn setting(&mut self, name: &str) -> Result<String> {
        let row = one_row(self.rows("SELECT current_setting($1)", &[name.into()])?);
        row.map_or(Ok(String::new()), |row| row.text(0).map(str::to_string))
    }

    fn ensure_new_enough(&mut self) -> Result<()> {
        let found = self.setting("server_version_num")?;
        if found.parse::<i64>().is_ok_and(|found| found >= OLDEST) {
            return Ok(());
        }
        let fact = "ledger: this PostgreSQL is older than version 14";
        Err(Error::unable(Problem::Unsupported, fact, "use PostgreSQL 14 or newer"))
    }

    /// Refuses a server that says "committed" before the change is on a disk.
    fn ensure_durable(&mut self) -> Result<()> {
        for setting in ["synchronous_commit", "fsync"] {
            if self.setting(setting)? == "off" {
                let fact = format!("ledger: PostgreSQL has {setting} = off, and may lose changes");
                let hint = format!("set {setting} = on for this database");
                return Err(Error::unable(Problem::Unsupported, fact, hint));
            }
        }
        Ok(())
    }

    fn statement(&mut self, sql: &str) -> DbResult<Statement> {
        self.ensure_connected()?;
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql);
        let statement = self.heard(statement)?;
        self.statements.insert(sql.to_string(), statement.clone());
        Ok(statement)
    }
}

impl Db for Postgres {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn exec(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<u64> {
        let statement = self.statement(sql)?;
        let changed = self.client.execute(&statement, &bound(values));
        self.heard(changed)
    }

    fn rows(&mut self, sql: &str, values: &[SqlValue]) -> DbResult<Vec<SqlRow>> {
        let statement = self.statement(sql)?;
        let rows = self.client.query(&statement, &bound(values));
        let rows = self.heard(rows)?;
        let cells = |row: &::postgres::Row| {
            let cells = (0..row.len()).map(|column| row.try_get(column));
            cells.collect::<std::result::Result<_, _>>().map(SqlRow)
        };
        rows.iter().map(|row| cells(row).map_err(|error| said(&error))).collect()
    }

    fn batch(&mut self, sql: &str) -> DbResult<()> {
        self.ensure_connected()?;
        let done = self.client.batch_execute(sql);
        self.heard(done)
    }

    fn begin(&mut self) -> DbResult<()> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
        let begun = match self.batch(BEGIN) {
            // The server ended the connection while it was idle, which shows only now.
            Err(_) if self.is_lost() => self.batch(BEGIN),
            begun => begun,
        };
        self.is_begun = begun.is_ok();
        begun
    }

    fn commit(&mut self) -> DbResult<()> {
        let committed = self.batch("COMMIT");
        if committed.is_err() && self.is_lost() {
            return Err(unknown());
        }
        self.is_begun = committed.is_err();
        committed
    }

    fn rollback(&mut self) -> DbResult<()> {
        self.is_begun = false;
        if self.is_lost() { Ok(()) } else { self.batch("ROLLBACK") }
    }

    fn begin_alone(&mut self) -> DbResult<()> {
        self.begin()?;
        self.rows("SELECT CAST(pg_advisory_xact_lock($1) AS TEXT)", &[SCHEMA_LOCK.into()]).map(drop)
    }
}

fn bound(values: &[SqlValue]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

type Encoded = std::result::Result<IsNull, Box<dyn StdError + Sync + Send>>;

impl ToSql for SqlValue {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::Integer(value) => value.to_sql_checked(ty, out),
            Self::Text(value) => value.to_sql_checked(ty, out),
            Self::Blob(value) => value.to_sql_checked(ty, out),
            Self::Null => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for SqlValue {
    fn from_sql(
        ty: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Self::Integer),
            Type::INT4 => i32::from_sql(ty, raw).map(|value| Self::Integer(value.into())),
            Type::BYTEA => Vec::from_sql(ty, raw).map(Self::Blob),
            _ => String::from_sql(ty, raw).map(Self::Text),
        }
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT4, Type::INT8, Type::BYTEA].contains(ty) || <String as FromSql>::accepts(ty)
    }
}

/// Checks that the connection stays on this machine.
fn ensure_here(config: &Config) -> Result<()> {
    let is_here = |host: &Host| match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    let named = config.get_hosts().iter().all(is_here);
    if named && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback) {
        return Ok(());
    }
    let fact = "the database of the ledger is on another machine, and the connection to it would \
                not be encrypted";
    let hint = "connect to it through an encrypted tunnel that ends on this machine";
    Err(Error::unable(Problem::Unsupported, fact, hint))
}

/// Explains why there is no connection.
fn refused(error: &::postgres::Error) -> Error {
    let (problem, fact, hint) = match error.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => (
            Problem::Permission,
            "PostgreSQL does not accept this user or password",
            "check the address of the ledger",
        ),
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            (Problem::NotFound, "PostgreSQL has no database with this name", "create it first")
        }
        Some(&SqlState::TOO_MANY_CONNECTIONS) => {
            (Problem::Locked, "PostgreSQL has no free connection", "try again in a moment")
        }
        _ => {
            (Problem::Network, "PostgreSQL does not answer", "check that it runs, and its address")
        }
    };
    Error::unable(problem, fact, hint)
}

/// True for an error with which the server closes the connection.
fn ends_connection(state: &SqlState) -> bool {
    let state = state.code();
    state.starts_with("57P") || state.starts_with("08") || ["25P03", "25P04"].contains(&state)
}

/// The error when nobody knows whether a transaction was committed.
fn unknown() -> DbError {
    let fact = "ledger: the connection to PostgreSQL was lost during a commit, so it is unknown \
                whether the order is done";
    let hint = "give the same order again: if it is done, you get its result";
    DbError::Other(Error::unable(Problem::Network, fact, hint))
}

/// Sorts an error of PostgreSQL into the four kinds.
fn said(error: &::postgres::Error) -> DbError {
    let Some(state) = error.code() else {
        let fact = "ledger: the connection to PostgreSQL was lost";
        let hint = "check that it runs, then try again";
        return DbError::Other(Error::unable(Problem::Network, fact, hint));
    };
    let (problem, fact, hint) = match state.code() {
        "40001" | "40P01" | "55P03" | "57014" => return DbError::Retry,
        "23505" => return DbError::Duplicate,
        code if code.starts_with("23") => return DbError::Check,
        "22021" => (
            Problem::Usage,
            "PostgreSQL stores no text with a zero byte",
            "write the text without it",
        ),
        "53100" => (Problem::Io, "the disk of PostgreSQL is full", "free some space on it"),
        "53300" => (Problem::Locked, "PostgreSQL has no free connection", "try again in a moment"),
        code if code.starts_with("53") => (
            Problem::Io,
            "PostgreSQL has too little memory, or lacks another resource",
            "read its log, then try again",
        ),
        "25006" => (
            Problem::Permission,
            "this PostgreSQL server is read-only",
            "connect to the primary server, not to its standby",
        ),
        "25P03" | "25P04" | "57P05" => (
            Problem::Network,
            "PostgreSQL ended a connection that waited too long; nothing has changed",
            "try again",
        ),
        "57P03" => {
            (Problem::Network, "PostgreSQL is starting or stopping", "try again in a moment")
        }
        "42501" => (
            Problem::Permission,
            "PostgreSQL does not allow this user to change the ledger",
            "grant the user the rights on its tables",
        ),
        code if code.starts_with("57P") || code.starts_with("08") => {
            let fact = "PostgreSQL was shut down, or ended the connection";
            (Problem::Network, fact, "check that it runs, then try again")
        }
        code if code.starts_with("58") || code.starts_with("XX") => {
            (Problem::Io, "PostgreSQL cannot read or write its files", "read its log")
        }
        _ => (Problem::Fault, "PostgreSQL does not accept a statement", "report this as a bug"),
    };
    DbError::Other(Error::unable(problem, format!("ledger: {fact}"), hint))
}

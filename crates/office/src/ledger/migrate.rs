//! The schema: numbered files, each applied in one transaction and recorded with its SHA-256.

use crate::ledger::db::{Db, DbResult, values};
use olr_core::crypto::digest::sha256;
use olr_core::error::{Error, Problem, Result};
use olr_core::time::Instant;

/// The schema of this version of olr, oldest first. A file that was released never changes.
pub(super) const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("schema/001-orders.sql")),
    (2, include_str!("schema/002-parties.sql")),
    (3, include_str!("schema/003-keys.sql")),
    (4, include_str!("schema/004-purchases.sql")),
    (5, include_str!("schema/005-cals.sql")),
];

const RECORD: &str = "CREATE TABLE IF NOT EXISTS migration (
  number INTEGER NOT NULL, sha256 BLOB NOT NULL, applied INTEGER NOT NULL, PRIMARY KEY (number)
) STRICT";

/// Applies the migrations that the database lacks.
pub(super) fn migrate(db: &mut dyn Db, migrations: &[(i64, &str)], now: Instant) -> Result<()> {
    while in_transaction(db, |db| step(db, migrations, now))? {}
    Ok(())
}

/// Runs `work` in a transaction that no other migration shares.
fn in_transaction<T>(
    db: &mut dyn Db,
    work: impl FnOnce(&mut dyn Db) -> DbResult<T>,
) -> DbResult<T> {
    db.begin_alone()?;
    let done = work(db).and_then(|done| db.commit().map(|()| done));
    if done.is_err() {
        let _ = db.rollback();
    }
    done
}

/// Applies the first migration that is missing. Returns false if there is none.
fn step(db: &mut dyn Db, migrations: &[(i64, &str)], now: Instant) -> DbResult<bool> {
    db.batch(&db.engine().schema(RECORD))?;
    let applied = db.rows("SELECT number, sha256 FROM migration ORDER BY number", &[])?;
    for row in &applied {
        let (number, digest) = (row.integer(0)?, row.blob(1)?);
        match migrations.iter().find(|(known, _)| *known == number) {
            None => return Err(newer(number).into()),
            Some((_, sql)) if sha256(sql.as_bytes()) != digest => {
                return Err(changed(number).into());
            }
            Some(_) => {}
        }
    }
    let Some((number, sql)) = migrations.get(applied.len()) else { return Ok(false) };
    db.batch(&db.engine().schema(sql))?;
    let digest = sha256(sql.as_bytes());
    let seconds = i64::try_from(now.seconds).unwrap_or(i64::MAX);
    let record = "INSERT INTO migration (number, sha256, applied) VALUES ($1, $2, $3)";
    db.exec(record, values![*number, &digest[..], seconds])?;
    Ok(true)
}

fn newer(number: i64) -> Error {
    Error::unable(
        Problem::NewerVersion,
        format!("ledger: a newer version of olr has changed it (step {number} of its schema)"),
        "install that version of olr, or a newer one",
    )
}

fn changed(number: i64) -> Error {
    Error::unable(
        Problem::Damaged,
        format!(
            "ledger: step {number} of its schema is not the one that this version of olr knows"
        ),
        "use the version of olr that made the ledger, or restore a backup",
    )
}

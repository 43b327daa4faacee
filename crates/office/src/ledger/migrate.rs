//! The schema: numbered files, each recorded with its SHA-256.

use crate::ledger::db::{Db, DbResult, commit_after, values};
use olr_core::crypto::digest::sha256;
use olr_core::error::{Error, Problem, Result};

/// The schema of this version of olr, oldest first. A file that was released never changes.
pub(super) const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("schema/001-orders.sql")),
    (2, include_str!("schema/002-parties.sql")),
    (3, include_str!("schema/003-keys.sql")),
    (4, include_str!("schema/004-purchases.sql")),
    (5, include_str!("schema/005-cals.sql")),
    (6, include_str!("schema/006-answers.sql")),
    (7, include_str!("schema/007-claims.sql")),
];

const RECORD: &str = "CREATE TABLE migration (
  number INTEGER NOT NULL, sha256 BLOB NOT NULL, PRIMARY KEY (number)
) STRICT";

/// Applies the migrations that the database lacks, in one transaction that no other migration
/// shares.
pub(super) fn migrate(db: &mut dyn Db, migrations: &[(i64, &str)]) -> Result<()> {
    db.begin_alone()?;
    Ok(commit_after(db, |db| apply(db, migrations))?)
}

fn apply(db: &mut dyn Db, migrations: &[(i64, &str)]) -> DbResult<()> {
    // Asked first, because a user who may not create tables may still use them.
    if db.rows(db.engine().table(), values!["migration"])?.is_empty() {
        db.batch(&db.engine().schema(RECORD))?;
    }
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
    for (number, sql) in migrations.iter().skip(applied.len()) {
        db.batch(&db.engine().schema(sql))?;
        let digest = sha256(sql.as_bytes());
        let record = "INSERT INTO migration (number, sha256) VALUES ($1, $2)";
        db.exec(record, values![*number, &digest[..]])?;
    }
    Ok(())
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

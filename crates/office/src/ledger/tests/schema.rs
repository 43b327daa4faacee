//! The schema is the same in both engines, and only known migrations are accepted.

use std::collections::BTreeSet;

use crate::ledger::db::{Db, DbError, Engine, Sqlite, values};
use crate::ledger::migrate::{MIGRATIONS, migrate};
use crate::ledger::tests::engines::{Database, databases};
use olr_core::crypto::digest::sha256;
use olr_core::error::{Error, Problem};

#[test]
fn a_changed_and_an_unknown_migration_are_refused() {
    for database in databases() {
        let mut db = database.connect();
        migrate(&mut *db, MIGRATIONS).unwrap();
        migrate(&mut *db, MIGRATIONS).unwrap();
        let error = migrate(&mut *db, &MIGRATIONS[..2]).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::NewerVersion), "{error}");
        let mut changed = MIGRATIONS.to_vec();
        changed[1].1 = "CREATE TABLE other (id INTEGER PRIMARY KEY) STRICT";
        let error = migrate(&mut *db, &changed).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Damaged), "{error}");
        // A step that fails leaves nothing behind.
        let mut broken = MIGRATIONS.to_vec();
        broken.push((99, "CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT; CREATE TABEL x"));
        migrate(&mut *db, &broken).unwrap_err();
        assert!(db.rows("SELECT id FROM extra", &[]).is_err());
        migrate(&mut *db, MIGRATIONS).unwrap();
    }
}

#[test]
fn the_digests_of_the_migrations_are_those_of_the_files() {
    for database in databases() {
        let mut db = database.connect();
        migrate(&mut *db, MIGRATIONS).unwrap();
        let rows = db.rows("SELECT number, sha256 FROM migration", &[]).unwrap();
        assert_eq!(rows.len(), MIGRATIONS.len());
        for (row, (number, sql)) in rows.iter().zip(MIGRATIONS) {
            assert_eq!(row.integer(0), Ok(*number));
            assert_eq!(row.blob(1), Ok(&sha256(sql.as_bytes())[..]));
        }
    }
}

#[test]
fn values_come_back_and_errors_are_sorted() {
    for database in databases() {
        let mut db = database.connect();
        let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0), \
                     s TEXT UNIQUE, b BLOB, t INTEGER REFERENCES t (id)) STRICT";
        db.batch(&db.engine().schema(table)).unwrap();
        let insert = "INSERT INTO t (n, s, b, t) VALUES ($1, $2, $3, $4) RETURNING id";
        let row = db.rows(insert, values![i64::MAX, "ä'\"", &[0u8, 255][..], None::<i64>]).unwrap();
        assert_eq!(row[0].integer(0), Ok(1));
        let row = db.rows("SELECT n, s, b, t FROM t", &[]).unwrap().remove(0);
        assert_eq!((row.integer(0), row.text(1)), (Ok(i64::MAX), Ok("ä'\"")));
        assert_eq!((row.blob(2), row.maybe_integer(3)), (Ok(&[0u8, 255][..]), Ok(None)));
        assert_eq!(row.integer(1).unwrap_err().problem(), Some(Problem::Damaged));
        let mut try_insert = |n: i64, s: &str, t: Option<i64>| {
            db.rows(insert, values![n, s, None::<&[u8]>, t]).map(drop)
        };
        assert_eq!(try_insert(0, "x", None), Err(DbError::Check));
        assert_eq!(try_insert(1, "y", Some(77)), Err(DbError::Check));
        assert_eq!(try_insert(1, "ä'\"", None), Err(DbError::Duplicate));
        // The last number is bound twice.
        let twice = db.exec("UPDATE t SET n = $1, t = $2 WHERE id = $2", values![5, 1]);
        assert_eq!(twice, Ok(1));
        let error = Error::from(db.exec("SELEKT", &[]).unwrap_err());
        assert_eq!(error.problem(), Some(Problem::Fault));
    }
}

/// Each table that the schema calls append-only is.
#[test]
fn append_only_tables_are_what_their_comments_say() {
    for (number, sql) in MIGRATIONS {
        let count = |text: &str| sql.matches(text).count();
        assert_eq!(count("-- Append-only."), count("\nAPPEND ONLY "), "{number}");
    }
}

/// What happened is not rewritten, by any code.
#[test]
fn append_only_tables_refuse_changes() {
    for database in databases() {
        let mut db = database.connect();
        migrate(&mut *db, MIGRATIONS).unwrap();
        db.batch(
            "INSERT INTO ledger_order (id, actor, verb, arguments, instant) VALUES ('o', 'a', 'v', \
             CAST('0123456789012345678901234567890x' AS BLOB), 0)"
                .replace("BLOB", if db.engine() == Engine::Sqlite { "BLOB" } else { "BYTEA" })
                .as_str(),
        )
        .unwrap();
        for sql in [
            "INSERT INTO party (kind, name, order_id) VALUES ('customer', 'A', 'o')",
            "INSERT INTO purchase (party, reference, day, order_id) VALUES (1, 'r', 0, 'o')",
            "INSERT INTO lot (party, purchase, license_type, edition, included, bought, \
             stock_until) VALUES (1, 1, 't', 'oem', 'never', 0, 0)",
            "INSERT INTO purchase_line (purchase, lot, module, unit, amount) \
             VALUES (1, 1, 'm', 'u', 1)",
            "INSERT INTO refund (order_id, party, reason) VALUES ('o', 1, 'r')",
            "INSERT INTO holding (kind, owner, module, edition, unit) \
             VALUES ('sold', 1, 'm', 'oem', 'u'), ('key', 1, 'm', 'oem', 'u')",
            "INSERT INTO movement (order_id, giver, taker, module, edition, unit, amount) \
             VALUES ('o', 1, 2, 'm', 'oem', 'u', 1)",
        ] {
            assert!(db.exec(sql, &[]).is_ok_and(|changed| changed > 0), "{sql}");
        }
        for table in ["purchase", "purchase_line", "refund", "movement"] {
            for sql in [
                format!("UPDATE {table} SET order_id = order_id").replace(
                    "purchase_line SET order_id = order_id",
                    "purchase_line SET amount = 2",
                ),
                format!("DELETE FROM {table}"),
            ] {
                assert_eq!(db.exec(&sql, &[]), Err(DbError::Check), "{sql}");
            }
        }
    }
}

#[test]
fn sqlite_is_opened_with_the_settings_that_keep_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut db = Sqlite::open(&folder.path().join("ledger.db")).unwrap();
    for (pragma, value) in
        [("synchronous", 2), ("fullfsync", 1), ("foreign_keys", 1), ("trusted_schema", 0)]
    {
        let row = db.rows(&format!("PRAGMA {pragma}"), &[]).unwrap().remove(0);
        assert_eq!(row.integer(0), Ok(value), "{pragma}");
    }
    assert_eq!(db.rows("PRAGMA journal_mode", &[]).unwrap()[0].text(0), Ok("wal"));
    let wrong = folder.path().join("no/ledger.db");
    assert_eq!(Sqlite::open(&wrong).err().unwrap().problem(), Some(Problem::NotFound));
    std::fs::write(folder.path().join("other.db"), "not a database, but a long text".repeat(99))
        .unwrap();
    let error = Sqlite::open(&folder.path().join("other.db")).err().unwrap();
    assert_eq!(error.problem(), Some(Problem::Damaged), "{error}");
}

#[test]
fn both_schemas_are_equal() {
    let shapes: Vec<_> = databases().iter().map(shape).collect();
    assert!(shapes[0].len() > 120, "{:#?}", shapes[0]);
    for other in &shapes[1..] {
        let missing: Vec<_> = shapes[0].difference(other).collect();
        let extra: Vec<_> = other.difference(&shapes[0]).collect();
        assert!(missing.is_empty() && extra.is_empty(), "only {missing:#?}, {extra:#?}");
    }
}

/// Columns, keys, indexes and numbers of checks of all tables, one line each.
fn shape(database: &Database) -> BTreeSet<String> {
    let mut db = database.connect();
    migrate(&mut *db, MIGRATIONS).unwrap();
    let mut lines = BTreeSet::new();
    let queries: &[&str] = match db.engine() {
        Engine::Sqlite => &SQLITE,
        Engine::Postgres => &POSTGRES,
    };
    for query in queries {
        let rows = db.rows(query, &[]).unwrap();
        assert!(!rows.is_empty(), "{query}");
        lines.extend(rows.iter().map(|row| row.text(0).unwrap().to_string()));
    }
    lines
}

const SQLITE: [&str; 6] = [
    "SELECT m.name || '.' || c.name || ' ' || c.type || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 \
     THEN ' not null' ELSE '' END FROM sqlite_master m, pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'",
    "SELECT name || ' primary ' || group_concat(c, ',') FROM (SELECT m.name, c.name AS c \
     FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.pk > 0 \
     AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.pk) GROUP BY name",
    "SELECT t || ' unique ' || group_concat(c, ',') FROM (SELECT m.name AS t, i.name AS i, \
     c.name AS c FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c \
     WHERE m.type = 'table' AND i.origin = 'u' ORDER BY m.name, i.name, c.seqno) GROUP BY t, i",
    "SELECT t || ' foreign ' || group_concat(f, ',') || ' -> ' || o || ' ' || group_concat(k, ',') \
     FROM (SELECT m.name AS t, c.id, c.\"table\" AS o, c.\"from\" AS f, c.\"to\" AS k \
     FROM sqlite_master m, pragma_foreign_key_list(m.name) c WHERE m.type = 'table' \
     ORDER BY m.name, c.id, c.seq) GROUP BY t, id",
    "SELECT m.name || ' index ' || i.name FROM sqlite_master m, pragma_index_list(m.name) i \
     WHERE m.type = 'table' AND i.origin = 'c'",
    "SELECT name || ' checks ' || (length(sql) - length(replace(sql, 'CHECK (', 'CHECK '))) \
     FROM sqlite_master WHERE type = 'table' AND sql LIKE '%CHECK (%'",
];

const POSTGRES: [&str; 6] = [
    "SELECT CAST(table_name || '.' || column_name || ' ' || CASE data_type WHEN 'bigint' THEN \
     'INTEGER' WHEN 'bytea' THEN 'BLOB' ELSE upper(data_type) END || CASE is_nullable \
     WHEN 'NO' THEN ' not null' ELSE '' END AS TEXT) FROM information_schema.columns \
     WHERE table_schema = 'public'",
    "SELECT CAST(t.relname || ' primary ' || (SELECT string_agg(a.attname, ',' ORDER BY k.n) \
     FROM unnest(c.conkey) WITH ORDINALITY k (a, n) JOIN pg_attribute a ON a.attrelid = c.conrelid \
     AND a.attnum = k.a) AS TEXT) FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid \
     WHERE contype = 'p' AND t.relnamespace = 'public'::regnamespace",
    "SELECT CAST(t.relname || ' unique ' || (SELECT string_agg(a.attname, ',' ORDER BY k.n) \
     FROM unnest(c.conkey) WITH ORDINALITY k (a, n) JOIN pg_attribute a ON a.attrelid = c.conrelid \
     AND a.attnum = k.a) AS TEXT) FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid \
     WHERE contype = 'u' AND t.relnamespace = 'public'::regnamespace",
    "SELECT CAST(t.relname || ' foreign ' || (SELECT string_agg(a.attname, ',' ORDER BY k.n) \
     FROM unnest(c.conkey) WITH ORDINALITY k (a, n) JOIN pg_attribute a ON a.attrelid = c.conrelid \
     AND a.attnum = k.a) || ' -> ' || o.relname || ' ' || (SELECT string_agg(a.attname, ',' \
     ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k (a, n) JOIN pg_attribute a \
     ON a.attrelid = c.confrelid AND a.attnum = k.a) AS TEXT) FROM pg_constraint c \
     JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class o ON o.oid = c.confrelid \
     WHERE contype = 'f' AND t.relnamespace = 'public'::regnamespace",
    "SELECT CAST(tablename || ' index ' || indexname AS TEXT) FROM pg_indexes \
     WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)",
    "SELECT CAST(t.relname || ' checks ' || count(*) AS TEXT) FROM pg_constraint c \
     JOIN pg_class t ON t.oid = c.conrelid WHERE contype = 'c' \
     AND t.relnamespace = 'public'::regnamespace GROUP BY t.relname",
];

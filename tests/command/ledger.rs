//! The verbs of the ledger: sales, stock, keys, backups and checks.
#![cfg(all(feature = "cli", feature = "vendor"))]

use olr::cli::Output;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

use crate::matching::Desk;

/// A desk, and calls in its vendor folder.
struct Books(Desk);

impl Books {
    fn new() -> Self {
        Self(Desk::new(false))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.0.path().join(name)
    }

    #[track_caller]
    fn done(&self, call: &str) -> Output {
        self.0.done("server", &format!("{call} --vendor {{}}/vendor"))
    }

    /// Returns the error of a call that fails.
    #[track_caller]
    fn fails(&self, call: &str) -> Value {
        let called = self.0.ask("server", 0, &format!("{call} --vendor {{}}/vendor"));
        called.err().unwrap_or_else(|| panic!("{call} succeeds"))
    }

    /// Returns how many CALs of `module` are in stock.
    fn stock(&self, module: &str) -> u64 {
        let stock = self.done("stock").json;
        let lots = stock["stock"].as_array().unwrap().iter();
        let cals = lots.flat_map(|lot| lot["cals"].as_array().unwrap());
        cals.filter(|cals| cals["module"] == module)
            .map(|cals| cals["count"].as_u64().unwrap())
            .sum()
    }
}

const BUY: &str = "buy Acme --reference R1 --type oem --module OBM=50 --stock";

#[test]
fn the_same_order_is_booked_once() {
    let books = Books::new();
    books.done("party add Acme --kind customer");
    let tried = books.done(&format!("{BUY} --dry-run"));
    assert_eq!(tried.json["movements"][0]["to"]["kind"], "stock");
    assert_eq!(books.stock("OBM"), 0, "a dry run books nothing");
    let first = books.done(&format!("{BUY} --order sale-1"));
    let again = books.done(&format!("{BUY} --order sale-1"));
    assert_eq!(first.json, again.json);
    assert_eq!(books.stock("OBM"), 50);
    let other = books.fails(&format!("{} --order sale-1", BUY.replace("50", "51")));
    assert_eq!(other["problem"], "usage");
    // The reference belongs to the first order.
    assert_eq!(books.fails(BUY)["problem"], "exists");
}

#[test]
fn a_new_key_is_shown_whole_and_later_masked() {
    let books = Books::new();
    books.done("party add Acme --kind customer");
    books.done(BUY);
    let withdraw = "withdraw Acme --type oem --module OBM=10 --new-key --licensee ACME";
    let tried = books.done(&format!("{withdraw} --dry-run"));
    assert!(tried.text.contains("a random one, drawn when this is booked"), "{}", tried.text);
    let made = books.done(&format!("{withdraw} --order first"));
    let key = made.json["license_key"].as_str().unwrap();
    assert_eq!(key.len(), 23, "{key}");
    assert!(made.text.contains(key));
    // The same order draws other bytes, and gets the first key.
    let again = books.done(&format!("{withdraw} --order first"));
    assert_eq!(again.json["license_key"], key);
    let shown = books.done("party show Acme");
    assert!(!shown.text.contains(key) && !shown.json.to_string().contains(key));
    assert!(books.done("party show Acme --show-key").text.contains(key));
    let more = books.done(&format!("withdraw Acme --type oem --module OBM=5 --key {key}"));
    assert!(!more.text.contains(key) && !more.json.to_string().contains(key), "{}", more.text);
    assert_eq!(books.stock("OBM"), 35);
}

#[test]
fn what_is_missing_is_named() {
    let books = Books::new();
    let unknown = books.fails(BUY);
    assert_eq!(unknown["remedies"][0], "add-party");
    assert!(unknown["hint"].as_str().unwrap().contains("olr party add"), "{unknown}");
    books.done("party add Acme --kind customer");
    assert_eq!(books.fails("party add Acme --kind customer --order 2")["problem"], "exists");
    books.done(BUY);
    let nowhere = books.fails("buy Acme --reference R2 --type oem --module OBM=1");
    assert!(nowhere["hint"].as_str().unwrap().contains("--new-key"), "{nowhere}");
    let module = books.fails("buy Acme --reference R2 --type oem --module XXX=1 --stock");
    assert!(module["hint"].as_str().unwrap().contains("OBM"), "{module}");
    let many = books.fails("withdraw Acme --type oem --module OBM=51 --new-key K-1 --licensee A");
    assert_eq!((&many["refusal"], &many["state"]), (&"quota-exceeded".into(), &"refused".into()));
    let lot = books.fails("refund --lot 77 --module OBM=1 --reason r");
    assert_eq!(lot["remedies"][0], "list-stock");
    let other = books.fails("buy Acme --maintenance AbCd-1234 --for 1y --reference R2");
    assert!(other["fact"].as_str().unwrap().ends_with("belongs to ACME"), "{other}");
    assert_eq!(books.fails("stock Nobody")["problem"], "not-found");
    assert_eq!(books.fails("party show Nobody")["problem"], "not-found");
    assert_eq!(books.stock("OBM"), 50);
}

#[test]
fn longer_maintenance_is_asked_about() {
    let books = Books::new();
    books.done("buy ACME --maintenance AbCd-1234 --for 2y --reference M1");
    let buy = "buy ACME --type oem --module OBM=1 --key AbCd-1234";
    let asks = books.fails(&format!("{buy} --reference R1"));
    assert_eq!(asks["problem"], "not-confirmed");
    let hint = asks["hint"].as_str().unwrap();
    assert!(hint.contains("--buy-maintenance REF") && hint.contains("--shorten"), "{hint}");
    let bought = books.done(&format!("{buy} --reference R1 --buy-maintenance M2"));
    assert_eq!(bought.json["maintenance"], "2029-11-22");
    let shortened = books.done(&format!("{buy} --reference R2 --shorten"));
    assert_eq!(shortened.json["maintenance"], "2027-11-22");
}

#[test]
fn a_backup_is_checked_and_restored() {
    let books = Books::new();
    books.done("party add Acme --kind customer");
    books.done("ledger backup {}/backup.db");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(books.path("backup.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(books.fails("ledger backup {}/backup.db")["problem"], "exists");
    let files = fs::read_dir(books.0.0.path()).unwrap();
    let beside = files.filter(|file| {
        file.as_ref().unwrap().file_name().to_string_lossy().starts_with("backup.db-")
    });
    assert_eq!(beside.count(), 0, "a backup is one file");
    books.done(BUY);
    let there = books.done("ledger restore {}/backup.db --dry-run");
    assert_eq!((&there.json["kept"], books.stock("OBM")), (&Value::Null, 50));
    let restored = books.done("ledger restore {}/backup.db --yes");
    assert_eq!(books.stock("OBM"), 0);
    books.done(BUY);
    // What was replaced can be restored in turn.
    let kept = restored.json["kept"].as_str().unwrap().to_string();
    books.done(&format!("ledger restore {kept} --yes"));
    assert_eq!(books.stock("OBM"), 50);
    books.done("ledger check");
}

#[test]
fn a_wrong_backup_changes_nothing() {
    let books = Books::new();
    books.done("party add Acme --kind customer");
    books.done("ledger backup {}/backup.db");
    assert_eq!(books.fails("ledger restore {}/nothing.db --yes")["problem"], "not-found");
    assert_eq!(books.fails("ledger restore {}/license.olr --yes")["problem"], "damaged");
    rusqlite::Connection::open(books.path("other.db"))
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    assert_eq!(books.fails("ledger restore {}/other.db --yes")["problem"], "content");
    rusqlite::Connection::open(books.path("backup.db"))
        .unwrap()
        .execute_batch("UPDATE ledger_order SET result = NULL WHERE verb = 'party-add'")
        .unwrap();
    let broken = books.fails("ledger restore {}/backup.db --yes");
    assert!(broken["fact"].as_str().unwrap().contains("ledger-9"), "{broken}");
    assert_eq!(books.done("party list").json["parties"].as_array().unwrap().len(), 2);
    let lock = fs::File::options().write(true).open(books.path("vendor/ledger.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(books.fails("ledger restore {}/backup.db --yes")["problem"], "locked");
    lock.unlock().unwrap();
}

#[test]
fn a_damaged_ledger_is_exit_1_with_what_is_wrong() {
    let books = Books::new();
    let sound = books.done("ledger check");
    assert_eq!((&sound.json["sound"], &sound.json["audited"]), (&true.into(), &1.into()));
    let ledger = rusqlite::Connection::open(books.path("vendor/ledger.db")).unwrap();
    ledger
        .execute_batch(
            "DROP TRIGGER answer_update; UPDATE holding SET balance = balance + 1 \
             WHERE kind = 'out' AND module = 'OBM'; \
             UPDATE answer SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'00' AS BLOB)",
        )
        .unwrap();
    drop(ledger);
    let broken = books.0.ask("server", 0, "ledger check --vendor {}/vendor").unwrap();
    assert_eq!(broken.status, 1);
    for check in ["ledger-2", "ledger-3", "license"] {
        assert!(broken.text.contains(check), "{check}: {}", broken.text);
    }
    let backup = "ledger backup {}/backup.db --vendor {}/vendor";
    assert_eq!(books.0.ask("server", 0, backup).unwrap().status, 1);
    assert!(books.path("backup.db").exists(), "a damaged ledger can still be saved");
}

#[test]
fn a_date_is_confirmed_after_a_long_pause() {
    let books = Books::new();
    let add = "party add Acme --kind customer --vendor {}/vendor";
    let asked = books.0.ask("server", 40, add).err().unwrap();
    assert_eq!(asked["remedies"][0], "confirm-date");
    assert!(asked["hint"].as_str().unwrap().contains("`olr ledger clock`"), "{asked}");
    let clock = "ledger clock --yes --vendor {}/vendor";
    assert_eq!(books.0.ask("server", 40, clock).unwrap().json["today"], "2027-01-02");
    assert_eq!(books.0.ask("server", 40, add).unwrap().status, 0);
}

//! The verbs of the ledger: sales, stock, keys, backups and checks.
#![cfg(all(feature = "cli", feature = "vendor"))]

use olr::cli::Output;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

use crate::matching::Desk;
use crate::printed::POOL_TYPE;

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
    assert_eq!(tried.json["movements"][0]["to"]["name"], "new");
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
fn what_has_ended_is_freed_and_lapses() {
    let books = Books::new();
    books.done("party add Acme --kind customer");
    books.done(BUY);
    second_license(&books);
    let at = |days: u64, call: &str| {
        books.0.ask("server", days, &format!("{call} --vendor {{}}/vendor")).unwrap()
    };
    assert_eq!(books.done("ledger day").text, "Nothing has ended.");
    let beta = || at(370, "license show beta").json["key"]["cals"][1].clone();
    at(370, "ledger clock --yes");
    let due = at(370, "ledger day --dry-run").json;
    assert_eq!((due["ended"].as_array().unwrap().len(), &due["lapsed"][0]), (1, &1.into()));
    assert_eq!(
        (&beta()["out"], at(370, "stock").json["stock"][0]["days_left"].as_u64()),
        (&7.into(), Some(0))
    );
    let done = at(370, "ledger day").json;
    assert_eq!((&done["ended"], &done["lapsed"]), (&due["ended"], &due["lapsed"]));
    assert_eq!((&beta()["out"], &beta()["free"]), (&0.into(), &7.into()));
    assert_eq!(at(370, "stock").text, "Nothing is in stock.");
    assert_eq!(at(370, "ledger day").text, "Nothing has ended.");
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

/// A request from another server, and the answer to it by a grant.
fn second_license(books: &Books) {
    let first = "--trust {}/vendor/vendor.trust --licensee Beta --key Beta-4321-key";
    books.0.done("copy", &format!("request {first} --home {{}}/beta -o {{}}/beta.olr"));
    let grant = fs::read_to_string(books.path("vendor/grant.toml")).unwrap();
    let grant = grant.replace("ACME", "Beta").replace("AbCd-1234", "Beta-4321-key");
    let grant = grant.replace("\"never\" ", "\"2026-12-10\" ").replace("OBM = 10\n", "OBM = 7\n");
    fs::write(books.path("beta.toml"), grant).unwrap();
    books.done("issue {}/beta.olr --grant {}/beta.toml -o {}/beta-license.olr --yes");
}

fn ids(output: &Output) -> Vec<String> {
    let licenses = output.json["licenses"].as_array().unwrap();
    licenses.iter().map(|one| one["licensee"].as_str().unwrap().to_string()).collect()
}

#[test]
fn licenses_are_listed_by_what_is_asked() {
    let books = Books::new();
    second_license(&books);
    for (asked, found) in [
        ("", &["ACME", "Beta"][..]),
        ("--in-effect", &["ACME", "Beta"]),
        ("--expires-within 30d", &["Beta"]),
        ("--expires-within 10d", &[]),
        ("--maintenance-within 1y", &["ACME", "Beta"]),
        ("--maintenance-within 30d", &[]),
        ("--party Beta", &["Beta"]),
        ("--module OBM", &["ACME", "Beta"]),
        ("--module CBS", &[]),
    ] {
        let call = format!("license list {asked}");
        assert_eq!(ids(&books.done(call.trim())), found, "{asked}");
    }
    let later = |call: &str| books.0.ask("server", 60, &format!("{call} --vendor {{}}/vendor"));
    assert_eq!(ids(&later("license list --in-effect").unwrap()), ["ACME"]);
    assert_eq!(ids(&later("license list --expires-within 1y").unwrap()), Vec::<String>::new());
    let listed = books.done("license list");
    assert!(!listed.json.to_string().contains("Beta-4321-key"));
    let csv = books.0.printed("server", "license list --csv --show-key --vendor {}/vendor");
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(lines[0].split(',').count(), 14, "{csv}");
    assert!(
        lines[2].contains(",Beta,Beta,Beta-4321-key,") && lines[2].contains("\"10 ACB, 7 OBM\""),
        "{csv}"
    );
}

#[test]
fn one_license_is_found_by_any_of_its_names() {
    let books = Books::new();
    second_license(&books);
    let beta = books.done("license show beta");
    let id = beta.json["license_id"].as_str().unwrap().to_string();
    let code = beta.json["code"].as_str().unwrap().to_string();
    for name in [&*id, &id[..8], "Beta-4321-key", &code, &code.replace('-', "")] {
        assert_eq!(books.done(&format!("license show {name}")).json["license_id"], id, "{name}");
    }
    assert_eq!(beta.json["key"]["cals"][1]["out"], 7);
    books.done("license show beta -o {}/again.olr");
    let written = fs::read(books.path("again.olr")).unwrap();
    assert_eq!(written, fs::read(books.path("beta-license.olr")).unwrap());
    // Both names contain an e or an E, and only one license can be shown.
    let several = books.0.ask("server", 0, "license show e --vendor {}/vendor").unwrap();
    assert_eq!((several.status, several.json["problem"].as_str()), (2, Some("usage")));
    assert_eq!(several.json["matches"].as_array().unwrap().len(), 2);
    assert_eq!(books.fails("license show nobody")["problem"], "not-found");
    books.done(
        "buy Beta --reference R --type oem --module OBM=3 --new-key New-key-1 --licensee Beta",
    );
    let key = books.done("license show New-key-1");
    assert_eq!(key.json["key"]["cals"][0]["free"], 3);
}

#[test]
fn a_summary_adds_up() {
    let books = Books::new();
    books.done("party add Acme --kind customer");
    books.done(BUY);
    books.done("refund --lot 1 --module OBM=5 --reason mistake");
    let summary = books.done("license summary").json;
    let obm =
        &summary["summary"].as_array().unwrap().iter().find(|one| one["module"] == "OBM").unwrap();
    let number = |name: &str| obm[name].as_i64().unwrap();
    assert_eq!(
        (number("sold"), number("stock"), number("out"), number("refunded")),
        (60, 45, 10, 5)
    );
    let places = ["stock", "keys", "out", "escrow", "pooled", "lapsed", "refunded", "exchanged"];
    assert_eq!(places.iter().map(|place| number(place)).sum::<i64>(), number("sold"));
}

/// Case F10: 100 OBM and 100 ACB in stock become three pools, with two keys and one key each.
#[test]
fn stock_becomes_pools_and_keys() {
    let books = Books::new();
    let catalog = books.path("vendor/catalog.toml");
    let text = fs::read_to_string(&catalog).unwrap();
    fs::write(&catalog, text + POOL_TYPE).unwrap();
    let (all, pool, half) = (
        "--module OBM=100 --module ACB=100",
        "--module OBM=20 --module ACB=20",
        "--module OBM=10 --module ACB=10",
    );
    books.done("party add Reseller --kind partner --prefix r-");
    books.done(&format!("buy Reseller --reference R1 --type oem {all} --stock"));
    books.done(&format!("withdraw Reseller --type oem {all} --new-key Bulk-1 --licensee Reseller"));
    let wrong = books.fails("pool add Bulk-1 --licensee Other --yes");
    assert_eq!(wrong["refusal"], "wrong-licensee");
    assert_eq!(books.fails("pool add Bulk-1 --licensee Reseller")["problem"], "not-confirmed");
    books.done("pool add Bulk-1 --licensee Reseller --yes");
    for name in ["one", "two", "three"] {
        books.done(&format!("pool new Reseller {name} --edition oem"));
        books.done(&format!("pool quota Reseller {name} {pool}"));
    }
    let key = |pool: &str, name: &str, quotas: &str| {
        format!("pool key new Reseller {pool} {name} --type pool {quotas} --licensee C")
    };
    for (of, name, quotas) in
        [("one", "a", half), ("one", "b", half), ("two", "c", pool), ("three", "d", pool)]
    {
        let made = books.done(&key(of, name, quotas));
        assert_eq!(made.json["license_key"], format!("r-{name}"));
    }
    let full = books.fails(&key("one", "e", half));
    assert_eq!(full["refusal"], "quota-exceeded");
    let more = books.fails("pool quota Reseller one --module OBM=61");
    assert_eq!(more["refusal"], "quota-exceeded");
    let shown = books.done("pool show Reseller --show-key");
    let sum = &shown.json["editions"][0];
    assert_eq!((&sum["free"][0]["count"], &sum["free"][1]["count"]), (&40.into(), &40.into()));
    assert_eq!(sum["maintenance"], "2027-11-22");
    assert_eq!(sum["pools"].as_array().unwrap().len(), 3);
    // A key that is on no machine gives its quota back.
    books.done("pool key quota r-c --module OBM=15");
    books.done("pool key delete r-a");
    let pools = books.done("pool show Reseller").json["editions"][0]["pools"].clone();
    let free = |pool: usize| pools[pool]["free"].as_array().unwrap().len();
    assert_eq!((pools[0]["pool"].as_str(), free(0), free(1), free(2)), (Some("one"), 2, 0, 1));
    assert_eq!(books.fails("pool show Nobody")["problem"], "not-found");
    books.done("ledger check");
}

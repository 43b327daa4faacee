//! A caller who names the vendor gets answers for this vendor only; every report names the vendor
//! that it is about.
#![cfg(all(feature = "cli", feature = "vendor"))]

use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// Creates two vendors with one name, and a home that the first one licensed.
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        for vendor in ["vendor", "other"] {
            world.done(&format!("vendor init {vendor} --name Northwind --no-passphrase"));
        }
        world.license("vendor", "home");
        world
    }

    fn license(&self, vendor: &str, home: &str) {
        let ask = "--licensee ACME --key AbCd-1234 --pin rack=B12 --pin asset=4711 --force";
        self.done(&format!("request --trust {vendor}/vendor.trust {ask} --home {home}"));
        let grant = std::fs::read_to_string(self.path(&format!("{vendor}/grant.toml"))).unwrap();
        std::fs::write(self.path("grant"), grant.replace("ACME Ltd", "ACME")).unwrap();
        self.done(&format!("issue req.olr --grant grant --vendor {vendor} --force"));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn olr(&self, call: &str) -> (i32, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
        command.current_dir(self.folder.path()).args(call.split(' ')).arg("--json");
        command.env_remove("OLR_HOME").env_remove("OLR_VENDOR");
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        (output.status.code().unwrap(), json)
    }

    fn done(&self, call: &str) -> Value {
        let (status, json) = self.olr(call);
        assert_eq!(status, 0, "{call}: {json}");
        json
    }

    fn refused(&self, call: &str, word: &str) {
        let (status, json) = self.olr(call);
        assert_eq!((status, json["refusal"].as_str()), (1, Some(word)), "{call}: {json}");
        assert_eq!(json["state"], "refused", "{call}");
    }

    fn code(&self, vendor: &str, field: &str) -> String {
        let trust = self.done(&format!("inspect {vendor}/vendor.trust"));
        trust[field].as_str().unwrap().to_string()
    }
}

#[test]
fn another_vendor_is_refused_by_trust_and_by_code() {
    let world = World::new();
    world.done("import license.olr --home home");
    world.license("other", "theirs");
    let others: Vec<String> = ["vendor_code", "whole_vendor_code"]
        .map(|field| format!("--vendor-code {}", world.code("other", field)))
        .into_iter()
        .chain(["--trust other/vendor.trust".to_string()])
        .collect();
    let ours: Vec<String> = ["vendor_code", "whole_vendor_code"]
        .map(|field| format!("--vendor-code {}", world.code("vendor", field)))
        .into_iter()
        .chain(["--trust vendor/vendor.trust".to_string()])
        .collect();
    for call in ["verify", "status", "check OBM 1", "report OBM=1"] {
        for (ours, others) in ours.iter().zip(&others) {
            world.done(&format!("{call} --home home {ours}"));
            world.refused(&format!("{call} --home home {others}"), "wrong-vendor");
            // Both options must match.
            let (status, _) = world.olr(&format!("{call} --home home {ours} {others}"));
            assert_ne!(status, 0, "{call} {ours} {others}");
        }
    }
    // A refused report was not stored.
    world.refused("report OBM=7 --home home --trust other/vendor.trust", "wrong-vendor");
    assert_eq!(world.done("status --home home")["modules"]["OBM"]["used"], 1);
    for (ours, others) in ours.iter().zip(&others) {
        world.refused(&format!("import license.olr --home theirs {ours}"), "wrong-vendor");
        world.refused(&format!("verify license.olr --home theirs {ours}"), "wrong-vendor");
        world.refused(&format!("status --home theirs {others}"), "not-activated");
    }
    world.done(&format!("import license.olr --home theirs {}", others[0]));
}

#[test]
fn an_invalid_trust_or_code_is_never_a_yes() {
    let world = World::new();
    world.done("import license.olr --home home");
    std::fs::write(world.path("empty"), "").unwrap();
    std::fs::write(world.path("short"), "A").unwrap();
    world.refused("verify --home home --trust license.olr", "wrong-kind");
    world.refused("verify --home home --trust empty", "malformed");
    for call in [
        "verify --home home --trust missing",
        "verify --home home --vendor-code AAAA",
        "verify --home home --vendor-code=",
        "verify --home home --trust",
    ] {
        assert_eq!(world.olr(call).0, 2, "{call}");
    }
}

#[test]
fn every_report_names_the_vendor() {
    let world = World::new();
    let (id, code) = (world.code("vendor", "vendor_id"), world.code("vendor", "vendor_code"));
    let calls = [
        "request --dry-run --home home",
        "import license.olr --home home",
        "import license.olr --home home",
        "import vendor/vendor.trust --home home",
        "verify --home home",
        "verify license.olr --home home",
        "status --home home",
        "check OBM --home home",
        "check OBM 999999 --home home",
        "report OBM=2 --home home",
        "machine --against license.olr --home home",
        "simulate --home home",
        "inspect license.olr --home home",
        "inspect req.olr --vendor vendor --home none",
        "inspect vendor/vendor.trust --home none",
        "inspect vendor/delegations/issuer.olr --vendor vendor --home none",
        "deactivate --yes --home home",
        "inspect receipt.olr --vendor vendor --home none",
    ];
    for call in calls {
        let (_, json) = world.olr(call);
        assert_eq!(
            (json["vendor_id"].as_str(), json["vendor_code"].as_str()),
            (Some(&*id), Some(&*code)),
            "{call}: {json}"
        );
    }
    // Without a home, there is no trust that could verify the file.
    for call in ["inspect license.olr --home none", "inspect req.olr --home none"] {
        let json = world.done(call);
        assert_eq!(
            (&json["vendor_id"], &json["vendor_code"]),
            (&id.clone().into(), &Value::Null),
            "{call}"
        );
    }
}

/// The next event is the earliest one, in the same sentence everywhere.
#[test]
fn what_comes_first_comes_next() {
    let world = World::new();
    let next = |call: &str| {
        let json = world.done(&format!("{call} --home home"));
        let next = &json["next"];
        assert!(next["at"].is_string() && next["text"].is_string(), "{call}: {json}");
        next["what"].as_str().unwrap().to_string()
    };
    // The license does not expire, but maintenance ends.
    for call in ["import license.olr", "verify", "status", "report OBM=1"] {
        assert_eq!(next(call), "maintenance", "{call}");
    }
    let text = |call: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
        command.current_dir(world.folder.path()).args(call.split(' '));
        let output = command.args(["--home", "home"]).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    for call in ["verify", "status", "report OBM=1", "import license.olr"] {
        assert!(text(call).contains("maintenance ends on 20"), "{call}: {}", text(call));
    }
}

/// A vendor's folder without any records can still verify a receipt.
#[test]
fn a_receipt_verifies_without_records() {
    let world = World::new();
    world.done("import license.olr --home home");
    world.done("deactivate --yes --home home");
    let look = "inspect receipt.olr --vendor vendor --home none";
    assert!(world.done(look)["issued"].is_object());
    std::fs::rename(world.path("vendor/ledger.db"), world.path("elsewhere")).unwrap();
    let json = world.done(look);
    assert_eq!((&json["verified"], json.get("issued")), (&"yes".into(), None));
    world.refused("inspect receipt.olr --vendor other --home none", "wrong-vendor");
    // Records that exist but cannot be read are an error, but the content is still shown.
    std::fs::write(world.path("vendor/ledger.db"), "no ledger").unwrap();
    let (status, json) = world.olr(look);
    assert_eq!((status, &json["verified"], &json["state"]), (2, &"yes".into(), &"unknown".into()));
}

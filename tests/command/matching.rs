//! What the verbs say about a machine that changed: the whole exchange, on simulated machines.
#![cfg(all(feature = "cli", feature = "vendor"))]

use serde_json::Value;
use std::ffi::OsString;
use std::path::Path;

use olr::cli::Output;
use olr_core::crypto::digest::sha256;
use olr_core::machine::{FactorKind, Machine, Reason, Unreadable};
use olr_core::time::Instant;
use olr_core::wire::codec::Text;

use crate::world::called::{Around, outcome};
use crate::world::machine::factors;

const GRACE: &str =
    "[type.oem.on.conflict]\nafter = \"14 days\"\nthen = \"stop\"\n\n[type.standard]";

pub struct Desk(pub tempfile::TempDir);

impl Desk {
    /// Creates a vendor, and a server licensed for the fixture machine `server`.
    pub fn new(grace: bool) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.done("server", "vendor init {}/vendor --name V --no-passphrase");
        if grace {
            let path = desk.0.path().join("vendor/catalog.toml");
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replacen("[type.standard]", GRACE, 1)).unwrap();
        }
        let first = "--trust {}/vendor/vendor.trust --licensee ACME --key AbCd-1234";
        desk.done("server", &format!("request {first} --home {{}}/home -o {{}}/req.olr"));
        let grant = desk.0.path().join("vendor/grant.toml");
        let text = std::fs::read_to_string(&grant).unwrap();
        std::fs::write(&grant, text.replace("ACME Ltd", "ACME")).unwrap();
        desk.done("server", &format!("{} -o {{}}/license.olr", Self::issue("req.olr")));
        desk.done("server", "import {}/license.olr --home {}/home");
        desk
    }

    fn issue(request: &str) -> String {
        format!("issue {{}}/{request} --grant {{}}/vendor/grant.toml --vendor {{}}/vendor")
    }

    /// Returns the output of a call on a machine, or its error as JSON.
    pub fn ask(&self, machine: &str, days: u64, call: &str) -> Result<Output, Value> {
        let called = self.around(machine, days, call).call(self.words(call));
        called.map_err(|error| outcome(&Err(error)).1)
    }

    /// Returns everything that a call prints.
    pub fn printed(&self, machine: &str, call: &str) -> String {
        self.around(machine, 0, call).run(self.words(call)).1
    }

    fn around(&self, machine: &str, days: u64, call: &str) -> Around {
        let now = Instant::new(1_795_435_200 + days * 86_400);
        Around { now, seed: sha256(call.as_bytes()), found: found(machine) }
    }

    fn words(&self, call: &str) -> Vec<OsString> {
        let call = call.replace("{}", self.0.path().to_str().unwrap());
        call.split(' ').map(OsString::from).collect()
    }

    pub fn done(&self, machine: &str, call: &str) -> Output {
        let report = self.ask(machine, 0, call).unwrap();
        assert_eq!(report.status, 0, "{call}: {}", report.text);
        report
    }
}

/// Returns a fixture machine. `hidden` is `card-replaced`, read without access to the machine-id.
fn found(machine: &str) -> Machine {
    let (name, hidden) = match machine {
        "hidden" => ("card-replaced", true),
        name => (name, false),
    };
    let mut findings = Machine { factors: factors(name), ..Machine::default() };
    if hidden {
        findings.factors.retain(|factor| factor.kind != FactorKind::MachineId);
        let (kind, name) = (FactorKind::MachineId, Text::new("/etc/machine-id").unwrap());
        let reason = Reason::NeedsPrivileged;
        findings.unreadable.push(Unreadable { kind, name, reason });
    }
    findings
}

fn verdicts(report: &Output) -> Vec<String> {
    let factors = report.json["machine"]["factors"].as_array().unwrap();
    factors.iter().map(|factor| factor["verdict"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_mismatch_is_explained_factor_by_factor() {
    let desk = Desk::new(false);
    for call in ["verify --home {}/home", "verify {}/license.olr --home {}/home"] {
        let report = desk.ask("copy", 0, call).unwrap();
        assert_eq!((report.status, report.json["refusal"].as_str()), (1, Some("wrong-machine")));
        assert_eq!(verdicts(&report), ["same", "changed", "changed", "same"]);
        let card = &report.json["machine"]["factors"][1];
        assert_eq!((card["name"].as_str(), card["weight"].as_u64()), (Some("eth0"), Some(3)));
        assert_eq!(card["old"].as_str(), Some("02:fc:00:00:00:01"));
        assert_eq!(card["new"].as_str(), Some("02:fc:00:00:00:11"));
        assert!(report.text.contains("FACTOR") && report.text.contains("02:fc:00:00:00:11"));
        let hint = report.json["hint"].as_str().unwrap();
        assert!(hint.starts_with("no hardware value is the same"), "{hint}");
    }
    let report = desk.ask("other", 0, "verify --home {}/home").unwrap();
    assert!(report.json["hint"].as_str().unwrap().starts_with("this looks like another machine"));
    assert_eq!(report.json["room"], Value::Null);
}

#[test]
fn grace_names_the_factors_and_the_next_step_too() {
    let desk = Desk::new(true);
    let report = desk.ask("copy", 3, "verify --home {}/home").unwrap();
    assert_eq!((report.status, report.json["state"].as_str()), (0, Some("grace")));
    assert!(
        report.text.starts_with("in a grace period until 2026-12-07T12:00:00Z"),
        "{}",
        report.text
    );
    assert!(report.text.contains("next: no hardware value"), "{}", report.text);
    let report = desk.ask("copy", 14, "verify --home {}/home").unwrap();
    assert_eq!(report.json["refusal"].as_str(), Some("wrong-machine"));
}

#[test]
fn a_drift_is_told_before_it_breaks() {
    let desk = Desk::new(false);
    let calm = desk.done("server", "status --home {}/home");
    assert_eq!(calm.json["drift"].as_array().unwrap().len(), 0);
    assert!(!calm.text.contains("may still be lost"), "{}", calm.text);
    let report = desk.done("card-replaced", "status --home {}/home");
    assert_eq!(report.json["drift"][0]["name"].as_str(), Some("eth1"));
    assert_eq!(report.json["room"].as_u64(), Some(2));
    let text = &report.text;
    assert!(text.contains("if network-address eth0 changes in the same way"), "{text}");
    assert!(
        text.contains("next: the network card eth1 was replaced: ask for a new license"),
        "{text}"
    );
    let report = desk.ask("hidden", 0, "status --home {}/home").unwrap();
    assert_eq!(
        report.json["next_step"],
        "run as root: machine-id can only be read by root (--privileged)"
    );
}

#[test]
fn a_machine_is_held_against_a_license_file() {
    let desk = Desk::new(false);
    let call = "machine --against {}/license.olr --home {}/home";
    let report = desk.done("card-replaced", call);
    assert_eq!(report.json["matches"], true);
    assert!(report.text.contains("This machine matches (policy server): 7 of 10 points, 5 needed"));
    let report = desk.ask("copy", 0, call).unwrap();
    assert_eq!((report.status, report.json["refusal"].as_str()), (1, Some("wrong-machine")));
    assert!(report.text.contains("no hardware factor matches, but one must"), "{}", report.text);
    // A home without a request trusts no vendor; another installation has another key.
    let other = "machine --against {}/license.olr --home {}/other";
    assert_eq!(desk.ask("server", 0, other).err().unwrap()["state"], "unknown");
    let first = "--trust {}/vendor/vendor.trust --licensee ACME --key AbCd-1234";
    desk.done("server", &format!("request {first} --home {{}}/other -o {{}}/other.olr"));
    assert_eq!(desk.ask("server", 0, other).err().unwrap()["refusal"], "wrong-machine");
}

#[test]
fn support_staff_see_then_and_now() {
    let desk = Desk::new(false);
    let first = desk.done("server", "inspect {}/req.olr --vendor {}/vendor");
    assert!(!first.text.contains("Verdict") && first.json.get("changes").is_none());
    let renew = "request --renew --home {}/home -o {}/again.olr";
    desk.done("card-replaced", renew);
    let looks = [
        "inspect {}/again.olr --vendor {}/vendor".to_string(),
        format!("{} --dry-run", Desk::issue("again.olr")),
    ];
    for look in looks {
        let report = desk.done("server", &look);
        assert!(report.text.contains("Verdict: the same machine with a replaced network card."));
        let changes = &report.json["changes"];
        assert_eq!(changes["judgement"], "the same machine with a replaced network card");
        assert_eq!(changes["factors"][2]["old"], "02:fc:00:00:00:02");
        assert_eq!(changes["factors"][2]["new"], "02:fc:00:00:00:0f");
    }
    assert!(Path::new(desk.0.path()).join("again.olr").is_file());
}

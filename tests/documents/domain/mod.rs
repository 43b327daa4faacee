//! One test per rule of `docs/domain.md`, named after the rule. The tests use the two example
//! catalogs, through the command line, at the instants and on the machines that the rule names:
//! `cargo test --test documents domain`. The tests in `clocks`, `limits`, `operations` and
//! `records` belong to no single rule.
#![cfg(all(feature = "cli", feature = "vendor"))]

use serde_json::Value;
use std::cell::Cell;
use std::path::PathBuf;

use olr::cli::Output;
use olr_core::crypto::digest::sha256;
use olr_core::machine::Machine;
use olr_core::time::Instant;
use olr_core::wire::codec::Text;

use crate::world::called::{Around, outcome};
use crate::world::machine::around;

mod a;
mod b;
mod c;
mod clocks;
mod d;
mod e;
mod f;
mod g;
mod h;
mod j;
mod limits;
mod operations;
mod page;
mod records;

const SELF_HOSTED: &str = include_str!("../../../examples/catalogs/self-hosted.toml");
const MANAGED: &str = include_str!("../../../examples/catalogs/managed.toml");

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// Initial time of every test.
const START: &str = "2026-11-23T09:00:00Z";

/// The catalog, with activation by file even for types that the shipped catalog offers only online:
/// the tests are about the rules of these types, not about why they are online only.
fn by_file(catalog: &str) -> String {
    let lines = catalog.lines().filter(|line| !line.starts_with("reason = "));
    let open = |line: &str| match line.starts_with("offline = false") {
        true => "offline = true".to_string(),
        false => line.to_string(),
    };
    lines.map(open).collect::<Vec<_>>().join("\n")
}

/// A temporary folder with a vendor's office, the homes of servers, and the files that they
/// exchange.
struct World {
    folder: tempfile::TempDir,
    now: Cell<u64>,
    machine: Cell<&'static str>,
    calls: Cell<u64>,
}

/// The request of a server and the grant that answers it.
#[derive(Clone, Copy)]
struct Sale<'a> {
    kind: &'a str,
    key: &'a str,
    slot: &'a str,
    /// Lines of the grant before its tables.
    lines: &'a str,
    modules: &'a str,
}

impl<'a> Sale<'a> {
    fn of(kind: &'a str, modules: &'a str) -> Self {
        Self { kind, key: "AbCd-1234", slot: "backup", lines: "", modules }
    }
}

impl World {
    fn new(catalog: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("catalog.toml"), catalog).unwrap();
        let now = Cell::new(START.parse::<Instant>().unwrap().seconds);
        let world = Self { folder, now, machine: Cell::new("server"), calls: Cell::new(0) };
        let catalog = "--catalog ./catalog.toml --no-passphrase";
        world.olr(&format!("vendor init ./vendor --name Harbor_Vault {catalog}")).done();
        let issuer = world.olr("key show ./vendor/keys/issuer.key --public");
        std::fs::write(world.path("issuer.pub"), &issuer.text).unwrap();
        // Every rule must hold under the limits that the catalog fills in.
        world.delegate(&world.maxima("any"));
        world
    }

    /// One `--max` flag per module of the catalog: `most`, or `any` for unlimited modules.
    fn maxima(&self, most: &str) -> String {
        let catalog = std::fs::read_to_string(self.path("vendor/catalog.toml")).unwrap();
        let catalog = olr_office::catalog::Catalog::parse(&catalog).unwrap();
        let maximum = |(id, module): (&String, &olr_office::catalog::Module)| match module.unlimited
        {
            true => format!("--max {id}=any"),
            false => format!("--max {id}={most}"),
        };
        catalog.modules.iter().map(maximum).collect::<Vec<_>>().join(" ")
    }

    fn delegating(&self, flags: &str) -> String {
        let acts = "--act license --act revoke --act time";
        format!("key delegate ./issuer.pub {acts} --vendor ./vendor --yes {flags}")
    }

    /// Replaces the issuer's delegation.
    fn delegate(&self, flags: &str) -> Said {
        let said = self.olr(&self.delegating(flags));
        said.done();
        said
    }

    /// A world with an installed license for the server in `./home`.
    fn sold(catalog: &str, sale: Sale<'_>) -> Self {
        let world = Self::new(catalog);
        world.activate("home", sale).done();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn now(&self) -> Instant {
        Instant::new(self.now.get())
    }

    /// Sets the clock.
    fn at(&self, instant: &str) -> &Self {
        self.now.set(instant.parse::<Instant>().unwrap().seconds);
        self
    }

    /// Sets the clock to `seconds` after [`START`].
    fn after(&self, seconds: u64) -> &Self {
        self.at(START);
        self.now.set(self.now.get() + seconds);
        self
    }

    /// Switches to a machine of the fixtures.
    fn on(&self, machine: &'static str) -> &Self {
        self.machine.set(machine);
        self
    }

    /// Runs a command line. `./` refers to the folder, and `_` within a word stands for a space.
    fn olr(&self, line: &str) -> Said {
        self.calls.set(self.calls.get() + 1);
        let word = |word: &str| match word.strip_prefix("./") {
            Some(name) => self.path(name).into_os_string(),
            None => word.replace('_', " ").into(),
        };
        let words: Vec<_> = line.split_whitespace().map(word).collect();
        let found = around(self.machine.get(), self.now());
        let findings = Machine {
            factors: found.factors,
            boot_id: Some(found.boot),
            uptime: Some(found.uptime),
            addresses: found.addresses,
            facts: vec![("os", Text::new("linux").unwrap())],
            ..Machine::default()
        };
        let seed = sha256(&self.calls.get().to_le_bytes());
        let called = Around { now: self.now(), seed, found: findings }.call(words);
        let (status, json) = outcome(&called);
        let text = match called {
            Ok(output) => output.text,
            Err(error) => {
                let hint = Output::of_error(&error).json["hint"].as_str().unwrap().to_string();
                format!("{error}\n{hint}")
            }
        };
        Said { line: format!("{line} at {}", self.now()), status, text, json }
    }

    /// Writes the request of server `name` to `./name.req`.
    fn request(&self, name: &str, sale: Sale<'_>, more: &str) -> Said {
        let Sale { key, slot, .. } = sale;
        self.olr(&format!(
            "request --home ./{name} --trust ./vendor/vendor.trust --licensee ACME_Ltd --key {key} \
             --slot {slot} -o ./{name}.req --force {more}"
        ))
    }

    /// Writes the answer to `./name.req` to `./name.license`, with every concern confirmed.
    fn issue(&self, name: &str, sale: Sale<'_>, more: &str) -> Said {
        self.answer(name, sale, &format!("--yes {more}"))
    }

    /// Like [`World::issue`], but confirms no concerns.
    fn answer(&self, name: &str, sale: Sale<'_>, more: &str) -> Said {
        let Sale { kind, key, slot, lines, modules } = sale;
        let catalog = std::fs::read_to_string(self.path("vendor/catalog.toml")).unwrap();
        let product =
            olr_office::catalog::Catalog::parse(&catalog).unwrap().products[0].id.to_string();
        let grant = format!(
            "licensee = \"ACME Ltd\"\nkey = \"{key}\"\nproduct = \"{product}\"\ntype = \"{kind}\"\n\
             slot = \"{slot}\"\nstarts = \"today\"\n{lines}\n[modules]\n{modules}\n"
        );
        std::fs::write(self.path("grant.toml"), grant).unwrap();
        self.olr(&format!(
            "issue ./{name}.req --grant ./grant.toml --vendor ./vendor -o ./{name}.license --force \
             {more}"
        ))
    }

    fn import(&self, name: &str, more: &str) -> Said {
        self.olr(&format!("import ./{name}.license --home ./{name} {more}"))
    }

    /// Requests, issues and imports a license; returns the result of the first step that fails, or
    /// of the import.
    fn activate(&self, name: &str, sale: Sale<'_>) -> Said {
        let requested = self.request(name, sale, "");
        if requested.status != 0 {
            return requested;
        }
        let issued = self.issue(name, sale, "");
        if issued.status == 0 { self.import(name, "") } else { issued }
    }

    /// Renews the license of the server in `./home`.
    fn renew(&self, sale: Sale<'_>, more: &str) -> Said {
        self.request("home", sale, "--renew").done();
        self.issue("home", sale, "").done();
        self.import("home", more)
    }

    fn home(&self, line: &str) -> Said {
        self.olr(&format!("{line} --home ./home"))
    }

    fn verify(&self) -> Said {
        self.home("verify")
    }
}

/// Result of a command line.
struct Said {
    line: String,
    status: u8,
    text: String,
    json: Value,
}

impl Said {
    #[track_caller]
    fn done(&self) -> &Value {
        assert_eq!(self.status, 0, "{}: {} {}", self.line, self.text, self.json);
        &self.json
    }

    /// Expects state `licensed`: no grace period, at most a warning.
    #[track_caller]
    fn licensed(&self) {
        assert_eq!(self.done()["state"], "licensed", "{}: {}", self.line, self.json);
    }

    #[track_caller]
    fn grace(&self, cause: &str, until: &str) {
        let (json, grace) = (self.done(), &self.json["grace"]);
        let said = (json["state"].as_str(), grace["cause"].as_str(), grace["until"].as_str());
        let expected = (Some("grace"), Some(cause), Some(until));
        assert_eq!((said, &grace["then"]), (expected, &"stop".into()), "{}", self.line);
    }

    #[track_caller]
    fn refused(&self, word: &str, says: &str) -> &Value {
        let got = (self.status, self.json["refusal"].as_str());
        assert_eq!(got, (1, Some(word)), "{}: {} {}", self.line, self.text, self.json);
        let fact = self.json["fact"].as_str().unwrap();
        assert!(fact.contains(says), "{}: {fact:?} should say {says:?}", self.line);
        assert!(!self.json["hint"].as_str().unwrap().is_empty());
        &self.json
    }

    #[track_caller]
    fn unable(&self, says: &str) {
        let got = (self.status, self.json["state"].as_str());
        assert_eq!(got, (2, Some("unknown")), "{}: {} {}", self.line, self.text, self.json);
        let fact = self.json["fact"].as_str().unwrap();
        assert!(fact.contains(says), "{}: {fact:?} should say {says:?}", self.line);
    }

    #[track_caller]
    fn says(&self, text: &str) {
        assert!(self.text.contains(text), "{}: should say {text:?}\n{}", self.line, self.text);
    }
}

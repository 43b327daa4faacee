//! Alerts: each recipient is told of each change once, and a failed delivery is retried. Mail goes
//! to a server on loopback and is read back from it.
#![cfg(all(feature = "smtp", feature = "vendor", unix))]

use olr::alert::{Heard, SETTINGS, Settings, Told, dry_run, tell, test};
use olr::{Home, RequestParams};
use olr_core::entitlement::{Cause, Count};
use olr_core::error::Result;
use olr_core::time::Instant;
use olr_core::trust::Trust;
use olr_core::wire::codec::{Hidden, Text};
use olr_office::catalog::STARTER;
use olr_office::folder::{Folder, Handover, Init, Issue};
use olr_office::issue::{GrantFile, STARTER_GRANT};
use rand::{SeedableRng, rngs::ChaCha20Rng};
use std::fs;
use std::path::PathBuf;

mod command;
mod mail;
mod server;
mod settings;
mod story;
mod tricks;
#[cfg(feature = "cli")]
mod verb;

use crate::world::machine::around;
use server::{Manners, Server, Taken};

/// 2026-11-23T12:00:00Z.
pub const NOW: u64 = 1_795_435_200;
pub const HOUR: u64 = 3600;
pub const DAY: u64 = 86_400;

/// An office, and a server that its license stops 12 hours after the quota was exceeded.
pub struct World {
    folder: tempfile::TempDir,
    vendor: Folder,
    trust: Trust,
    pub home: Home,
}

impl World {
    /// Creates a world. Each replacement in `edit` is applied to catalog and grant, wherever it
    /// occurs.
    pub fn new(edit: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = "[type.oem.on.over-quota]\nafter = \"12 hours\"\nthen = \"stop\"\n";
        let catalog = STARTER.replacen("[type.standard]", &format!("{rules}[type.standard]"), 1);
        let catalog = edited(&catalog, edit);
        let init = Init {
            name: "V",
            catalog: Some(&catalog),
            passphrases: None,
            test: true,
            roots: Default::default(),
        };
        let path = folder.path().join("vendor");
        let (vendor, trust) = Folder::init(&path, &init, &mut rng(1)).unwrap();
        let home = Home::at(folder.path().join("home"));
        let world = Self { folder, vendor, trust, home };
        world.license(&edited(STARTER_GRANT, edit), NOW);
        world
    }

    /// Requests a license, and imports the answer.
    pub fn license(&self, grant: &str, clock: u64) {
        let grant = GrantFile::parse(grant).unwrap();
        let order = RequestParams {
            trust: Some(self.trust.bytes().to_vec()),
            licensee: Some(Text::new(&grant.licensee).unwrap()),
            license_key: Some(Hidden(Text::new(&grant.key).unwrap())),
            product: Some(Text::new(&grant.product).unwrap()),
            slot: Some(Text::new(&grant.slot).unwrap()),
            ..RequestParams::default()
        };
        let around = around("server", Instant::new(clock));
        let rng = &mut rng(clock as u8);
        let made = self.home.request(&order, &around, rng).unwrap();
        let ask = &mut |_: &_| unreachable!();
        let opened = self.vendor.open_request(&made.bytes, None, &self.trust, ask).unwrap();
        let issue = Issue {
            handover: Handover::Transfer("a test"),
            ..Issue::new(&made.bytes, &grant, Instant::new(clock))
        };
        let issued = self.vendor.issue(&opened, &issue, &self.trust, ask, rng).unwrap();
        self.home
            .import(issued.outcome.license().unwrap().bytes(), &around, Default::default())
            .unwrap();
    }

    /// Adds the newest license to a pool, and imports the list that says so.
    pub fn pool(&self, clock: u64) {
        let (now, ask) = (Instant::new(clock), &mut |_: &_| unreachable!());
        let record = self.vendor.ledger().unwrap().answers("").unwrap().pop().unwrap();
        let cause = (Cause::Pooled, "a test");
        let list = self.vendor.revoke(&record, cause, now, &self.trust, ask).unwrap();
        self.home.import(&list.file, &around("server", now), Default::default()).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.folder().join(name)
    }

    /// Reports the usage of a module.
    pub fn uses(&self, module: &str, count: u64, clock: u64) {
        let count = Count { module: Text::new(module).unwrap(), count };
        let around = around("server", Instant::new(clock));
        self.home.report(None, None, &[count], &around).unwrap();
    }

    pub fn settings(&self, text: &str) -> Settings {
        fs::write(self.path(SETTINGS), text).unwrap();
        Settings::read(self.home.folder()).unwrap()
    }

    pub fn tell(&self, settings: &Settings, clock: u64) -> Result<Vec<Told>> {
        tell(&self.home, settings, &around("server", Instant::new(clock)), ToString::to_string)
    }

    /// Runs a round, checks that every recipient was told, and returns the number of changes.
    #[track_caller]
    pub fn told(&self, settings: &Settings, clock: u64) -> usize {
        let told = self.tell(settings, clock).unwrap();
        assert!(told.iter().all(Told::is_whole), "{told:#?}");
        told.len()
    }

    /// Runs a round, and returns the one error for which a delivery failed.
    #[track_caller]
    pub fn not_told(&self, settings: &Settings, clock: u64) -> olr_core::error::Error {
        let told = self.tell(settings, clock).unwrap();
        let not = told.iter().flat_map(|told| &told.ways).filter_map(|(_, heard)| match heard {
            Heard::Not(error) => Some(error.clone()),
            Heard::Now | Heard::Before => None,
        });
        let not: Vec<_> = not.collect();
        assert_eq!(not.len(), 1, "{told:#?}");
        assert_eq!(not[0].exit_status(), 2);
        assert!(!not[0].next_step().text().is_empty());
        not[0].clone()
    }
}

fn edited(text: &str, edit: &[(&str, &str)]) -> String {
    edit.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to))
}

pub fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// Returns settings that send mail unencrypted.
pub fn plain(server: &Server, to: &[&str]) -> String {
    format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"backup1@example.org\"\n\
         to = {to:?}\ntimeout = 2\n",
        server.port
    )
}

/// Returns the subjects of these mails.
pub fn subjects(taken: &[Taken]) -> Vec<String> {
    taken.iter().map(|taken| taken.header("Subject")).collect()
}

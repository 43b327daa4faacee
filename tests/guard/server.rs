//! A licensed server with its own clock and machine, and a product on it.

use olr::Guard;
use olr::GuardConfig;
use olr::Home;
use olr_core::entitlement::{Cause, Count, GraceRule, Grant, Outcome};
use olr_core::judge::Decision;
use olr_core::license::{License, LicenseBody};
use olr_core::state::{SlotName, State};
use olr_core::time::Instant;
use olr_core::wire::codec::{Limit, Set, Text};
use olr_core::wire::id::LicenseId;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use crate::world::{NOW, World, text};

pub const HOUR: u64 = 3600;
pub const DAY: u64 = 86_400;

pub static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// Returns the trust that a product has compiled in.
pub fn anchor() -> &'static [u8] {
    WORLD.vendor.trust.bytes().to_vec().leak()
}

pub struct Server {
    pub folder: tempfile::TempDir,
    /// Seconds since the epoch.
    pub clock: Arc<AtomicU64>,
    /// Name of the current machine.
    pub machine: Arc<Mutex<&'static str>>,
    /// How often the machine was read.
    pub looks: Arc<AtomicU64>,
}

impl Server {
    /// Creates a server with a changed copy of the fixtures' license.
    pub fn with(change: impl FnOnce(&mut LicenseBody)) -> Self {
        let server = Self::empty();
        std::fs::create_dir(server.home().folder()).unwrap();
        server.write(&WORLD.installed(NOW, change));
        server
    }

    /// Creates a server before its first request.
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(AtomicU64::new(NOW.parse::<Instant>().unwrap().seconds)),
            machine: Arc::new(Mutex::new("server")),
            looks: Arc::default(),
        }
    }

    pub fn home(&self) -> Home {
        Home::at(self.folder.path().join("home"))
    }

    pub fn write(&self, state: &State) {
        for file in self.home().state_files() {
            std::fs::write(file, &*state.to_bytes()).unwrap();
        }
    }

    /// Changes the stored state, as another process would.
    pub fn edit(&self, edit: impl FnOnce(&mut State)) {
        let mut state = self.home().require_state().unwrap();
        edit(&mut state);
        self.write(&state);
    }

    pub fn order(&self) -> GuardConfig {
        let (clock, machine, looks) =
            (Arc::clone(&self.clock), Arc::clone(&self.machine), Arc::clone(&self.looks));
        GuardConfig {
            clock: Box::new(move || Instant::new(clock.load(Ordering::SeqCst))),
            look: Box::new(move |at| {
                looks.fetch_add(1, Ordering::SeqCst);
                around(*machine.lock().unwrap(), at)
            }),
            ..GuardConfig::new(self.home().folder(), anchor(), "example")
        }
    }

    pub fn guard(&self) -> Guard {
        Guard::open(self.order()).unwrap()
    }

    pub fn now(&self) -> Instant {
        Instant::new(self.clock.load(Ordering::SeqCst))
    }

    pub fn set(&self, clock: Instant) {
        self.clock.store(clock.seconds, Ordering::SeqCst);
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn looks(&self) -> u64 {
        self.looks.load(Ordering::SeqCst)
    }

    pub fn become_machine(&self, name: &'static str) {
        *self.machine.lock().unwrap() = name;
    }

    /// Returns the decision that a newly started process would get.
    pub fn judged(&self) -> Decision {
        let around = around(*self.machine.lock().unwrap(), self.now());
        let trust = &WORLD.vendor.trust;
        self.home().expecting(trust.clone()).decide(Some("example"), None, &around).unwrap().1
    }

    /// Imports the vendor's answer with this number, as another process would.
    pub fn import(&self, answer: u32, change: impl FnOnce(&mut LicenseBody)) {
        let bytes = WORLD.license(|body| {
            (body.answer, body.license) = (answer, LicenseId([answer as u8; 16]));
            change(body);
        });
        let license = License::verify(&bytes, &WORLD.vendor.trust).unwrap();
        let now = self.now();
        self.edit(|state| {
            state.accept(&license, now).unwrap();
        });
    }

    /// Prevents every write to the home, even by root: a folder takes the place of the lock file.
    pub fn seal(&self) {
        let lock = self.home().folder().join("lock");
        let _ = std::fs::remove_file(&lock);
        std::fs::create_dir(lock).unwrap();
    }

    pub fn unseal(&self) {
        std::fs::remove_dir(self.home().folder().join("lock")).unwrap();
    }
}

pub fn name() -> SlotName {
    SlotName { product: text("example"), slot: text("backup") }
}

pub fn count(module: &str, count: u64) -> Count {
    Count { module: text(module), count }
}

/// Returns a plain grant of a module.
pub fn grant(module: &str, quota: Option<u64>) -> Grant {
    Grant {
        module: text(module),
        name: text(module),
        group: text("Clients"),
        unit: text("device"),
        quota: quota.map_or(Limit::Any, Limit::Only),
        account_cap: Limit::Any,
        admin_cap: Limit::Any,
        pool: Text::default(),
        requires: Set::default(),
        includes: Set::default(),
        minimum_version: Text::default(),
    }
}

/// Returns a change that sets these grants.
pub fn granting(grants: Vec<Grant>) -> impl FnOnce(&mut LicenseBody) {
    move |body| body.grants = Set::new(grants).unwrap()
}

/// Returns a change that sets a single grace period, for `cause`, after which the server stops.
pub fn stops(cause: Cause, seconds: u64) -> impl FnOnce(&mut LicenseBody) {
    move |body| {
        body.grace = Set::new(vec![GraceRule { cause, seconds, outcome: Outcome::Stop }]).unwrap();
    }
}

/// Returns surroundings without a boot id: a clock far ahead is confirmed only after 30 days.
fn around(machine: &str, at: Instant) -> olr_core::state::Surroundings {
    olr_core::state::Surroundings {
        boot: olr_core::wire::codec::Text::default(),
        uptime: 0,
        ..crate::world::machine::around(machine, at)
    }
}

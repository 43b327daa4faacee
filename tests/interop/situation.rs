//! Servers in random situations: grants, rules for each cause, usage, and problems since some
//! instant; and questions at instants where the answer may change.

use olr_core::crypto::digest::tagged;
use olr_core::crypto::label::STATE;
use olr_core::entitlement::{
    Cause, Count, Edition, EnforcementRule, GraceRule, Grant, Model, Outcome,
};
use olr_core::key::{Role, key_id};
use olr_core::license::{License, LicenseBody};
use olr_core::revocation::{RevocationsBody, Withdrawn, digest_of};
use olr_core::state::{Memory, Noted, STATE_CAP, Slot, SlotName, Spent, State};
use olr_core::time::{Day, Instant};
use olr_core::trust::{DelegationBody, ModuleMaximum};
use olr_core::wire::codec::{Blob, Limit, Set, Text, decode, encode};
use olr_core::wire::frame::Kind;
use olr_core::wire::id::LicenseId;
use rand::RngExt;
use rand::rngs::ChaCha20Rng;
use rand::seq::IndexedRandom;

use crate::world::operations::ALL;
use crate::world::raw::{Raw, sized};
use crate::world::scenario::Scenario;
use crate::world::{NOW, World, text};

const DAY: u64 = 86_400;
/// Offset of the memory in a state: after header, secret and length.
const MEMORY: usize = 43;

const MODULES: [&str; 5] = ["ACB", "NET", "OBM", "OBM2", "Ω"];
const COUNTS: [u64; 9] = [0, 1, 2, 3, 5, 8, 9, u64::MAX - 1, u64::MAX];
const VERSIONS: [&str; 13] = [
    "",
    "7",
    "7.0",
    "7.7",
    "7.10",
    "v7.7-rc2",
    "8",
    "1.0.0.0.0.0.0.0.9",
    "1.0.0.0.0.0.0.1",
    "abc",
    "18446744073709551615",
    "36893488147419103232",
    "٩.9",
];

/// Random values from a seeded generator.
struct Lot<'a>(&'a mut ChaCha20Rng);

/// Operations to ask about, including one that no license knows.
const ASKED: [&str; 11] = [
    "run",
    "update-license",
    "upgrade",
    "backup",
    "connect",
    "create-backup-set",
    "create-user",
    "import-users",
    "restore",
    "update-user",
    "print",
];

impl Lot<'_> {
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(self.0).unwrap()
    }

    fn chance(&mut self, of: f64) -> bool {
        self.0.random_bool(of)
    }

    /// A random selection of these, in their order.
    fn some<T: Copy>(&mut self, of: &[T], each: f64) -> Vec<T> {
        of.iter().copied().filter(|_| self.chance(each)).collect()
    }

    fn set<T: Copy + Ord, E, const CAP: usize>(
        &mut self,
        of: &[T],
        each: f64,
        mut make: impl FnMut(&mut Self, T) -> E,
    ) -> Set<E, CAP>
    where
        E: olr_core::wire::codec::Keyed,
    {
        let mut some = self.some(of, each);
        some.sort();
        Set::new(some.into_iter().map(|entry| make(self, entry)).collect()).unwrap()
    }

    fn count(&mut self) -> u64 {
        self.one(&COUNTS)
    }

    fn limit(&mut self) -> Limit<u64> {
        if self.chance(0.3) { Limit::Any } else { Limit::Only(self.count()) }
    }

    fn grant(&mut self, module: &str) -> Grant {
        let includes = self.set(&MODULES, 0.2, |_, module| text(module));
        Grant {
            module: text(module),
            name: text(module),
            group: Text::default(),
            unit: text("device"),
            quota: self.limit(),
            account_cap: self.limit(),
            admin_cap: self.limit(),
            pool: text(self.one(&["", "", "p", "q"])),
            requires: Set::default(),
            includes,
            minimum_version: text(self.one(&VERSIONS)),
        }
    }

    fn terms(&mut self, body: &mut LicenseBody) {
        body.grants = self.set(&MODULES, 0.5, |lot, module| lot.grant(module));
        let own: Vec<_> = ALL.into_iter().filter(|each| !each.is_built_in()).collect();
        body.operations = Set::new(own).unwrap();
        body.grace = self.set(&CAUSES, 0.5, |lot, cause| GraceRule {
            cause,
            seconds: lot.one(&[0, 1, DAY, 14 * DAY, 400 * DAY, u64::MAX]),
            outcome: lot.one(&[Outcome::Stop, Outcome::Block, Outcome::Warn]),
        });
        let blocks: Vec<_> = body.grace.iter().filter(|r| r.outcome == Outcome::Block).collect();
        let blocks: Vec<_> = blocks.iter().map(|rule| rule.cause).collect();
        body.enforcement = self.set(&blocks, 1.0, |lot, cause| EnforcementRule {
            cause,
            blocked: lot.set(&ALL, 0.3, |_, operation| operation),
        });
        body.always = self.set(&ALL, 0.1, |_, operation| operation);
        body.expires = self.day(&["2027-11-30", "2027-12-24", "2028-11-22"]);
        body.maintenance = self.day(&["2027-11-23", "2028-11-22"]);
    }

    /// Limits of all kinds, mostly wide ones, so that a license can satisfy several of them at
    /// once.
    fn limits(&mut self, limits: &mut DelegationBody) {
        let narrow = 0.25;
        if self.chance(narrow) {
            limits.models = Limit::Only(self.set(Model::ALL, 0.8, |_, model| model));
        }
        if self.chance(narrow) {
            limits.editions = Limit::Only(self.set(Edition::ALL, 0.8, |_, edition| edition));
        }
        if self.chance(narrow) {
            limits.modules = Limit::Only(self.set(&MODULES, 0.9, |lot, module| ModuleMaximum {
                module: text(module),
                maximum: if lot.chance(0.6) { Limit::Any } else { Limit::Only(lot.count()) },
            }));
        }
        if self.chance(narrow) {
            limits.longest_term = Limit::Only(self.one(&[364, 365, 366, 387]));
        }
        if self.chance(narrow) {
            limits.ahead = Limit::Only(self.one(&[0, 1]));
        }
        if self.chance(0.5) {
            limits.longest_grace = Limit::Only(self.one(&[0, DAY, 14 * DAY, 400 * DAY, u64::MAX]));
        }
        if self.chance(narrow) {
            limits.longest_maintenance = Limit::Only(self.one(&[0, 7, 31, 364, 365, 366]));
        }
        if self.chance(narrow) {
            limits.afterwards = Limit::Only(self.set(&ALL, 0.9, |_, operation| operation));
        }
        limits.weak_machine = self.chance(0.5);
    }

    fn day(&mut self, of: &[&str]) -> Option<Day> {
        let day = self.one(of).parse::<Day>().unwrap();
        self.chance(0.8).then_some(day)
    }

    fn instant(&mut self) -> Instant {
        let of = [NOW, "2027-11-20T09:00:00Z", "2027-12-03T09:00:00Z", "2028-01-01T00:00:00Z"];
        match self.0.random_range(0..20) {
            0 => Instant::new(0),
            1 => Instant::new(u64::MAX),
            _ => self.one(&of).parse::<Instant>().unwrap(),
        }
    }

    fn noted(&mut self) -> Noted {
        let far = self.chance(0.2).then(|| self.instant());
        Noted { mark: self.instant(), far }
    }

    fn remembered(&mut self, slot: &mut Slot) {
        slot.usage = self
            .set(&MODULES, 0.4, |lot, module| Count { module: text(module), count: lot.count() });
        slot.over.spent = self.set(&CAUSES, 0.4, |lot, cause| Spent {
            cause,
            first: lot.instant(),
            since: lot.chance(0.8).then(|| lot.noted()),
            solved: lot.instant(),
            seconds: lot.count(),
            far: lot.count(),
            eased: lot.chance(0.5).then(|| lot.instant()),
        });
        slot.revoked = self.chance(0.7).then(|| self.noted());
        slot.matched = self.instant();
        if self.chance(0.2) {
            slot.installed = None;
        }
        if self.chance(0.1) {
            slot.next = None;
        }
        if self.chance(0.2) || (slot.installed.is_none() && slot.next.is_none()) {
            slot.receipt = Some(Blob::new(b"a receipt").unwrap());
        }
    }

    fn memory(&mut self, memory: &mut Memory) {
        let mut slots = memory.slots.to_vec();
        slots.iter_mut().for_each(|slot| self.remembered(slot));
        if self.chance(0.05) && slots[0].installed.is_some() {
            let name = SlotName { slot: text("redirector"), ..slots[0].name.clone() };
            slots.push(Slot { name, ..slots[0].clone() });
        }
        memory.slots = Set::new(slots).unwrap();
        if self.chance(0.2) {
            memory.mark = self.instant();
        }
    }

    /// The instant of the question, possibly after a span that a grace period may last.
    fn at(&mut self) -> String {
        let from = [
            NOW,
            "2027-11-23T09:00:00Z",
            "2027-12-01T12:00:00Z",
            "2027-12-25T12:00:00Z",
            "2027-12-31T10:00:00Z",
            "2028-11-23T12:00:00Z",
        ];
        let from = self.one(&from).parse::<Instant>().unwrap().seconds;
        let after = self.one(&[0, 0, 1, DAY, 14 * DAY, 400 * DAY]);
        Instant::new(from + after - self.one(&[0, 0, 1])).to_string()
    }

    fn counts(&mut self, most: usize) -> String {
        let count = self.0.random_range(1..=most);
        let one = |lot: &mut Self| format!("{}={}", lot.one(&MODULES), lot.count());
        (0..count).map(|_| one(self)).collect::<Vec<_>>().join(", ")
    }

    fn question(&mut self) -> Vec<(&'static str, String)> {
        let at = self.at();
        let mut lines = vec![("artefact", "state".to_string())];
        match self.0.random_range(0..10) {
            0 | 1 => lines.push(("question", format!("judge at {at}"))),
            2 => {
                let operation = self.one(&ASKED);
                lines.push(("question", format!("limit {operation} at {at}")));
                lines.push(("module", self.one(&MODULES).to_string()));
                lines.push(("uses", self.count().to_string()));
                lines.push(("limit", self.count().to_string()));
            }
            _ => {
                let operation = self.one(&ASKED);
                lines.push(("question", format!("ask {operation} at {at}")));
                if self.chance(0.7) {
                    lines.push(("adds", self.counts(4)));
                }
                if self.chance(0.3) {
                    lines.push(("account", self.counts(2)));
                }
                if self.chance(0.6) {
                    lines.push(("version", self.one(&VERSIONS).to_string()));
                }
                if self.chance(0.3) {
                    let days = ["2027-11-22", "2027-11-23", "2027-11-24", "2029-01-01"];
                    lines.push(("release", self.one(&days).to_string()));
                }
            }
        }
        if self.chance(0.2) {
            lines.push(("machine", self.one(&["copy", "other", "card-replaced"]).to_string()));
        }
        if self.chance(0.1) {
            lines.push(("slot", self.one(&["backup", "redirector", "nowhere"]).to_string()));
        }
        lines
    }
}

const CAUSES: [Cause; 6] = [
    Cause::Expired,
    Cause::OverQuota,
    Cause::Conflict,
    Cause::Revoked,
    Cause::Pooled,
    Cause::Upgraded,
];

/// A license under a delegation whose limits it may exceed, by little or by much.
pub fn limited(world: &World, rng: &mut ChaCha20Rng) -> Scenario {
    let mut lot = Lot(rng);
    let mut body = world.body();
    lot.terms(&mut body);
    body.starts = lot.one(&["2027-11-01", "2027-11-23", "2027-11-24"]).parse::<Day>().unwrap();
    body.policy.hardware = lot.chance(0.9);
    let mut delegation = world.vendor.delegation_body();
    lot.limits(&mut delegation);
    let bytes = signed(world, &body, |limits| *limits = delegation);
    let header = [("artefact", "license"), ("question", "verify"), ("encoding", "hex")];
    let header = header.map(|(key, value)| (key.to_string(), value.to_string()));
    Scenario { name: "limited".to_string(), header: header.into(), bytes }
}

/// A license under a delegation with these limits.
fn signed(world: &World, body: &LicenseBody, limit: impl FnOnce(&mut DelegationBody)) -> Vec<u8> {
    let mut frame = world.vendor.frame(encode(body));
    frame.attachments = vec![world.vendor.delegate(limit)];
    frame.sign(Role::Issuer, &world.vendor.issuer);
    frame.bytes()
}

/// A server with a license whose delegation may or may not limit what a thief could have written.
fn installed(world: &World, lot: &mut Lot) -> State {
    let mut body = world.body();
    lot.terms(&mut body);
    let warns = body.grace.iter().any(|rule| rule.outcome == Outcome::Warn);
    let (bounds_grace, bounds_afterwards) = (!warns && lot.chance(0.5), lot.chance(0.5));
    let bytes = signed(world, &body, |limits| {
        if bounds_grace {
            limits.longest_grace = Limit::Only(u64::MAX);
        }
        if bounds_afterwards {
            limits.afterwards = Limit::Only(Set::new(ALL.to_vec()).unwrap());
        }
    });
    let license = License::verify(&bytes, &world.vendor.trust).unwrap();
    let mut state = world.asked();
    state.accept(&license, NOW.parse::<Instant>().unwrap()).unwrap();
    state
}

/// A server, and a question to it.
pub fn draw(world: &World, rng: &mut ChaCha20Rng) -> Scenario {
    let mut lot = Lot(rng);
    let mut state = installed(world, &mut lot);
    if lot.chance(0.3) {
        waiting(world, &mut state, &mut lot);
    }
    if lot.chance(0.3) {
        withdrawn(world, &mut state, &mut lot);
    }
    if lot.chance(0.1) {
        let issuer = key_id(Role::Issuer, &world.vendor.issuer.public());
        let second = world.vendor.second_trust(|t| t.revoked = Set::new(vec![issuer]).unwrap());
        state.take_up(world.vendor.trust.successor(&second).unwrap()).unwrap();
    }
    let bytes = remembering(&state.to_bytes(), |memory| lot.memory(memory));
    let header = lot.question().into_iter().map(|(key, value)| (key.to_string(), value));
    Scenario { name: "situation".to_string(), header: header.collect(), bytes }
}

/// Adds a license that starts later.
fn waiting(world: &World, state: &mut State, lot: &mut Lot) {
    let bytes = world.license(|body| {
        lot.terms(body);
        body.answer = 2;
        body.license = LicenseId([0x22; 16]);
        body.starts = "2028-01-01".parse::<Day>().unwrap();
        body.expires = lot.day(&["2028-01-01", "2028-11-22"]);
    });
    let license = License::verify(&bytes, &world.vendor.trust).unwrap();
    state.accept(&license, NOW.parse::<Instant>().unwrap()).unwrap();
}

/// Imports a list that names none, one or both of the licenses.
fn withdrawn(world: &World, state: &mut State, lot: &mut Lot) {
    let mut named = lot.some(&[[0x11; 16], [0x22; 16]], 0.7);
    named.sort_by_key(|id| digest_of(LicenseId(*id)));
    let cause = |lot: &mut Lot| lot.one(&[Cause::Revoked, Cause::Pooled]);
    let licenses = named
        .iter()
        .map(|id| Withdrawn { license: digest_of(LicenseId(*id)), cause: cause(lot) })
        .collect();
    let body = RevocationsBody {
        version: 1,
        sequence: 1,
        issued: NOW.parse::<Instant>().unwrap(),
        licenses: Set::new(licenses).unwrap(),
        extensions: Set::default(),
    };
    let mut frame = Raw::new(Kind::Revocations, world.vendor.trust.vendor(), encode(&body));
    frame.attachments.push(world.vendor.delegation.clone());
    frame.sign(Role::Issuer, &world.vendor.issuer);
    state.revoke(&frame.bytes(), NOW.parse::<Instant>().unwrap()).unwrap();
}

fn remembering(state: &[u8], change: impl FnOnce(&mut Memory)) -> Vec<u8> {
    let mut memory: Memory = decode("memory", &state[MEMORY..state.len() - 32], STATE_CAP).unwrap();
    change(&mut memory);
    let mut bytes = state[..MEMORY - 4].to_vec();
    bytes.extend(sized(&encode(&memory)));
    bytes.extend(tagged(&[STATE, &bytes]));
    bytes
}

//! A server that is checked every minute: the slow way to find the entries of a timeline.

use crate::world::machine;
use crate::world::operations::ALL;

use olr::{Home, Import};
use olr_core::entitlement::{Cause, Operation, Outcome};
use olr_core::judge::{Decision, decide};
use olr_core::machine::{Class, FactorKind};
use olr_core::revocation::{RevocationsBody, Withdrawn, digest_of, sign_revocations};
use olr_core::simulate::{AnswerFile, Happening, ScenarioEvent};
use olr_core::state::{State, Surroundings};
use olr_core::time::Instant;
use olr_core::wire::codec::Set;

use crate::simulate::at;
use crate::world::{NOW, World, text};

pub const MINUTE: u64 = 60;
pub const HOUR: u64 = 3600;
pub const DAY: u64 = 86_400;

/// Everything in a decision that a person would notice as a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    state: &'static str,
    refusal: Option<&'static str>,
    blocked: Vec<String>,
    graces: Vec<(Cause, Option<Instant>, Outcome, bool)>,
    license: Option<[u8; 16]>,
    days_left: Option<u64>,
    maintained: bool,
    maintenance_left: Option<u64>,
    doubted: bool,
}

pub fn seen(decision: &Decision) -> Seen {
    let body = decision.license().map(|license| license.body());
    let blocked: Vec<_> =
        decision.blocked().iter().map(|operation| operation.to_string()).collect();
    // Once the server is stopped, pending grace periods do not matter.
    let goes_on = |operation: &&Operation| {
        **operation == Operation::UPDATE_LICENSE
            || body.is_some_and(|body| body.always.get(*operation).is_some())
    };
    let stopped = decision.refusal().is_some()
        && ALL.iter().filter(|o| !goes_on(o)).all(|o| blocked.contains(&o.to_string()));
    let last_hour = |until: Instant| until.seconds - decision.judged_at().seconds <= HOUR;
    let graces = decision.graces().iter().filter(|_| !stopped).map(|grace| {
        let counts_down = grace.then == Outcome::Stop && grace.until.is_some_and(last_hour);
        (grace.cause, grace.until, grace.then, counts_down)
    });
    // Maintenance that ends with the license or later does not matter.
    let maintenance = body.and_then(|body| {
        let last = body.maintenance?.ends().seconds;
        body.expires.is_none_or(|end| end.ends().seconds > last).then_some(last)
    });
    let prolongs = |last: u64| {
        decision.next_license().map(|next| next.body()).is_some_and(|next| {
            next.starts.begins().seconds <= last
                && next.maintenance.is_none_or(|then| then.ends().seconds > last)
        })
    };
    let lasts = maintenance.filter(|last| !stopped && !prolongs(*last));
    let maintenance_left = lasts
        .and_then(|last| last.checked_sub(decision.judged_at().seconds))
        .filter(|left| *left > 0);
    let warned = |left: u64| [1, 7, 30].into_iter().find(|days| left <= days * DAY);
    let ends = body.and_then(|body| body.expires).map(|last| last.ends().seconds);
    let next = decision.next_license().map(|next| next.body().starts.begins().seconds);
    let gap = ends.filter(|ends| !stopped && next.is_none_or(|next| next > *ends));
    let left = gap
        .and_then(|ends| ends.checked_sub(decision.judged_at().seconds))
        .filter(|left| *left > 0);
    Seen {
        state: decision.state(),
        refusal: decision.refusal().map(|refusal| refusal.refusal().unwrap().word()),
        graces: graces.collect(),
        blocked,
        license: body.map(|body| body.license.0),
        days_left: left.and_then(warned),
        maintained: maintenance.is_none_or(|last| decision.judged_at().seconds < last),
        maintenance_left: maintenance_left.and_then(warned),
        doubted: decision.clock_is_pending(),
    }
}

/// Keeps the entries that differ from the previous one.
pub fn changes(seen: impl IntoIterator<Item = (Instant, Seen)>) -> Vec<(Instant, Seen)> {
    let mut changes: Vec<(Instant, Seen)> = Vec::new();
    for (at, seen) in seen {
        if changes.last().is_none_or(|(_, last)| *last != seen) {
            changes.push((at, seen));
        }
    }
    changes
}

/// A server that is checked every minute, and one second before each hour, because days begin and
/// end on the hour.
pub struct Stepped<'a> {
    world: &'a World,
    state: State,
    around: Surroundings,
    /// How far the clock is ahead, in seconds.
    ahead: i128,
    /// Running since this instant; `None` while it is down.
    up: Option<u64>,
    count: u32,
    withdrawn: Vec<Withdrawn>,
    seen: Vec<(Instant, Seen)>,
}

impl Stepped<'_> {
    pub fn run(
        world: &World,
        state: &State,
        events: &[ScenarioEvent],
        until: Instant,
    ) -> Vec<(Instant, Seen)> {
        let begin = at(NOW).seconds;
        let mut server = Stepped {
            world,
            state: State::parse(&state.to_bytes()).unwrap(),
            around: machine::around("server", at(NOW)),
            ahead: 0,
            up: Some(begin - HOUR),
            count: 0,
            withdrawn: Vec::new(),
            seen: Vec::new(),
        };
        let hour = |minute: &u64| minute.is_multiple_of(HOUR) && *minute > begin;
        let minutes = (begin..=until.seconds).step_by(60);
        let seconds = minutes.flat_map(|minute| {
            Some(minute - 1).filter(|_| hour(&minute)).into_iter().chain([minute])
        });
        for second in seconds {
            server.look(second);
            let now = events.iter().filter(|event| event.at.seconds == second);
            if now.clone().map(|event| server.happen(event)).count() > 0 {
                server.look(second);
            }
        }
        changes(server.seen)
    }

    fn look(&mut self, now: u64) {
        self.around.clock = Instant::new(u64::try_from(i128::from(now) + self.ahead).unwrap());
        let Some(up) = self.up else { return };
        self.around.uptime = now - up;
        self.state.observe(&self.around);
        let slot = self.state.slot(None, None).unwrap();
        let decision =
            decide(self.around.clock, self.around.here(&self.around.factors), &self.state, slot);
        let name = slot.name.clone();
        if decision.matches() {
            self.state.matches(&[name]);
        }
        self.seen.push((Instant::new(now), seen(&decision)));
    }

    fn happen(&mut self, event: &ScenarioEvent) {
        self.count += 1;
        let count = self.count;
        let factors = &mut self.around.factors;
        let other = |value: &str| text(&format!("{value} {count}"));
        match &event.what {
            Happening::NicSwap => factors
                .iter_mut()
                .filter(|factor| factor.kind == FactorKind::NetworkAddress)
                .for_each(|factor| factor.value = other("card")),
            Happening::Clone => factors
                .iter_mut()
                .filter(|factor| factor.class == Class::Hardware)
                .for_each(|factor| factor.value = other("hardware")),
            Happening::HardwareGone => factors.retain(|factor| factor.class != Class::Hardware),
            Happening::Repaired => *factors = machine::factors("server"),
            Happening::Hostname(name) => factors
                .iter_mut()
                .filter(|factor| factor.kind == FactorKind::Hostname)
                .for_each(|factor| factor.value = name.clone()),
            Happening::Use(counts) => {
                let name = self.state.slot(None, None).unwrap().name.clone();
                self.state.report(&name, counts, self.around.clock).unwrap();
            }
            Happening::Import(answer) => self.import(answer),
            Happening::Withdrawn(cause) => self.withdraw(*cause),
            Happening::Upgrade(_) => {}
            Happening::Deactivate => {
                let name = self.state.slot(None, None).unwrap().name.clone();
                self.state.deactivate(&name, self.around.clock).unwrap();
            }
            Happening::Off => self.up = None,
            Happening::On if self.up.is_none() => {
                self.up = Some(event.at.seconds - 1);
                self.around.boot = other("boot");
            }
            Happening::On => {}
            Happening::Clock(clock) => {
                self.ahead = i128::from(clock.seconds) - i128::from(event.at.seconds);
                self.around.clock = *clock;
            }
            other => panic!("{other:?} is not carried out here"),
        }
    }
}

impl Stepped<'_> {
    /// Imports through a real home, as a person would.
    fn import(&mut self, answer: &AnswerFile) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        for copy in home.state_files() {
            std::fs::write(copy, self.state.to_bytes()).unwrap();
        }
        let how = Import { over_quota: answer.over, ..Import::default() };
        let imported = home.import(&answer.bytes, &self.around, how);
        if imported.is_ok() {
            self.state = home.require_state().unwrap();
        }
    }

    /// Revokes with a signed list, as a vendor would.
    fn withdraw(&mut self, cause: Cause) {
        let slot = self.state.slot(None, None).unwrap();
        let decision =
            decide(self.around.clock, self.around.here(&self.around.factors), &self.state, slot);
        let Some(license) = decision.license() else { return };
        let license = digest_of(license.body().license);
        self.withdrawn.retain(|withdrawn| withdrawn.license != license);
        self.withdrawn.push(Withdrawn { license, cause });
        let mut licenses = self.withdrawn.clone();
        licenses.sort_by_key(|withdrawn| withdrawn.license);
        let list = RevocationsBody {
            version: 1,
            sequence: self.count.into(),
            issued: at(NOW),
            licenses: Set::new(licenses).unwrap(),
            extensions: Set::default(),
        };
        let vendor = &self.world.vendor;
        let issuer = (&vendor.issuer as _, vendor.delegation.as_slice());
        let bytes = sign_revocations(&list, &vendor.trust, issuer, &[]).unwrap();
        self.state.revoke(&bytes, self.around.clock).unwrap();
        self.state.note_revoked(self.around.clock);
    }
}

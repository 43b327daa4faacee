//! The property: for catalogs, grants and delegations that fit together, every *yes* is within the
//! limits.

use olr_core::crypto::digest::tagged;
use olr_core::crypto::label::STATE;
use olr_core::entitlement::{Cause, Count, Operation};
use olr_core::judge::{Decision, Question, decide};
use olr_core::key::{Role, key_id};
use olr_core::license::{License, LicenseBody};
use olr_core::machine::Here;
use olr_core::revocation::{RevocationsBody, Withdrawn, digest_of};
use olr_core::state::{Memory, STATE_CAP, State};
use olr_core::time::{Day, Instant};
use olr_core::trust::{DelegationBody, ModuleMaximum, SignerRule, Trust};
use olr_core::wire::codec::{Limit, List, Set, decode, encode};
use olr_core::wire::frame::Kind;
use olr_core::wire::id::LicenseId;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

use crate::limits::drawn::{DAY, Lot, NAMES};
use crate::world::machine::{around, factors};
use crate::world::operations::ALL;
use crate::world::raw::{Raw, sized};
use crate::world::{NOW, World, text};

/// 9999-12-31, the last day that can be represented.
const LAST_DAY: u32 = 2_932_896;

/// What happened to the license, its machine or its signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Nothing,
    /// The disk was moved to another machine: no hardware factor matches.
    Copied,
    /// No factor of the machine matches.
    Moved,
    Revoked,
    Pooled,
    /// The key that signed the license was revoked.
    Stolen,
}

const EVENTS: [Event; 6] =
    [Event::Nothing, Event::Copied, Event::Moved, Event::Revoked, Event::Pooled, Event::Stolen];

/// An installed license, and the limits of its signer.
struct Case<'a> {
    limits: &'a DelegationBody,
    body: &'a LicenseBody,
    event: Event,
    /// When the event happened.
    since: u64,
    rules: &'a [SignerRule],
}

#[test]
fn every_yes_lies_inside_every_delegation() {
    let world = World::new();
    let mut lot = Lot(ChaCha20Rng::seed_from_u64(0x0079_6573));
    let mut told: BTreeMap<Event, [usize; 2]> = BTreeMap::new();
    let (mut passed, mut refused, mut drafted, mut drawn) = (0, 0, 0, 0);
    let least = if std::env::var_os("OLR_LONG").is_some() { 600 } else { 300 };
    while passed < least {
        drawn += 1;
        assert!(drawn < 100_000, "{drafted} of {drawn} catalogs and grants fit");
        let Some(mut body) = lot.license(&world) else { continue };
        drafted += 1;
        if lot.chance(0.2) {
            // Signed by hand, a license may contain things that `draft` never writes.
            body.always = Set::new(vec![lot.one(&ALL)]).unwrap();
        }
        if lot.chance(0.1) {
            body.policy.hardware = false;
        }
        let limits = lot.delegation(&world, &body);
        let rules = rules(&mut lot);
        let trust = ruling(&world, &rules);
        let bytes = crate::limits::signed_by_hand(&world, &body, &limits);
        let Ok(license) = License::verify(&bytes, &trust) else {
            refused += 1;
            continue;
        };
        passed += 1;
        for _ in 0..3 {
            let event = lot.one(&EVENTS);
            let since = NOW.parse::<Instant>().unwrap().seconds + lot.one(&[0, DAY, 399 * DAY]);
            let case = Case { limits: &limits, body: &body, event, since, rules: &rules };
            let at = case.instant(&mut lot);
            let usage = usage(&mut lot);
            let decision = case.judged(&world, &license, &trust, &usage, at);
            for _ in 0..40 {
                let yes = case.ask(&mut lot, &decision, &usage, at);
                told.entry(event).or_default()[usize::from(yes)] += 1;
            }
        }
    }
    println!("{passed} of {drafted} passed, {refused} refused; no and yes: {told:?}");
    assert!(refused > passed, "delegations that bound nothing");
    for (event, [no, yes]) in told {
        assert!(no > 200 && yes > 200, "{event:?}: {no} no, {yes} yes");
    }
}

fn rules(lot: &mut Lot) -> Vec<SignerRule> {
    if !lot.chance(0.3) {
        return Vec::new();
    }
    let model = lot.one(olr_core::entitlement::Model::ALL);
    let above = ModuleMaximum { module: text(lot.one(&NAMES)), maximum: Limit::Only(lot.count()) };
    vec![SignerRule {
        model: if lot.chance(0.5) { Limit::Any } else { Limit::Only(model) },
        above: Some(above),
        signers: 2,
    }]
}

/// The vendor's second trust, with these signer rules.
fn ruling(world: &World, rules: &[SignerRule]) -> Trust {
    let bytes = world.vendor.second_trust(|t| t.signer_rules = List::new(rules.to_vec()).unwrap());
    world.vendor.trust.successor(&bytes).unwrap()
}

fn usage(lot: &mut Lot) -> Set<Count, 4096> {
    let mut counts = Vec::new();
    for name in NAMES {
        if lot.chance(0.3) {
            counts.push(Count { module: text(name), count: lot.count() });
        }
    }
    Set::new(counts).unwrap()
}

impl Case<'_> {
    /// An instant near a possible change of the answer, or any within a century.
    fn instant(&self, lot: &mut Lot) -> u64 {
        let now = NOW.parse::<Instant>().unwrap().seconds;
        let mut turns = vec![now, self.since, self.body.starts.begins().seconds];
        turns.extend(self.body.expires.map(|end| end.ends().seconds));
        if let Limit::Only(term) = self.limits.longest_term {
            let last = Day { number: self.body.starts.number.saturating_add(term) };
            turns.extend([last.ends().seconds; 3]);
        }
        let mut spans: Vec<u64> = self.body.grace.iter().map(|rule| rule.seconds).collect();
        spans.extend([0, 0, 3600, DAY, 40 * DAY]);
        if let Limit::Only(longest) = self.limits.longest_grace {
            spans.push(longest);
        }
        let near = lot.one(&turns).saturating_add(lot.one(&spans));
        let at = match lot.0.random_range(0..10) {
            0 | 1 => now + lot.0.random_range(0..36_524 * DAY),
            2..=5 => self.first_outside(lot).unwrap_or(near),
            _ => near.saturating_add(lot.one(&[0, 0, 1])).saturating_sub(lot.one(&[0, 1])),
        };
        at.clamp(self.since.max(now), now + 36_524 * DAY)
    }

    /// The first instant that the delegation no longer covers, by one of its limits. `None` if it
    /// does not limit grace periods.
    fn first_outside(&self, lot: &mut Lot) -> Option<u64> {
        let Limit::Only(grace) = self.limits.longest_grace else { return None };
        let mut ends = vec![self.since];
        if let Limit::Only(term) = self.limits.longest_term {
            let last = Day { number: self.body.starts.number.saturating_add(term) };
            ends.extend([last.ends().seconds; 2]);
        }
        Some(lot.one(&ends).saturating_add(grace))
    }

    /// The decision at `at`, after the event, on a server whose mark has risen to `at`.
    fn judged(
        &self,
        world: &World,
        license: &License,
        trust: &Trust,
        usage: &Set<Count, 4096>,
        at: u64,
    ) -> Decision {
        let (now, since) = (NOW.parse::<Instant>().unwrap(), Instant::new(self.since));
        let mut state = world.asked();
        state.take_up(trust.clone()).unwrap();
        state.accept(license, now).unwrap();
        let name = state.memory().slots[0].name.clone();
        state.observe(&around("server", since));
        state.matches(std::slice::from_ref(&name));
        state.report(&name, usage, since).unwrap();
        if self.event == Event::Stolen {
            let issuer = key_id(Role::Issuer, &world.vendor.issuer.public());
            let third = world.vendor.second_trust(|body| {
                body.version = 3;
                body.signer_rules = trust.body().signer_rules.clone();
                body.revoked = Set::new(vec![issuer]).unwrap();
            });
            state.take_up(trust.successor(&third).unwrap()).unwrap();
        }
        let cause = match self.event {
            Event::Revoked => Some(Cause::Revoked),
            Event::Pooled => Some(Cause::Pooled),
            _ => None,
        };
        if let Some(cause) = cause {
            state.revoke(&list(world, cause), since).unwrap();
        }
        state.note_revoked(since);
        let state = at_mark(&state, Instant::new(at));
        let machine = match self.event {
            Event::Copied => "copy",
            Event::Moved => "other",
            _ => "server",
        };
        let factors = factors(machine);
        let here = Here { factors: &factors, ..Here::default() };
        decide(Instant::new(at), here, &state, &state.memory().slots[0])
    }

    /// Asks a random question, and checks a yes against the limits.
    fn ask(&self, lot: &mut Lot, decision: &Decision, usage: &Set<Count, 4096>, at: u64) -> bool {
        let operation = lot.one(&ALL);
        let mut adds = Vec::new();
        for _ in 0..lot.0.random_range(0..3) {
            adds.push((lot.one(&NAMES), lot.count()));
        }
        let release = lot.chance(0.4).then(|| self.release(lot, at));
        let question = Question { adds: &adds, release, ..Question::about(operation) };
        let yes = decision.ask(&question).is_yes();
        if yes {
            let context = || format!("{operation} {adds:?} {release:?} at {at}: {self}");
            self.expect_modules(&adds, usage, &context);
            if operation != Operation::UPDATE_LICENSE {
                self.expect_time(operation, at, &context);
                self.expect_release(release, &context);
            }
        }
        yes
    }

    fn expect_modules(
        &self,
        adds: &[(&str, u64)],
        usage: &Set<Count, 4096>,
        say: &dyn Fn() -> String,
    ) {
        for (module, _) in adds {
            let added = adds.iter().filter(|(other, _)| other == module);
            let added = added.fold(0u64, |sum, (_, more)| sum.saturating_add(*more));
            if added == 0 {
                continue;
            }
            let used = usage.get(*module).map_or(0, |count| count.count).saturating_add(added);
            if let Limit::Only(maxima) = &self.limits.modules {
                let maximum = maxima.get(*module).map(|entry| entry.maximum);
                match maximum.unwrap_or(Limit::Only(0)) {
                    Limit::Any => {}
                    Limit::Only(most) => {
                        assert!(used <= most, "{used} {module}, above {most}: {}", say())
                    }
                }
            }
            // If two must sign above a maximum, one signer alone may not allow more than that.
            for rule in self.rules {
                let may_be = match (&rule.model, &self.limits.models) {
                    (Limit::Only(model), Limit::Only(models)) => models.get(model).is_some(),
                    _ => true,
                };
                let above = rule.above.as_ref().unwrap();
                if may_be
                    && *above.module == **module
                    && let Limit::Only(most) = above.maximum
                {
                    assert!(used <= most, "{used} {module} by one signer, above {most}: {}", say());
                }
            }
        }
    }

    /// Checks that the delegation still covers this time: the license is in effect, or a grace
    /// period is running, or the operation may stay allowed forever.
    fn expect_time(&self, operation: Operation, at: u64, say: &dyn Fn() -> String) {
        let limits = self.limits;
        let (is_left, is_limited) = match &limits.afterwards {
            Limit::Any => (true, false),
            Limit::Only(left) => (left.get(&operation).is_some(), true),
        };
        let grace = match limits.longest_grace {
            Limit::Any => None,
            Limit::Only(seconds) => Some(seconds),
        };
        let not_after = |end: u64, what: &str| {
            if let Some(grace) = grace {
                assert!(at < end.saturating_add(grace), "{what} ended at {end}: {}", say());
            }
        };
        // After its signing key was revoked and the grace period ended, a license allows only
        // operations that the delegation lists in `afterwards`.
        if self.event == Event::Stolen && !(is_limited && is_left) {
            let grace = grace.unwrap_or(0);
            assert!(at < self.since.saturating_add(grace), "its key was revoked: {}", say());
        }
        if is_left {
            return;
        }
        let starts = u64::from(self.body.starts.number);
        if let Limit::Only(ahead) = limits.ahead {
            let last = self.body.issued.seconds / DAY + u64::from(ahead);
            assert!(at >= Day { number: starts as u32 }.begins().seconds, "too early: {}", say());
            assert!(starts <= last, "it starts after {last}: {}", say());
        }
        if let Limit::Only(term) = limits.longest_term {
            let last = Day { number: (starts + u64::from(term)) as u32 };
            not_after(last.ends().seconds, "the longest term");
        }
        match self.event {
            Event::Revoked | Event::Pooled => not_after(self.since, "the revoked license"),
            Event::Moved => not_after(self.since, "the machine match"),
            Event::Copied if !limits.weak_machine => not_after(self.since, "the hardware match"),
            Event::Nothing | Event::Copied | Event::Stolen => {}
        }
    }

    /// Checks a release independently of the instant: the question may concern a future release
    /// before the license ends.
    fn expect_release(&self, release: Option<Day>, say: &dyn Fn() -> String) {
        let Some((release, last)) = release.zip(self.last_release()) else { return };
        assert!(release.number <= last, "maintenance covers releases until {last} only: {}", say());
    }

    /// The last release day that the delegation covers.
    fn last_release(&self) -> Option<u32> {
        let Limit::Only(longest) = self.limits.longest_maintenance else { return None };
        let issued = u32::try_from(self.body.issued.seconds / DAY).unwrap();
        Some(self.body.starts.number.max(issued).saturating_add(longest))
    }

    /// A release day: today, past, future, or near a day on which something ends.
    fn release(&self, lot: &mut Lot, at: u64) -> Day {
        let today = u32::try_from(at / DAY).unwrap();
        let mut ends: Vec<u32> = self.last_release().into_iter().collect();
        let days = [self.body.maintenance, self.body.expires];
        ends.extend(days.into_iter().flatten().map(|day| day.number));
        ends.push(today);
        let near = lot.one(&ends).saturating_add(lot.one(&[0, 0, 1, 2, 15, 366, 4 * 366]));
        let number = match lot.0.random_range(0..8) {
            0 => today,
            1 => lot.0.random_range(20_000..=today.max(20_000)),
            2 => today.saturating_add(lot.0.random_range(0..36_524)),
            _ => near,
        };
        Day { number: number.min(LAST_DAY) }
    }
}

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { event, since, limits, body, rules } = self;
        write!(f, "{event:?} since {since}\n{limits:?}\n{body:?}\n{rules:?}")
    }
}

fn list(world: &World, cause: Cause) -> Vec<u8> {
    let license = digest_of(LicenseId([0x11; 16]));
    let body = RevocationsBody {
        version: 1,
        sequence: 1,
        issued: NOW.parse::<Instant>().unwrap(),
        licenses: Set::new(vec![Withdrawn { license, cause }]).unwrap(),
        extensions: Set::default(),
    };
    let mut frame = Raw::new(Kind::Revocations, world.vendor.trust.vendor(), encode(&body));
    frame.attachments.push(world.vendor.delegation.clone());
    frame.sign(Role::Issuer, &world.vendor.issuer);
    frame.bytes()
}

/// Offset of the memory in a state: after header, secret and length.
const MEMORY: usize = 43;

/// The same state with a higher mark.
fn at_mark(state: &State, mark: Instant) -> State {
    let bytes = state.to_bytes();
    let memory = &bytes[MEMORY..bytes.len() - 32];
    let mut memory: Memory = decode("memory", memory, STATE_CAP).unwrap();
    memory.mark = mark;
    let mut bytes = bytes[..MEMORY - 4].to_vec();
    bytes.extend(sized(&encode(&memory)));
    bytes.extend(tagged(&[STATE, &bytes]));
    State::parse(&bytes).unwrap()
}

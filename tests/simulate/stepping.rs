//! A timeline has exactly the changes that somebody finds who asks every minute.

use olr::entitlement::{Cause, Count, EnforcementRule, GraceRule, Operation, Outcome};
use olr::license::LicenseBody;
use olr::machine::{Class, FactorKind};
use olr::policy::{Decision, decide};
use olr::simulate::{Event, Happening, Phase, Timeline};
use olr::state::{State, Surroundings};
use olr::time::{Day, Instant};
use olr::wire::codec::{Limit, Set};
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use crate::world::{NOW, World, text};
use crate::{at, events, machine, play, server};

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// Everything of an answer that a person would call another one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    state: &'static str,
    refusal: Option<&'static str>,
    blocked: Vec<&'static str>,
    graces: Vec<(Cause, Option<Instant>, Outcome, bool)>,
    license: Option<[u8; 16]>,
    days_left: Option<u64>,
    maintained: bool,
    doubted: bool,
}

fn seen(decision: &Decision) -> Seen {
    let body = decision.license.as_ref().map(|license| license.body());
    let blocked: Vec<_> = decision.blocked.iter().map(|operation| operation.word()).collect();
    // Of a server that stands still it does not matter what else would come.
    let stopped = decision.refusal.is_some() && blocked.len() == Operation::ALL.len();
    let last_hour = |until: Instant| until.seconds - decision.at.seconds <= HOUR;
    let graces = decision.graces.iter().filter(|_| !stopped).map(|grace| {
        let counts_down = grace.then == Outcome::Stop && grace.until.is_some_and(last_hour);
        (grace.cause, grace.until, grace.then, counts_down)
    });
    let ends = body.and_then(|body| body.expires).map(|last| last.ends().seconds);
    let next = decision.next.as_ref().map(|next| next.body().starts.begins().seconds);
    let gap = ends.filter(|ends| !stopped && next.is_none_or(|next| next > *ends));
    let left = gap.and_then(|ends| ends.checked_sub(decision.at.seconds)).filter(|left| *left > 0);
    Seen {
        state: decision.state(),
        refusal: decision.refusal.as_ref().map(|refusal| refusal.refusal().unwrap().word()),
        graces: graces.collect(),
        blocked,
        license: body.map(|body| body.license.0),
        days_left: left.and_then(|left| [1, 7, 30].into_iter().find(|days| left <= days * DAY)),
        maintained: body
            .is_none_or(|body| body.maintenance.is_none_or(|last| decision.at < last.ends())),
        doubted: decision.clock_is_pending,
    }
}

/// Where what is seen differs from what was seen before.
fn changes(seen: impl IntoIterator<Item = (Instant, Seen)>) -> Vec<(Instant, Seen)> {
    let mut changes: Vec<(Instant, Seen)> = Vec::new();
    for (at, seen) in seen {
        if changes.last().is_none_or(|(_, last)| *last != seen) {
            changes.push((at, seen));
        }
    }
    changes
}

/// A server that is looked at every minute, and a second before each hour: there days begin and end.
struct Stepped {
    state: State,
    around: Surroundings,
    /// How far its clock is ahead.
    ahead: i128,
    /// Since when it runs; nothing while it does not.
    up: Option<u64>,
    count: u32,
    seen: Vec<(Instant, Seen)>,
}

impl Stepped {
    fn run(state: &State, events: &[Event], until: Instant) -> Vec<(Instant, Seen)> {
        let begin = at(NOW).seconds;
        let mut server = Self {
            state: State::parse(&state.to_bytes()).unwrap(),
            around: machine::around("server", at(NOW)),
            ahead: 0,
            up: Some(begin - HOUR),
            count: 0,
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
        let decision = decide(self.around.clock, &self.around.factors, &self.state, slot);
        let name = slot.name.clone();
        if decision.matches() {
            self.state.matches(&[name]).unwrap();
        }
        self.seen.push((Instant::new(now), seen(&decision)));
    }

    fn happen(&mut self, event: &Event) {
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
        }
    }
}

/// Plays and steps, and expects the same changes; gives their number.
#[track_caller]
fn same(name: &str, state: &State, events: &[Event], until: Instant) -> usize {
    let timeline = play(state, events, until).unwrap();
    let stepped = Stepped::run(state, events, until);
    let told = told(&timeline);
    let first = told.iter().zip(&stepped).position(|(told, stepped)| told != stepped);
    let first = first.unwrap_or(told.len().min(stepped.len()));
    assert_eq!(told.get(first), stepped.get(first), "{name}: change {first}: {events:#?}");
    told.len()
}

fn told(timeline: &Timeline) -> Vec<(Instant, Seen)> {
    let of = |entry: &olr::simulate::Entry| Some((entry.at, seen(entry.decision.as_ref()?)));
    changes(timeline.entries.iter().filter_map(of))
}

fn grace(cause: Cause, seconds: u64, outcome: Outcome) -> GraceRule {
    GraceRule { cause, seconds, outcome }
}

/// A license of a few days with a grace for everything.
fn terms(body: &mut LicenseBody) {
    body.expires = Some(Day::parse("2027-11-30").unwrap());
    body.maintenance = Some(Day::parse("2027-11-25").unwrap());
    let rules = [
        grace(Cause::Expired, 3 * DAY, Outcome::Block),
        grace(Cause::OverQuota, 12 * HOUR, Outcome::Stop),
        grace(Cause::Conflict, 2 * DAY, Outcome::Stop),
    ];
    body.grace = Set::new(rules.to_vec()).unwrap();
    let blocked = Set::new(vec![Operation::Backup, Operation::Connect]).unwrap();
    body.enforcement = Set::new(vec![EnforcementRule { cause: Cause::Expired, blocked }]).unwrap();
}

#[test]
fn a_timeline_has_the_changes_that_are_found_minute_by_minute() {
    let world = World::new();
    let state = server(&world, terms, None);
    for (name, least, days, what) in [
        (
            "machines and quotas",
            14,
            14,
            &[
                "2027-11-24T10:17:00Z nic-swap",
                "2027-11-25T09:30:00Z repaired",
                "2027-11-26T00:00:00Z clone",
                "2027-11-26T00:00:00Z repaired",
                "2027-11-27T00:00:00Z off",
                "2027-11-27T01:00:00Z hardware-gone",
                "2027-11-27T12:00:00Z on",
                "2027-11-28T00:00:00Z repaired",
                "2027-12-01T20:00:00Z use OBM=21",
                "2027-12-02T07:30:00Z use OBM=20",
                "2027-12-03T07:30:00Z use OBM=22 ACB=3",
            ][..],
        ),
        (
            "a clock that is set back and catches up",
            5,
            6,
            &["2027-11-25 clock 2027-11-22", "2027-11-27 clock 2027-11-26T22:00:00Z"],
        ),
        (
            "a clock far ahead, and right again",
            4,
            4,
            &["2027-11-24T06:00:00Z clock 2033-01-01", "2027-11-26T06:00:00Z clock 2027-11-26"],
        ),
        ("a clock far ahead that is believed", 3, 9, &["2027-11-24T06:00:00Z clock 2033-01-01"]),
        (
            "a clock far ahead that another boot confirms",
            3,
            3,
            &[
                "2027-11-24T06:00:00Z clock 2033-01-01",
                "2027-11-25T06:00:00Z off",
                "2027-11-25T07:00:00Z on",
            ],
        ),
    ] {
        let until = Instant::new(at(NOW).seconds + days * DAY);
        let changes = same(name, &state, &events(what), until);
        assert!(changes >= least, "{name}: only {changes} changes");
    }
}

#[test]
fn the_license_that_takes_over_is_found_where_it_does() {
    let world = World::new();
    let until = at("2027-11-27T12:00:00Z");
    // It takes over a machine that has changed, or grants less than is used.
    let next = |body: &mut LicenseBody| {
        terms(body);
        body.starts = Day::parse("2027-11-26").unwrap();
        let mut policy = body.policy.clone();
        policy.threshold = policy.total();
        body.policy = policy;
    };
    let state = server(&world, terms, Some(&next));
    assert!(same("nothing", &state, &[], until) >= 3);
    let renamed = events(&["2027-11-24T12:00:00Z hostname mail1"]);
    assert!(same("another name", &state, &renamed, until) >= 4);
    // What was within the quota of the first is over that of the next from its start, not later.
    let less = |body: &mut LicenseBody| {
        next(body);
        let mut grants = body.grants.to_vec();
        grants.iter_mut().for_each(|grant| grant.quota = Limit::Only(5));
        body.grants = Set::new(grants).unwrap();
    };
    let state = server(&world, terms, Some(&less));
    let begins = at("2027-11-25T10:00:00Z");
    for more in [
        &["2027-11-24 use OBM=20"][..],
        &["2027-11-24 use OBM=20", "2027-11-25T20:00:00Z use OBM=19"],
    ] {
        same("less", &state, &events(more), until);
        let timeline = play(&state, &events(more), until).unwrap();
        let over = timeline.entries.iter().find(|entry| entry.phase == Phase::Grace).unwrap();
        let stop = timeline.entries.iter().find(|entry| entry.phase == Phase::Stopped).unwrap();
        assert_eq!((over.at, stop.at.seconds), (begins, begins.seconds + 12 * HOUR));
    }
    let later = events(&["2027-11-24 use OBM=5", "2027-11-26T08:00:00Z use OBM=6"]);
    same("less, and over it later", &state, &later, until);
    let timeline = play(&state, &later, until).unwrap();
    let stop = timeline.entries.iter().find(|entry| entry.phase == Phase::Stopped).unwrap();
    assert_eq!(stop.at, at("2027-11-26T20:00:00Z"), "a whole grace from then");
}

/// Some terms and a next license of other ones.
fn any_terms(rng: &mut ChaCha20Rng, first: u32) -> impl Fn(&mut LicenseBody) + use<> {
    let day = |number: u32| Some(Day { number });
    let mut some = |from: u32, to: u32| rng.random_range(from..=to);
    let (starts, expires) = (first, first + some(0, 4));
    let (expires, maintenance) = (expires, first + some(0, 6));
    let (has_end, tolerance, quota) = (some(0, 4) > 0, some(0, 3) * 1800, u64::from(some(5, 30)));
    let (mut rules, mut enforcement) = (Vec::new(), Vec::new());
    for cause in [Cause::Expired, Cause::OverQuota, Cause::Conflict, Cause::Upgraded] {
        let outcome = match some(0, 4) {
            0 => continue,
            1 | 2 => Outcome::Stop,
            3 => Outcome::Block,
            _ => Outcome::Warn,
        };
        rules.push(grace(cause, u64::from(some(0, 60)) * HOUR / 2, outcome));
        if outcome == Outcome::Block {
            let blocked = Set::new(vec![Operation::Backup, Operation::CreateUser]).unwrap();
            enforcement.push(EnforcementRule { cause, blocked });
        }
    }
    move |body| {
        body.starts = Day { number: starts };
        body.expires = day(expires).filter(|_| has_end);
        (body.maintenance, body.tolerance) = (day(maintenance), tolerance);
        body.grace = Set::new(rules.clone()).unwrap();
        body.enforcement = Set::new(enforcement.clone()).unwrap();
        let mut grants = body.grants.to_vec();
        grants.iter_mut().for_each(|grant| grant.quota = Limit::Only(quota));
        body.grants = Set::new(grants).unwrap();
    }
}

fn any_event(rng: &mut ChaCha20Rng, begin: u64, minutes: u64) -> Event {
    let second = begin + rng.random_range(0..=minutes) * MINUTE;
    let count = rng.random_range(0..=30);
    let near = |rng: &mut ChaCha20Rng| {
        let days = rng.random_range(0..=4) * DAY;
        Instant::new(second - 2 * DAY + days + rng.random_range(0..=1440) * MINUTE)
    };
    let what = match rng.random_range(0..14) {
        0 => Happening::NicSwap,
        1 => Happening::HardwareGone,
        2 => Happening::Clone,
        3 | 4 => Happening::Repaired,
        5 => Happening::Hostname(text("mail1")),
        6..=8 => Happening::Use(vec![Count { module: text("OBM"), count }]),
        9 => Happening::Off,
        10 | 11 => Happening::On,
        12 => Happening::Clock(near(rng)),
        _ if rng.random_range(0..3) == 0 => Happening::Clock(Instant::new(second + 500 * DAY)),
        _ => Happening::Clock(Instant::new(second)),
    };
    Event { at: Instant::new(second), what }
}

#[test]
fn whatever_happens_the_changes_are_those_found_minute_by_minute() {
    let (world, begin) = (World::new(), at(NOW));
    let (days, mut changes) = (3, 0);
    for seed in 0..12 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let installed = any_terms(&mut rng, begin.day().number);
        let after = rng.random_range(1..=4);
        let next = any_terms(&mut rng, begin.day().number + after);
        let next = (seed % 3 == 0).then_some(&next as &dyn Fn(&mut LicenseBody));
        let state = server(&world, installed, next);
        let count = rng.random_range(2..=16);
        let mut events: Vec<_> =
            (0..count).map(|_| any_event(&mut rng, begin.seconds, days * 1440)).collect();
        events.sort_by_key(|event| event.at);
        let until = Instant::new(begin.seconds + days * DAY);
        changes += same(&format!("seed {seed}"), &state, &events, until);
    }
    assert!(changes > 60, "only {changes} changes: too little happened");
}

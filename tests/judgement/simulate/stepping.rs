//! A timeline has exactly the changes that checking every minute finds.

use olr_core::entitlement::{Cause, Count, EnforcementRule, GraceRule, Outcome};
use olr_core::import::OverQuota;
use olr_core::judge::Condition;
use olr_core::license::LicenseBody;
use olr_core::simulate::{AnswerFile, Happening, ScenarioEvent, Timeline};
use olr_core::state::State;
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::{Limit, Set};
use olr_core::wire::id::LicenseId;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};
use std::sync::Arc;

use crate::simulate::stepped::{DAY, HOUR, MINUTE, Seen, Stepped, changes, seen};
use crate::simulate::{at, events, play, server};
use crate::world::operations::{BACKUP, CONNECT, CREATE_USER};
use crate::world::{NOW, World, text};

/// Simulates and steps, expects the same changes, and returns their number.
#[track_caller]
fn same(
    world: &World,
    name: &str,
    state: &State,
    events: &[ScenarioEvent],
    until: Instant,
) -> usize {
    let timeline = play(state, events, until).unwrap();
    let stepped = Stepped::run(world, state, events, until);
    let told = told(&timeline);
    let first = told.iter().zip(&stepped).position(|(told, stepped)| told != stepped);
    let first = first.unwrap_or(told.len().min(stepped.len()));
    assert_eq!(told.get(first), stepped.get(first), "{name}: change {first}: {events:#?}");
    told.len()
}

fn told(timeline: &Timeline) -> Vec<(Instant, Seen)> {
    let of = |entry: &olr_core::simulate::Entry| Some((entry.at, seen(entry.decision.as_ref()?)));
    changes(timeline.entries.iter().filter_map(of))
}

fn grace(cause: Cause, seconds: u64, outcome: Outcome) -> GraceRule {
    GraceRule { cause, seconds, outcome }
}

/// Gives a license an end after a few days, and rules for expired, over-quota and conflict.
fn terms(body: &mut LicenseBody) {
    body.expires = Some("2027-11-30".parse::<Day>().unwrap());
    body.maintenance = Some("2027-11-25".parse::<Day>().unwrap());
    let rules = [
        grace(Cause::Expired, 3 * DAY, Outcome::Block),
        grace(Cause::OverQuota, 12 * HOUR, Outcome::Stop),
        grace(Cause::Conflict, 2 * DAY, Outcome::Stop),
    ];
    body.grace = Set::new(rules.to_vec()).unwrap();
    let blocked = Set::new(vec![BACKUP, CONNECT]).unwrap();
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
            12,
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
        let changes = same(&world, name, &state, &events(what), until);
        assert!(changes >= least, "{name}: only {changes} changes");
    }
}

#[test]
fn the_license_that_takes_over_is_found_where_it_does() {
    let world = World::new();
    let until = at("2027-11-27T12:00:00Z");
    // The second license takes over on a changed machine, or grants less than is in use.
    let next = |body: &mut LicenseBody| {
        terms(body);
        body.starts = "2027-11-26".parse::<Day>().unwrap();
        let mut policy = body.policy.clone();
        policy.threshold = policy.total();
        body.policy = policy;
    };
    let state = server(&world, terms, Some(&next));
    assert!(same(&world, "nothing", &state, &[], until) >= 3);
    let renamed = events(&["2027-11-24T12:00:00Z hostname mail1"]);
    assert!(same(&world, "another name", &state, &renamed, until) >= 4);
    let until = at("2027-11-26T21:00:00Z");
    // Usage within the first quota exceeds the next one from the start of the next license, not
    // later.
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
        same(&world, "less", &state, &events(more), until);
        let timeline = play(&state, &events(more), until).unwrap();
        let over =
            timeline.entries.iter().find(|entry| entry.condition == Condition::Grace).unwrap();
        let stop =
            timeline.entries.iter().find(|entry| entry.condition == Condition::Stopped).unwrap();
        assert_eq!((over.at, stop.at.seconds), (begins, begins.seconds + 12 * HOUR));
    }
    let later = events(&["2027-11-24 use OBM=5", "2027-11-26T08:00:00Z use OBM=6"]);
    same(&world, "less, and over it later", &state, &later, until);
    let timeline = play(&state, &later, until).unwrap();
    let stop = timeline.entries.iter().find(|entry| entry.condition == Condition::Stopped).unwrap();
    assert_eq!(stop.at, at("2027-11-26T20:00:00Z"), "a full grace period from the excess");
}

/// The vendor's answer to the request of the server.
fn answer(
    world: &World,
    count: u8,
    over: OverQuota,
    terms: impl Fn(&mut LicenseBody),
) -> Happening {
    let bytes = world.license(|body| {
        terms(body);
        (body.license, body.answer) = (LicenseId([count * 0x11; 16]), count.into());
    });
    Happening::Import(Arc::new(AnswerFile { name: format!("answer {count}"), bytes, over }))
}

#[test]
fn what_is_imported_and_withdrawn_counts_from_then() {
    let world = World::new();
    let graced = |body: &mut LicenseBody| {
        terms(body);
        let mut rules = body.grace.to_vec();
        rules.push(grace(Cause::Revoked, 6 * HOUR, Outcome::Stop));
        rules.push(grace(Cause::Pooled, DAY, Outcome::Stop));
        body.grace = Set::new(rules).unwrap();
    };
    let less = |body: &mut LicenseBody| {
        graced(body);
        let mut grants = body.grants.to_vec();
        grants.iter_mut().for_each(|grant| grant.quota = Limit::Only(5));
        body.grants = Set::new(grants).unwrap();
    };
    let later = |body: &mut LicenseBody| {
        graced(body);
        body.starts = "2027-11-26".parse::<Day>().unwrap();
    };
    let state = server(&world, graced, None);
    let until = at("2027-11-26T12:00:00Z");
    for (name, least, played) in [
        (
            "pooled, and a key of the pool",
            3,
            vec![
                ("2027-11-24T10:00:00Z", Happening::Withdrawn(Cause::Pooled)),
                ("2027-11-25T08:30:00Z", answer(&world, 2, OverQuota::Refused, graced)),
            ],
        ),
        (
            "revoked, then pooled, then an answer and a revocation at once",
            4,
            vec![
                ("2027-11-24T10:00:00Z", Happening::Withdrawn(Cause::Revoked)),
                ("2027-11-24T12:00:00Z", Happening::Withdrawn(Cause::Pooled)),
                ("2027-11-25T15:00:00Z", answer(&world, 2, OverQuota::Refused, graced)),
                ("2027-11-25T15:00:00Z", Happening::Withdrawn(Cause::Revoked)),
            ],
        ),
        (
            "less than is used, refused and accepted",
            4,
            vec![
                ("2027-11-24", events(&["2027-11-24 use OBM=9"]).remove(0).what),
                ("2027-11-24T10:00:00Z", answer(&world, 2, OverQuota::Refused, less)),
                ("2027-11-24T11:00:00Z", answer(&world, 2, OverQuota::Accepted, less)),
                ("2027-11-26T11:00:00Z", answer(&world, 3, OverQuota::Refused, graced)),
            ],
        ),
        (
            "a waiting license, revoked once it is in effect",
            3,
            vec![
                ("2027-11-24", answer(&world, 2, OverQuota::Refused, later)),
                ("2027-11-26T06:00:00Z", Happening::Withdrawn(Cause::Revoked)),
                ("2027-11-26T07:00:00Z", answer(&world, 1, OverQuota::Refused, graced)),
            ],
        ),
        (
            "deactivated, then an answer to an earlier request",
            2,
            vec![
                ("2027-11-24", Happening::Deactivate),
                ("2027-11-25", answer(&world, 2, OverQuota::Refused, graced)),
            ],
        ),
    ] {
        let played = played.into_iter().map(|(when, what)| ScenarioEvent { at: at(when), what });
        let changes = same(&world, name, &state, &played.collect::<Vec<_>>(), until);
        assert!(changes >= least, "{name}: only {changes} changes");
    }
}

/// Returns a change that sets random terms, for a license that starts on day `first`.
fn any_terms(rng: &mut ChaCha20Rng, first: u32) -> impl Fn(&mut LicenseBody) + use<> {
    let day = |number: u32| Some(Day { number });
    let mut some = |from: u32, to: u32| rng.random_range(from..=to);
    let (starts, expires) = (first, first + some(0, 4));
    let (expires, maintenance) = (expires, first + some(0, 6));
    let (has_end, tolerance, quota) = (some(0, 4) > 0, some(0, 3) * 1800, u64::from(some(5, 30)));
    let (mut rules, mut enforcement) = (Vec::new(), Vec::new());
    for cause in [
        Cause::Expired,
        Cause::OverQuota,
        Cause::Conflict,
        Cause::Revoked,
        Cause::Pooled,
        Cause::Upgraded,
    ] {
        let outcome = match some(0, 4) {
            0 => continue,
            1 | 2 => Outcome::Stop,
            3 => Outcome::Block,
            _ => Outcome::Warn,
        };
        rules.push(grace(cause, u64::from(some(0, 60)) * HOUR / 2, outcome));
        if outcome == Outcome::Block {
            let blocked = Set::new(vec![BACKUP, CREATE_USER]).unwrap();
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

fn any_event(
    rng: &mut ChaCha20Rng,
    begin: u64,
    minutes: u64,
    answers: &[Happening],
) -> ScenarioEvent {
    let second = begin + rng.random_range(0..=minutes) * MINUTE;
    let count = rng.random_range(0..=30);
    let near = |rng: &mut ChaCha20Rng| {
        let days = rng.random_range(0..=4) * DAY;
        Instant::new(second - 2 * DAY + days + rng.random_range(0..=1440) * MINUTE)
    };
    let what = match rng.random_range(0..17) {
        14 => Happening::Withdrawn([Cause::Revoked, Cause::Pooled][rng.random_range(0..2)]),
        15 => Happening::Upgrade(Instant::new(second).day()),
        16 => answers[rng.random_range(0..answers.len())].clone(),
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
    ScenarioEvent { at: Instant::new(second), what }
}

/// Removes events that are impossible while the server is down.
fn keep_possible(events: &mut Vec<ScenarioEvent>) {
    let mut runs = true;
    events.retain(|event| match event.what {
        Happening::Off | Happening::On => {
            runs = event.what == Happening::On;
            true
        }
        Happening::Use(_) | Happening::Import(_) => runs,
        Happening::Withdrawn(_) | Happening::Upgrade(_) => runs,
        _ => true,
    });
}

#[test]
fn whatever_happens_the_changes_are_those_found_minute_by_minute() {
    let (world, begin) = (World::new(), at(NOW));
    let (days, mut changes) = (3, 0);
    let seeds = if std::env::var_os("OLR_LONG").is_some() { 40 } else { 4 };
    for seed in 0..seeds {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let installed = any_terms(&mut rng, begin.day().number);
        let after = rng.random_range(1..=4);
        let next = any_terms(&mut rng, begin.day().number + after);
        let next = (seed % 3 == 0).then_some(&next as &dyn Fn(&mut LicenseBody));
        let state = server(&world, installed, next);
        let answers = [3, 4].map(|count| {
            let starts = begin.day().number + rng.random_range(0..=3);
            answer(&world, count, OverQuota::Accepted, any_terms(&mut rng, starts))
        });
        let count = rng.random_range(2..=16);
        let mut events: Vec<_> =
            (0..count).map(|_| any_event(&mut rng, begin.seconds, days * 1440, &answers)).collect();
        events.sort_by_key(|event| event.at);
        keep_possible(&mut events);
        let until = Instant::new(begin.seconds + days * DAY);
        changes += same(&world, &format!("seed {seed}"), &state, &events, until);
    }
    assert!(changes > 5 * seeds as usize, "only {changes} changes: too little happened");
}

//! At each second, a running guard answers as a process started at that second would.

use olr::{Operation, Question};
use olr_core::entitlement::{Cause, EnforcementRule, GraceRule, Outcome};
use olr_core::error::Refusal;
use olr_core::judge::Decision;
use olr_core::license::LicenseBody;
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::Set;
use rand::{RngExt, SeedableRng, rngs::ChaCha20Rng};

use crate::server::{DAY, HOUR, Server};
use crate::world::operations::{ALL, RESTORE};

/// Returns the refusal, the headline and the blocked operations of a decision.
fn said(decision: &Decision) -> (String, String, Vec<Operation>) {
    let refusal = decision.refusal().map(ToString::to_string).unwrap_or_default();
    let headline = decision.headline().map(|headline| headline.to_string()).unwrap_or_default();
    (refusal, headline, decision.blocked().to_vec())
}

#[track_caller]
fn same(server: &Server, guard: &olr::Guard) {
    let (running, started) = (guard.decision(), server.judged());
    assert_eq!(said(&running), said(&started), "at {}", server.now());
    for operation in ALL {
        let question = Question { adds: &[("OBM", 1)], ..Question::about(operation) };
        assert_eq!(running.ask(&question), started.ask(&question), "{operation}");
    }
}

/// Returns a change that sets random grace periods, and an end that is near or missing.
fn any(rng: &mut ChaCha20Rng) -> impl FnOnce(&mut LicenseBody) + use<> {
    let start = Day { number: 21_145 + rng.random_range(0..4) };
    let end = Day { number: start.number + rng.random_range(0..40) };
    let spans = [0, 60, HOUR / 2, HOUR, 12 * HOUR, 3 * DAY, 14 * DAY];
    let (mut grace, mut enforcement) = (Vec::new(), Vec::new());
    for cause in Cause::ALL.iter().copied().filter(|cause| cause.is_of_licenses()) {
        if rng.random_bool(0.5) {
            let outcome = Outcome::ALL[rng.random_range(0..3)];
            grace.push(GraceRule { cause, seconds: spans[rng.random_range(0..7)], outcome });
            if outcome == Outcome::Block {
                let blocked = ALL.iter().copied().filter(|_| rng.random_bool(0.5));
                let blocked = Set::new(blocked.collect()).unwrap();
                enforcement.push(EnforcementRule { cause, blocked });
            }
        }
    }
    let always = if rng.random() { vec![RESTORE] } else { vec![] };
    let (expires, tolerance) = (rng.random_bool(0.8).then_some(end), rng.random_range(0..3) * 900);
    move |body| {
        (body.starts, body.expires, body.tolerance) = (start, expires, tolerance);
        body.grace = Set::new(grace).unwrap();
        body.enforcement = Set::new(enforcement).unwrap();
        body.always = Set::new(always).unwrap();
    }
}

#[test]
fn at_any_second_of_any_license_it_is_as_if_it_had_just_started() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (mut refused, mut graces, mut steps) = (0, 0, 0);
    for _ in 0..25 {
        let server = Server::with(any(&mut rng));
        let guard = server.guard();
        let mut used = 0;
        for _ in 0..30 {
            match rng.random_range(0..12) {
                0 => {
                    used = rng.random_range(0..23);
                    guard.report(&[("OBM", used)]).unwrap();
                }
                // Small and large jumps, some of them backwards, and some beyond what is believed
                // at once.
                1 => server.set(Instant::new(server.now().seconds - rng.random_range(0..2 * HOUR))),
                2 => server.pass(rng.random_range(0..60 * DAY)),
                3 if rng.random_bool(0.2) => server.pass(500 * DAY),
                4 => {
                    let body = any(&mut rng);
                    server.import(rng.random_range(2..9), body);
                    // The guard notices the new license one second later.
                    server.pass(1);
                }
                // Just before the next change, and exactly at it.
                _ => match guard.decision().next_change().filter(|at| *at > server.now()) {
                    Some(change) => {
                        server.set(Instant::new(change.seconds - 1));
                        same(&server, &guard);
                        server.set(change);
                    }
                    None => server.pass(rng.random_range(0..3 * DAY)),
                },
            }
            same(&server, &guard);
            let decision = guard.decision();
            refused += u32::from(decision.refusal().is_some());
            graces += u32::from(!decision.graces().is_empty());
            steps += 1;
        }
        assert_eq!(guard.decision().usage().get("OBM").map_or(0, |count| count.count), used);
    }
    assert!(steps == 750 && refused > 150 && graces > 75, "{steps} {refused} {graces}");
}

#[test]
fn the_next_license_takes_over_in_its_first_second() {
    let server = Server::with(|body| body.expires = Some("2027-11-24".parse::<Day>().unwrap()));
    let start = "2027-11-25".parse::<Day>().unwrap();
    server.import(2, |body| (body.starts, body.expires) = (start, None));
    let guard = server.guard();
    let id = || guard.decision().license().unwrap().body().license.0[0];
    for (clock, expected) in [(start.begins().seconds - 1, 0x11), (start.begins().seconds, 2)] {
        server.set(Instant::new(clock));
        assert_eq!(id(), expected);
    }
}

#[test]
fn a_clock_set_back_is_refused_until_it_has_caught_up() {
    let server = Server::with(|body| body.tolerance = 600);
    let (guard, question) = (server.guard(), Question::about(Operation::RUN));
    server.pass(2 * HOUR);
    guard.ask(&question).unwrap();
    let mark = server.now();
    let back = |seconds: u64| {
        server.set(Instant::new(mark.seconds - seconds));
        guard.ask(&question).map_err(|error| error.refusal().unwrap())
    };
    assert_eq!(back(600), Ok(()));
    assert_eq!(back(601), Err(Refusal::ClockRolledBack));
    assert_eq!(back(HOUR), Err(Refusal::ClockRolledBack));
    let looks = server.looks();
    // The refusal ends at the exact second; until then, the guard reads the machine at most once.
    assert_eq!(back(HOUR - 1), Err(Refusal::ClockRolledBack));
    assert!(server.looks() <= looks + 1);
    assert_eq!(back(601), Err(Refusal::ClockRolledBack));
    assert_eq!(back(600), Ok(()));
}

#[test]
fn a_clock_far_ahead_costs_nothing_while_it_is_not_confirmed() {
    let server = Server::with(|body| body.expires = None);
    let (guard, question) = (server.guard(), Question::about(Operation::RUN));
    let begins = "2028-02-01".parse::<Day>().unwrap();
    server.import(2, |body| (body.starts, body.expires) = (begins, None));
    let id = || guard.decision().license().unwrap().body().license.0[0];
    server.pass(500 * DAY);
    guard.ask(&question).unwrap();
    assert!(guard.decision().clock_is_pending());
    let looks = server.looks();
    for _ in 0..600 {
        server.pass(1);
        (0..5).for_each(|_| guard.ask(&question).unwrap());
    }
    assert!(server.looks() <= looks + 1, "{} looks", server.looks() - looks);
    // The next license waits until the clock is confirmed: after 30 days here, because there is no
    // boot id.
    server.pass(30 * DAY - 601);
    assert_eq!(id(), 0x11);
    server.pass(1);
    assert_eq!(id(), 2);
    assert!(!guard.decision().clock_is_pending());
}

#[test]
fn a_wrong_clock_changes_answers_while_it_is_wrong_and_nothing_after() {
    let server = Server::with(|_| ());
    let (guard, question) = (server.guard(), Question::about(Operation::RUN));
    let right = server.now();
    for (jump, word) in
        [(500 * DAY, Some(Refusal::Expired)), (0, None), (400 * DAY + 1, Some(Refusal::Expired))]
    {
        server.set(Instant::new(right.seconds + jump));
        assert_eq!(guard.ask(&question).err().and_then(|error| error.refusal()), word);
    }
    server.set(Instant::new(right.seconds + 1));
    guard.ask(&question).unwrap();
    // The same holds while an earlier decision is reused.
    server.pass(10);
    guard.ask(&question).unwrap();
    let looks = server.looks();
    server.set(Instant::new(server.now().seconds - 5));
    guard.ask(&question).unwrap();
    assert_eq!(server.looks(), looks + 1);
}

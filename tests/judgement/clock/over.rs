//! Time over the quota adds up: going below it for a moment gains nothing.

use olr_core::entitlement::{Cause, Count, GraceRule, Outcome};
use olr_core::license::{License, LicenseBody};
use olr_core::state::State;
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::{Limit, Set};
use olr_core::wire::id::LicenseId;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use crate::clock::{Server, at};
use crate::world::{NOW, World, text};

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// Returns a change that removes the end date of the license, which grants 20 OBM, and sets these
/// grace periods, after which the server stops.
fn stops(causes: &[(Cause, u64)]) -> impl Fn(&mut LicenseBody) {
    let rule = |(cause, seconds): &(Cause, u64)| GraceRule {
        cause: *cause,
        seconds: *seconds,
        outcome: Outcome::Stop,
    };
    let rules = Set::new(causes.iter().map(rule).collect()).unwrap();
    move |body| {
        body.expires = None;
        body.grace = rules.clone();
    }
}

const TWELVE: [(Cause, u64); 1] = [(Cause::OverQuota, 12 * HOUR)];

fn server<'a>(world: &'a World, causes: &[(Cause, u64)]) -> Server<'a> {
    Server::new(world, &world.installed(NOW, stops(causes)).to_bytes())
}

impl Server<'_> {
    /// Reports `used` OBM, and returns the resulting state.
    fn uses(&mut self, used: u64) -> String {
        let name = self.state.memory().slots[0].name.clone();
        let count = Count { module: text("OBM"), count: used };
        self.state.observe(&self.around);
        self.state.report(&name, &[count], self.around.clock).unwrap();
        self.verify();
        self.word.clone()
    }

    /// Lets time pass with a check every day, and returns the resulting state.
    fn after(&mut self, mut seconds: u64) -> String {
        while seconds > DAY {
            self.jump(DAY);
            seconds -= DAY;
        }
        self.jump(seconds)
    }

    /// Sets the clock ahead without checks in between, and returns the resulting state.
    fn jump(&mut self, seconds: u64) -> String {
        self.pass(seconds);
        self.verify();
        self.word.clone()
    }

    /// Seconds of the grace period that are left.
    fn left(&self) -> u64 {
        let decision = self.decide(self.around.clock, &self.state);
        decision.grace().unwrap().until.unwrap().seconds - self.around.clock.seconds
    }

    fn renewed(&mut self, answer: u32, change: impl FnOnce(&mut LicenseBody)) {
        let bytes = self.world.license(|body| {
            (body.answer, body.license) = (answer, LicenseId([answer.try_into().unwrap(); 16]));
            change(body);
        });
        let license = License::verify(&bytes, &self.world.vendor.trust).unwrap();
        self.state.observe(&self.around);
        self.state.accept(&license, self.around.clock).unwrap();
        self.verify();
    }
}

fn quota(body: &mut LicenseBody, quota: u64) {
    let mut grants = body.grants.to_vec();
    grants.iter_mut().for_each(|grant| grant.quota = Limit::Only(quota));
    body.grants = Set::new(grants).unwrap();
}

/// Time that a server runs over the quota within 60 days, if it repeatedly exceeds the quota for
/// `over` seconds and then stays within it for `within` seconds.
fn runs(world: &World, over: u64, within: u64) -> u64 {
    let mut server = server(world, &TWELVE);
    let (mut ran, end) = (0, server.around.clock.seconds + 60 * DAY);
    while server.around.clock.seconds < end {
        server.uses(1000);
        let step = 1800;
        for _ in 0..over / step {
            ran += if server.word == "grace" { step } else { 0 };
            server.after(step);
        }
        assert_eq!(server.uses(1), "licensed", "solving it helps at once");
        server.after(within);
    }
    ran
}

#[test]
fn solving_it_for_a_moment_gains_an_hour_a_day_at_most() {
    let world = World::new();
    for (over, within) in
        [(11 * HOUR, 0), (11 * HOUR, 1), (11 * HOUR, 13 * HOUR), (HOUR, 1), (13 * HOUR, 0)]
    {
        let ran = runs(&world, over, within);
        assert!(ran <= (12 + 61) * HOUR, "{over} {within}: {} hours", ran / HOUR);
    }
    // A week within the quota restores the full grace period.
    assert!(runs(&world, 11 * HOUR, 7 * DAY) >= 7 * 11 * HOUR);
}

#[test]
fn one_then_a_thousand_every_11_hours_stops_in_the_end() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    assert_eq!(server.uses(1000), "grace");
    assert_eq!(server.after(11 * HOUR), "grace");
    assert_eq!(server.uses(1), "licensed");
    assert_eq!(server.uses(1000), "grace");
    assert_eq!(server.left(), HOUR);
    assert_eq!(server.after(HOUR - 1), "grace");
    assert_eq!(server.after(1), "quota-exceeded");
    // The first excess in a day gets one hour, the second none.
    assert_eq!(server.uses(1), "licensed");
    assert_eq!((server.uses(1000), server.left()), ("grace".to_string(), HOUR));
    assert_eq!(server.after(HOUR), "quota-exceeded");
    assert_eq!(server.uses(1), "licensed");
    assert_eq!(server.uses(1000), "quota-exceeded");
    assert_eq!(server.uses(1), "licensed");
    server.after(22 * HOUR + 59 * 60);
    assert_eq!(server.uses(1000), "quota-exceeded", "a minute less than a day");
    assert_eq!(server.uses(1), "licensed");
    server.after(60);
    assert_eq!(server.uses(1000), "grace");
}

#[test]
fn what_was_spent_is_forgotten_after_a_week_or_the_length_of_the_grace() {
    let world = World::new();
    for (length, forgotten) in [(12 * HOUR, 7 * DAY), (60 * DAY, 60 * DAY)] {
        for (within, left) in [(forgotten - 1, length - 2 * HOUR), (forgotten, length)] {
            let mut server = server(&world, &[(Cause::OverQuota, length)]);
            server.uses(30);
            server.after(2 * HOUR);
            server.uses(20);
            server.after(within);
            assert_eq!(server.uses(21), "grace");
            assert_eq!(server.left(), left, "{length} {within}");
        }
    }
}

#[test]
fn a_license_that_grants_the_most_that_was_used_forgets_it() {
    let world = World::new();
    for (granted, left) in [(999, 10 * HOUR), (1000, 12 * HOUR), (5000, 12 * HOUR)] {
        let mut server = server(&world, &TWELVE);
        server.uses(1000);
        server.after(2 * HOUR);
        server.uses(10);
        server.renewed(2, |body| {
            stops(&TWELVE)(body);
            quota(body, granted);
        });
        assert_eq!(server.uses(6000), "grace");
        assert_eq!(server.left(), left, "{granted}");
    }
}

#[test]
fn each_cause_adds_up_apart() {
    let world = World::new();
    let upgraded = [(Cause::Upgraded, 60 * DAY)];
    // The same excess gets another cause, and then the first one again: neither change gives back
    // time that was spent.
    let mut server = server(&world, &TWELVE);
    server.uses(1000);
    server.after(10 * HOUR);
    server.renewed(2, stops(&upgraded));
    assert_eq!((server.word.as_str(), server.left()), ("grace", 60 * DAY));
    server.after(DAY);
    server.renewed(3, stops(&TWELVE));
    assert_eq!((server.word.as_str(), server.left()), ("grace", 2 * HOUR));
    server.renewed(4, stops(&upgraded));
    assert_eq!(server.left(), 59 * DAY);
    // The cause changes because a license grants more.
    server.renewed(5, |body| {
        stops(&TWELVE)(body);
        quota(body, 21);
    });
    assert_eq!((server.word.as_str(), server.left()), ("grace", 12 * HOUR));
}

#[test]
fn a_next_license_that_grants_less_counts_from_its_start() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    server.uses(15);
    server.renewed(2, |body| {
        stops(&TWELVE)(body);
        body.starts = "2027-12-01".parse::<Day>().unwrap();
        quota(body, 10);
    });
    let begins = at("2027-11-30T10:00:00Z").seconds;
    server.around.clock = Instant::new(begins - 1);
    assert_eq!(server.after(0), "licensed");
    assert_eq!(server.after(2 * HOUR + 1), "grace");
    assert_eq!(server.left(), 10 * HOUR);
    // The same holds whether or not usage is reported.
    assert_eq!((server.uses(16), server.left()), ("grace".to_string(), 10 * HOUR));
    server.uses(1);
    server.after(HOUR);
    server.uses(16);
    assert_eq!(server.left(), 10 * HOUR);
}

#[test]
fn a_far_clock_adds_up_too_and_leaves_nothing() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    server.around.clock = at("2040-01-01T00:00:00Z");
    for (over, left) in [(5 * HOUR, 12 * HOUR), (5 * HOUR, 7 * HOUR), (2 * HOUR, 2 * HOUR)] {
        assert_eq!(server.uses(1000), "grace");
        assert_eq!(server.left(), left);
        server.after(over);
        server.uses(1);
    }
    server.around.clock = at("2027-11-23T10:00:00Z");
    assert_eq!(server.uses(1000), "grace");
    assert_eq!(server.left(), 12 * HOUR);
}

/// Storing and parsing a state preserves the record of time over the quota.
#[test]
fn what_adds_up_is_kept() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    server.uses(1000);
    server.after(2 * HOUR);
    server.uses(1);
    let bytes = server.state.to_bytes();
    assert_eq!(State::parse(&bytes).unwrap().memory(), server.state.memory());
}

/// Time that was spent under the earlier license counts, and reporting usage does not move the end
/// of the grace period.
#[test]
fn what_was_spent_counts_when_a_license_takes_over_by_its_start() {
    let world = World::new();
    let week = [(Cause::OverQuota, 7 * DAY)];
    for (spent, left) in [(0, 7 * DAY), (6 * DAY, DAY), (7 * DAY - 60, HOUR), (8 * DAY, HOUR)] {
        let mut server = server(&world, &week);
        server.uses(30);
        server.after(spent);
        server.uses(15);
        server.renewed(2, |body| {
            stops(&week)(body);
            body.starts = "2027-12-03".parse::<Day>().unwrap();
            quota(body, 10);
        });
        server.around.clock = at("2027-12-02T10:00:00Z");
        assert_eq!((server.after(60), server.left()), ("grace".to_string(), left - 60), "{spent}");
        assert_eq!((server.uses(14), server.left()), ("grace".to_string(), left - 60), "{spent}");
        server.after(left - 61);
        assert_eq!((server.word.as_str(), server.left()), ("grace", 1));
        assert_eq!(server.after(1), "quota-exceeded");
    }
}

#[test]
fn a_license_with_a_shorter_rule_leaves_an_hour() {
    let world = World::new();
    let rule = |days: u64| [(Cause::OverQuota, days * DAY)];
    for (used, days, left) in [(5, 3, HOUR), (5, 5, HOUR), (5, 6, DAY), (1, 3, 2 * DAY)] {
        let mut server = server(&world, &rule(14));
        server.uses(30);
        server.after(used * DAY);
        server.renewed(2, stops(&rule(days)));
        assert_eq!((server.word.as_str(), server.left()), ("grace", left), "{used} {days}");
        // The extra hour is given at most once a day.
        server.after(HOUR);
        server.renewed(3, stops(&rule(days)));
        let word = if left == HOUR { "quota-exceeded" } else { "grace" };
        assert_eq!(server.word, word, "{used} {days}");
    }
}

#[test]
fn a_far_clock_is_granted_an_hour_too_and_no_more() {
    let world = World::new();
    let week = [(Cause::OverQuota, 7 * DAY)];
    let mut server = server(&world, &week);
    server.around.boot = text("");
    let far = at("2040-01-01T00:00:00Z").seconds;
    server.around.clock = Instant::new(far);
    assert_eq!((server.uses(30), server.left()), ("grace".to_string(), 7 * DAY));
    server.after(7 * DAY - 1800);
    server.uses(1);
    assert_eq!((server.uses(30), server.left()), ("grace".to_string(), HOUR));
    server.after(HOUR - 60);
    server.uses(1);
    assert_eq!((server.uses(30), server.left()), ("grace".to_string(), 60), "once in a day");
    server.uses(1);
    server.after(DAY);
    assert_eq!((server.uses(30), server.left()), ("grace".to_string(), HOUR));
    // The clock was wrong, so no time was spent and no extra hour given.
    server.uses(1);
    server.around.clock = at("2027-11-23T10:00:00Z");
    assert_eq!((server.uses(30), server.left()), ("grace".to_string(), 7 * DAY));
    server.after(7 * DAY - 1800);
    server.uses(1);
    assert_eq!((server.uses(30), server.left()), ("grace".to_string(), HOUR));
}

/// A far clock does not give the extra hour of a day a second time.
#[test]
fn a_clock_that_was_far_for_a_moment_grants_no_second_hour() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    server.uses(30);
    server.after(12 * HOUR);
    server.uses(1);
    assert_eq!((server.uses(30), server.left()), ("grace".to_string(), HOUR));
    assert_eq!(server.after(HOUR), "quota-exceeded");
    server.uses(1);
    let now = server.around.clock;
    server.around.clock = at("2040-01-01T00:00:00Z");
    server.uses(30);
    server.after(60);
    server.uses(1);
    server.around.clock = now;
    assert_eq!(server.uses(30), "quota-exceeded");
}

#[test]
fn a_confirmed_clock_is_no_week_within_the_quota() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    server.around.boot = text("");
    server.uses(30);
    server.after(5 * HOUR);
    server.around.clock = at("2040-01-01T00:00:00Z");
    // Usage is back within the quota while the clock is far; 30 days later that clock is confirmed.
    server.verify();
    server.after(30 * DAY - 1);
    server.uses(1);
    server.after(1);
    assert_eq!(server.state.memory().pending, None);
    assert_eq!((server.uses(30), server.left()), ("grace".to_string(), 7 * HOUR));
}

#[test]
fn the_most_that_was_used_is_forgotten_with_the_time() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    server.uses(1000);
    server.after(2 * HOUR);
    server.uses(1);
    server.after(7 * DAY);
    server.uses(30);
    server.after(2 * HOUR);
    server.uses(1);
    server.renewed(2, |body| {
        stops(&TWELVE)(body);
        quota(body, 30);
    });
    assert_eq!((server.uses(31), server.left()), ("grace".to_string(), 12 * HOUR));
}

/// Reports of very many other modules do not displace the module that was over its quota.
#[test]
fn the_most_that_was_used_of_a_module_stays_however_many_follow() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    server.uses(1000);
    server.after(11 * HOUR);
    let name = server.state.memory().slots[0].name.clone();
    let junk = |used: u64| {
        let count = |i: u32| Count { module: text(&format!("M{i:04}")), count: used };
        (0..4095).map(count).collect::<Vec<_>>()
    };
    let report = |server: &mut Server<'_>, used: &[Count]| {
        server.state.observe(&server.around);
        server.state.report(&name, used, server.around.clock).unwrap();
    };
    report(&mut server, &junk(1));
    report(&mut server, &junk(0));
    server.uses(1);
    report(&mut server, &["N1", "N2"].map(|name| Count { module: text(name), count: 1 }));
    let most = &server.state.memory().slots[0].over.most;
    assert_eq!((most.get("OBM").unwrap().count, most.len()), (1000, 4096));
    // A license that grants less than the 1000 that were used does not clear the record.
    server.renewed(2, |body| {
        stops(&TWELVE)(body);
        quota(body, 30);
    });
    assert_eq!((server.uses(1000), server.left()), ("grace".to_string(), HOUR));
}

/// The mark is set back to before the start of the next license, so the earlier one is in effect
/// again.
#[test]
fn an_installed_license_that_counts_again_goes_on_where_the_next_one_was() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    server.renewed(2, |body| {
        stops(&TWELVE)(body);
        body.starts = "2027-12-01".parse::<Day>().unwrap();
        quota(body, 25);
    });
    server.around.clock = at("2027-11-30T10:00:00Z");
    assert_eq!(server.uses(30), "grace");
    assert_eq!((server.after(2 * HOUR), server.left()), ("grace".to_string(), 10 * HOUR));
    server.around.clock = at("2027-11-30T09:00:00Z");
    server.timestamp(server.around.clock);
    assert_eq!((server.after(HOUR - 1), server.left()), ("grace".to_string(), 11 * HOUR + 1));
    assert_eq!((server.uses(31), server.left()), ("grace".to_string(), 11 * HOUR + 1));
}

/// A far clock that steps back does not restart the count: a grace period that ended at the mark
/// has ended at the far clock too.
#[test]
fn a_grace_that_ended_by_the_mark_has_ended_by_a_far_clock() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    assert_eq!(server.uses(1000), "grace");
    assert_eq!(server.after(12 * HOUR), "quota-exceeded");
    let mark = server.around.clock;
    server.around.clock = at("2099-01-01");
    assert_eq!(server.uses(1), "licensed");
    // The extra hour of the day.
    assert_eq!(server.uses(1000), "grace");
    assert!(server.left() <= HOUR);
    server.around.evidence = Some(Instant::new(mark.seconds + HOUR));
    for clock in ["2099-01-01", "2098-01-01", "2097-01-01", "2060-01-01", "2029-06-01"] {
        server.around.clock = at(clock);
        server.verify();
        assert_eq!(server.word, "quota-exceeded", "{clock}");
    }
    // Once the far clock is confirmed, the grace period has still ended.
    server.step("boot");
    server.step("up8d");
    assert_eq!(server.state.memory().pending, None);
    assert_eq!(server.word, "quota-exceeded");
}

#[test]
fn a_jump_of_the_clock_is_no_week_within_the_quota() {
    let world = World::new();
    for (length, spent) in [(12 * HOUR, 11 * HOUR), (48 * HOUR, 47 * HOUR)] {
        for jump in [7 * DAY, 30 * DAY, 400 * DAY] {
            let mut server = server(&world, &[(Cause::OverQuota, length)]);
            server.uses(1000);
            server.after(spent);
            server.uses(1);
            server.jump(jump);
            assert_eq!((server.uses(1000), server.left()), ("grace".to_string(), length - spent));
        }
    }
    // Each jump counts as one day, however long it is.
    for jump in [DAY, DAY + 1, 7 * DAY, 60 * DAY] {
        for (jumps, left) in [(6, HOUR), (7, 12 * HOUR)] {
            let mut server = server(&world, &TWELVE);
            server.uses(1000);
            server.after(11 * HOUR);
            server.uses(1);
            (0..jumps).for_each(|_| drop(server.jump(jump)));
            server.uses(1000);
            assert_eq!(server.left(), left, "{jumps} of {jump}");
        }
    }
    // Setting the clock back within the tolerance and ahead again gains nothing.
    let mut server = server(&world, &TWELVE);
    server.uses(1000);
    server.after(11 * HOUR);
    server.uses(1);
    for _ in 0..20 {
        server.jump(DAY);
        server.around.clock = Instant::new(server.around.clock.seconds - DAY);
        server.verify();
    }
    server.jump(5 * DAY);
    server.uses(1000);
    assert_eq!(server.left(), HOUR);
}

/// Evidence and the issue date of a license also raise the mark, and count as one day as well.
#[test]
fn evidence_and_an_issue_date_count_as_one_day() {
    let world = World::new();
    for by_license in [false, true] {
        let mut server = server(&world, &TWELVE);
        server.uses(1000);
        server.after(11 * HOUR);
        server.uses(1);
        let later = Instant::new(server.around.clock.seconds + 8 * DAY);
        match by_license {
            true => server.renewed(2, |body| {
                stops(&TWELVE)(body);
                body.issued = later;
            }),
            false => {
                server.around.evidence = Some(later);
                server.verify();
                server.around.evidence = None;
            }
        }
        assert_eq!(server.state.memory().mark, later);
        server.around.clock = later;
        server.uses(1000);
        assert_eq!(server.left(), HOUR, "{by_license}");
    }
}

/// A timestamp from the vendor is not a jump of the clock: the time up to it counts in full.
#[test]
fn a_week_that_the_vendor_confirms_counts() {
    let world = World::new();
    let mut server = server(&world, &TWELVE);
    server.uses(1000);
    server.after(11 * HOUR);
    server.uses(1);
    let later = Instant::new(server.around.clock.seconds + 7 * DAY);
    server.timestamp(later);
    server.around.clock = later;
    server.uses(1000);
    assert_eq!(server.left(), 12 * HOUR);
}

/// Under any movement of the clock, the full grace period returns only after seven days that were
/// each observed.
#[test]
fn the_whole_grace_comes_again_only_after_a_week_of_looks() {
    let world = World::new();
    let imported = world.installed(NOW, stops(&TWELVE)).to_bytes();
    let mut rng = ChaCha20Rng::seed_from_u64(47);
    let (mut whole, mut rest) = (0, 0);
    for walk in 0..150 {
        let mut server = Server::new(&world, &imported);
        server.uses(1000);
        server.after(rng.random_range(1..12) * HOUR);
        server.uses(1);
        // Time within the quota: between two observations, at most one day counts.
        let (mut within, mut mark) = (0, server.state.memory().mark);
        for step in 0..rng.random_range(1..20) {
            let clock = server.around.clock.seconds;
            let ahead = [HOUR, DAY, DAY + 1, 2 * DAY, 6 * DAY, 7 * DAY, 30 * DAY, 401 * DAY];
            let ahead = ahead[rng.random_range(0..ahead.len())];
            let before = server.around.clock;
            match rng.random_range(0..8) {
                0 => server.around.clock = Instant::new(clock - rng.random_range(0..2 * DAY)),
                1 => server.readonly = !server.readonly,
                _ => server.around.clock = Instant::new(clock + ahead),
            }
            server.verify();
            if server.state.is_far(server.around.clock) {
                server.around.clock = before;
                server.verify();
            }
            let now = server.state.memory().mark;
            within += (now.seconds - mark.seconds).min(DAY);
            mark = now;
            if rng.random_bool(0.2) {
                server.uses(rng.random_range(0..20));
                let now = server.state.memory().mark;
                within += (now.seconds - mark.seconds).min(DAY);
                mark = now;
            }
            assert!(server.state.memory().slots[0].over.spent[0].solved <= mark, "{walk}.{step}");
        }
        let last = server.around.clock.seconds.max(mark.seconds);
        server.around.clock = Instant::new(last);
        server.uses(1000);
        within += (last - mark.seconds).min(DAY);
        match server.left() == 12 * HOUR {
            true => {
                assert!(within >= 7 * DAY, "walk {walk}: {within}");
                whole += 1;
            }
            false => {
                assert!(within < 7 * DAY, "walk {walk}: {within}");
                rest += 1;
            }
        }
    }
    assert!(whole > 20 && rest > 20, "{whole} {rest}");
}

//! Time over the quota adds up: solving it for a moment gains none.

use olr::entitlement::{Cause, Count, GraceRule, Outcome};
use olr::license::{License, LicenseBody};
use olr::state::State;
use olr::time::{Day, Instant};
use olr::wire::codec::{Limit, Set};
use olr::wire::id::LicenseId;

use crate::world::{NOW, World, text};
use crate::{Server, at};

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

/// 20 of OBM are granted, and so much time over that.
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
    /// So many are in use from now on. How it stands then.
    fn uses(&mut self, used: u64) -> String {
        let name = self.state.memory().slots[0].name.clone();
        let count = Count { module: text("OBM"), count: used };
        self.state.observe(&self.around);
        self.state.report(&name, &[count], self.around.clock).unwrap();
        self.verify();
        self.word.clone()
    }

    /// How it stands once so much time has passed.
    fn after(&mut self, seconds: u64) -> String {
        self.pass(seconds);
        self.verify();
        self.word.clone()
    }

    /// Until when it goes on like this.
    fn left(&self) -> u64 {
        let decision = self.decide(self.around.clock, &self.state);
        decision.grace.unwrap().until.unwrap().seconds - self.around.clock.seconds
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

/// How long a server runs in 60 days that solves it for a moment, then and when.
fn runs(world: &World, over: u64, within: u64) -> u64 {
    let mut server = server(world, &TWELVE);
    let (mut ran, end) = (0, server.around.clock.seconds + 60 * DAY);
    while server.around.clock.seconds < end {
        server.uses(1000);
        let step = 600;
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
    // After a week within the quota all of it is granted once more.
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
    // An hour the first time in a day, and no second one.
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
    // The same quota under another cause and back: nothing is given away.
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
        body.starts = Day::parse("2027-12-01").unwrap();
        quota(body, 10);
    });
    let begins = at("2027-11-30T10:00:00Z").seconds;
    server.around.clock = Instant::new(begins - 1);
    assert_eq!(server.after(0), "licensed");
    assert_eq!(server.after(2 * HOUR + 1), "grace");
    assert_eq!(server.left(), 10 * HOUR);
    // Whether somebody reports or not.
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

/// A state that is stored and read is the same.
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

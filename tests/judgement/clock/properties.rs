//! Changing the clock, keeping a home from being written, or restoring a snapshot gains nothing:
//! four properties over random walks.

use crate::world::machine;
use crate::world::operations::BACKUP;

use olr_core::entitlement::{Cause, Count, EnforcementRule, GraceRule, Outcome};
use olr_core::error::Refusal;
use olr_core::judge::Decision;
use olr_core::license::{License, LicenseBody};
use olr_core::revocation::{RevocationsBody, Withdrawn, digest_of, sign_revocations};
use olr_core::state::{State, Surroundings};
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::{Set, Text};
use olr_core::wire::id::LicenseId;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use crate::clock::{Server, at, word};
use crate::world::{NOW, World, text};

const DAY: u64 = 86_400;
const FAR: u64 = 400 * DAY;

fn cause_rules(body: &mut LicenseBody, rng: &mut ChaCha20Rng) {
    let causes = [Cause::Expired, Cause::OverQuota, Cause::Conflict, Cause::Revoked];
    let spans = [0, DAY / 2, 14 * DAY, 400 * DAY];
    let some: Vec<_> = causes.into_iter().filter(|_| rng.random_bool(0.7)).collect();
    let outcome = |rng: &mut ChaCha20Rng| match rng.random_range(0..4) {
        0 => Outcome::Warn,
        1 => Outcome::Block,
        _ => Outcome::Stop,
    };
    let rule = |cause: Cause, rng: &mut ChaCha20Rng| GraceRule {
        cause,
        seconds: spans[rng.random_range(0..4)],
        outcome: outcome(rng),
    };
    let rules: Vec<_> = some.into_iter().map(|cause| rule(cause, rng)).collect();
    let blocks = rules.iter().filter(|rule| rule.outcome == Outcome::Block);
    let blocked = Set::new(vec![BACKUP]).unwrap();
    let blocks = blocks.map(|r| EnforcementRule { cause: r.cause, blocked: blocked.clone() });
    body.enforcement = Set::new(blocks.collect()).unwrap();
    body.grace = Set::new(rules).unwrap();
}

/// An instant near the mark, near the clock, or anywhere.
fn near(server: &Server<'_>, rng: &mut ChaCha20Rng) -> Instant {
    let mark = server.state.memory().mark.seconds;
    let from = match rng.random_range(0..4) {
        0 | 1 => mark,
        2 => server.around.clock.seconds,
        _ => rng.random_range(0..=253_402_300_799),
    };
    let most = 1_u64 << rng.random_range(0..27);
    let span = rng.random_range(0..=most);
    Instant::new(match rng.random_bool(0.7) {
        true => from.saturating_add(span),
        false => from.saturating_sub(span),
    })
}

fn day(at: Instant) -> Day {
    Day { number: u32::try_from(at.seconds / DAY).unwrap_or(0).min(2_932_000) }
}

/// Imports a renewal that is always accepted: judged at the mark, it has not ended.
fn import(server: &mut Server<'_>, answer: u32, rng: &mut ChaCha20Rng) {
    let mark = server.state.memory().mark;
    let issued = Instant::new(mark.seconds.saturating_sub(rng.random_range(0..100 * DAY)));
    let starts = day(Instant::new(mark.seconds + rng.random_range(0..200 * DAY)));
    let ends = Day { number: starts.number + rng.random_range(1..500) };
    let expires = rng.random_bool(0.8).then_some(ends);
    let bytes = server.world.license(|body| {
        (body.answer, body.license) = (answer, LicenseId([answer.try_into().unwrap_or(0); 16]));
        (body.issued, body.starts, body.expires) = (issued, starts, expires);
        cause_rules(body, rng);
    });
    let license = License::verify(&bytes, &server.world.vendor.trust).unwrap();
    server.state.observe(&server.around);
    server.state.accept(&license, server.around.clock).unwrap();
    server.state.note_revoked(server.around.clock);
}

fn revoke(server: &mut Server<'_>, sequence: u64, rng: &mut ChaCha20Rng) {
    let named = (1..40_u8).filter(|_| rng.random_bool(0.3));
    let named = named
        .map(|id| Withdrawn { license: digest_of(LicenseId([id; 16])), cause: Cause::Revoked });
    let body = RevocationsBody {
        version: 1,
        sequence,
        issued: at("2027-11-20"),
        licenses: Set::new(named.collect()).unwrap(),
        extensions: Set::default(),
    };
    let vendor = &server.world.vendor;
    let list =
        sign_revocations(&body, &vendor.trust, (&vendor.issuer, &vendor.delegation), &[]).unwrap();
    server.state.revoke(&list, server.around.clock).unwrap();
    server.state.observe(&server.around);
    server.state.note_revoked(server.around.clock);
}

fn report(server: &mut Server<'_>, rng: &mut ChaCha20Rng) {
    let used = rng.random_range(0..30);
    let name = server.state.memory().slots[0].name.clone();
    let count = Count { module: text("OBM"), count: used };
    server.state.observe(&server.around);
    server.state.report(&name, &[count], server.around.clock).unwrap();
}

/// Applies a random event to the server and its clock.
fn wander(server: &mut Server<'_>, step: u32, copies: &mut Vec<Vec<u8>>, rng: &mut ChaCha20Rng) {
    let before = server.state.to_bytes().to_vec();
    match rng.random_range(0..16) {
        0..6 => server.around.clock = near(server, rng),
        6 => {
            server.boots += 1;
            server.around.boot = Text::new(&format!("boot {}", server.boots)).unwrap();
            server.around.uptime = rng.random_range(0..2 * DAY);
        }
        7 => {
            let ran = rng.random_range(0..9 * DAY);
            server.around.uptime += ran;
            server.pass(ran);
        }
        8 => (server.around.boot, server.around.uptime) = (Text::default(), 0),
        9 | 10 => import(server, step + 2, rng),
        11 => revoke(server, u64::from(step) + 1, rng),
        12 | 13 => report(server, rng),
        14 => {
            let other = ["server", "copy", "other"][rng.random_range(0..3)];
            server.around.factors = machine::around(other, server.around.clock).factors;
        }
        _ => {
            let copy = rng.random_range(0..copies.len());
            server.state = State::parse(&copies[copy]).unwrap();
        }
    }
    // If the home is locked or read-only, nothing is stored.
    if server.readonly && server.state.to_bytes().to_vec() != before {
        server.state = State::parse(&before).unwrap();
    }
    copies.push(server.state.to_bytes().to_vec());
    server.readonly = rng.random_bool(0.2);
}

fn license(decision: &Decision) -> Option<LicenseId> {
    decision.license().map(|license| license.body().license)
}

/// Whether `a` is better than `b`: its state ranks higher, or it allows something that `b` blocks.
fn is_better(a: &Decision, b: &Decision) -> bool {
    let rank = |decision: &Decision| match decision.state() {
        "licensed" => 2,
        "grace" => 1,
        _ => 0,
    };
    rank(a) > rank(b) || b.blocked().iter().any(|operation| !a.blocked().contains(*operation))
}

/// Whether a license started because the mark rose, which may improve a decision.
fn has_started(before: &Decision, after: &Decision) -> bool {
    let waits = |decision: &Decision| {
        let mut reasons = decision.reasons().iter();
        reasons.any(|blocked| blocked.why.refusal() == Some(Refusal::NotYetValid))
    };
    license(before) != license(after) || waits(before)
}

/// Whether the start of an excess or of a revocation was also noted by a far clock. Its grace
/// period is then counted from that instant while the clock is far, and from the mark otherwise.
fn is_noted_twice(state: &State) -> bool {
    let slots = &state.memory().slots;
    let notes = |slot: &olr_core::state::Slot| {
        let over: Vec<_> = slot.over.spent.iter().filter_map(|spent| spent.since).collect();
        [slot.revoked.into_iter().collect(), over].concat()
    };
    slots.iter().flat_map(notes).any(|noted| noted.far.is_some())
}

fn observed(state: &State, around: &Surroundings) -> State {
    let mut state = State::parse(&state.to_bytes()).unwrap();
    state.observe(around);
    state
}

#[test]
fn an_earlier_clock_is_never_better() {
    let world = World::new();
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let (mut held, mut noted_twice, mut pending, mut recovered) = ([0; 4], 0, 0, 0);
    let walks = if std::env::var_os("OLR_LONG").is_some() { 10_000 } else { 400 };
    for walk in 0..walks {
        let imported = world.installed(NOW, |body| cause_rules(body, &mut rng)).to_bytes();
        let mut server = Server::new(&world, &imported);
        let mut copies = vec![imported.to_vec()];
        for step in 0..rng.random_range(1..9) {
            wander(&mut server, step, &mut copies, &mut rng);
            let s = &server.state;
            let mark = s.memory().mark;
            let (a, b) = (near(&server, &mut rng), near(&server, &mut rng));
            let (t1, t2) = (a.min(b), a.max(b));
            let twice = is_noted_twice(s);
            noted_twice += u32::from(twice);
            pending += u32::from(s.memory().pending.is_some());
            // (a) One state, judged at a later clock, is not better.
            if mark <= t1 && !(twice && s.is_far(t1) != s.is_far(t2)) {
                let (earlier, later) = (server.decide(t1, s), server.decide(t2, s));
                assert!(
                    !is_better(&later, &earlier),
                    "walk {walk}.{step}: {t1} {t2}: {}, {}",
                    word(&earlier),
                    word(&later)
                );
                held[0] += 1;
            }
            // (b) Observing any clock does not improve a decision.
            let (t, u) = if rng.random() { (t1, t2) } else { (t2, t1) };
            let after = observed(s, &Surroundings { clock: u, ..server.around.clone() });
            if mark <= t && !(twice && s.is_far(t) != after.is_far(t)) {
                let (without, with) = (server.decide(t, s), server.decide(t, &after));
                if !has_started(&without, &with) {
                    assert!(
                        !is_better(&with, &without),
                        "walk {walk}.{step}: {t} after {u}: {}, {}",
                        word(&without),
                        word(&with)
                    );
                    held[1] += 1;
                }
            }
            // (c) After a later clock was observed, an earlier one is not better.
            let after = observed(s, &Surroundings { clock: t2, ..server.around.clone() });
            if !after.is_far(t2) {
                let (earlier, later) = (server.decide(t1, &after), server.decide(t2, &after));
                assert!(
                    !is_better(&earlier, &later),
                    "walk {walk}.{step}: {t1} after {t2}: {}, {}",
                    word(&earlier),
                    word(&later)
                );
                held[2] += 1;
            }
            // (d) Correcting a wrong clock leaves no trace of it.
            let far = Surroundings {
                clock: Instant::new(mark.seconds + FAR + 1 + t2.seconds),
                ..server.around.clone()
            };
            let right = Surroundings {
                clock: Instant::new(mark.seconds + rng.random_range(0..DAY)),
                ..server.around.clone()
            };
            let gone = observed(s, &right);
            let wrong = observed(s, &far);
            if wrong.memory().mark == mark {
                assert_eq!(observed(&wrong, &right).memory(), gone.memory(), "walk {walk}.{step}");
                held[3] += 1;
            }
            server.verify();
        }
        if walk % 10 == 0 {
            let right = at("2027-12-01T00:00:00Z");
            server.around.clock = right;
            server.timestamp(right);
            server.verify();
            assert!(!["clock-rolled-back"].contains(&server.word.as_str()), "walk {walk}");
            assert!(server.state.memory().pending.is_none() && !server.state.is_far(right));
            recovered += 1;
        }
    }
    assert!(held.iter().all(|held| *held > walks / 2), "{held:?}");
    assert!(noted_twice > walks / 20 && pending > walks / 2, "{noted_twice} {pending}");
    assert_eq!(recovered, walks / 10);
}

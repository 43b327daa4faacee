//! Events: each change is delivered until it is acknowledged, and only once.

use olr::{Guard, Operation, Question};
use olr_core::entitlement::Cause;
use olr_core::state::{Event, Listener, Stage};
use olr_core::time::{Day, Instant};
use olr_core::wire::id::EventId;

use crate::server::{DAY, HOUR, Server, WORLD, name, stops};
use crate::world::text;

fn told(guard: &Guard) -> Vec<(Cause, Stage)> {
    guard.events().iter().map(|event| (event.cause, event.stage)).collect()
}

fn ids(guard: &Guard) -> Vec<EventId> {
    guard.events().iter().map(|event| event.id).collect()
}

/// Returns a server over its quota, with twelve hours until it stops.
fn over_quota() -> Server {
    let server = Server::with(stops(Cause::OverQuota, 12 * HOUR));
    server.guard().report(&[("OBM", 21)]).unwrap();
    server
}

#[test]
fn the_story_of_a_quota_is_told_from_grace_to_stop_and_solved() {
    let server = Server::with(stops(Cause::OverQuota, 12 * HOUR));
    let guard = server.guard();
    assert_eq!(told(&guard), []);
    let begin = server.now();
    let end = Instant::new(begin.seconds + 12 * HOUR);
    guard.report(&[("OBM", 21)]).unwrap();
    assert_eq!(told(&guard), [(Cause::OverQuota, Stage::Grace)]);
    let event = guard.events()[0].clone();
    assert_eq!((event.at, event.until, event.slot), (begin, Some(end), name()));
    assert_eq!(
        *event.fact,
        format!(
            "quota-exceeded: OBM: 21 used, 20 granted; 12 h 0 min of the grace period are left, \
             counting all overuse since {begin}"
        )
    );
    assert_eq!(
        guard.decision().headline().unwrap().to_string(),
        format!("in a grace period until {end}: OBM: 21 used, 20 granted; then the server stops")
    );
    // More of the same is not a new event, however often the guard checks.
    for used in [22, 23, 21] {
        server.pass(HOUR);
        guard.report(&[("OBM", used)]).unwrap();
        assert_eq!(ids(&guard), [event.id]);
    }
    guard.acknowledge(&[event.id]).unwrap();
    assert_eq!(told(&guard), []);
    // The countdown begins exactly one hour before the end.
    server.set(Instant::new(end.seconds - HOUR - 1));
    assert_eq!(told(&guard), []);
    server.pass(1);
    assert_eq!(told(&guard), [(Cause::OverQuota, Stage::Countdown)]);
    assert_eq!(
        guard.decision().headline().unwrap().to_string(),
        format!("the server stops at {end}, within the hour: OBM: 21 used, 20 granted")
    );
    server.set(Instant::new(end.seconds - 1));
    guard.ask(&Question::about(Operation::RUN)).unwrap();
    server.pass(1);
    guard.ask(&Question::about(Operation::RUN)).unwrap_err();
    let story = [(Cause::OverQuota, Stage::Countdown), (Cause::OverQuota, Stage::Ended)];
    assert_eq!(told(&guard), story);
    guard.acknowledge(&ids(&guard)).unwrap();
    // The excess is resolved after the server stopped.
    guard.report(&[("OBM", 20)]).unwrap();
    guard.ask(&Question::about(Operation::RUN)).unwrap();
    assert_eq!(told(&guard), [(Cause::OverQuota, Stage::Solved)]);
    guard.acknowledge(&ids(&guard)).unwrap();
    for _ in 0..50 {
        server.pass(HOUR);
        assert_eq!(told(&guard), []);
    }
    assert_eq!(told(&server.guard()), [], "nor after a restart");
}

#[test]
fn solving_it_stops_the_countdown() {
    let server = over_quota();
    let guard = server.guard();
    server.pass(11 * HOUR + 1);
    guard.decision();
    guard.report(&[("OBM", 1)]).unwrap();
    let stages: Vec<_> = guard.events().iter().map(|event| event.stage).collect();
    assert_eq!(stages, [Stage::Grace, Stage::Countdown, Stage::Solved]);
    server.pass(2 * HOUR);
    guard.ask(&Question::about(Operation::RUN)).unwrap();
    assert_eq!(guard.events().len(), 3);
    // Going over the quota again is a new change, with its own id.
    let before = ids(&guard);
    guard.report(&[("OBM", 21)]).unwrap();
    let after = ids(&guard);
    assert_eq!((after.len(), &after[..3]), (4, &before[..]));
    assert!(!before.contains(&after[3]));
}

#[test]
fn a_restart_tells_the_same_again_until_it_is_acknowledged() {
    let server = over_quota();
    let first = ids(&server.guard());
    assert_eq!(first.len(), 1);
    for _ in 0..3 {
        server.pass(HOUR);
        assert_eq!(ids(&server.guard()), first);
    }
    // Acknowledging other ids, or none, does not acknowledge these events.
    server.guard().acknowledge(&[EventId([7; 16])]).unwrap();
    server.guard().acknowledge(&[]).unwrap();
    assert_eq!(ids(&server.guard()), first);
    server.guard().acknowledge(&first).unwrap();
    server.guard().acknowledge(&first).unwrap();
    assert_eq!(ids(&server.guard()), []);
    // The operator is told separately.
    let around = crate::world::machine::around("server", server.now());
    let operator = server.home().news(&around, Listener::Operator, false).unwrap().events;
    assert_eq!(operator.iter().map(|event| event.id).collect::<Vec<_>>(), first);
}

#[test]
fn a_license_that_runs_out_says_so_at_30_7_and_1_days() {
    let server = Server::with(|_| ());
    let guard = server.guard();
    let end = "2028-11-22".parse::<Day>().unwrap().ends().seconds;
    let mut expected = Vec::new();
    for (days, stage) in [(30, Stage::MonthLeft), (7, Stage::WeekLeft), (1, Stage::DayLeft)] {
        server.set(Instant::new(end - days * DAY - 1));
        assert_eq!(told(&guard), expected);
        server.pass(1);
        expected.push((Cause::Expired, stage));
        assert_eq!(told(&guard), expected);
    }
    server.set(Instant::new(end));
    expected.push((Cause::Expired, Stage::Ended));
    assert_eq!(told(&guard), expected);
    // A renewal that has started resolves the expiry.
    server.import(2, |body| body.expires = None);
    server.pass(1);
    expected.push((Cause::Expired, Stage::Solved));
    assert_eq!(told(&guard), expected);
}

#[test]
fn where_nothing_can_be_written_each_change_is_told_once_a_process() {
    let server = Server::with(stops(Cause::OverQuota, 12 * HOUR));
    server.seal();
    let guard = server.guard();
    guard.report(&[("OBM", 21)]).unwrap_err();
    let first = ids(&guard);
    assert_eq!(first.len(), 1);
    server.pass(HOUR);
    guard.report(&[("OBM", 22)]).unwrap_err();
    assert_eq!(ids(&guard), first);
    assert_eq!(guard.acknowledge(&first).unwrap_err().exit_status(), 2);
    for _ in 0..19 {
        server.pass(HOUR / 2);
        assert_eq!(told(&guard), [], "it was acknowledged");
    }
    server.pass(HOUR / 2);
    assert_eq!(told(&guard), [(Cause::OverQuota, Stage::Countdown)]);
    guard.acknowledge(&ids(&guard)).unwrap_err();
    server.pass(1);
    assert_eq!(told(&guard), []);
}

#[test]
fn what_another_process_kept_from_being_stored_is_told_all_the_same() {
    let server = over_quota();
    let guard = server.guard();
    guard.acknowledge(&ids(&guard)).unwrap();
    let lock = std::fs::File::create(server.home().folder().join("lock")).unwrap();
    lock.lock().unwrap();
    server.pass(11 * HOUR);
    assert_eq!(told(&guard), [(Cause::OverQuota, Stage::Countdown)]);
    let countdown = ids(&guard);
    server.pass(60);
    assert_eq!(ids(&guard), countdown);
    drop(lock);
    server.pass(HOUR);
    assert_eq!(
        told(&guard),
        [(Cause::OverQuota, Stage::Countdown), (Cause::OverQuota, Stage::Ended)]
    );
    assert_eq!(ids(&guard)[..1], countdown);
    guard.acknowledge(&ids(&guard)).unwrap();
    server.pass(1);
    assert_eq!(told(&guard), []);
}

#[test]
fn what_is_solved_has_one_id_where_it_cannot_be_written() {
    let server = over_quota();
    let guard = server.guard();
    guard.acknowledge(&ids(&guard)).unwrap();
    server.seal();
    guard.report(&[("OBM", 1)]).unwrap_err();
    let solved = ids(&guard);
    assert_eq!(told(&guard), [(Cause::OverQuota, Stage::Solved)]);
    for _ in 0..5 {
        server.pass(HOUR);
        assert_eq!(ids(&guard), solved);
    }
    guard.acknowledge(&solved).unwrap_err();
    server.pass(HOUR);
    assert_eq!(told(&guard), []);
}

#[test]
fn where_nobody_listens_the_newest_64_are_kept() {
    let server = Server::with(stops(Cause::OverQuota, 12 * HOUR));
    let guard = server.guard();
    for _ in 0..40 {
        server.pass(60);
        guard.report(&[("OBM", 21)]).unwrap();
        guard.report(&[("OBM", 20)]).unwrap();
    }
    let events = guard.events();
    assert_eq!(events.len(), 64);
    assert!(events.is_sorted_by_key(|event| event.at));
    assert_eq!(events[63].stage, Stage::Solved);
    assert_eq!(events[63].at, server.now());
    guard.acknowledge(&ids(&guard)).unwrap();
    assert_eq!(told(&guard), []);
    // Events that were not delivered to the operator yet leave room for those of the product.
    server.pass(60);
    guard.report(&[("OBM", 21)]).unwrap();
    assert_eq!(told(&guard), [(Cause::OverQuota, Stage::Grace)]);
}

#[test]
fn a_product_hears_of_its_own_slot_only() {
    let server = over_quota();
    let theirs = server.guard().events()[0].clone();
    server.edit(|state| {
        let mut other = state.memory().slots.get(&name()).unwrap().clone();
        other.name.slot = text("redirector");
        let state_with = |slots| olr_core::wire::codec::Set::new(slots).unwrap();
        let mut bytes = state.memory().clone();
        bytes.slots = state_with([state.memory().slots.to_vec(), vec![other.clone()]].concat());
        let event = Event { id: EventId([9; 16]), slot: other.name, ..theirs.clone() };
        // An event about the clock concerns the whole home, not one slot.
        let of_clock = Event { id: EventId([8; 16]), cause: Cause::Clock, ..event.clone() };
        let events = vec![theirs.clone(), event, of_clock];
        bytes.events = olr_core::wire::codec::List::new(events).unwrap();
        *state = with_memory(&bytes);
    });
    let order = olr::GuardConfig { slot: Some("backup".into()), ..server.order() };
    let guard = Guard::open(order).unwrap();
    assert_eq!(ids(&guard), [theirs.id, EventId([8; 16])]);
    // Without a slot, the license in question is ambiguous.
    let error = server.guard().ask(&Question::about(Operation::RUN)).unwrap_err();
    assert_eq!((error.refusal(), error.exit_status()), (None, 2));
}

/// Returns the state of the fixtures' server with another memory, parsed from bytes.
fn with_memory(memory: &olr_core::state::Memory) -> olr_core::state::State {
    let mut bytes = WORLD.fresh().to_bytes()[..39].to_vec();
    let body = olr_core::wire::codec::encode(memory);
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    let label = olr_core::crypto::label::STATE;
    bytes.extend(olr_core::crypto::digest::tagged(&[label, &bytes]));
    olr_core::state::State::parse(&bytes).unwrap()
}

//! Warnings before anything stops: maintenance that ends, and a machine that drifts.

use crate::world::machine;

use olr::GuardConfig;
use olr::{Guard, Operation, Question};
use olr_core::entitlement::{Cause, Model};
use olr_core::license::LicenseBody;
use olr_core::machine::{FactorKind, Reason, Unreadable};
use olr_core::state::{Listener, Stage};
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::Text;
use olr_core::wire::id::EventId;

use crate::server::{DAY, HOUR, Server};

/// Last day of maintenance.
const LAST: &str = "2028-05-31";

fn day(text: &str) -> Day {
    text.parse::<Day>().unwrap()
}

/// Returns the new events, and acknowledges them.
fn told(guard: &Guard) -> Vec<(Cause, Stage)> {
    let events = guard.events();
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    guard.acknowledge(&ids).unwrap();
    events.iter().map(|event| (event.cause, event.stage)).collect()
}

fn headline(guard: &Guard) -> String {
    guard.decision().headline().map(|headline| headline.to_string()).unwrap_or_default()
}

fn until(last: &str, expires: Option<&str>) -> impl FnOnce(&mut LicenseBody) {
    move |body| (body.maintenance, body.expires) = (Some(day(last)), expires.map(day))
}

#[test]
fn maintenance_says_at_30_7_and_1_days_that_it_ends_and_then_that_it_has() {
    let server = Server::with(until(LAST, None));
    let guard = server.guard();
    let end = day(LAST).ends().seconds;
    for (days, stage, left) in [
        (30, Stage::MonthLeft, "within 30 days"),
        (7, Stage::WeekLeft, "within 7 days"),
        (1, Stage::DayLeft, "within a day"),
    ] {
        server.set(Instant::new(end - days * DAY - 1));
        assert_eq!(told(&guard), [], "{days}");
        assert!(!headline(&guard).contains(left), "{}", headline(&guard));
        server.pass(1);
        assert!(headline(&guard).contains(&format!("ends on {LAST}, {left}")));
        let event = guard.events()[0].clone();
        assert_eq!(event.until, Some(day(LAST).ends()));
        assert_eq!(&*event.fact, &format!("maintenance ends on {LAST}"));
        assert_eq!(told(&guard), [(Cause::Maintenance, stage)]);
    }
    server.set(Instant::new(end - 1));
    assert_eq!(told(&guard), []);
    server.pass(1);
    assert!(headline(&guard).starts_with(&format!("maintenance ended on {LAST}")));
    assert_eq!(told(&guard), [(Cause::Maintenance, Stage::Ended)]);
    guard.ask(&Question::about(Operation::RUN)).unwrap();
    for _ in 0..9 {
        server.pass(40 * DAY);
        assert_eq!(told(&guard), []);
    }
    assert_eq!(told(&server.guard()), [], "nor after a restart");
    // A license with longer maintenance resolves the warning.
    server.import(2, until("2030-05-31", None));
    server.pass(1);
    assert_eq!(told(&guard), [(Cause::Maintenance, Stage::Solved)]);
    assert_eq!(headline(&guard), "");
}

#[test]
fn a_license_that_waits_and_prolongs_maintenance_keeps_the_warning_back() {
    let starts = |starts: &'static str, maintenance: Option<&'static str>| {
        move |body: &mut LicenseBody| {
            (body.starts, body.expires) = (day(starts), None);
            body.maintenance = maintenance.map(day);
        }
    };
    for (begins, maintenance, warned) in [
        ("2028-05-20", Some("2029-05-31"), false),
        ("2028-05-20", None, false),
        // The first day that is not covered is the one after the last day.
        ("2028-06-01", Some("2029-05-31"), false),
        ("2028-06-03", Some("2029-05-31"), true),
        ("2028-05-20", Some("2028-06-01"), false),
        ("2028-05-20", Some(LAST), true),
        ("2028-05-20", Some("2028-05-30"), true),
    ] {
        let server = Server::with(until(LAST, None));
        server.import(2, starts(begins, maintenance));
        server.set(Instant::new(day(LAST).ends().seconds - 20 * DAY));
        let expected = [(Cause::Maintenance, Stage::MonthLeft)];
        let guard = server.guard();
        assert_eq!(told(&guard), expected[..usize::from(warned)], "{begins} {maintenance:?}");
        assert_eq!(headline(&guard).is_empty(), !warned);
    }
}

#[test]
fn where_the_license_itself_ends_no_later_only_that_is_told() {
    for (expires, cause) in
        [(LAST, Cause::Expired), ("2028-05-30", Cause::Expired), ("2028-06-01", Cause::Maintenance)]
    {
        for model in Model::ALL {
            let server = Server::with(|body| {
                until(LAST, Some(expires))(body);
                body.model = *model;
            });
            let guard = server.guard();
            let mut all = Vec::new();
            let end = day(LAST).ends().seconds;
            for at in (end - 31 * DAY..end).step_by(DAY as usize) {
                server.set(Instant::new(at));
                all.extend(told(&guard));
            }
            assert!(all.len() >= 3, "{all:?}");
            let of_maintenance = all.iter().any(|(cause, _)| *cause == Cause::Maintenance);
            assert_eq!(of_maintenance, cause == Cause::Maintenance, "{expires} {all:?}");
        }
    }
}

/// Changes a license so that a copy of the disk matches it too.
fn software_alone(body: &mut LicenseBody) {
    (body.expires, body.policy.hardware, body.policy.threshold) = (None, false, 4);
}

/// Returns a guard on `server` that cannot read one kind of factor.
fn guard_without(server: &Server, kind: FactorKind) -> Guard {
    let order = server.order();
    let look = order.look;
    let look = move |at| {
        let mut around = look(at);
        around.factors.retain(|factor| factor.kind != kind);
        let reason = Reason::NeedsPrivileged;
        around.unreadable = vec![Unreadable { kind, name: Text::default(), reason }];
        around
    };
    Guard::open(GuardConfig { look: Box::new(look), ..server.order() }).unwrap()
}

#[test]
fn a_machine_that_drifts_says_so_once_and_once_more_when_it_is_as_it_was() {
    let server = Server::with(|body| body.expires = None);
    let guard = server.guard();
    assert_eq!((told(&guard), headline(&guard)), (vec![], String::new()));
    server.become_machine("card-replaced");
    server.pass(HOUR);
    guard.ask(&Question::about(Operation::RUN)).unwrap();
    let event = guard.events()[0].clone();
    assert_eq!((event.cause, event.stage, event.until), (Cause::Drift, Stage::Grace, None));
    assert!(
        event.fact.ends_with("has changed: the network card eth1 was replaced"),
        "{}",
        &*event.fact
    );
    assert_eq!(
        headline(&guard),
        "this machine still matches, but has changed; the network card eth1 was replaced: ask for a new \
         license while this one still matches"
    );
    assert_eq!(told(&guard), [(Cause::Drift, Stage::Grace)]);
    // More drift, or a restart, is not a new event; a conflict is a separate event and resolves
    // nothing.
    server.pass(DAY);
    assert_eq!((told(&guard), told(&server.guard())), (vec![], vec![]));
    server.become_machine("other");
    server.pass(HOUR);
    assert!(told(&guard).iter().all(|(cause, _)| *cause == Cause::Conflict));
    server.become_machine("card-replaced");
    server.pass(HOUR);
    assert!(told(&guard).iter().all(|(cause, _)| *cause == Cause::Conflict));
    server.become_machine("server");
    server.pass(HOUR);
    assert_eq!(told(&guard), [(Cause::Drift, Stage::Solved)]);
    assert_eq!(headline(&guard), "");
}

#[test]
fn what_cannot_be_read_has_not_changed_and_solves_nothing() {
    let server = Server::with(software_alone);
    for kind in FactorKind::ALL {
        let guard = guard_without(&server, *kind);
        assert_eq!((told(&guard), headline(&guard)), (vec![], String::new()), "{kind}");
    }
    server.become_machine("card-replaced");
    let guard = guard_without(&server, FactorKind::MachineId);
    assert_eq!(told(&guard), [(Cause::Drift, Stage::Grace)]);
    // Alternates two processes: one without permission to read the card, and the operator's, with
    // it.
    let blind = guard_without(&server, FactorKind::NetworkAddress);
    for _ in 0..5 {
        server.pass(2 * HOUR);
        assert_eq!((told(&blind), told(&guard)), (vec![], vec![]));
    }
}

#[test]
fn what_looks_like_a_copy_is_not_advised_to_renew() {
    let server = Server::with(software_alone);
    server.become_machine("copy");
    let guard = server.guard();
    assert_eq!(told(&guard), [(Cause::Drift, Stage::Grace)]);
    let headline = headline(&guard);
    assert!(headline.contains("as on a copy") && !headline.contains("renew"), "{headline}");
}

#[test]
fn a_factor_that_comes_and_goes_is_told_at_most_once_an_hour() {
    let server = Server::with(|body| body.expires = None);
    let guard = server.guard();
    guard.decision();
    let (mut all, mut ids) = (Vec::new(), Vec::new());
    // The network card is replaced or put back every 20 minutes, for 10 hours.
    for turn in 0..30 {
        server.become_machine(if turn % 2 == 0 { "card-replaced" } else { "server" });
        server.pass(HOUR / 3);
        guard.decision();
        ids.extend(guard.events().iter().map(|event| event.id));
        all.extend(told(&guard));
    }
    assert!((10..=16).contains(&all.len()), "{all:?}");
    let stages: Vec<_> = all.iter().map(|(_, stage)| *stage).collect();
    assert!(stages.chunks(2).all(|two| [Stage::Grace, Stage::Solved].starts_with(two)));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "each has an id of its own");
    // The operator's events are a separate list.
    let around = machine::around("server", server.now());
    let operator = server.home().news(&around, Listener::Operator, false).unwrap().events;
    assert_eq!(operator.len(), all.len());
}

#[test]
fn where_nothing_can_be_written_a_drift_is_told_once_a_process() {
    let server = Server::with(|body| body.expires = None);
    server.seal();
    let guard = server.guard();
    server.become_machine("card-replaced");
    server.pass(HOUR);
    let first = guard.events();
    assert_eq!(first.len(), 1);
    server.pass(HOUR);
    assert_eq!(guard.events()[..].iter().map(|e| e.id).collect::<Vec<_>>(), [first[0].id]);
    guard.acknowledge(&[first[0].id]).unwrap_err();
    for _ in 0..5 {
        server.pass(HOUR);
        assert_eq!(guard.events().len(), 0);
    }
}

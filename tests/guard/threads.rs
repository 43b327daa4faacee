//! Many threads ask, and one of them reads the home.

use crate::world::machine;

use olr::{Guard, GuardConfig};
use olr::{Operation, Question};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::server::{DAY, HOUR, Server, name};
use olr_core::time::{Day, Instant};

fn run() -> Question<'static> {
    Question::about(Operation::RUN)
}

#[test]
fn a_guard_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Guard>();
    shared::<GuardConfig>();
}

/// Returns a guard, and two channels. Each reading of the machine after the first one sends a
/// message on the first channel, and then blocks until the second channel delivers one.
fn slow(server: &Server) -> (Arc<Guard>, Receiver<()>, Sender<()>) {
    let (began, begins) = channel();
    let (go, goes) = channel();
    let (waits, goes) = (AtomicBool::new(false), Mutex::new(goes));
    let order = server.order();
    let look = Box::new(move |at: Instant| {
        if waits.swap(true, Ordering::SeqCst) {
            began.send(()).unwrap();
            goes.lock().unwrap().recv().unwrap();
        }
        machine::around("server", at)
    });
    (Arc::new(Guard::open(GuardConfig { look, ..order }).unwrap()), begins, go)
}

#[test]
fn while_one_thread_looks_the_others_go_on() {
    let server = Server::with(|_| ());
    let (guard, begins, go) = slow(&server);
    server.pass(15 * 60);
    let looking = thread::spawn({
        let guard = Arc::clone(&guard);
        move || guard.ask(&run())
    });
    begins.recv().unwrap();
    // While one thread is blocked reading the machine, all others get the last decision.
    for _ in 0..1_000 {
        guard.ask(&run()).unwrap();
        server.pass(1);
    }
    assert!(!looking.is_finished());
    go.send(()).unwrap();
    looking.join().unwrap().unwrap();
}

#[test]
fn who_needs_another_answer_waits_for_it() {
    let server = Server::with(|_| ());
    let (guard, begins, go) = slow(&server);
    server.set("2028-11-22".parse::<Day>().unwrap().ends());
    let ask = || {
        let guard = Arc::clone(&guard);
        thread::spawn(move || guard.ask(&run()))
    };
    let first = ask();
    begins.recv().unwrap();
    let others: Vec<_> = (0..8).map(|_| ask()).collect();
    go.send(()).unwrap();
    // No thread got an answer from the license that had expired, and one reading served all.
    assert!(first.join().unwrap().is_err());
    assert!(others.into_iter().all(|other| other.join().unwrap().is_err()));
    assert!(begins.try_recv().is_err());
}

#[test]
fn every_answer_is_that_of_a_second_in_which_it_was_asked() {
    let server = Server::with(|_| ());
    let (guard, end) = (server.guard(), "2028-11-22".parse::<Day>().unwrap().ends());
    server.set(Instant::new(end.seconds - 200));
    let (asked, refused) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while server.now().seconds < end.seconds + 100 {
                    let before = server.now();
                    let answer = guard.ask(&run());
                    let after = server.now();
                    match answer {
                        Ok(()) => assert!(before < end, "allowed at {before}"),
                        Err(_) => assert!(after >= end, "refused at {after}"),
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                    refused.fetch_add(u32::from(after >= end), Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..300 {
                let goal = asked.load(Ordering::Relaxed) + 20;
                while asked.load(Ordering::Relaxed) < goal {
                    thread::yield_now();
                }
                server.pass(1);
            }
        });
    });
    assert!(asked.into_inner() >= 6_000 && refused.into_inner() > 1_000);
}

#[test]
fn reports_from_many_threads_are_all_stored() {
    let server = Server::with(|_| ());
    let guard = server.guard();
    let modules: Vec<_> = (0..8).map(|n| format!("module {n}")).collect();
    thread::scope(|scope| {
        for module in &modules {
            let guard = &guard;
            scope.spawn(move || {
                for count in 1..=5 {
                    guard.report(&[(module, count)]).unwrap();
                    let decision = guard.decision();
                    assert_eq!(decision.usage().get(module.as_str()).unwrap().count, count);
                }
            });
        }
    });
    let stored = server.home().require_state().unwrap();
    let usage = &stored.memory().slots.get(&name()).unwrap().usage;
    assert_eq!(usage.len(), 8);
    assert!(usage.iter().all(|count| count.count == 5));
}

#[test]
fn a_look_or_a_clock_that_panics_leaves_a_guard_that_answers() {
    let server = Server::with(|_| ());
    let panics = Arc::new(AtomicBool::new(false));
    let (order, broken) = (server.order(), Arc::clone(&panics));
    let look = Box::new(move |at: Instant| {
        assert!(!broken.load(Ordering::SeqCst), "the product's own fault");
        machine::around("server", at)
    });
    let guard = Guard::open(GuardConfig { look, ..order }).unwrap();
    panics.store(true, Ordering::SeqCst);
    server.pass(HOUR);
    for _ in 0..3 {
        let asked = catch_unwind(AssertUnwindSafe(|| guard.ask(&run())));
        assert!(asked.is_err());
        let report = catch_unwind(AssertUnwindSafe(|| guard.report(&[("OBM", 1)])));
        assert!(report.is_err());
    }
    panics.store(false, Ordering::SeqCst);
    guard.ask(&run()).unwrap();
    guard.report(&[("OBM", 2)]).unwrap();
    server.pass(400 * DAY);
    guard.ask(&run()).unwrap_err();
}

/// Takes the lock of a home, as another process would.
fn locked(server: &Server) -> std::fs::File {
    let lock = std::fs::File::options().write(true).open(server.home().folder().join("lock"));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    lock
}

#[test]
fn a_locked_home_keeps_no_thread_waiting_that_asks() {
    let server = Server::with(|_| ());
    let guard = Arc::new(server.guard());
    guard.report(&[("OBM", 1)]).unwrap();
    let lock = locked(&server);
    let longest = std::time::Duration::from_secs(3);
    let began = std::time::Instant::now();
    let reporting = thread::spawn({
        let guard = Arc::clone(&guard);
        move || guard.report(&[("OBM", 20)]).map(drop)
    });
    // When time changes the answer, all threads wait for the one that holds the home.
    server.set("2028-11-22".parse::<Day>().unwrap().ends());
    let asked: Vec<_> = (0..4)
        .map(|_| {
            let guard = Arc::clone(&guard);
            thread::spawn(move || guard.ask(&run()))
        })
        .collect();
    assert!(asked.into_iter().all(|asked| asked.join().unwrap().is_err()));
    assert_eq!(reporting.join().unwrap().unwrap_err().exit_status(), 2);
    assert!(guard.acknowledge(&[]).is_err());
    assert!(began.elapsed() < longest, "{:?}", began.elapsed());
    // The report is in effect, and the next one stores it.
    assert_eq!(guard.decision().usage().get("OBM").map(|count| count.count), Some(20));
    drop(lock);
    guard.report(&[]).unwrap();
    let state = server.home().require_state().unwrap();
    let stored = state.memory().slots.iter().next().unwrap().usage.get("OBM").unwrap().count;
    assert_eq!(stored, 20);
}

#[test]
fn what_was_acknowledged_in_a_locked_home_is_stored_by_the_next_call() {
    let server = Server::with(|_| ());
    let guard = server.guard();
    guard.report(&[("OBM", 21)]).unwrap();
    server.pass(1);
    let ids: Vec<_> = guard.events().iter().map(|event| event.id).collect();
    assert!(!ids.is_empty());
    let lock = locked(&server);
    assert_eq!(guard.acknowledge(&ids).unwrap_err().exit_status(), 2);
    drop(lock);
    guard.acknowledge(&[]).unwrap();
    assert!(server.guard().events().iter().all(|event| !ids.contains(&event.id)));
}

/// Pipes in place of the state files do not block a question.
#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_the_state_keeps_nobody_waiting() {
    let server = Server::with(|_| ());
    let guard = server.guard();
    for file in server.home().state_files() {
        std::fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    }
    let (told, hears) = channel();
    thread::spawn(move || {
        server.pass(1);
        let _ = guard.ask(&run());
        told.send(guard.fault().is_some()).unwrap();
        drop(server);
    });
    let longest = std::time::Duration::from_secs(20);
    assert!(hears.recv_timeout(longest).expect("the question hangs"), "no fault is reported");
}

//! Changes to the home while a product runs.

use olr::{Guard, Operation, Question};
use olr_core::entitlement::Cause;
use olr_core::error::Refusal;
use olr_core::judge::ClockMemory;
use olr_core::license::LicenseBody;
use olr_core::time::Day;
use olr_core::wire::codec::Limit;

use crate::server::{DAY, HOUR, Server, count, name, stops};
use crate::world::operations::CREATE_USER;

fn run(guard: &Guard) -> Result<(), Option<Refusal>> {
    guard.ask(&Question::about(Operation::RUN)).map_err(|error| error.refusal())
}

fn may_add(guard: &Guard, module: &str) -> bool {
    let adds = [(module, 1)];
    guard.ask(&Question { adds: &adds, ..Question::about(CREATE_USER) }).is_ok()
}

fn quota(module: &'static str, quota: u64) -> impl Fn(&mut LicenseBody) {
    move |body| {
        let mut grants = body.grants.to_vec();
        let grant = grants.iter_mut().find(|grant| *grant.module == *module).unwrap();
        grant.quota = Limit::Only(quota);
        body.grants = olr_core::wire::codec::Set::new(grants).unwrap();
    }
}

#[test]
fn a_product_that_is_not_licensed_yet_opens_and_is_refused_until_it_is() {
    let server = Server::empty();
    let guard = server.guard();
    assert_eq!(run(&guard), Err(Some(Refusal::NotActivated)));
    let headline = guard.decision().headline().unwrap().to_string();
    assert!(headline.starts_with("refused: not-activated: nothing was requested"), "{headline}");
    assert_eq!(guard.report(&[("OBM", 3)]).unwrap_err().refusal(), Some(Refusal::NotActivated));
    assert!(guard.acknowledge(&[]).is_err());
    // Asking does not create a home.
    assert!(!server.home().folder().exists());
    std::fs::create_dir(server.home().folder()).unwrap();
    server.write(&crate::server::WORLD.asked());
    server.pass(1);
    assert_eq!(run(&guard), Err(Some(Refusal::NotActivated)));
    server.import(1, |_| ());
    assert_eq!(run(&guard), Err(Some(Refusal::NotActivated)), "not within the same second");
    server.pass(1);
    assert_eq!(run(&guard), Ok(()));
    assert_eq!(guard.fault(), None);
}

#[test]
fn a_new_license_is_taken_up_within_a_second() {
    let server = Server::with(quota("OBM", 0));
    let (guard, second) = (server.guard(), server.guard());
    assert!(!may_add(&guard, "OBM"));
    server.import(2, quota("OBM", 7));
    assert!(!may_add(&guard, "OBM"), "no file is read within a second");
    server.pass(1);
    assert!(may_add(&guard, "OBM") && may_add(&second, "OBM"));
    // The next state has the same length, and may be written within the same timestamp tick of the
    // filesystem.
    server.import(3, quota("OBM", 0));
    server.pass(1);
    assert!(!may_add(&guard, "OBM") && !may_add(&second, "OBM"));
    // One guard reports, and the other sees it.
    server.import(4, quota("OBM", 7));
    server.pass(1);
    guard.report(&[("OBM", 7)]).unwrap();
    assert!(!may_add(&guard, "OBM"));
    server.pass(1);
    assert!(!may_add(&second, "OBM"));
    assert_eq!(second.decision().usage().get("OBM").unwrap().count, 7);
    // Another process deactivates the license.
    let around = olr_core::state::Surroundings {
        clock: server.now(),
        ..olr_core::state::Surroundings::default()
    };
    server.home().deactivate(&name(), &around).unwrap();
    server.pass(1);
    assert_eq!(run(&guard), Err(Some(Refusal::Deactivated)));
}

#[test]
fn without_a_change_home_and_machine_are_left_alone() {
    let server = Server::with(|_| ());
    let guard = server.guard();
    assert_eq!(server.looks(), 1);
    for _ in 0..14 * 60 {
        server.pass(1);
        (0..3).for_each(|_| run(&guard).unwrap());
    }
    assert_eq!(server.looks(), 1, "nothing was written, nothing has changed");
    for _ in 0..46 * 60 {
        server.pass(1);
        run(&guard).unwrap();
    }
    // The guard reads the machine every 15 minutes, and again after each write of its own.
    assert!((4..=9).contains(&server.looks()), "{} looks in an hour", server.looks());
}

#[test]
fn a_machine_that_changes_is_seen_within_15_minutes() {
    let server = Server::with(|_| ());
    let guard = server.guard();
    server.become_machine("other");
    server.pass(15 * 60 - 1);
    assert_eq!(run(&guard), Ok(()));
    server.pass(1);
    assert_eq!(run(&guard), Err(Some(Refusal::WrongMachine)));
    server.become_machine("server");
    server.pass(15 * 60);
    assert_eq!(run(&guard), Ok(()));
}

/// Damages the files of a home in the way that `how` names.
fn harm(server: &Server, how: &str) {
    let folder = server.home().folder().to_path_buf();
    let away = server.folder.path().join("away");
    match how {
        "deleted" => std::fs::rename(&folder, &away).unwrap(),
        "emptied" => {
            std::fs::rename(&folder, &away).unwrap();
            std::fs::create_dir(&folder).unwrap();
        }
        "a file" => {
            std::fs::rename(&folder, &away).unwrap();
            std::fs::write(&folder, b"home").unwrap();
        }
        _ => {
            std::fs::create_dir(&away).unwrap();
            for file in server.home().state_files() {
                let bytes = std::fs::read(&file).unwrap();
                std::fs::write(away.join(file.file_name().unwrap()), &bytes).unwrap();
                let mut harmed = bytes.clone();
                match how {
                    "shortened" => harmed.truncate(20),
                    "flipped" => harmed[60] ^= 1,
                    "empty" => harmed.clear(),
                    "too long" => harmed.resize(5 << 20, 0),
                    "a newer olr" => harmed[4] = 200,
                    "a folder" => {
                        std::fs::remove_file(&file).unwrap();
                        std::fs::create_dir(&file).unwrap();
                        continue;
                    }
                    how => panic!("{how}"),
                }
                std::fs::write(&file, harmed).unwrap();
            }
        }
    }
}

fn mend(server: &Server) {
    let (folder, away) = (server.home().folder().to_path_buf(), server.folder.path().join("away"));
    let _ = std::fs::remove_dir_all(&folder).or_else(|_| std::fs::remove_file(&folder));
    std::fs::rename(away, folder).unwrap();
}

const HARMS: [&str; 9] = [
    "deleted",
    "emptied",
    "a file",
    "shortened",
    "flipped",
    "empty",
    "too long",
    "a newer olr",
    "a folder",
];

#[test]
fn a_home_that_cannot_be_read_stops_no_server_before_its_time() {
    for how in HARMS {
        let server = Server::with(stops(Cause::Conflict, 6 * DAY));
        let guard = server.guard();
        guard.report(&[("OBM", 20)]).unwrap();
        harm(&server, how);
        assert_eq!((run(&guard), guard.fault()), (Ok(()), None), "{how}: not within a second");
        // A change inside a file that leaves its end intact is noticed at the next decision.
        let slow = ["flipped", "a newer olr"].contains(&how);
        server.pass(if slow { 15 * 60 } else { 1 });
        assert_eq!(run(&guard), Ok(()), "{how}");
        let fault = guard.fault().unwrap();
        assert!(!fault.next_step().text().is_empty(), "{how}: {fault}");
        // Reported usage still applies after more than a day.
        for _ in 0..30 {
            server.pass(HOUR);
            assert_eq!(run(&guard), Ok(()), "{how}");
        }
        assert!(!may_add(&guard, "OBM") && may_add(&guard, "ACB"), "{how}");
        assert_eq!(guard.decision().clock_memory(), ClockMemory::Off, "{how}");
        // The product may keep reporting; the error says that the report is not stored.
        assert!(guard.report(&[("ACB", 10)]).is_err(), "{how}");
        assert!(!may_add(&guard, "ACB"), "{how}");
        // Another machine gets the grace period, counted from when the home last saw the original
        // one.
        server.become_machine("other");
        server.pass(HOUR);
        assert_eq!(guard.decision().state(), "grace", "{how}");
        server.pass(5 * DAY);
        assert_eq!(run(&guard), Err(Some(Refusal::WrongMachine)), "{how}");
        server.become_machine("server");
        server.pass(HOUR);
        assert_eq!(run(&guard), Ok(()), "{how}");
        // A repaired home is read within a second, and gets what could not be stored.
        let folder_was_there = server.home().folder().exists();
        assert_eq!(folder_was_there, how != "deleted", "{how}: the folder is not created again");
        mend(&server);
        server.pass(1);
        assert_eq!((run(&guard), guard.fault()), (Ok(()), None), "{how}");
        assert!(!may_add(&guard, "ACB"), "{how}");
        guard.report(&[("OBM", 19)]).unwrap();
        let stored = server.home().require_state().unwrap();
        let used = &stored.memory().slots.get(&name()).unwrap().usage;
        assert_eq!(**used, [count("ACB", 10), count("OBM", 19)], "{how}");
    }
}

#[test]
fn a_license_that_ends_ends_also_where_its_home_is_gone() {
    for how in HARMS {
        let server = Server::with(|_| ());
        let guard = server.guard();
        harm(&server, how);
        let end = "2028-11-22".parse::<Day>().unwrap().ends();
        // The product asks every two weeks.
        while server.now().seconds + 14 * DAY < end.seconds {
            server.pass(14 * DAY);
            assert_eq!(run(&guard), Ok(()), "{how}");
        }
        server.set(olr_core::time::Instant::new(end.seconds - 1));
        assert_eq!(run(&guard), Ok(()), "{how}");
        server.pass(1);
        assert_eq!(run(&guard), Err(Some(Refusal::Expired)), "{how}");
        // A restart does not revive an expired license.
        assert!(run(&server.guard()).is_err(), "{how}");
    }
}

#[test]
fn what_cannot_be_stored_counts_in_memory_and_its_grace_ends() {
    let server = Server::with(stops(Cause::OverQuota, 12 * HOUR));
    server.seal();
    let guard = server.guard();
    assert_eq!(run(&guard), Ok(()));
    let error = guard.report(&[("OBM", 21), ("X", 0)]).unwrap_err();
    assert_eq!(error.exit_status(), 2);
    assert!(!may_add(&guard, "OBM"));
    let since = guard.decision().grace().unwrap().since;
    assert_eq!(since, server.now());
    // Reporting every few minutes does not restart the grace period.
    for _ in 0..12 * 12 - 1 {
        server.pass(HOUR / 12);
        guard.report(&[("OBM", 22)]).unwrap_err();
        assert_eq!(run(&guard), Ok(()));
        assert_eq!(guard.decision().grace().unwrap().since, since);
    }
    server.pass(HOUR / 12);
    assert_eq!(run(&guard), Err(Some(Refusal::QuotaExceeded)));
    // Less usage resolves the excess, even if the report cannot be stored.
    guard.report(&[("OBM", 20)]).unwrap_err();
    assert_eq!(run(&guard), Ok(()));
    guard.report(&[("OBM", 21)]).unwrap_err();
    // The whole grace period was spent, so one hour is given, at most once a day.
    let until = guard.decision().grace().unwrap().until.unwrap();
    assert_eq!(until.seconds, server.now().seconds + HOUR);
    // Once the home is writable, the next report stores everything.
    server.unseal();
    guard.report(&[("ACB", 1)]).unwrap();
    let stored = server.home().require_state().unwrap();
    let used = &stored.memory().slots.get(&name()).unwrap().usage;
    assert_eq!(**used, [count("ACB", 1), count("OBM", 21)]);
}

#[test]
fn a_report_that_no_state_could_hold_counts_nowhere() {
    let server = Server::with(|_| ());
    let guard = server.guard();
    let many: Vec<_> = (0..4097).map(|n| format!("m{n}")).collect();
    let all: Vec<_> = many.iter().map(|module| (module.as_str(), 1)).collect();
    let long = "m".repeat(257);
    for usage in [&[("OBM", 20), ("OBM", 20)][..], &[("OBM", 20), (&long, 1)], &all] {
        assert_eq!(guard.report(usage).unwrap_err().exit_status(), 2);
        assert!(may_add(&guard, "OBM"));
    }
    // As many modules as fit, and then one more in another report.
    guard.report(&all[..4096]).unwrap();
    assert!(guard.report(&[("one more", 1)]).is_err());
    assert!(guard.decision().usage().get("one more").is_none());
    assert_eq!(guard.decision().usage().len(), 4096);
}

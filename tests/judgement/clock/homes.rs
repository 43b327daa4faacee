//! Homes that are locked, read-only, or used with a wrong clock.

use crate::world::machine;

use olr::Home;
use olr_core::entitlement::{Cause, Count, GraceRule, Outcome};
use olr_core::import::Imported;
use olr_core::judge::ClockMemory;
use olr_core::license::LicenseBody;
use olr_core::revocation::{RevocationsBody, Withdrawn, digest_of, sign_revocations};
use olr_core::state::{Accepted, State, Surroundings};
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::Set;
use olr_core::wire::id::LicenseId;
use std::fs::File;
use std::path::Path;

use crate::clock::{at, word};
use crate::world::{NOW, World, text};

fn home(folder: &Path, state: &State) -> Home {
    let home = Home::at(folder.join("home"));
    std::fs::create_dir(home.folder()).unwrap();
    for file in home.state_files() {
        std::fs::write(file, &*state.to_bytes()).unwrap();
    }
    home
}

fn server(clock: &str) -> Surroundings {
    machine::around("server", at(clock))
}

/// Holding the lock keeps the high-water mark from rising, which the decision reports. The license
/// ends on time all the same.
#[test]
fn a_lock_that_is_held_stops_no_end_and_is_said() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let home = home(folder.path(), &world.installed(NOW, |_| ()));
    let lock = File::create(home.folder().join("lock")).unwrap();
    lock.lock().unwrap();
    for (clock, expected) in [
        ("2028-06-01T00:00:00Z", "licensed"),
        ("2028-11-23T12:00:00Z", "expired"),
        ("2099-01-01T00:00:00Z", "expired"),
    ] {
        let decision = home.decide(None, None, &server(clock)).unwrap().1;
        assert_eq!((word(&decision), decision.clock_memory()), (expected, ClockMemory::Off));
    }
    // With the clock back at the mark there is nothing to store, but earlier observations are
    // missing.
    let decision = home.decide(None, None, &server(NOW)).unwrap().1;
    assert_eq!(decision.clock_memory(), ClockMemory::Off);
    drop(lock);
    let decision = home.decide(None, None, &server("2028-06-01T00:00:00Z")).unwrap().1;
    assert_eq!(decision.clock_memory(), ClockMemory::On);
    assert_eq!(home.require_state().unwrap().memory().mark, at("2028-06-01T00:00:00Z"));
}

#[test]
fn an_import_under_a_wrong_clock_decides_by_what_is_remembered() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let home = home(folder.path(), &world.installed(NOW, |_| ()));
    let installed = home.require_state().unwrap().memory().slots[0].installed.clone();
    let renewal = world.license(|body| {
        (body.answer, body.license) = (2, LicenseId([2; 16]));
        body.starts = "2028-11-23".parse::<Day>().unwrap();
        body.expires = Some("2029-11-22".parse::<Day>().unwrap());
    });
    for clock in ["2099-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        let imported = home.import(&renewal, &server(clock), Default::default()).unwrap();
        let Imported::License { accepted, .. } = imported else { panic!("{imported:?}") };
        assert!(matches!(accepted, Accepted::AsNext | Accepted::Already), "{clock}");
        let slot = home.require_state().unwrap().memory().slots[0].clone();
        assert_eq!(slot.installed, installed);
        assert!(slot.next.is_some());
        assert_eq!(word(&home.decide(None, None, &server(clock)).unwrap().1), "expired");
    }
    for (clock, expected, id) in [
        (NOW, "licensed", 0x11),
        ("2028-11-22T09:59:59Z", "licensed", 0x11),
        ("2028-11-22T10:00:00Z", "licensed", 2),
    ] {
        let decision = home.decide(None, None, &server(clock)).unwrap().1;
        let license = decision.license().unwrap().body().license;
        assert_eq!((word(&decision), license.0[0]), (expected, id), "{clock}");
    }
}

#[test]
fn a_refusal_at_a_far_clock_says_both() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let home = home(folder.path(), &world.installed(NOW, |_| ()));
    let decision = home.decide(None, None, &server("2099-01-01T00:00:00Z")).unwrap().1;
    assert_eq!(
        decision.refusal().unwrap().fact(),
        "this license expired on 2028-11-22, if the clock (2099-01-01T00:00:00Z) is right; \
         by the latest known time it is licensed"
    );
    // A refusal that holds both by the clock and by the mark is reported without a condition.
    let copy =
        Surroundings { clock: at("2099-01-01T00:00:00Z"), ..machine::around("copy", at(NOW)) };
    let (_, decision) = home.decide(None, None, &copy).unwrap();
    let refusal = decision.refusal().unwrap();
    assert!(!refusal.fact().contains("if the clock"), "{refusal}");
}

/// A server that was off for years, with a correct clock, recovers with one import.
#[test]
fn a_license_issued_near_a_far_clock_confirms_it() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let home = home(folder.path(), &world.installed(NOW, |_| ()));
    let now = "2031-05-05T09:00:00Z";
    assert_eq!(word(&home.decide(None, None, &server(now)).unwrap().1), "expired");
    let renewal = world.license(|body: &mut LicenseBody| {
        (body.answer, body.license, body.issued) =
            (2, LicenseId([2; 16]), at("2031-05-05T08:00:00Z"));
        (body.starts, body.expires) = ("2031-05-05".parse::<Day>().unwrap(), None);
        body.grace = Set::default();
    });
    home.import(&renewal, &server(now), Default::default()).unwrap();
    let (state, decision) = home.decide(None, None, &server(now)).unwrap();
    assert_eq!((word(&decision), state.memory().mark), ("licensed", at(now)));
    assert!(state.memory().pending.is_none() && !decision.clock_is_pending());
    assert!(state.memory().mark > NOW.parse::<Instant>().unwrap());
}

/// A list that names the license of [`World::installed`] if `revokes` is true.
fn list(world: &World, issued: &str, revokes: bool) -> Vec<u8> {
    let license = digest_of(LicenseId([0x11; 16]));
    let named = revokes.then_some(Withdrawn { license, cause: Cause::Revoked });
    let body = RevocationsBody {
        version: 1,
        sequence: 1,
        issued: at(issued),
        licenses: Set::new(named.into_iter().collect()).unwrap(),
        extensions: Set::default(),
    };
    let vendor = &world.vendor;
    sign_revocations(&body, &vendor.trust, (&vendor.issuer, &vendor.delegation), &[]).unwrap()
}

/// The clock briefly showed 2029 and is correct now. Whatever raises the mark first must not
/// confirm 2029.
#[test]
fn a_clock_set_right_leaves_no_trace_whatever_comes_first() {
    let world = World::new();
    let (wrong, right) = ("2029-02-01T00:00:00Z", "2028-10-20T09:00:00Z");
    let renewal = world.license(|body| {
        (body.answer, body.license, body.issued) = (2, LicenseId([2; 16]), at(right));
    });
    let revocations = list(&world, right, false);
    for first in [Some(&renewal), Some(&revocations), None] {
        let folder = tempfile::tempdir().unwrap();
        let home = home(folder.path(), &world.installed(NOW, |_| ()));
        let _ = home.decide(None, None, &server(wrong)).unwrap();
        assert!(home.require_state().unwrap().memory().pending.is_some());
        match first {
            Some(file) => drop(home.import(file, &server(right), Default::default()).unwrap()),
            None => {
                let evidence = Some(at("2028-10-20T08:00:00Z"));
                let around = Surroundings { evidence, ..server(right) };
                let _ = home.decide(None, None, &around).unwrap();
            }
        }
        let (state, decision) = home.decide(None, None, &server(right)).unwrap();
        assert_eq!((word(&decision), state.memory().mark), ("licensed", at(right)));
        assert!(state.memory().pending.is_none());
    }
}

#[test]
fn a_license_that_waits_begins_no_grace_again() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let rule = GraceRule { cause: Cause::Revoked, seconds: 7 * 86_400, outcome: Outcome::Stop };
    let installed = world.installed(NOW, |body| body.grace = Set::new(vec![rule]).unwrap());
    let home = home(folder.path(), &installed);
    home.import(&list(&world, NOW, true), &server(NOW), Default::default()).unwrap();
    let waits = world.license(|body| {
        (body.answer, body.license) = (2, LicenseId([2; 16]));
        body.starts = "2028-01-01".parse::<Day>().unwrap();
    });
    home.import(&waits, &server("2027-11-29T09:00:00Z"), Default::default()).unwrap();
    for (clock, expected) in
        [("2027-11-30T08:59:59Z", "grace"), ("2027-11-30T09:00:00Z", "revoked")]
    {
        let decision = home.decide(None, None, &server(clock)).unwrap().1;
        assert_eq!(word(&decision), expected, "{clock}");
    }
}

/// For any clock: a home that cannot be written to may be missing earlier observations.
#[test]
fn a_home_that_cannot_be_written_remembers_nothing_of_any_clock() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let home = home(folder.path(), &world.installed(NOW, |_| ()));
    let license = world.license(|_| ());
    let expect = |memory: ClockMemory| {
        for clock in [NOW, "2027-11-23T09:14:00Z", "2027-11-22T09:00:00Z", "2020-01-01T00:00:00Z"] {
            let around = server(clock);
            let (_, one) = home.decide(None, None, &around).unwrap();
            let (_, all) = home.decide_all(&around).unwrap();
            // Judging a file does not install it, but the clock is still observed.
            let file = home.decide_file(&license, &around).unwrap();
            for decision in [&one, &all[0].1, &file] {
                assert_eq!(decision.clock_memory(), memory, "{clock}");
            }
        }
    };
    expect(ClockMemory::On);
    let lock = home.folder().join("lock");
    let held = File::create(&lock).unwrap();
    held.lock().unwrap();
    expect(ClockMemory::Off);
    drop(held);
    expect(ClockMemory::On);
    // A folder in place of the lock file cannot be locked, not even by root.
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    expect(ClockMemory::Off);
    std::fs::remove_dir(&lock).unwrap();
    expect(ClockMemory::On);
    let left: Vec<_> = std::fs::read_dir(home.folder()).unwrap().collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

/// `verify FILE` stores the observed clock, and nothing from the file.
#[test]
fn a_file_that_is_judged_raises_the_mark_to_the_clock_alone() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let home = home(folder.path(), &world.installed(NOW, |_| ()));
    let renewal = world.license(|body| {
        (body.answer, body.license, body.issued) =
            (2, LicenseId([2; 16]), at("2028-01-02T00:00:00Z"));
    });
    let decision = home.decide_file(&renewal, &server("2028-01-01T00:00:00Z")).unwrap();
    assert_eq!((word(&decision), decision.clock_memory()), ("licensed", ClockMemory::On));
    assert_eq!(home.require_state().unwrap().memory().mark, at("2028-01-01T00:00:00Z"));
    // Data in the file does not confirm a wrong clock.
    let _ = home.decide(None, None, &server("2029-02-05T00:00:00Z")).unwrap();
    assert!(home.require_state().unwrap().memory().pending.is_some());
    let decision = home.decide_file(&renewal, &server("2028-01-03T00:00:00Z")).unwrap();
    assert_eq!((word(&decision), decision.clock_is_pending()), ("licensed", false));
    let state = home.require_state().unwrap();
    assert_eq!(state.memory().mark, at("2028-01-03T00:00:00Z"));
    assert!(state.memory().pending.is_none());
}

#[test]
fn what_is_only_foreseen_is_what_would_be_decided() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let installed = world.installed(NOW, |_| ());
    let home = home(folder.path(), &installed);
    let theirs = home.clone().expecting(world.other.trust.clone());
    for clock in ["2027-11-20T00:00:00Z", "2028-06-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        let before = home.state_files().map(|file| std::fs::read(file).unwrap());
        let foreseen = home.foresee_all(&server(clock)).unwrap();
        for (_, decision) in theirs.foresee_all(&server(clock)).unwrap() {
            assert_eq!(word(&decision), "wrong-vendor", "{clock}");
        }
        assert_eq!(home.state_files().map(|file| std::fs::read(file).unwrap()), before);
        assert_eq!(foreseen, home.decide_all(&server(clock)).unwrap().1, "{clock}");
    }
}

/// A warning is not a grace period: it has no end.
#[test]
fn a_warning_is_not_said_to_be_a_grace() {
    let rule = |seconds, outcome| GraceRule { cause: Cause::OverQuota, seconds, outcome };
    let twelve = rule(12 * 3600, Outcome::Stop);
    for (rules, says) in [
        (vec![], "it is licensed, with a warning"),
        (vec![rule(0, Outcome::Warn)], "it is licensed, with a warning"),
        (vec![twelve], "it is in a grace period"),
    ] {
        let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
        let installed = world.installed(NOW, |body| body.grace = Set::new(rules).unwrap());
        let home = home(folder.path(), &installed);
        let count = Count { module: text("OBM"), count: 1000 };
        home.report(None, None, &[count], &server(NOW)).unwrap();
        let decision = home.decide(None, None, &server("2099-01-01T00:00:00Z")).unwrap().1;
        let refusal = decision.refusal().unwrap();
        assert!(refusal.fact().ends_with(&format!("by the latest known time {says}")), "{refusal}");
    }
}

//! A waiting license takes over once it has started, even if it is revoked later, and independently
//! of when it was checked.

use crate::world::machine;

use olr::Home;
use olr_core::entitlement::{Cause, GraceRule, Outcome};
use olr_core::import::Imported;
use olr_core::license::LicenseBody;
use olr_core::revocation::{RevocationsBody, Withdrawn, digest_of, sign_revocations};
use olr_core::state::Surroundings;
use olr_core::time::Day;
use olr_core::wire::codec::Set;
use olr_core::wire::id::LicenseId;
use std::path::Path;

use crate::clock::{at, word};
use crate::world::{NOW, World};

/// First day of the second license.
const START: &str = "2028-01-01";

fn around(clock: &str) -> Surroundings {
    machine::around("server", at(clock))
}

fn revocations(world: &World, issued: &str, license: u8, cause: Cause) -> Vec<u8> {
    let license = digest_of(LicenseId([license; 16]));
    let body = RevocationsBody {
        version: 1,
        sequence: 1,
        issued: at(issued),
        licenses: Set::new(vec![Withdrawn { license, cause }]).unwrap(),
        extensions: Set::default(),
    };
    let vendor = &world.vendor;
    sign_revocations(&body, &vendor.trust, (&vendor.issuer, &vendor.delegation), &[]).unwrap()
}

/// A home with a license that never ends, and a second license that is waiting.
fn waiting(world: &World, folder: &Path, grace: Option<(Cause, u64)>) -> Home {
    let state = world.installed(NOW, |body| body.expires = None);
    let home = Home::at(folder.join("home"));
    std::fs::create_dir(home.folder()).unwrap();
    for file in home.state_files() {
        std::fs::write(file, &*state.to_bytes()).unwrap();
    }
    let second = world.license(|body| {
        body.expires = None;
        begins(body, 2, START);
        let rule =
            grace.map(|(cause, seconds)| GraceRule { cause, seconds, outcome: Outcome::Stop });
        body.grace = Set::new(rule.into_iter().collect()).unwrap();
    });
    home.import(&second, &around(NOW), Default::default()).unwrap();
    home
}

fn begins(body: &mut LicenseBody, answer: u8, day: &str) {
    (body.answer, body.license) = (answer.into(), LicenseId([answer; 16]));
    (body.starts, body.issued) = (day.parse::<Day>().unwrap(), at(NOW));
}

fn judged(home: &Home, clock: &str) -> (&'static str, u8) {
    let (_, decision) = home.decide(None, None, &around(clock)).unwrap();
    let license = decision.license().unwrap().body().license.0[0];
    (word(&decision), license)
}

#[test]
fn a_license_that_took_over_is_revoked_with_its_own_terms_whoever_looked_before() {
    let world = World::new();
    let day = 86_400;
    for (cause, looked) in [
        (Cause::Revoked, true),
        (Cause::Revoked, false),
        (Cause::Pooled, true),
        (Cause::Pooled, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let home = waiting(&world, folder.path(), Some((cause, 2 * day)));
        if looked {
            assert_eq!(judged(&home, "2028-02-01T00:00:00Z"), ("licensed", 2));
        }
        let at = "2028-02-10T00:00:00Z";
        home.import(&revocations(&world, at, 2, cause), &around(at), Default::default()).unwrap();
        assert_eq!(judged(&home, at), ("grace", 2), "{cause:?}");
        assert_eq!(judged(&home, "2028-02-11T23:59:59Z"), ("grace", 2));
        assert_eq!(judged(&home, "2028-02-12T00:00:00Z"), ("revoked", 2));
        assert_eq!(
            judged(&home, "2029-02-12T00:00:00Z"),
            ("revoked", 2),
            "no way back to the first"
        );
        let renewed = home.require_state().unwrap();
        let slot = renewed.slot(None, None).unwrap();
        assert_eq!(*slot.held().unwrap().license, *slot.next.as_ref().unwrap().license);
    }
}

#[test]
fn one_that_is_revoked_before_its_start_never_takes_over() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let home = waiting(&world, folder.path(), None);
    let at = "2027-12-10T00:00:00Z";
    home.import(&revocations(&world, at, 2, Cause::Revoked), &around(at), Default::default())
        .unwrap();
    for clock in [at, "2028-02-01T00:00:00Z", "2029-02-01T00:00:00Z"] {
        assert_eq!(judged(&home, clock), ("licensed", 0x11), "{clock}");
    }
    // When a third license starts to wait, the revoked one still does not take over.
    let third = world.license(|body| {
        body.expires = None;
        begins(body, 3, "2029-06-01");
    });
    home.import(&third, &around("2029-02-01T00:00:00Z"), Default::default()).unwrap();
    assert_eq!(judged(&home, "2029-02-01T00:00:00Z"), ("licensed", 0x11));
}

#[test]
fn the_receipt_names_the_license_in_force() {
    for looked in [true, false] {
        let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
        let home = waiting(&world, folder.path(), None);
        if looked {
            judged(&home, "2028-02-01T00:00:00Z");
        }
        let name = home.require_state().unwrap().memory().slots[0].name.clone();
        let receipt = home.deactivate(&name, &around("2028-02-01T00:00:00Z")).unwrap();
        assert_eq!(receipt.body().license, LicenseId([2; 16]));
    }
}

#[test]
fn a_license_that_waited_and_is_replaced_is_named() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let home = waiting(&world, folder.path(), None);
    let third = |answer: u8, day: &str| {
        world.license(|body| {
            body.expires = None;
            begins(body, answer, day);
        })
    };
    let dropped = |bytes: &[u8], clock: &str| {
        let Imported::License { dropped, .. } =
            home.import(bytes, &around(clock), Default::default()).unwrap()
        else {
            unreachable!()
        };
        dropped.map(|license| license.body().license.0[0])
    };
    assert_eq!(dropped(&third(3, "2028-02-01"), NOW), Some(2), "before its start");
    assert_eq!(dropped(&third(4, "2028-03-01"), "2028-02-10T00:00:00Z"), None, "it was in effect");
    assert_eq!(dropped(&third(5, "2028-01-01"), "2028-02-11T00:00:00Z"), Some(4), "not begun");
}

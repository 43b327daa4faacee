//! What the vendor's records show before an answer is signed: the home was copied, the earlier
//! license was revoked, the vendor's own clock is wrong, or the request was answered with another
//! grant.

use serde_json::Value;

use super::{SELF_HOSTED, START, Said, Sale, World};

const SALE: Sale<'static> = Sale {
    kind: "purchased-oem",
    key: "AbCd-1234",
    slot: "backup",
    lines: "expires = \"1 year\"\nmaintenance = \"1 year\"",
    modules: "CBS = 1\nOBM = 10",
};

/// Returns the reported concern about `about`, if there is one.
#[track_caller]
fn concern(said: &Said, about: &str) -> Option<Value> {
    let all = said.done()["concerns"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["about"] == about)
}

impl World {
    #[track_caller]
    fn tried(&self, name: &str, about: &str) -> Option<Value> {
        concern(&self.answer(name, SALE, "--dry-run"), about)
    }

    /// Copies a home under another name, as cloning a disk would.
    fn copied(&self, home: &str, copy: &str) {
        let (from, to) = (self.path(home), self.path(copy));
        let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(done.success());
    }

    #[track_caller]
    fn sold_to(&self, name: &str) -> String {
        let issued = self.issue(name, SALE, "");
        issued.done()["license"]["license_id"].as_str().unwrap().to_string()
    }
}

#[test]
fn a_copy_of_a_home_is_asked_about_before_it_is_answered() {
    let world = World::sold(SELF_HOSTED, SALE);
    world.copied("home", "copy");
    world.request("home", SALE, "").done();
    assert_eq!(world.tried("home", "fork"), None);
    world.sold_to("home");
    assert_eq!(world.tried("home", "fork"), None, "its own answer");
    // The copy makes a second request with the same number.
    world.request("copy", SALE, "").done();
    let says = world.tried("copy", "fork").expect("no concern");
    assert_eq!(says["asks"], true);
    assert!(says["fact"].as_str().unwrap().contains("request 2 of this installation"), "{says}");
    assert!(says["next_step"].as_str().unwrap().contains("--new-identity"), "{says}");
    // The copy makes a later one.
    world.request("copy", SALE, "").done();
    assert_eq!(world.tried("copy", "fork").expect("no concern")["asks"], true);
    world.sold_to("copy");
    // The vendor has confirmed the fork for this copy, and is asked again only about the other one.
    world.request("copy", SALE, "").done();
    assert_eq!(world.tried("copy", "fork"), None);
    world.request("home", SALE, "").done();
    assert_eq!(world.tried("home", "fork").expect("no concern")["asks"], true);
}

#[test]
fn an_older_request_of_a_copy_is_told_from_one_of_the_same_server() {
    let world = World::sold(SELF_HOSTED, SALE);
    world.copied("home", "copy");
    world.request("home", SALE, "").done();
    std::fs::copy(world.path("home.req"), world.path("older.req")).unwrap();
    world.request("home", SALE, "").done();
    world.sold_to("home");
    world.request("copy", SALE, "").done();
    // Request 3 of the server was answered. Its own request 2 is merely late; the request of the
    // copy is a fork.
    assert_eq!(world.tried("older", "fork"), None);
    assert!(world.tried("older", "later").is_some());
    assert!(world.tried("copy", "fork").is_some());
    assert_eq!(world.tried("copy", "later"), None);
}

#[test]
fn a_snapshot_that_was_restored_is_asked_about_once() {
    let world = World::sold(SELF_HOSTED, SALE);
    world.copied("home", "snapshot");
    for _ in 0..3 {
        world.request("home", SALE, "").done();
        world.sold_to("home");
        assert_eq!(world.tried("home", "fork"), None);
    }
    world.request("snapshot", SALE, "").done();
    assert!(world.tried("snapshot", "fork").is_some());
    world.sold_to("snapshot");
    for _ in 0..4 {
        world.request("snapshot", SALE, "").done();
        assert_eq!(world.tried("snapshot", "fork"), None);
        world.sold_to("snapshot");
    }
}

#[test]
fn a_revoked_license_is_not_replaced_without_a_question() {
    let world = World::new(SELF_HOSTED);
    world.request("home", SALE, "").done();
    let id = world.sold_to("home");
    let revoke = |id: &str, more: &str| {
        world
            .olr(&format!("revoke {id} --vendor ./vendor -o ./revoked.olr --force --yes {more}"))
            .done();
    };
    revoke(&id, "--reason not_paid");
    // The old request is refused, with the reason for the revocation.
    world.answer("home", SALE, "").refused("revoked", "not paid");
    let again = concern(&world.answer("home", SALE, "--again --dry-run"), "revoked").unwrap();
    assert_eq!(again["asks"], true);
    // A new request, and a request from another installation with the same key.
    world.request("home", SALE, "").done();
    let says = world.tried("home", "revoked").expect("no concern");
    assert_eq!(says["asks"], true);
    assert!(says["fact"].as_str().unwrap().contains("not paid"), "{says}");
    world.request("other", SALE, "").done();
    let moved = world.answer("other", SALE, "--dry-run --transfer lost");
    assert!(concern(&moved, "revoked").is_some());
    // A request from the same installation for another license key still raises the concern.
    let sale = Sale { key: "other-key", ..SALE };
    world.request("home", sale, "").done();
    assert!(concern(&world.answer("home", sale, "--dry-run"), "revoked").is_some());
    // Once the request is answered, the newest license is a different one.
    world.request("home", SALE, "").done();
    let id = world.sold_to("home");
    world.request("home", SALE, "").done();
    assert_eq!(world.tried("home", "revoked"), None);
    // Moving a license to a pool is no reason not to issue the next one.
    revoke(&id, "--reason pool --pooled");
    assert_eq!(world.tried("home", "revoked"), None);
}

#[test]
fn a_time_is_not_signed_by_a_clock_that_the_records_prove_wrong() {
    let world = World::new(SELF_HOSTED);
    let time = |more: &str| {
        world.olr(&format!(
            "vendor time-anchor ./home.req --vendor ./vendor -o ./time.olr --force {more}"
        ))
    };
    world.request("home", SALE, "").done();
    assert_eq!(concern(&time(""), "clocks"), None);
    assert!(
        concern(
            &{
                world.at("2025-12-31T23:59:59Z");
                time("--yes")
            },
            "clocks"
        )
        .is_some()
    );
    world.at(START).sold_to("home");
    for (at, asks) in [
        (START, false),
        ("2026-11-22T10:00:00Z", false),
        ("2026-11-22T08:00:00Z", true),
        ("2025-10-19T09:00:00Z", true),
        ("2027-12-01T09:00:00Z", false),
        ("2028-12-01T09:00:00Z", true),
    ] {
        world.at(at);
        let said = concern(&time("--yes"), "clocks");
        assert_eq!(said.is_some(), asks, "{at}: {said:?}");
        assert!(said.is_none_or(|said| said["asks"] == true));
    }
}

#[test]
fn another_grant_names_how_the_license_of_the_former_one_is_had() {
    let world = World::new(SELF_HOSTED);
    world.request("home", SALE, "").done();
    let id = world.sold_to("home");
    let other = world.issue("home", Sale { modules: "CBS = 1\nOBM = 11", ..SALE }, "");
    other.unable("with another grant");
    other.says("use the grant of its");
    assert_eq!(world.sold_to("home"), id);
}

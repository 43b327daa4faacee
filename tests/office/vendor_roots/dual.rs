//! Licenses that need two signatures: with both keys in one place, and by exchanging files.

use olr_core::key::Role;
use std::fs;

use crate::vendor_roots::story::Vendor;

/// A vendor whose licenses above 5 OBM need two issuers; the second key is in the folder `second`.
fn two() -> Vendor {
    let vendor = Vendor::new();
    vendor.town.key("second", Role::Issuer, "second");
    vendor.town.carry("second/second.pub", "office/second.pub");
    vendor.delegate("second.pub --act license", &["alice", "carol"]);
    vendor.next_trust("--rule model=purchased_above=OBM:5_signers=2", &["alice", "bob"]);
    vendor.ask("a");
    vendor
}

#[test]
fn one_of_two_is_not_enough() {
    let vendor = two();
    vendor
        .issue("a", "")
        .refused("not-delegated", "only 1 of the 2 signers that the vendor's trust requires");
    vendor.issue("a", "--dry-run").refused("not-delegated", "of the 2 signers");
    vendor.issue("a", "--issuer issuer --issuer issuer").unable("named twice");
    vendor.issue("a", "--issuer issuer --issuer nobody").unable("nobody");
    assert!(!vendor.town.path("office/a.license").exists());
    // Up to the maximum, one signature is enough.
    let grant = fs::read_to_string(vendor.town.path("office/grant.toml")).unwrap();
    fs::write(vendor.town.path("office/grant.toml"), grant.replace("OBM = 10", "OBM = 5")).unwrap();
    vendor.issue("a", "").done();
}

#[test]
fn with_both_keys_at_hand_both_sign_at_once() {
    let vendor = two();
    vendor.town.carry("second/second.key", "office/vendor/keys/second.key");
    vendor.issue("a", "--issuer issuer --issuer second").done();
    let look = vendor.town.run("office", "inspect a.license");
    assert_eq!(
        (look.done()["signed_by"].as_array().unwrap().len(), &look.json["verified"]),
        (2, &"yes".into())
    );
    vendor.import("a", "a.license").done();
    vendor.verify("a").done();
}

#[test]
fn by_exchange_of_files_the_license_is_the_one_that_was_proposed() {
    let vendor = two();
    let office = |line: &str| vendor.town.run("office", line);
    let propose = "issue a.req --grant grant.toml --also";
    // The second issuer has not signed anything yet.
    let second = office("inspect second.olr");
    assert_ne!(second.status, 0);
    let delegations = fs::read_dir(vendor.town.path("office/vendor/delegations")).unwrap();
    let names: Vec<_> =
        delegations.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let id = names
        .iter()
        .map(|name| name.trim_end_matches(".olr"))
        .find(|id| *id != vendor.issuer)
        .unwrap();
    // The second issuer is named by the file of its delegation, or by its key id.
    office(&format!("{propose} vendor/delegations/{id}.olr -o other.olr")).done();
    let proposed = office(&format!("{propose} {id} -o license.olr"));
    assert!(
        proposed.done()["proposal"]["still_missing"].as_str().unwrap().contains(id),
        "{proposed:?}"
    );
    assert_eq!(office("vendor issued").done()["issued"].as_array().unwrap().len(), 0);
    let finish = "issue a.req --grant grant.toml -o a.license --signed";
    office(&format!("{finish} license.olr")).unable("1 of 2 signatures so far");
    vendor.sign("license.olr", "second", true).done();
    office("key combine second.olr -o a.license").unable("only with the vendor's folder");
    // Another proposal for the same request is a different license.
    office(&format!("{finish} second.olr --signed other.olr")).unable("for different files");
    // A different grant makes a different license.
    let grant = fs::read_to_string(vendor.town.path("office/grant.toml")).unwrap();
    fs::write(vendor.town.path("office/more.toml"), grant.replace("OBM = 10", "OBM = 11")).unwrap();
    office("issue a.req --grant more.toml -o a.license --signed second.olr")
        .unable("differs from the one that this request");
    assert!(!vendor.town.path("office/a.license").exists());
    let done = office(&format!("{finish} second.olr"));
    assert_eq!(done.done()["license"]["modules"]["OBM"]["quota"], 10);
    vendor.import("a", "a.license").done();
    vendor.verify("a").done();
    // The same command again returns the stored answer.
    assert_eq!(office(&format!("{finish} second.olr --force")).done()["stored"], true);
    let issued = office("vendor issued");
    assert_eq!(issued.done()["issued"].as_array().unwrap().len(), 1);
}

//! Rules H5 to H7: meter licenses, as far as a server sees them.

use super::{DAY, SELF_HOSTED, Sale, World, by_file};

const SALE: Sale<'_> = Sale {
    kind: "meter-oem",
    key: "AbCd-1234",
    slot: "backup",
    lines: "",
    modules: "CBS = 1\nOBM = \"unlimited\"",
};
const ZERO: Sale<'_> = Sale { modules: "CBS = 1\nOBM = 0", ..SALE };

fn sold() -> World {
    let world = World::sold(&by_file(SELF_HOSTED), SALE);
    world.home("report CBS=1 OBM=40").done();
    world.verify().licensed();
    world.home("check OBM 1000").done();
    world
}

#[test]
fn h5_a_key_whose_usage_is_not_read_may_be_taken_back() {
    let world = sold();
    let id = world.verify().done()["license_id"].as_str().unwrap().to_string();
    world
        .olr(&format!("revoke {id} --reason unread --yes --vendor ./vendor -o ./revoked.olr"))
        .done();
    world.verify().licensed();
    world.home("import ./revoked.olr").done();
    world.verify().refused("revoked", &id);
    world.home("check --operation backup").refused("revoked", "");
    world.import("home", "").refused("revoked", &id);
}

#[test]
fn h6_deactivation_leaves_every_client_a_quota_of_0_until_the_key_is_reactivated() {
    let world = sold();
    world.after(DAY).request("home", ZERO, "--renew").done();
    world.issue("home", ZERO, "").done();
    let says = "this license grants 0 of OBM, but 40 are in use";
    world.import("home", "").refused("quota-exceeded", says);
    world.import("home", "--accept-over-quota").done();
    world.home("check OBM").refused("quota-exceeded", "OBM: 0 granted, 40 used, 1 more wanted");
    world.verify().grace("over-quota", "2026-11-24T21:00:00Z");
    world.at("2026-11-24T21:00:00Z").verify().refused("quota-exceeded", "OBM: 40 used, 0 granted");
    // The customer pays the debt.
    world.after(2 * DAY).renew(SALE, "").done();
    world.verify().licensed();
    world.home("check OBM 1000").done();
}

#[test]
fn h7_a_key_is_terminated_with_all_quotas_at_0_and_the_server_s_receipt() {
    let world = sold();
    world.after(DAY).home("report OBM=0").done();
    world.renew(ZERO, "").done();
    // With no usage there is no excess: the server runs, but accepts no client.
    world.verify().licensed();
    world.home("check OBM").refused("quota-exceeded", "OBM: 0 granted, 0 used, 1 more wanted");
    // The server confirms that it was deactivated.
    world.home("deactivate --yes -o ./receipt.olr").done();
    world.verify().refused("deactivated", "");
    world.import("home", "").refused("replayed", "");
    let receipt = world.olr("inspect ./receipt.olr --vendor ./vendor");
    assert_eq!(receipt.done()["verified"], "yes");
}

//! Rule G1: perpetual licenses and their maintenance.

use super::{DAY, SELF_HOSTED, Sale, World};

#[test]
fn g1_the_first_year_of_maintenance_starts_at_activation_and_is_renewed() {
    let world = World::new(SELF_HOSTED);
    let sale = Sale::of("purchased-oem", "CBS = 1\nOBM = 10");
    // Requested on one day and activated on a later one: the later day counts.
    world.request("home", sale, "").done();
    world.after(40 * DAY).issue("home", sale, "").done();
    world.import("home", "").done();
    let json = world.verify().done().clone();
    assert_eq!((&json["expires"], &json["maintenance"]), (&"never".into(), &"2028-01-01".into()));
    world.home("check --release 2028-01-01").done();
    world
        .home("check --release 2028-01-02")
        .refused("maintenance-ended", "covers releases until 2028-01-01");
    // A renewal extends maintenance and leaves the grants unchanged.
    let renewed = Sale { lines: "maintenance = \"2029-01-01\"", ..sale };
    world.after(300 * DAY).renew(renewed, "").done();
    assert_eq!(world.verify().done()["maintenance"], "2029-01-01");
    world.home("check --release 2029-01-01").done();
    world
        .home("check --release 2029-01-02")
        .refused("maintenance-ended", "covers releases until 2029-01-01");
    world.home("check OBM 10").done();
    world.home("check OBM 11").refused("quota-exceeded", "");
}

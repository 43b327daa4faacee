//! Rules B1 to B4: one license key, one machine.

use super::{DAY, SELF_HOSTED, Sale, World, by_file};

const SALE: Sale<'_> = Sale {
    kind: "purchased-oem",
    key: "AbCd-1234",
    slot: "backup",
    lines: "",
    modules: "CBS = 1\nOBM = 10",
};

#[test]
fn b1_a_second_machine_with_the_key_has_an_error_and_a_fortnight() {
    let world = World::sold(SELF_HOSTED, SALE);
    // A second installation that requests the same key is refused.
    let second = world.on("other").activate("second", SALE);
    second.refused("already-activated", "this license key is in use on another installation");
    // A copy of the server runs for exactly 14 days, and reports why.
    world.on("server").verify().licensed();
    std::fs::create_dir(world.path("copy")).unwrap();
    for file in std::fs::read_dir(world.path("home")).unwrap().map(|file| file.unwrap().path()) {
        std::fs::copy(&file, world.path("copy").join(file.file_name().unwrap())).unwrap();
    }
    let copy = || world.on("copy").olr("verify --home ./copy");
    copy().grace("conflict", "2026-12-07T09:00:00Z");
    copy().says(
        "this machine matches 4 of 10 points, but 5 are needed, and no hardware factor matches",
    );
    world.after(14 * DAY - 1);
    copy().grace("conflict", "2026-12-07T09:00:00Z");
    world.on("copy").olr("check OBM --home ./copy").done();
    world.after(14 * DAY);
    copy().refused("wrong-machine", "the grace period ended at 2026-12-07T09:00:00Z");
    for operation in ["run", "connect", "backup", "restore", "create-user", "upgrade"] {
        let asked = world.olr(&format!("check --operation {operation} --home ./copy"));
        asked.refused("wrong-machine", "");
    }
    // Updating the license is still allowed on the copy, and the first machine was never affected.
    world.olr("check --operation update-license --home ./copy").done();
    world.on("server").verify().licensed();
}

#[test]
fn b2_to_move_a_key_is_to_deactivate_there_and_to_activate_here() {
    let world = World::sold(SELF_HOSTED, SALE);
    world.on("other").request("new", SALE, "").done();
    world.issue("new", SALE, "").refused("already-activated", "");
    // The proof is a receipt. Without it, or with that of another installation, the key stays in
    // use.
    world.on("server").activate("third", Sale { key: "EfGh-5678", ..SALE }).done();
    world.olr("deactivate --yes --home ./third -o ./third.receipt").done();
    let wrong = world.on("other").issue("new", SALE, "--receipt ./third.receipt");
    assert_eq!(wrong.status, 1, "{}", wrong.json);
    world.on("server").home("deactivate --yes -o ./receipt.olr").done();
    world.verify().refused("deactivated", "");
    world.on("other").issue("new", SALE, "--receipt ./receipt.olr").done();
    world.import("new", "").done();
    world.olr("verify --home ./new").licensed();
    // A deactivated license cannot be installed again.
    world.on("server").import("home", "").refused("replayed", "");
    world.verify().refused("deactivated", "");
    world.activate("home", SALE).refused("already-activated", "");
}

#[test]
fn b3_an_evaluation_lasts_60_days_and_then_no_client_may_do_anything() {
    let trial = Sale { kind: "evaluation-standard", key: "EVALUATION", ..SALE };
    let world = World::sold(&by_file(SELF_HOSTED), trial);
    // Everybody types the same name and key, and each machine gets its own 60 days.
    world.on("other").after(DAY).activate("second", trial).done();
    assert_eq!(world.olr("verify --home ./second").done()["expires"], "2027-01-23");
    world.on("server");
    assert_eq!(world.verify().done()["expires"], "2027-01-22");
    // The last day ends everywhere at noon UTC of the next day.
    world.at("2027-01-23T11:59:59Z").verify().licensed();
    world.home("check --operation backup").done();
    world.at("2027-01-23T12:00:00Z").verify().refused("expired", "expired on 2027-01-22");
    for operation in ["connect", "backup", "restore"] {
        world.home(&format!("check --operation {operation}")).refused("expired", "");
    }
    // The service still answers.
    for operation in ["run", "update-user", "update-license"] {
        world.home(&format!("check --operation {operation}")).done();
    }
    // A purchase lifts the block.
    world.on("other").olr("verify --home ./second").licensed();
    world.on("server").renew(Sale { key: "Bought-1", ..SALE }, "").done();
    world.verify().licensed();
    world.home("check --operation restore").done();
}

#[test]
fn b4_a_release_after_the_end_of_maintenance_is_refused_and_the_installed_one_goes_on() {
    let world = World::sold(SELF_HOSTED, SALE);
    assert_eq!(world.verify().done()["maintenance"], "2027-11-22");
    let check = |day: &str| world.home(&format!("check --release {day}"));
    check("2027-11-22").done();
    let says =
        "that release came out on 2027-11-23, but maintenance covers releases until 2027-11-22";
    check("2027-11-23").refused("maintenance-ended", says);
    // Long after maintenance ended, earlier releases may be installed and the product keeps
    // running.
    world.at("2027-12-24T00:00:00Z").verify().licensed();
    check("2027-11-22").done();
    check("2027-11-23")
        .refused("maintenance-ended", "maintenance covers releases until 2027-11-22");
    world.home("check OBM 10 --operation run").done();
}

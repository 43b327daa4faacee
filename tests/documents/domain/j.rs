//! Rules J1 to J5: one license per computer, as far as a computer sees it.

use super::{DAY, MANAGED, Sale, World, by_file};

const SALE: Sale<'_> =
    Sale { kind: "annual", key: "AbCd-1234", slot: "computer", lines: "", modules: "Desktop = 1" };

#[test]
fn j1_a_computer_needs_a_license_of_the_right_kind() {
    let desktops = ["Windows 10", "Windows 11", "macOS", "Linux on a desktop"];
    let servers = ["Windows Server", "Linux on a server"];
    for (modules, right, wrong) in
        [("Desktop = 1", &desktops[..], &servers[..]), ("Server = 1", &servers, &desktops)]
    {
        let world = World::new(MANAGED);
        world.home("check --operation backup").refused("not-activated", "");
        world.activate("home", Sale { modules, ..SALE }).done();
        let check = |system: &str| {
            world.home(&format!("check {} --unlisted --operation backup", system.replace(' ', "_")))
        };
        for system in right {
            check(system).done();
        }
        for system in wrong {
            check(system).refused("not-entitled", &format!("module {system} is not granted"));
        }
        check("BSD").refused("not-entitled", "module BSD is not granted");
    }
    // The license key serves one computer only.
    let world = World::sold(MANAGED, SALE);
    world.on("other").activate("second", SALE).refused("already-activated", "");
    world.home("report Desktop=1").done();
    world.home("check Desktop").refused("quota-exceeded", "Desktop: 1 granted, 1 used");
}

#[test]
fn j4_a_license_is_for_a_month_or_a_year() {
    for (kind, last, end, grace) in [
        ("monthly", "2026-12-22", "2026-12-23T12:00:00Z", "2026-12-26T12:00:00Z"),
        ("annual", "2027-11-22", "2027-11-23T12:00:00Z", "2027-12-07T12:00:00Z"),
    ] {
        let modules = "Desktop = 1\nSupport = 1";
        let world = World::sold(&by_file(MANAGED), Sale { kind, modules, ..SALE });
        assert_eq!(world.verify().done()["expires"], last);
        assert_eq!(world.home("status").done()["modules"]["Support"]["quota"], 1);
        world.at(end);
        let (state, until) =
            (&world.verify().json["state"], &world.verify().json["grace"]["until"]);
        assert_eq!((state.as_str(), until.as_str()), (Some("grace"), Some(grace)), "{kind}");
        world.home("check --operation backup").done();
        world.at(grace);
        world.home("check --operation backup").refused("expired", &format!("expired on {last}"));
        world.home("check --operation restore").done();
        world.home("check --operation run").done();
    }
}

#[test]
fn j5_a_license_that_is_taken_from_a_computer_has_3_days_and_a_trial_has_15() {
    let world = World::sold(&by_file(MANAGED), Sale { kind: "trial", ..SALE });
    assert_eq!(world.verify().done()["expires"], "2026-12-08");
    world.at("2026-12-09T11:59:59Z").verify().licensed();
    world.home("check --operation backup").done();
    world.at("2026-12-09T12:00:00Z");
    for operation in ["backup", "create-backup-set"] {
        world.home(&format!("check --operation {operation}")).refused("expired", "expired on");
    }
    for operation in ["run", "restore"] {
        world.home(&format!("check --operation {operation}")).done();
    }
    for kind in ["monthly", "annual"] {
        let world = World::sold(&by_file(MANAGED), Sale { kind, ..SALE });
        let id = world.verify().done()["license_id"].as_str().unwrap().to_string();
        let revoke =
            format!("revoke {id} --reason released --yes --vendor ./vendor -o ./revoked.olr");
        world.olr(&revoke).done();
        world.after(DAY).home("import ./revoked.olr").done();
        let until = "2026-11-27T09:00:00Z";
        world.verify().grace("revoked", until);
        world.after(4 * DAY - 1).verify().grace("revoked", until);
        world.home("check --operation backup").done();
        world.after(4 * DAY).verify().refused("revoked", &id);
        world.home("check --operation backup").refused("revoked", "");
        world.home("check --operation restore").done();
        // The key may move to another computer; the vendor states why.
        world.on("other").request("next", SALE, "").done();
        world.issue("next", Sale { kind, ..SALE }, "--transfer released").done();
        world.import("next", "").done();
        world.olr("verify --home ./next").licensed();
    }
}

//! Rules A1 to A5: offline activation.

use olr_core::armor::dearmor;
use olr_core::wire::frame::Kind;
use olr_office::catalog::Catalog;
use serde_json::json;

use super::{MANAGED, SELF_HOSTED, Sale, World};

const OBM: &str = "CBS = 1\nOBM = 10";

/// Whether the bytes contain `text` unencrypted.
fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a1_the_request_is_one_sealed_file_with_all_that_activation_needs() {
    let (world, sale) = (World::new(SELF_HOSTED), Sale::of("purchased-oem", OBM));
    let needed = ["02:fc:00:00:00:01", "02:fc:00:00:00:02", "192.0.2.1", "linux", "ACME Ltd"];
    let sealed = world.request("home", sale, "").done()["sealed"].to_string();
    assert!(needed.iter().all(|value| sealed.contains(value)), "{sealed}");
    // The operator chooses the path, and exactly one file is written.
    let text = std::fs::read(world.path("home.req")).unwrap();
    let bytes = dearmor(Some(Kind::Request), &text).unwrap();
    for value in needed.iter().chain(&["AbCd-1234"]) {
        assert!(!holds(&bytes, value) && !holds(&text, value), "{value} can be read");
    }
    // Support staff can read all of it except the start of the license key.
    let opened = world.olr("inspect ./home.req --vendor ./vendor");
    needed.iter().for_each(|value| opened.says(value));
    opened.says("…1234");
    // Another vendor cannot read it, and any change to the file is detected.
    world.olr("vendor init ./other --name Other --no-passphrase").done();
    let other = world.olr("issue ./home.req --grant ./other/grant.toml --vendor ./other");
    other.refused("wrong-vendor", "");
    let mut changed = bytes.to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    std::fs::write(world.path("home.req"), changed).unwrap();
    world.issue("home", sale, "").refused("undecryptable", "");
    assert!(!world.path("home.license").exists());
}

#[test]
fn a2_the_answer_activates_the_server_that_asked_and_no_other() {
    let (world, sale) = (World::new(SELF_HOSTED), Sale::of("purchased-oem", OBM));
    world.verify().refused("not-activated", "nothing was requested");
    world.request("home", sale, "").done();
    world.verify().refused("not-activated", "no license is installed");
    world.issue("home", sale, "").done();
    let text = std::fs::read(world.path("home.license")).unwrap();
    let mut changed = dearmor(Some(Kind::License), &text).unwrap().into_owned();
    let end = changed.len() - 1;
    changed[end] ^= 1;
    std::fs::write(world.path("changed"), changed).unwrap();
    world.home("import ./changed").refused("wrong-signature", "");
    world.verify().refused("not-activated", "");
    assert_eq!(world.import("home", "").done()["imported"], "installed");
    world.verify().licensed();
    // Another server requests a license from the same vendor, for the same slot.
    world.request("other", Sale { key: "EfGh-5678", ..sale }, "").done();
    world.olr("import ./home.license --home ./other").refused("wrong-machine", "");
}

#[test]
fn a3_only_types_that_the_catalog_opens_are_activated_by_files() {
    for (catalog, slot, modules, open, types) in [
        (SELF_HOSTED, "backup", OBM, &["purchased-oem"][..], 8),
        (MANAGED, "computer", "Desktop = 1", &["annual"], 3),
    ] {
        let world = World::new(catalog);
        let described = Catalog::parse(catalog).unwrap();
        assert_eq!(described.types.len(), types);
        for (kind, of) in &described.types {
            let lines = "maintenance = \"1 year\"\n";
            let sale = Sale { kind, slot, lines, ..Sale::of(kind, modules) };
            world.request("home", sale, "").done();
            let issued = world.issue("home", sale, "");
            if open.contains(&kind.as_str()) {
                let said = &issued.done()["license"];
                let expected = (&json!(of.model.word()), &json!(of.edition.word()));
                assert_eq!((&said["model"], &said["edition"]), expected);
                continue;
            }
            let who =
                format!("type {kind} ({} {}) may not be activated offline: ", of.model, of.edition);
            let json = issued.refused("offline-not-allowed", &who);
            let why = of.reason.as_deref().unwrap();
            assert!(json["fact"].as_str().unwrap().ends_with(why), "{json}");
        }
    }
}

#[test]
fn a4_a_key_of_one_slot_is_refused_in_the_other() {
    let world = World::new(SELF_HOSTED);
    let backup = Sale::of("purchased-oem", OBM);
    let redirector = Sale { slot: "redirector", modules: "CBS = 1\nRedirection = 5", ..backup };
    for (asked, sold, belongs) in
        [(redirector, backup, "backup"), (backup, redirector, "redirector")]
    {
        world.request("home", asked, "").done();
        let says = format!("this key belongs to slot {belongs}");
        world.issue("home", sold, "").refused("wrong-slot", &says);
    }
    // A license is carried to a server of the other slot.
    world.activate("first", backup).done();
    world.request("second", redirector, "").done();
    let import = world.olr("import ./first.license --home ./second");
    import.refused("wrong-slot", "belongs to slot backup");
    // In its own slot the license is installed, and one home may hold both slots, with a key each.
    let redirector = Sale { key: "Redi-1234", ..redirector };
    world.request("first", redirector, "").done();
    world.issue("first", redirector, "").done();
    world.import("first", "").done();
    world.olr("verify --home ./first --slot redirector").licensed();
    world.olr("verify --home ./first --slot backup").licensed();
    world.olr("request --home ./first --slot attic --dry-run").refused("wrong-slot", "attic");
    // Each slot has its own license key: a renewal of one slot never uses the key of the other.
    let renew = "request --home ./first --slot backup --renew --dry-run";
    world.olr(renew).unable("the license key of slot backup is not stored");
    world.olr(&format!("{renew} --key {}", backup.key)).done();
    world.olr("request --home ./first --slot redirector --renew --dry-run").done();
}

#[test]
fn a5_a_name_or_key_in_another_case_is_a_mismatch() {
    let world = World::new(SELF_HOSTED);
    let sale = Sale::of("purchased-oem", OBM);
    for (name, key, says) in [
        (
            "ACME_ltd",
            "AbCd-1234",
            "the licensee of the request differs from the grant only in upper",
        ),
        ("Acme_Ltd", "AbCd-1234", "\"Acme Ltd\", not \"ACME Ltd\""),
        ("ACME", "AbCd-1234", "the licensee of the request differs from the grant: "),
        ("ACME_Ltd.", "AbCd-1234", "the licensee of the request differs from the grant: "),
        ("ACME_Ltd", "ABCD-1234", "the license key of the request differs from the grant only in"),
        ("ACME_Ltd", "AbCd-1235", "the license key of the request differs from the grant"),
    ] {
        world
            .olr(&format!(
                "request --home ./home --trust ./vendor/vendor.trust --licensee {name} --key {key} \
                 -o ./home.req --force"
            ))
            .done();
        let json = world.issue("home", sale, "").refused("wrong-licensee", says).to_string();
        assert!(!json.contains("1234") && !json.contains("1235"), "the key is not shown: {json}");
    }
    world.activate("home", sale).done();
}

//! Exceeding a delegation by one, in each of its limits, is refused before anything is signed.

use olr_core::key::Role;
use olr_office::folder::Folder;
use std::fs;

use crate::vendor_roots::office::files_below;
use crate::vendor_roots::story::{GRANT, Vendor};

/// Delegates with `flags`, then issues for the changed grant.
fn tried(vendor: &Vendor, flags: &str, change: (&str, &str)) -> crate::vendor_roots::office::Run {
    vendor.delegate(&format!("issuer.pub --act license {flags}"), &["alice", "bob"]);
    let grant = GRANT.replace("K-1", "K-a").replace(change.0, change.1);
    fs::write(vendor.town.path("office/grant.toml"), grant).unwrap();
    let before = files_below(&vendor.town.path("office/vendor"));
    // If no delegation allows the license, the command asks for no passphrase and writes nothing.
    let run = vendor.issue("a", "");
    if run.status != 0 {
        assert_eq!(files_below(&vendor.town.path("office/vendor")), before);
        assert!(!vendor.town.path("office/a.license").exists());
    } else {
        fs::remove_file(vendor.town.path("office/a.license")).unwrap();
        fs::remove_file(vendor.town.path("office/vendor/ledger.db")).unwrap();
        Folder::at(vendor.town.path("office/vendor")).create_ledger().unwrap();
    }
    run
}

#[test]
fn each_limit_is_named_when_it_is_exceeded_by_one() {
    let vendor = Vendor::begun();
    vendor.ask("a");
    vendor.issue("a", "").unable("there is no delegation for issuer key");
    let none = ("", "");
    let expires = |days: u32| format!("expires = \"{days} days\"");
    let never = "expires = \"never\"";
    let (ten, eleven) = (expires(10), expires(11));
    for (flags, within, beyond, says) in [
        ("--max OBM=10 --max ACB=10", none, ("OBM = 10", "OBM = 11"), "module OBM is above"),
        (
            "--max OBM=10 --max ACB=any",
            none,
            ("OBM = 10", "OBM = \"unlimited\""),
            "module OBM is above",
        ),
        (
            "--max OBM=10 --max ACB=10",
            none,
            ("ACB = 10", "ACB = 10\nCBS = 1"),
            "module CBS is above",
        ),
        (
            "--max-term 10d",
            (never, ten.as_str()),
            (never, eleven.as_str()),
            "longest term is 10 days",
        ),
        ("--max-term 10d", (never, ten.as_str()), none, "longest term is 10 days"),
    ] {
        tried(&vendor, flags, within).done();
        tried(&vendor, flags, beyond).refused("not-delegated", says);
    }
    for (flags, says) in [
        ("--slot redirector", "slot backup is not among"),
        ("--type meter", "type oem is not among"),
        ("--from 2999-01-01", "valid from 2998-12-31T10:00:00Z"),
    ] {
        tried(&vendor, flags, none).refused("not-delegated", says);
    }
    // A delegation that has already ended cannot be made. `tests/documents/domain/clocks.rs` makes
    // a valid one, and sets the clock to after its end.
    let ended = "key delegate issuer.pub --act license --until 2020-01-01 -o never.olr";
    vendor
        .town
        .run("office", ended)
        .unable("a delegation until 2020-01-02T11:59:59Z has already ended");
    tried(
        &vendor,
        "--slot backup --type oem --product example --from 2020-01-01 --until 2999-01-01",
        none,
    )
    .done();
    vendor.delegate("issuer.pub --act time", &["alice", "bob"]);
    vendor.issue("a", "").refused("not-delegated", "act license is not among its acts");
}

#[test]
fn a_limit_that_names_what_nobody_sells_is_a_mistake() {
    let vendor = Vendor::begun();
    for (flags, says) in [
        ("--product exampel", "has no product"),
        ("--slot back-up", "has no slot"),
        ("--type OEM", "has no type"),
        ("--max OBN=5", "has no module"),
        ("--max OBM", "is not a module and a number"),
        ("--max-term 1_year", "is not a number of days"),
        ("--from 2027-02-30", "--from"),
        ("--from 2027-02-02 --until 2027-01-01", "ends before it starts"),
        ("--slot backup --slot backup", "--slot"),
    ] {
        let line = format!("key delegate issuer.pub --act license {flags} -o never.olr");
        vendor.town.run("office", &line).unable(says);
    }
    vendor
        .town
        .run("office", "key delegate issuer.pub --act sell -o never.olr")
        .unable("there is no act");
    vendor.town.run("office", "key delegate issuer.pub -o never.olr").unable("--act");
    vendor
        .town
        .run("office", "key delegate alice.pub --act license -o never.olr")
        .unable("role root");
    assert!(!vendor.town.path("office/never.olr").exists());
}

#[test]
fn nobody_is_asked_for_a_passphrase_for_what_is_outside_the_limits() {
    let vendor = Vendor::begun();
    vendor.ask("a");
    vendor.delegate("issuer.pub --act license --max OBM=9 --max ACB=10", &["alice", "bob"]);
    fs::write(vendor.town.path("office/staff"), "a long passphrase\n").unwrap();
    let passwd = "key passwd vendor/keys/issuer.key --new-passphrase-file staff";
    vendor.town.run("office", passwd).done();
    vendor.issue("a", "").refused("not-delegated", "module OBM is above");
    let grant = fs::read_to_string(vendor.town.path("office/grant.toml")).unwrap();
    fs::write(vendor.town.path("office/grant.toml"), grant.replace("OBM = 10", "OBM = 9")).unwrap();
    vendor.issue("a", "").unable("needs the staff passphrase");
    vendor.issue("a", "--passphrase-file staff").done();
}

#[test]
fn of_several_issuers_the_one_that_may_is_chosen() {
    let vendor = Vendor::begun();
    // The newer key may issue licenses; the older one may sign timestamps and revocations.
    vendor.delegate("issuer.pub --act time --act revoke", &["alice", "bob"]);
    vendor.town.key("office", Role::Issuer, "issuer-2");
    vendor.town.carry("office/issuer-2.key", "office/vendor/keys/issuer-2.key");
    vendor.delegate("issuer-2.pub --act license", &["alice", "bob"]);
    vendor.licensed("a");
    let office = |line: &str| vendor.town.run("office", line);
    office("vendor time-anchor a.req").done();
    assert_eq!(office("inspect time.olr").done()["signed_by"][0], vendor.issuer.as_str());
    let license = office("inspect a.license").done()["license_id"].as_str().unwrap().to_string();
    office(&format!("revoke {license} --reason test --yes")).done();
    assert_eq!(office("inspect revoked.olr").done()["signed_by"][0], vendor.issuer.as_str());
}

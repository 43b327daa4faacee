//! Obstacles in an emergency: old files, a catalog that was proposed and forgotten, an import that
//! silently ends a license.

use std::fs;

use crate::vendor_roots::office::Town;
use crate::vendor_roots::story::Vendor;

/// Installs a license on a server, and returns its id.
fn licensed(vendor: &Vendor, name: &str) -> String {
    vendor.licensed(name);
    let look = vendor.town.run("office", &format!("inspect {name}.license"));
    look.done()["license_id"].as_str().unwrap().to_string()
}

#[test]
fn an_old_file_stops_no_revocation_and_is_left_as_it_is() {
    let vendor = Vendor::new();
    let license = licensed(&vendor, "a");
    let office = |line: &str| vendor.town.run("office", line);
    let at = |name: &str| vendor.town.path(&format!("office/{name}"));
    for old in ["a letter", "", "-----BEGIN OLR KEY FILE-----\n"] {
        for name in ["proposal.olr", "revoked.olr"] {
            let _ = fs::remove_file(at(name));
            fs::write(at(name), old).unwrap();
        }
        let run = office(&format!("revoke {}", vendor.issuer));
        assert_eq!(run.done()["file"], "proposal-2.olr", "{run:?}");
        assert!(run.stderr.contains("proposal.olr is another file"), "{run:?}");
        let run = office(&format!("revoke {license} --reason test --yes"));
        assert_eq!(run.done()["file"], "revoked-2.olr", "{run:?}");
        for name in ["proposal.olr", "revoked.olr"] {
            assert_eq!(fs::read_to_string(at(name)).unwrap(), old);
        }
    }
    // A different proposal gets a file of its own; the same one is written to its file again. A
    // file name that the user gives is not changed.
    let run = office("key propose --threshold 3");
    assert_eq!(run.done()["file"], "proposal-3.olr");
    let run = office(&format!("revoke {}", vendor.issuer));
    assert_eq!(run.done()["file"], "proposal-2.olr", "the same proposal takes its place: {run:?}");
    office(&format!("revoke {} -o proposal.olr", vendor.issuer)).unable("a different file");
    office(&format!("revoke {} -o proposal.olr --force", vendor.issuer)).done();
    assert_ne!(fs::read_to_string(at("proposal.olr")).unwrap(), "a letter");
}

#[test]
fn who_has_still_to_sign_is_said_in_one_way() {
    let vendor = Vendor::new();
    let run = vendor.town.run("office", "key propose --name Southwind -o p.olr");
    let (a, b, c) = (&vendor.roots[0], &vendor.roots[1], &vendor.roots[2]);
    let said = run.done()["still_missing"].as_str().unwrap();
    assert!(said.starts_with("0 of 2 signatures so far; any 2 of "), "{said}");
    assert!([a, b, c].iter().all(|id| said.contains(id.as_str())), "{said}");
    vendor.sign("p.olr", "alice", true).done();
    let run = vendor.town.run("office", "key combine alice.olr -o x.trust");
    run.unable("1 of 2 signatures so far; any 1 of ");
    assert!(!run.json["fact"].as_str().unwrap().contains(a), "{run:?}");
}

#[test]
fn an_import_says_which_installed_license_ends_by_it() {
    let vendor = Vendor::new();
    let (a, b) = (licensed(&vendor, "a"), licensed(&vendor, "b"));
    let office = |line: &str| vendor.town.run("office", line);
    office(&format!("revoke {a} --reason test --yes")).done();
    let run = vendor.import("a", "revoked.olr");
    assert_eq!(run.done()["affected"][0]["license_id"], a.as_str(), "{run:?}");
    assert_eq!(run.json["affected"][0]["refusal"], "revoked");
    // The other server is not affected.
    assert_eq!(vendor.import("b", "revoked.olr").done()["affected"].as_array().unwrap().len(), 0);
    assert_eq!(vendor.import("a", "revoked.olr").done()["affected"].as_array().unwrap().len(), 0);
    vendor.next_trust(&format!("--revoke {}", vendor.issuer), &["alice", "bob"]);
    let run = vendor.import("b", "vendor/vendor.trust");
    assert_eq!(run.done()["affected"][0]["license_id"], b.as_str(), "{run:?}");
    assert_eq!(run.json["affected"][0]["refusal"], "revoked");
    vendor.verify("b").refused("revoked", "");
}

/// A custom catalog, with products that differ from the starter's.
fn other_catalog() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/catalogs");
    fs::read_to_string(path.join("self-hosted.toml")).unwrap()
}

#[test]
fn a_proposed_catalog_is_put_in_place_with_its_trust() {
    let town = Town::new();
    let office = |line: &str| town.run("office", line);
    for role in ["root", "issuer", "sealing"] {
        office(&format!("key new --role {role} --no-passphrase")).done();
    }
    fs::write(town.path("office/mine.toml"), other_catalog()).unwrap();
    let first = "key propose --first --name N --root root.pub --threshold 1 --sealing sealing.pub";
    office(&format!("{first} --catalog mine.toml")).done();
    office("key sign proposal.olr --key root.key --yes").done();
    office("key combine proposal.olr -o first.trust").done();
    office("vendor publish first.trust --vendor vendor").done();
    let read = |name: &str| fs::read_to_string(town.path(&format!("office/{name}"))).unwrap();
    assert_eq!(read("vendor/catalog.toml"), other_catalog());
    assert!(read("vendor/grant.toml").contains("purchased-oem"));
    // Without the proposed catalog, the command does not guess.
    for entry in fs::read_dir(town.path("office")).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_str().unwrap().to_string();
        if name.starts_with("catalog-") {
            fs::remove_file(entry).unwrap();
        }
    }
    office("vendor publish first.trust --vendor w").unable("no available catalog");
    assert!(!town.path("office/w").exists());
    office("vendor publish first.trust --vendor w --catalog mine.toml").done();
    assert_eq!(read("w/catalog.toml"), other_catalog());

    // The next trust puts the next catalog into place, and keeps a copy of the old one.
    let next = other_catalog().replacen("\"redirector\"", "\"redirector\", \"archive\"", 1);
    fs::write(town.path("office/next.toml"), &next).unwrap();
    office("key propose --catalog next.toml -o next.olr").done();
    office("key sign next.olr --key root.key --yes").done();
    office("key combine next.olr -o second.trust").done();
    office("vendor publish second.trust --catalog mine.toml")
        .unable("products or slots of this catalog, or their order, differ");
    assert!(!town.path("office/vendor/trusts/2.trust").exists());
    office("vendor publish second.trust").done();
    assert_eq!(read("vendor/catalog.toml"), next);
    assert_eq!(read("vendor/catalog-before-2.toml"), other_catalog());
    office("vendor publish second.trust").done();
    assert_eq!(read("vendor/catalog-before-2.toml"), other_catalog());
}

#[test]
fn a_first_grant_fits_the_catalog_that_was_given() {
    for (name, kind) in [("self-hosted", "purchased-oem"), ("managed", "annual")] {
        let town = Town::new();
        let office = |line: &str| town.run("office", line);
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/catalogs");
        town.key("office", olr_core::key::Role::Root, "spare");
        fs::copy(path.join(format!("{name}.toml")), town.path("office/mine.toml")).unwrap();
        office("vendor init vendor --name N --no-passphrase --catalog mine.toml").done();
        let grant = fs::read_to_string(town.path("office/vendor/grant.toml")).unwrap();
        assert!(grant.contains(&format!("\"{kind}\"")), "{grant}");
        office(
            "request --home home --trust vendor/vendor.trust --licensee ACME_Ltd --key AbCd-1234 \
             --pin rack=B12 --pin asset=4711",
        )
        .done();
        let issued = office("issue req.olr --grant vendor/grant.toml");
        assert_eq!(issued.done()["license"]["type"], kind, "{issued:?}");
        office("import license.olr --home home").done();
        office("verify --home home").done();
    }
    // A catalog that allows nothing offline gets no grant file.
    let town = Town::new();
    let catalog = other_catalog().replacen("offline = true", "offline = false", 1);
    town.key("office", olr_core::key::Role::Root, "spare");
    fs::write(town.path("office/mine.toml"), catalog).unwrap();
    town.run("office", "vendor init vendor --name N --no-passphrase --catalog mine.toml").done();
    assert!(!town.path("office/vendor/grant.toml").exists());
}

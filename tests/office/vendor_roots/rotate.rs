//! Lost and replaced keys. Licenses that were issued before stay valid.

use olr_core::error::Remedy;
use olr_core::key::Role;
use olr_office::folder::Folder;
use std::fs;

use crate::vendor_roots::office::{Town, files_below};
use crate::vendor_roots::story::{ROOTS, Vendor};

#[test]
fn with_any_root_lost_the_others_replace_it() {
    for (lost, left) in [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])] {
        let vendor = Vendor::new();
        vendor.licensed("a");
        let dave = vendor.town.key("dave", Role::Root, "dave");
        vendor.town.carry("dave/dave.pub", "office/dave.pub");
        fs::remove_dir_all(vendor.town.path(ROOTS[lost])).unwrap();
        let left = left.map(|who| ROOTS[who]);
        let changes = format!("--add-root dave.pub --remove-root {}", vendor.roots[lost]);
        vendor.next_trust(&changes, &left);
        let look = vendor.town.run("office", "inspect vendor/vendor.trust");
        assert_eq!((&look.done()["version"], &look.json["verified"]), (&2.into(), &"yes".into()));
        assert_eq!(
            vendor.town.binary("office/vendor/trusts/2.trust"),
            vendor.town.binary("office/vendor/vendor.trust")
        );
        // The license that was issued before stays valid, and the new root signs.
        vendor.import("a", "vendor/vendor.trust").done();
        vendor.verify("a").done();
        vendor.next_trust("--threshold 1", &[left[0], "dave"]);
        assert!(!vendor.roots.contains(&dave));
        vendor.licensed("b");
    }
}

#[test]
fn with_fewer_than_the_threshold_nothing_goes_on() {
    let vendor = Vendor::new();
    vendor.town.key("dave", Role::Root, "dave");
    vendor.town.carry("dave/dave.pub", "office/dave.pub");
    let (alice, bob) = (&vendor.roots[0], &vendor.roots[1]);
    vendor
        .propose(&format!("--add-root dave.pub --remove-root {alice} --remove-root {bob}"))
        .done();
    vendor.all_sign("proposal.olr", &["carol", "dave"], true);
    vendor
        .publish(&["carol", "dave"], "next.trust")
        .unable("the roots of trust 1: 1 of 2 signatures so far");
    // If the new roots did not sign, the error is about the roots of the new trust.
    vendor
        .propose(&format!(
            "--add-root dave.pub --remove-root {alice} --remove-root {bob} --threshold 2"
        ))
        .done();
    vendor.all_sign("proposal.olr", &["alice", "bob"], true);
    vendor
        .publish(&["alice", "bob"], "next.trust")
        .unable("the roots of trust 2: 0 of 2 signatures so far");
}

#[test]
fn delegations_that_would_count_no_longer_are_kept() {
    let vendor = Vendor::new();
    vendor.licensed("a");
    for who in ["dave", "erin"] {
        vendor.town.key(who, Role::Root, who);
        vendor.town.carry(&format!("{who}/{who}.pub"), &format!("office/{who}.pub"));
    }
    let change = format!(
        "--add-root dave.pub --add-root erin.pub --remove-root {} --remove-root {}",
        vendor.roots[0], vendor.roots[1]
    );
    let proposed = vendor.propose(&change);
    let kept = |run: &crate::vendor_roots::office::Run| {
        let changes = run.done()["content"]["changes"].as_array().unwrap();
        changes.iter().filter(|row| row[0] == "kept delegation").count()
    };
    assert_eq!(kept(&proposed), 1, "{proposed:?}");
    let file = format!("vendor/delegations/{}.olr", vendor.issuer);
    assert_eq!(kept(&vendor.propose(&format!("{change} --drop {file}"))), 0);
    vendor.next_trust(&change, &["alice", "bob", "dave", "erin"]);
    vendor.import("a", "vendor/vendor.trust").done();
    vendor.verify("a").done();
    // The issuer works under the new trust, and a server that lacks this trust receives it with the
    // license.
    vendor.licensed("b");
}

#[test]
fn each_key_of_the_office_is_replaced_in_one_go_where_the_roots_are_at_hand() {
    let town = Town::new();
    town.run("office", "vendor init v --name Northwind --no-passphrase").done();
    fs::rename(town.path("office/v"), town.path("office/vendor")).unwrap();
    let vendor = Vendor { town, roots: vec![], issuer: String::new(), sealing: String::new() };
    vendor.licensed("a");
    let office = |line: &str| vendor.town.run("office", line);
    let server = |line: &str| vendor.town.run("server", line);
    let first = fs::read(vendor.town.path("office/vendor/vendor.trust")).unwrap();

    // Issuer: the new key signs from now on, and the old license stays valid.
    let issuer = office("key rotate issuer --no-passphrase --yes");
    let new_issuer = issuer.done()["key_id"].as_str().unwrap().to_string();
    assert_eq!(issuer.json["published"]["issuer"], new_issuer.as_str());
    assert!(vendor.town.path("office/vendor/keys/issuer-2.key").exists());
    vendor.licensed("b");
    assert_eq!(office("inspect b.license").done()["signed_by"][0], new_issuer.as_str());

    // Sealing key: requests of servers with the old trust can still be opened.
    vendor.ask("c");
    let sealing = office("key rotate sealing --no-passphrase --yes");
    assert_eq!(sealing.done()["published"]["trust"], 2);
    vendor.issue("c", "").done();
    vendor.import("c", "c.license").done();
    vendor.licensed("d");
    let sealed = |request: &str| office(&format!("inspect {request}")).done()["recipient"].clone();
    assert_eq!(sealed("d.req"), sealing.json["key_id"]);
    assert_ne!(sealed("c.req"), sealing.json["key_id"]);
    // An older trust is refused as superseded.
    fs::write(vendor.town.path("server/old.trust"), first).unwrap();
    server("import old.trust --home d").refused("superseded", "trust 1 is not newer than trust 2");
    vendor.town.carry("server/old.trust", "office/old.trust");
    office("vendor publish old.trust").refused("superseded", "not newer");
    // A missing sealing key proves nothing about the request, so it is not refused.
    vendor.ask("e");
    let moved = vendor.town.path("office/elsewhere.key");
    fs::rename(vendor.town.path("office/vendor/keys/sealing-2.key"), &moved).unwrap();
    vendor.issue("e", "").unable("which is not in keys/");
    fs::rename(&moved, vendor.town.path("office/vendor/keys/sealing-2.key")).unwrap();
    vendor.issue("e", "").done();

    // Root: the delegations by the old root are kept.
    let root = office("key rotate root --no-passphrase --yes");
    assert_eq!(root.done()["published"]["trust"], 3, "{root:?}");
    fs::remove_file(vendor.town.path("office/vendor/keys/root.key")).unwrap();
    vendor.import("a", "vendor/vendor.trust").done();
    for home in ["a", "b", "c", "d"] {
        vendor.import(home, "vendor/vendor.trust").done();
        vendor.verify(home).done();
    }
    assert_eq!(office("key rotate sealing --no-passphrase --yes").done()["published"]["trust"], 4);

    // Every trust that was ever in effect is kept.
    for version in 1..=4 {
        assert!(vendor.town.path(&format!("office/vendor/trusts/{version}.trust")).exists());
    }
    assert_eq!(office("vendor publish vendor/vendor.trust").done()["new"], false);

    // Revoking an issuer key lists the licenses that it signed, and stops them on servers that
    // learn of the revocation.
    let look = office("inspect a.license");
    let old_issuer = look.done()["signed_by"][0].as_str().unwrap().to_string();
    let revoked = office(&format!("revoke {old_issuer} --yes"));
    assert_eq!(revoked.done()["signed_by_it"].as_array().unwrap().len(), 1, "{revoked:?}");
    assert_eq!(revoked.json["published"]["trust"], 5);
    // Repeated without a terminal to ask on, the command reports that the key was already revoked.
    let again = office(&format!("revoke {old_issuer}"));
    assert_eq!(
        (&again.done()["already"], &again.json["published"]["trust"]),
        (&true.into(), &5.into())
    );
    assert_eq!(again.json["signed_by_it"], revoked.json["signed_by_it"]);
    vendor.import("a", "vendor/vendor.trust").done();
    vendor.verify("a").refused("revoked", &old_issuer);
    vendor.import("b", "vendor/vendor.trust").done();
    vendor.verify("b").done();
    // The revoked key is not chosen by default, and is refused when named.
    office("issue e.req --grant grant.toml --issuer issuer -o x.license --again")
        .refused("revoked", &old_issuer);
}

#[test]
fn another_vendor_s_trust_is_not_put_in_place() {
    let (one, other) = (Vendor::begun(), Vendor::begun());
    other.town.run("office", "vendor init w --name Other --no-passphrase").done();
    fs::rename(one.town.path("office/vendor"), one.town.path("office/kept")).unwrap();
    fs::rename(one.town.path("office/kept"), one.town.path("office/vendor")).unwrap();
    fs::copy(other.town.path("office/w/vendor.trust"), one.town.path("office/w.trust")).unwrap();
    fs::copy(other.town.path("office/w/delegations/issuer.olr"), one.town.path("office/w.olr"))
        .unwrap();
    one.town.run("office", "vendor publish w.trust").refused("wrong-vendor", "");
    one.town.run("office", "vendor publish w.olr").refused("wrong-vendor", "");
}

#[test]
fn a_rotation_that_nobody_signed_leaves_no_key_behind() {
    let town = Town::new();
    let office = |line: &str| town.run("office", line);
    fs::create_dir(town.path("office")).unwrap();
    for name in ["root", "staff", "wrong"] {
        fs::write(town.path(&format!("office/{name}")), format!("the {name} passphrase")).unwrap();
    }
    office("vendor init v --name N --root-passphrase-file root --passphrase-file staff").done();
    fs::rename(town.path("office/v"), town.path("office/vendor")).unwrap();
    let before = files_below(&town.path("office/vendor"));
    for role in ["issuer", "sealing", "root"] {
        office(&format!("key rotate {role} --passphrase-file staff --yes"))
            .unable("needs the root passphrase");
        assert_eq!(files_below(&town.path("office/vendor")), before, "{role}");
    }
    let wrong = "key rotate issuer --passphrase-file staff --root-passphrase-file wrong --yes";
    office(wrong).unable("passphrase");
    assert_eq!(files_below(&town.path("office/vendor")), before);
    let rotated = "key rotate issuer --passphrase-file staff --root-passphrase-file root --yes";
    assert!(office(rotated).done()["published"]["new"] == true);
}

#[test]
fn a_list_of_a_revoked_key_is_signed_anew_before_anything_is_issued() {
    let vendor = Vendor::new();
    vendor.licensed("a");
    let office = |line: &str| vendor.town.run("office", line);
    let license = office("inspect a.license").done()["license_id"].as_str().unwrap().to_string();
    office(&format!("revoke {license} --reason test --yes")).done();
    vendor.licensed("b");
    vendor.next_trust(&format!("--revoke {}", vendor.issuer), &["alice", "bob"]);
    let second = vendor.town.key("office", Role::Issuer, "issuer-2");
    vendor.town.carry("office/issuer-2.key", "office/vendor/keys/issuer-2.key");
    vendor.delegate("issuer-2.pub --act license --act revoke", &["alice", "carol"]);
    vendor.ask("c");
    // The error is not about the request: the vendor must first sign its list of revocations
    // again.
    let run = vendor.issue("c", "");
    run.unable("the list in revocations/ is no longer valid");
    assert!(run.json["hint"].as_str().unwrap().contains("olr revoke --again"), "{run:?}");
    office("revoke --again --force").done();
    assert_eq!(office("inspect revoked.olr").done()["signed_by"][0], second.as_str());
    vendor.licensed("c");
}

#[test]
fn the_way_to_a_valid_issuer_is_a_rotation_only_if_its_limits_still_allow_licenses() {
    let vendor = Vendor::begun();
    vendor.delegate("issuer.pub --act license --until 2999-12-31", &["alice", "bob"]);
    let folder = Folder::at(vendor.town.path("office/vendor"));
    let way = |day: &str| {
        let now = format!("{day}T12:00:00Z").parse().unwrap();
        let trust = folder.trust().unwrap();
        assert!(!folder.has_issuer(now, &trust, &mut |_| unreachable!()), "{day}");
        folder.next_issuer(now, &trust).unwrap()
    };
    let ended = way("3000-01-01");
    assert_eq!(ended.remedies(), [Remedy::Delegate, Remedy::NameEnd]);
    assert!(ended.text().contains(&vendor.issuer), "{ended}");
    // A key that may only revoke is no template either.
    let second = vendor.town.key("office", Role::Issuer, "issuer-2");
    vendor.town.carry("office/issuer-2.key", "office/vendor/keys/issuer-2.key");
    vendor.delegate("issuer-2.pub --act revoke", &["alice", "carol"]);
    vendor.next_trust(&format!("--revoke {}", vendor.issuer), &["alice", "bob"]);
    let revoked = vendor.town.run("office", &format!("revoke {}", vendor.issuer));
    revoked.done();
    let said = revoked.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let again = format!("delegate key {second} again");
    assert!(said.contains(&again) && !said.contains("rotate"), "{said}");
    vendor.delegate("issuer-2.pub --act license --until 2999-12-31", &["alice", "carol"]);
    vendor.next_trust(&format!("--revoke {second}"), &["alice", "bob"]);
    assert_eq!(way("2999-01-01").remedies(), [Remedy::RotateIssuer]);
    assert_eq!(way("3000-01-01").remedies(), [Remedy::MakeIssuer, Remedy::Delegate]);
}

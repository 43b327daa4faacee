//! A second delegation for a key that signed the list of revocations: a license carries one
//! delegation for each key, and the list must be valid with it.

use olr_core::armor::armor;
use olr_core::crypto::sign::sign;
use olr_core::key::Role;
use olr_core::revocation::{Revocations, read_body};
use olr_core::trust::{Trust, sign_by_issuers};
use olr_core::wire::codec::encode;
use olr_core::wire::frame::{Frame, Kind, Signature, Unsigned};
use olr_office::folder::Folder;
use olr_office::key::file::KeyFile;
use std::fs;

use crate::vendor_roots::office::Run;
use crate::vendor_roots::story::Vendor;

const ALL: &str = "--act license --act revoke --act time";

/// A vendor with a revoked license, whose list `issuer` signed.
fn revoked() -> Vendor {
    let vendor = Vendor::new();
    vendor.licensed("a");
    let license = vendor.town.run("office", "inspect a.license").done()["license_id"].clone();
    let line = format!("revoke {} --reason test --yes", license.as_str().unwrap());
    vendor.town.run("office", &line).done();
    vendor
}

impl Vendor {
    /// Adds the key `issuer-2` to the office, with a delegation for `acts`, and returns its id.
    fn second_issuer(&self, acts: &str) -> String {
        let id = self.town.key("office", Role::Issuer, "issuer-2");
        self.town.carry("office/issuer-2.key", "office/vendor/keys/issuer-2.key");
        self.delegate(&format!("issuer-2.pub {acts}"), &["alice", "carol"]);
        id
    }

    fn trust(&self) -> Trust {
        Trust::pin(&self.town.binary("office/vendor/vendor.trust")).unwrap()
    }

    /// Newest delegation of an issuer key.
    fn newest(&self, key: &str) -> Vec<u8> {
        self.town.binary(&format!("office/vendor/delegations/{key}.olr"))
    }

    /// Issues a license for the new server `home`, first as a dry run, and checks that it carries a
    /// valid list and exactly these delegations.
    #[track_caller]
    fn issues(&self, home: &str, more: &str, delegations: &[Vec<u8>]) {
        self.ask(home);
        self.issue(home, &format!("{more} --dry-run")).done();
        self.issue(home, more).done();
        self.carries(home, delegations);
    }

    #[track_caller]
    fn carries(&self, home: &str, delegations: &[Vec<u8>]) {
        let license = self.town.binary(&format!("office/{home}.license"));
        let frame = Frame::parse(Kind::License, &license).unwrap();
        let attached = |kind| frame.attachments.iter().filter(move |other| other.kind == kind);
        let list = attached(Kind::Revocations).next().unwrap();
        Revocations::verify_frame(list, &frame.attachments, &self.trust()).unwrap();
        let mut delegations = delegations.to_vec();
        delegations.sort();
        let carried: Vec<_> = attached(Kind::Delegation).map(|other| other.bytes).collect();
        assert_eq!(carried, delegations);
        self.import(home, &format!("{home}.license")).done();
        self.verify(home).done();
    }

    /// Checks that nothing is signed for the new server `home`, not even as a dry run.
    #[track_caller]
    fn is_unable(&self, home: &str, more: &str) -> Run {
        self.ask(home);
        for more in [format!("{more} --dry-run"), more.to_string()] {
            let run = self.issue(home, &more);
            run.unable(
                "the list in revocations/ is not valid with the delegations of this license",
            );
        }
        assert!(!self.town.path(&format!("office/{home}.license")).exists());
        self.issue(home, more)
    }
}

#[test]
fn a_license_carries_only_the_newest_delegation_of_its_signer() {
    let vendor = revoked();
    let first = vendor.newest(&vendor.issuer);
    vendor.issues("b", "", &[first]);
    for (home, limit) in [("c", "--max-ahead 30d"), ("d", "--max-ahead 60d")] {
        vendor.delegate(&format!("issuer.pub {ALL} {limit}"), &["alice", "bob"]);
        vendor.issues(home, "", &[vendor.newest(&vendor.issuer)]);
    }
}

#[test]
fn a_delegation_without_revoke_is_refused_before_anything_is_signed() {
    let vendor = revoked();
    vendor.delegate("issuer.pub --act license", &["alice", "bob"]);
    let hint = vendor.is_unable("b", "").json["hint"].as_str().unwrap().to_string();
    for step in ["olr key delegate", "olr vendor publish", "olr revoke --again"] {
        assert!(hint.contains(step), "{hint}");
    }
    vendor.delegate("issuer.pub --act license --act revoke", &["alice", "bob"]);
    vendor.issues("b", "", &[vendor.newest(&vendor.issuer)]);
    // The other way: another issuer signs the list.
    vendor.delegate("issuer.pub --act license --max-ahead 30d", &["alice", "bob"]);
    vendor.is_unable("c", "");
    let second = vendor.second_issuer("--act revoke");
    vendor.town.run("office", "revoke --again --force").done();
    vendor.issues("c", "", &[vendor.newest(&vendor.issuer), vendor.newest(&second)]);
}

#[test]
fn a_list_from_before_the_new_delegation_is_signed_again() {
    let vendor = revoked();
    let folder = Folder::at(vendor.town.path("office/vendor"));
    let then = "2020-01-01T00:00:00Z".parse().unwrap();
    folder.revoke_again(then, &vendor.trust(), &mut |_| unreachable!()).unwrap();
    vendor.issues("b", "", &[vendor.newest(&vendor.issuer)]);
    vendor.delegate(&format!("issuer.pub {ALL} --from 2020-06-01"), &["alice", "bob"]);
    let run = vendor.is_unable("c", "");
    assert_eq!(run.json["hint"], "sign the list again (`olr revoke --again`)");
    vendor.town.run("office", "revoke --again --force").done();
    vendor.issues("c", "", &[vendor.newest(&vendor.issuer)]);
}

#[test]
fn an_older_delegation_that_is_published_again_is_the_newest() {
    let vendor = revoked();
    let first = vendor.newest(&vendor.issuer);
    vendor.town.carry("office/delegation.olr", "office/first.olr");
    vendor.delegate("issuer.pub --act license", &["alice", "bob"]);
    vendor.is_unable("b", "");
    for new in [true, false] {
        assert_eq!(vendor.town.run("office", "vendor publish first.olr").done()["new"], new);
    }
    vendor.issues("b", "", &[first]);
}

#[test]
fn another_signer_carries_the_delegation_that_signed_the_list() {
    let vendor = revoked();
    let first = vendor.newest(&vendor.issuer);
    vendor.delegate("issuer.pub --act license", &["alice", "bob"]);
    let second = vendor.second_issuer(ALL);
    vendor.issues("b", "--issuer issuer-2", &[first, vendor.newest(&second)]);
    vendor.is_unable("c", "--issuer issuer");
    vendor.is_unable("c", "--issuer issuer --issuer issuer-2");
    vendor.delegate(&format!("issuer.pub {ALL} --max-ahead 30d"), &["alice", "bob"]);
    let both = [vendor.newest(&vendor.issuer), vendor.newest(&second)];
    vendor.issues("c", "--issuer issuer --issuer issuer-2", &both);
}

#[test]
fn a_proposal_carries_one_delegation_for_each_signer() {
    let vendor = revoked();
    let second = vendor.second_issuer(ALL);
    let office = |line: &str| vendor.town.run("office", line);
    // The absent issuer signed the list, under an earlier delegation.
    vendor.town.carry("office/vendor/keys/issuer.key", "issuer/issuer.key");
    fs::remove_file(vendor.town.path("office/vendor/keys/issuer.key")).unwrap();
    let propose = |more: &str| {
        vendor.ask("b");
        office(&format!("issue b.req --grant grant.toml --also {} {more}", vendor.issuer))
    };
    vendor.delegate("issuer.pub --act license", &["alice", "bob"]);
    for more in ["--dry-run", "-o license.olr"] {
        propose(more).unable("the list in revocations/ is not valid with");
    }
    assert!(!vendor.town.path("office/license.olr").exists());
    vendor.delegate(&format!("issuer.pub {ALL} --max-ahead 30d"), &["alice", "bob"]);
    propose("--dry-run").done();
    propose("-o license.olr").done();
    vendor.sign("license.olr", "issuer", true).done();
    // A newer delegation does not change what was proposed.
    let both = [vendor.newest(&vendor.issuer), vendor.newest(&second)];
    vendor.delegate("issuer.pub --act license --max-ahead 60d", &["alice", "bob"]);
    vendor.issue("b", "--signed issuer.olr --dry-run").done();
    vendor.issue("b", "--signed issuer.olr").done();
    vendor.carries("b", &both);
}

#[test]
fn a_list_with_two_signatures_carries_the_delegations_that_the_license_lacks() {
    let vendor = revoked();
    let second = vendor.second_issuer(ALL);
    let firsts = [vendor.newest(&vendor.issuer), vendor.newest(&second)];
    let keys = ["issuer", "issuer-2"].map(|name| {
        let file = vendor.town.binary(&format!("office/vendor/keys/{name}.key"));
        KeyFile::parse(&file).unwrap().open_signing(Role::Issuer, None).unwrap()
    });
    let list = vendor.town.binary("office/vendor/revocations/revoked.olr");
    let body = read_body(&Frame::parse(Kind::Revocations, &list).unwrap()).unwrap();
    let (trust, kind) = (vendor.trust(), Kind::Revocations);
    let signers: Vec<_> = keys.iter().zip(&firsts).map(|(key, may)| (key as _, &**may)).collect();
    let file = sign_by_issuers(kind, encode(&body), &trust, &signers, &[]).unwrap();
    let bare = Unsigned::new(kind, trust.vendor(), Vec::new(), encode(&body)).unwrap();
    let signatures = keys.iter().zip([&vendor.issuer, &second]).map(|(key, id)| {
        let bytes = sign(key, &bare.message()).unwrap();
        Signature { key: id.parse().unwrap(), bytes }
    });
    let bare = bare.with_signatures(signatures.collect()).unwrap();
    let folder = vendor.town.path("office/vendor/revocations");
    let name = format!("attached-{}-{}.olr", body.version, body.sequence);
    for (name, bytes) in [("revoked.olr", &file), (&*name, &bare)] {
        fs::write(folder.join(name), armor(kind, bytes)).unwrap();
    }
    vendor.issues("b", "--issuer issuer", &firsts);
    vendor.delegate(&format!("issuer.pub {ALL} --max-ahead 30d"), &["alice", "bob"]);
    let newer = vendor.newest(&vendor.issuer);
    vendor.issues("c", "--issuer issuer", &[newer.clone(), firsts[1].clone()]);
    vendor.issues("d", "--issuer issuer-2", &firsts);
    vendor.issues("e", "--issuer issuer --issuer issuer-2", &[newer, firsts[1].clone()]);
}

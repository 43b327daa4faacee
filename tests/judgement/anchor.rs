//! A product accepts only what its compiled-in trust vouches for, whatever the home trusts.
#![cfg(feature = "vendor")]

use olr::{Home, RequestParams};
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::SigningKey;
use olr_core::error::Refusal;
use olr_core::license::sign_license;
use olr_core::machine::Factor;
use olr_core::request::SealedRequest;
use olr_core::state::Surroundings;
use olr_core::time::Instant;
use olr_core::trust::{Act, Trust, sign_by_roots};
use olr_core::wire::codec::{Hidden, Set, Text, encode};
use olr_core::wire::frame::{Frame, Kind, Unsigned};
use olr_core::wire::id::{LicenseId, VendorId};
use olr_office::folder::{Folder, Init};
use olr_office::issue::{GrantFile, STARTER_GRANT, Stamp, draft};
use rand::{SeedableRng, rngs::ChaCha20Rng};
use std::path::Path;

/// 2026-11-23T12:00:00Z
const NOW: Instant = Instant::new(1_795_435_200);

struct Vendor {
    folder: Folder,
    root: SigningKey,
    trust: Trust,
    delegation: Vec<u8>,
}

/// A vendor whose trust has `version`, and either states `id` or has its own id.
fn vendor(path: &Path, version: u32, id: Option<VendorId>, seed: u8) -> Vendor {
    let init = Init {
        name: "Vendor",
        catalog: None,
        passphrases: None,
        test: true,
        roots: Default::default(),
    };
    let mut rng = ChaCha20Rng::from_seed([seed; 32]);
    let (folder, made) = Folder::init(path, &init, &mut rng).unwrap();
    let root = SigningKey::from_seed(&Secret::new(&[seed; 32]));
    let mut body = made.body().clone();
    (body.version, body.roots) = (version, Set::new(vec![root.public()]).unwrap());
    let body = encode(&body);
    let id = id.unwrap_or_else(|| olr_core::trust::vendor_id(&body));
    let sign = |kind, body| {
        sign_by_roots(&Unsigned::new(kind, id, vec![], body).unwrap(), &[&root]).unwrap()
    };
    let trust = Trust::pin(&sign(Kind::Trust, body)).unwrap();
    let (_, delegation) =
        folder.issuer_for(Act::License, NOW, &made, &mut |_| unreachable!()).unwrap();
    let delegation = Frame::parse(Kind::Delegation, &delegation).unwrap().body.to_vec();
    let delegation = sign(Kind::Delegation, delegation);
    Vendor { folder, root, trust, delegation }
}

fn around() -> Surroundings {
    let factors = ["rack=B12", "asset=4711"].map(|pin| Factor::pin(pin).unwrap()).to_vec();
    Surroundings { factors, clock: NOW, ..Surroundings::default() }
}

/// A home with a license from `vendor`.
fn licensed(path: &Path, vendor: &Vendor) -> Home {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let order = RequestParams {
        trust: Some(vendor.trust.bytes().to_vec()),
        licensee: Some(Text::new("ACME Ltd").unwrap()),
        license_key: Some(Hidden(Text::new("AbCd-1234").unwrap())),
        ..RequestParams::default()
    };
    let home = Home::at(path);
    let request = home.request(&order, &around(), &mut rng).unwrap().bytes;
    let sealed = SealedRequest::parse(&request).unwrap();
    let ask = &mut |_: &_| unreachable!();
    let opened = sealed.open(&vendor.folder.sealing_key(sealed.recipient, ask).unwrap()).unwrap();
    let (issuer, _) =
        vendor.folder.issuer_for(Act::License, NOW, &vendor.folder.trust().unwrap(), ask).unwrap();
    let grant = GrantFile::parse(STARTER_GRANT).unwrap();
    let stamp = Stamp { license: LicenseId([1; 16]), answer: 1, issued: NOW };
    let catalog = vendor.folder.catalog().unwrap();
    let body = draft(&opened, &grant, &catalog, &vendor.trust, stamp).unwrap();
    let license =
        sign_license(&body, &vendor.trust, &[(&issuer, &vendor.delegation)], &[]).unwrap();
    home.import(license.bytes(), &around(), Default::default()).unwrap();
    home
}

fn judged(home: &Home, anchor: &Trust) -> Option<Refusal> {
    let home = home.clone().expecting(anchor.clone());
    let (_, decision) = home.decide(None, None, &around()).unwrap();
    decision.refusal().map(|refusal| refusal.refusal().unwrap())
}

#[test]
fn a_stated_vendor_id_is_no_proof() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let real = vendor(&at("real"), 1, None, 1);
    let forger = vendor(&at("forger"), 2, Some(real.trust.vendor()), 2);
    assert_eq!(forger.trust.vendor(), real.trust.vendor());

    let home = licensed(&at("home"), &forger);
    let (_, decision) = home.decide(None, None, &around()).unwrap();
    assert_eq!(decision.state(), "licensed", "the home believes what its operator pinned");
    assert_eq!(judged(&home, &real.trust), Some(Refusal::UntrustedSigner));
}

#[test]
fn an_anchor_leads_to_later_trusts_of_the_home() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let first = vendor(&at("vendor"), 1, None, 1);
    let home = licensed(&at("home"), &first);
    assert_eq!(judged(&home, &first.trust), None);

    let mut body = first.trust.body().clone();
    body.version = 2;
    let next = Unsigned::new(Kind::Trust, first.trust.vendor(), vec![], encode(&body)).unwrap();
    let next = sign_by_roots(&next, &[&first.root]).unwrap();
    home.import(&next, &around(), Default::default()).unwrap();
    assert_eq!(judged(&home, &first.trust), None, "an older anchor");
    assert_eq!(judged(&home, &Trust::pin(&next).unwrap()), None, "the newest anchor");
    assert_eq!(home.require_state().unwrap().trust_from(&first.trust).body().version, 2);
}

//! Well-targeted mutants: one field, one rule or one key is wrong. Each is tried with the old
//! signature, and again signed by the right key, so that only the check of the content can refuse
//! it.

use olr_core::crypto::sign::SigningKey;
use olr_core::entitlement::Cause;
use olr_core::key::Role::{Install, Issuer, Root, Sealing};
use olr_core::key::install::InstallSecret;
use olr_core::key::{Role, key_id};
use olr_core::machine::Factor;
use olr_core::receipt::{Receipt, ReceiptBody};
use olr_core::request::Earlier;
use olr_core::revocation::{RevocationsBody, Withdrawn, sign_bare, sign_revocations};
use olr_core::state::Listed;
use olr_core::timestamp::{TimestampBody, sign_timestamp};
use olr_core::trust::{ModuleMaximum, SignerRule, TrustBody, vendor_id};
use olr_core::wire::codec::{Blob, Limit, List, Set, Text, encode};
use olr_core::wire::extension::Extension;
use olr_core::wire::frame::Kind;
use olr_core::wire::id::{LicenseId, RequestId, RevokedId};

use crate::bodies::{self, Mutants};
use crate::layout;
use crate::world::WORLD;
use crate::world::forge::{self, MEMORY, apart, padded};
use crate::world::raw::{Raw, with_byte};
use crate::world::readers::{Reader, good};
use crate::world::{NOW, ask, install, rng, stray_key, text};

/// Mutants of one artefact, and the reader that must refuse them.
struct Trial {
    reader: Reader,
    unsigned: usize,
    signed: usize,
}

impl Trial {
    fn new(reader: Reader, good: &[u8]) -> Self {
        assert!(reader.accepts(good), "{reader:?}: the original is refused");
        Self { reader, unsigned: 0, signed: 0 }
    }

    fn refuse(&self, mutants: impl IntoIterator<Item = Vec<u8>>) -> usize {
        let refused = |mutant: Vec<u8>| assert!(!self.reader.accepts(&mutant), "{mutant:02x?}");
        mutants.into_iter().map(refused).count()
    }

    /// Tries and counts mutants whose signature, seal or digest belongs to other content. All must
    /// be refused.
    fn unsigned(&mut self, mutants: impl IntoIterator<Item = Vec<u8>>) {
        self.unsigned += self.refuse(mutants);
    }

    /// Tries and counts mutants whose signature, seal or digest is valid. All must be refused.
    fn signed(&mut self, mutants: impl IntoIterator<Item = Vec<u8>>) {
        self.signed += self.refuse(mutants);
    }

    /// Tries every mutant of a frame that `sign` signs.
    fn frame(&mut self, good: &Raw, of: &'static layout::Type, sign: &dyn Fn(&mut Raw)) {
        let Mutants { all, broken } = bodies::mutants(of, &good.body);
        let with_body = |body| Raw { body, ..good.clone() };
        self.unsigned(all.into_iter().map(|body| with_body(body).bytes()));
        self.unsigned(fields(good));
        let again = |mut frame: Raw| {
            frame.signatures.clear();
            sign(&mut frame);
            frame.bytes()
        };
        self.signed(broken.into_iter().map(|body| again(with_body(body))));
        self.signed(around(good).into_iter().map(again));
        let right = good.signatures[0].0;
        let wrong = strangers(good).filter(|frame| frame.signatures[0].0 != right);
        self.signed(wrong.map(|frame| frame.bytes()));
    }

    fn assert(&self) {
        let Self { reader, unsigned, signed } = self;
        println!("{reader:?}: {unsigned} mutants not signed again, {signed} signed, 0 accepted");
        assert!(unsigned + signed >= 500, "{reader:?}: too few mutants");
        assert!(*signed >= 200, "{reader:?}: too few signed mutants");
    }
}

/// Frames with wrong numbers, lengths and signatures.
fn fields(good: &Raw) -> Vec<Vec<u8>> {
    let bytes = good.bytes();
    let attached: usize = good.attachments.iter().map(|attached| 4 + attached.len()).sum();
    let body = 24 + attached;
    let signatures = body + 4 + good.body.len();
    let mut places = vec![4, 5, 6, 23, body, body + 1, body + 2, body + 3, signatures];
    places.extend(if attached > 0 { 24..28 } else { 0..0 });
    let values = |at: usize| {
        let old = bytes[at];
        [0, 1, 2, 3, 9, 15, 16, 17, 99, 255, old.wrapping_add(1), old.wrapping_sub(1)]
    };
    let each = places.into_iter().flat_map(|at| values(at).map(|new| with_byte(&bytes, at, new)));
    let mut mutants: Vec<_> = each.filter(|mutant| *mutant != bytes).collect();
    let mut changed = |change: &dyn Fn(&mut Raw)| {
        let mut frame = good.clone();
        change(&mut frame);
        mutants.push(frame.bytes());
    };
    changed(&|f| f.vendor = WORLD.other.trust.vendor());
    changed(&|f| f.signatures.clear());
    changed(&|f| f.signatures.push(f.signatures[0]));
    changed(&|f| f.signatures[0].1 = [0; 64]);
    changed(&|f| f.signatures[0].1[..32].fill(0));
    changed(&|f| f.signatures[0].1[32..].fill(0));
    changed(&|f| f.signatures[0].1[32..].fill(0xff));
    changed(&|f| f.signatures[0].1.rotate_left(32));
    let other = apart(Kind::Delegation, &WORLD.other.delegation).signatures[0];
    changed(&|f| f.signatures[0] = other);
    changed(&|f| f.signatures[0].1 = other.1);
    changed(&|f| f.signatures = vec![other, f.signatures[0]]);
    changed(&|f| f.signatures.push(other));
    mutants
}

/// Frames of another kind, of another vendor, or with other attachments, for the right key to sign.
fn around(good: &Raw) -> Vec<Raw> {
    let mut mutants = Vec::new();
    let mut changed = |change: &dyn Fn(&mut Raw)| {
        let mut frame = good.clone();
        change(&mut frame);
        mutants.push(frame);
    };
    for kind in Kind::ALL.iter().filter(|kind| **kind != good.kind) {
        changed(&|f| f.kind = *kind);
    }
    changed(&|f| f.vendor = WORLD.other.trust.vendor());
    let stray = WORLD.vendor.delegate(|d| d.issuer = stray_key("stray issuer").public());
    let may_carry_trusts = matches!(good.kind, Kind::License | Kind::Timestamp | Kind::Revocations);
    let mut receipt = Raw::new(Kind::Receipt, WORLD.vendor.trust.vendor(), vec![7]);
    receipt.sign(Install, install().signing_key());
    let receipt = receipt.bytes();
    let company: [&[u8]; 6] = [
        &WORLD.vendor.delegation,
        &WORLD.other.delegation,
        &stray,
        if may_carry_trusts { &receipt } else { WORLD.vendor.trust.bytes() },
        &WORLD.request,
        b"",
    ];
    for guest in company {
        changed(&|f| f.attachments.insert(0, guest.to_vec()));
        changed(&|f| f.attachments.push(guest.to_vec()));
        if !good.attachments.is_empty() && !good.attachments.iter().any(|host| host == guest) {
            changed(&|f| f.attachments = vec![guest.to_vec()]);
        }
    }
    if !good.attachments.is_empty() {
        changed(&|f| f.attachments.clear());
    }
    mutants
}

/// The frame, signed with each of several keys: once as a key of each role.
fn strangers(good: &Raw) -> impl Iterator<Item = Raw> {
    let another = InstallSecret::random(&mut rng("another installation"));
    let (own, stray) = (install(), stray_key("stray issuer"));
    let keys = [own.signing_key(), another.signing_key(), &stray];
    let (vendor, other) = (&WORLD.vendor, &WORLD.other);
    let known = [&vendor.root, &vendor.issuer, &other.root, &other.issuer];
    let signed = |key: &SigningKey| {
        [Root, Issuer, Sealing, Install].map(|role| {
            let mut frame = Raw { signatures: Vec::new(), ..good.clone() };
            frame.sign(role, key);
            frame
        })
    };
    known.into_iter().chain(keys).flat_map(signed).collect::<Vec<_>>().into_iter()
}

/// A non-critical extension, which is no reason to refuse.
fn later(number: u16) -> Extension {
    Extension { number, critical: false, bytes: Blob::new(b"later").unwrap() }
}

fn extensions() -> Set<Extension> {
    Set::new(vec![later(9)]).unwrap()
}

fn texts(names: &[&str]) -> Set<Text> {
    Set::new(names.iter().map(|name| text(name)).collect()).unwrap()
}

#[test]
fn licenses() {
    let good = WORLD.license(|body| {
        let mut grants = body.grants.to_vec();
        grants[0].requires = texts(&["ACB", "VMW"]);
        grants[0].account_cap = Limit::Only(300);
        grants[0].admin_cap = Limit::Only(30);
        grants[0].pool = text("pool");
        body.grants = Set::new(grants).unwrap();
        body.languages = texts(&["de", "en"]);
        body.expires = Some(olr_core::time::Day { number: body.starts.number + 365 });
        body.replaces = Some(LicenseId([7; 16]));
        body.note = text("Thank you.");
        body.extensions = extensions();
    });
    let mut trial = Trial::new(Reader::License, &good);
    let issuer = &WORLD.vendor.issuer;
    trial.frame(&apart(Kind::License, &good), &layout::LICENSE, &|f| f.sign(Issuer, issuer));
    trial.assert();
}

/// A license with an attached trust and an attached list. One delegated key signs the license,
/// another one signs the list.
#[test]
fn licenses_that_carry() {
    let (vendor, revoker) = (&WORLD.vendor, stray_key("revoker"));
    let delegated = vendor.delegate(|body| body.issuer = revoker.public());
    let list = sign_bare(&list(), &vendor.trust, &revoker).unwrap();
    let mut frame = vendor.frame(encode(&WORLD.body()));
    frame.attachments.extend([vendor.second_trust(|_| ()), list.clone(), delegated]);
    frame.attachments.sort();
    frame.sign(Issuer, &vendor.issuer);
    let mut trial = Trial::new(Reader::License, &frame.bytes());
    trial.frame(&frame, &layout::LICENSE, &|f| f.sign(Issuer, &vendor.issuer));
    // Changing any byte of an attachment, and dropping an attachment, must be refused. If the
    // issuer signs again, only the trust, which comes first, may be missing.
    let with = |at: usize, new: Option<Vec<u8>>| {
        let mut mutant = frame.clone();
        drop(mutant.attachments.splice(at..=at, new));
        mutant
    };
    for at in 0..frame.attachments.len() {
        let attached = &frame.attachments[at];
        let flipped = |byte: usize| with_byte(attached, byte, attached[byte] ^ 1);
        trial.unsigned((0..attached.len()).map(|byte| with(at, Some(flipped(byte))).bytes()));
        trial.unsigned([with(at, None).bytes()]);
        if at > 0 {
            let mut without = with(at, None);
            without.signatures.clear();
            without.sign(Issuer, &vendor.issuer);
            trial.signed([without.bytes()]);
        }
    }
    trial.assert();
}

/// The body of a list with a value in every field.
fn list() -> RevocationsBody {
    let licenses = [[1; 16], [2; 16], [0xff; 16]]
        .map(|id| Withdrawn { license: RevokedId(id), cause: Cause::Revoked });
    RevocationsBody {
        version: 1,
        sequence: 70_000,
        issued: olr_core::time::Instant::new(1 << 33),
        licenses: Set::new(licenses.into()).unwrap(),
        extensions: Set::new((1..9).map(later).collect()).unwrap(),
    }
}

#[test]
fn revocations() {
    let vendor = &WORLD.vendor;
    let issuer = (&vendor.issuer as _, vendor.delegation.as_slice());
    let good = sign_revocations(&list(), &vendor.trust, issuer, &[]).unwrap();
    let mut trial = Trial::new(Reader::Revocations, &good);
    let apart = apart(Kind::Revocations, &good);
    trial.frame(&apart, &layout::REVOCATIONS, &|f| f.sign(Issuer, &vendor.issuer));
    for (version, sequence) in [(0, 1), (1, 0), (2, 1)] {
        let body = RevocationsBody { version, sequence, ..list() };
        let mut frame = Raw { body: encode(&body), signatures: Vec::new(), ..apart.clone() };
        frame.sign(Issuer, &vendor.issuer);
        trial.signed([frame.bytes()]);
    }
    trial.assert();
}

#[test]
fn delegations() {
    let good = WORLD.vendor.delegate(|body| {
        body.products = Limit::Only(texts(&["archive", "example"]));
        body.types = Limit::Only(texts(&["oem"]));
        let maximum = |(module, maximum)| ModuleMaximum { module: text(module), maximum };
        let modules = [("ACB", Limit::Any), ("OBM", Limit::Only(70_000))].map(maximum);
        body.modules = Limit::Only(Set::new(modules.into()).unwrap());
        body.longest_term = Limit::Only(400);
        body.until = Limit::Only(olr_core::time::Instant::new(1 << 33));
        body.extensions = extensions();
    });
    let mut trial = Trial::new(Reader::Delegation, &good);
    let root = &WORLD.vendor.root;
    trial.frame(&apart(Kind::Delegation, &good), &layout::DELEGATION, &|f| f.sign(Root, root));
    trial.assert();
}

#[test]
fn receipts() {
    // A server whose key is not among the stray ones.
    let install = InstallSecret::random(&mut rng("a server that stops"));
    let earlier = [1, 300].map(|number| Earlier { number, hash: [7; 32] });
    let body = ReceiptBody {
        install_key: install.signing_key().public(),
        product: text("example"),
        slot: text("backup"),
        number: 70_000,
        earlier: Set::new(earlier.into()).unwrap(),
        license: LicenseId([7; 16]),
        license_hash: [8; 32],
        at: olr_core::time::Instant::new(1 << 33),
        extensions: extensions(),
    };
    let vendor = WORLD.vendor.trust.vendor();
    let good = Receipt::sign(vendor, &body, &install).unwrap().bytes().to_vec();
    let mut trial = Trial::new(Reader::Receipt, &good);
    let key = install.signing_key();
    trial.frame(&apart(Kind::Receipt, &good), &layout::RECEIPT, &|f| f.sign(Install, key));
    trial.assert();
}

#[test]
fn times() {
    let body = TimestampBody {
        request: RequestId([7; 16]),
        request_hash: [8; 32],
        number: 70_000,
        install_key: install().signing_key().public(),
        time: olr_core::time::Instant::new(1 << 33),
        extensions: Set::new((1..9).map(later).collect()).unwrap(),
    };
    let vendor = &WORLD.vendor;
    let anchor =
        sign_timestamp(&body, &vendor.trust, (&vendor.issuer, &vendor.delegation)).unwrap();
    let mut trial = Trial::new(Reader::Time, anchor.bytes());
    let issuer = &vendor.issuer;
    let apart = apart(Kind::Timestamp, anchor.bytes());
    trial.frame(&apart, &layout::TIME, &|f| f.sign(Issuer, issuer));
    trial.assert();
}

/// Fills every list of a trust.
fn rich(body: &mut TrustBody) {
    let above = Some(ModuleMaximum { module: text("OBM"), maximum: Limit::Only(500) });
    let rules = vec![
        SignerRule { model: Limit::Any, above, signers: 2 },
        SignerRule {
            model: Limit::Only(olr_core::entitlement::Model::Meter),
            above: None,
            signers: 1,
        },
    ];
    body.signer_rules = List::new(rules).unwrap();
    let revoked = [[1; 16], [2; 16]].map(olr_core::wire::id::KeyId);
    body.revoked = Set::new(revoked.into()).unwrap();
    body.extensions = extensions();
}

#[test]
fn first_trusts() {
    let mut body = WORLD.vendor.trust_body();
    rich(&mut body);
    let mut frame = Raw::new(Kind::Trust, vendor_id(&encode(&body)), encode(&body));
    let root = &WORLD.vendor.root;
    frame.sign(Root, root);
    let mut trial = Trial::new(Reader::FirstContact, &frame.bytes());
    trial.frame(&frame, &layout::TRUST, &|frame| {
        // A changed body yields another vendor id; a changed vendor id must be refused.
        if frame.vendor != WORLD.other.trust.vendor() {
            frame.vendor = vendor_id(&frame.body);
        }
        frame.sign(Root, root);
    });
    trial.assert();
}

#[test]
fn following_trusts() {
    let good = WORLD.vendor.second_trust(|body| {
        rich(body);
        body.kept = Set::new(vec![[3; 32], [4; 32]]).unwrap();
    });
    let mut trial = Trial::new(Reader::Successor, &good);
    let root = &WORLD.vendor.root;
    trial.frame(&apart(Kind::Trust, &good), &layout::TRUST, &|frame| frame.sign(Root, root));
    trial.assert();
}

#[test]
fn requests() {
    let mut state = WORLD.installed(NOW, |_| ());
    let mut body = ask(&mut state, "backup", "second request").0;
    let count = |(module, count)| olr_core::entitlement::Count { module: text(module), count };
    body.wanted = Set::new([("ACB", 3), ("OBM", 300)].map(count).into()).unwrap();
    body.note = text("Please hurry.");
    body.renews = Some(LicenseId([7; 16]));
    body.extensions = extensions();
    let body = encode(&body);

    let (vendor, install) = (&WORLD.vendor, install());
    let own = install.signing_key();
    let (id, to) = (vendor.trust.vendor(), vendor.sealing.public());
    let sealed = |plaintext: &[u8]| forge::request(id, &to, plaintext, own);
    let good = sealed(&padded(&body));
    let mut trial = Trial::new(Reader::Request, &good);

    let broken = bodies::mutants(&layout::REQUEST, &body).broken;
    trial.signed(broken.iter().map(|body| sealed(&padded(body))));
    trial.signed(plaintexts(&body).iter().map(|plaintext| sealed(plaintext)));
    for key in [&stray_key("stray root"), &vendor.root, &vendor.issuer, &WORLD.other.root] {
        trial.signed([forge::request(id, &to, &padded(&body), key)]);
    }
    for stranger in [WORLD.other.sealing.public(), WORLD.vendor.issuer.public()] {
        trial.signed([forge::request(id, &stranger, &padded(&body), own)]);
    }

    // Combine the header, encapsulated key, ciphertext and signature of one request with those of
    // another.
    let other = forge::request(WORLD.other.trust.vendor(), &to, &padded(&body), own);
    let first = sealed(&padded(&encode(&WORLD.request_body)));
    let ends = [4, 5, 6, 7, 23, 39, 43, 75, good.len() - 64, good.len() - 32, good.len()];
    for (at, range) in ends.windows(2).enumerate().map(|(at, ends)| (at, ends[0]..ends[1])) {
        let value = &good[range.clone()];
        let put = |new: &[u8]| [&good[..range.start], new, &good[range.end..]].concat();
        let mut mutants = vec![put(b""), put(&value.repeat(2)), put(&vec![0; value.len()])];
        mutants.push(put(&vec![0xff; value.len()]));
        for other in [&other, &first, &WORLD.request] {
            mutants.extend(other.get(range.clone()).map(&put));
        }
        if let Some(end) = ends.get(at + 2) {
            let swapped = [&good[range.end..*end], value].concat();
            mutants.push([&good[..range.start], &swapped, &good[*end..]].concat());
        }
        trial.unsigned(mutants.into_iter().filter(|mutant| *mutant != good));
    }
    for length in (0..4096).step_by(16).chain([u32::MAX, 262_144, 262_160]) {
        let length = length.to_le_bytes();
        let mutant = [&good[..39], &length, &good[43..]].concat();
        trial.unsigned([mutant].into_iter().filter(|mutant| *mutant != good));
    }
    trial.assert();
}

/// Invalid plaintexts around a good body. A valid one is its length, the body, and zeros up to the
/// next KiB.
fn plaintexts(body: &[u8]) -> Vec<Vec<u8>> {
    let good = padded(body);
    let length = body.len() as u32;
    let mut mutants: Vec<_> = [0, 1, length - 1, length + 1, good.len() as u32, u32::MAX]
        .map(|length| [&length.to_le_bytes(), &good[4..]].concat())
        .into();
    mutants.push([good.as_slice(), &[0; 1024]].concat());
    mutants.extend((4 + body.len()..good.len()).step_by(7).map(|at| with_byte(&good, at, 1)));
    mutants
}

#[test]
fn key_files() {
    let files: Vec<_> =
        good().into_iter().filter(|good| matches!(good.reader, Reader::KeyFile(_))).collect();
    for file in &files {
        let mut trial = Trial::new(file.reader, &file.bytes);
        let good = &file.bytes;
        let ends: Vec<_> = [0, 4, 5, 6, 7, 8, 24, 56, 57]
            .into_iter()
            .chain([61, 65, 69, 85, 97, 129].into_iter().filter(|_| good.len() > 100))
            .chain([good.len()])
            .collect();
        let mut mutants = Vec::new();
        for (at, range) in ends.windows(2).enumerate().map(|(at, ends)| (at, ends[0]..ends[1])) {
            let value = &good[range.clone()];
            let mut put = |new: &[u8]| {
                mutants.push([&good[..range.start], new, &good[range.end..]].concat());
            };
            put(b"");
            put(&value.repeat(2));
            put(&vec![0; value.len()]);
            put(&vec![0xff; value.len()]);
            put(&value.iter().rev().copied().collect::<Vec<_>>());
            files.iter().filter_map(|other| other.bytes.get(range.clone())).for_each(put);
            if let Some(end) = ends.get(at + 2) {
                let swapped = [&good[range.end..*end], value].concat();
                mutants.push([&good[..range.start], &swapped, &good[*end..]].concat());
            }
        }
        for at in [4, 5, 6, 7, 56] {
            mutants.extend((0..=255).map(|value| with_byte(good, at, value)));
        }
        mutants.retain(|mutant| mutant != good);
        // The id is not protected: adjust it to fit the role and public key.
        let fitted = mutants.iter().filter_map(|mutant| with_fitting_id(mutant));
        trial.signed(fitted.filter(|mutant| mutant != good));
        trial.unsigned(mutants);
        trial.assert();
    }
    assert!(files.len() >= 4, "a key of each role, and one under a passphrase");
}

/// Returns the key file with the id that fits its role and public key.
fn with_fitting_id(file: &[u8]) -> Option<Vec<u8>> {
    let public = file.get(24..56)?.try_into().unwrap();
    let id = key_id(Role::from_number(file[7].into())?, public);
    Some([&file[..8], &id.0, &file[24..]].concat())
}

#[test]
fn states() {
    let mut state = WORLD.installed(NOW, |_| ());
    let second = WORLD.vendor.second_trust(|_| ());
    state.take_up(WORLD.vendor.trust.successor(&second).unwrap()).unwrap();
    let pins = List::new(vec![Factor::pin("rack=B12").unwrap()]).unwrap();
    let around =
        crate::world::machine::around("server", NOW.parse::<olr_core::time::Instant>().unwrap());
    let asked = state.memory().asked.clone().unwrap();
    let asked = olr_core::state::Asked { pins, ..asked };
    state.request(asked, Default::default(), &around, &mut rng("pinned")).unwrap();
    let (vendor, delegation) = (&WORLD.vendor, WORLD.vendor.delegation.clone());
    let bare = sign_bare(&list(), &vendor.trust, &vendor.issuer).unwrap();
    state
        .revoke(
            &sign_revocations(&list(), &vendor.trust, (&vendor.issuer, &delegation), &[]).unwrap(),
            around.clock,
        )
        .unwrap();
    let good = state.to_bytes().to_vec();
    let mut trial = Trial::new(Reader::State, &good);

    let memory = &good[MEMORY..good.len() - 32];
    let Mutants { all, broken } = bodies::mutants(&layout::STATE, memory);
    let digest = &good[good.len() - 32..];
    let unfit = |memory: Vec<u8>| {
        [&good[..MEMORY - 4], &crate::world::raw::sized(&memory), digest].concat()
    };
    trial.unsigned(all.into_iter().map(unfit));
    trial.signed(broken.into_iter().map(|memory| forge::state(&good, &memory)));

    let trusts = |trusts: &[&[u8]]| {
        let mut memory = state.memory().clone();
        let blobs = trusts.iter().map(|trust| Blob::new(trust).unwrap()).collect();
        memory.trusts = List::new(blobs).unwrap();
        forge::state(&good, &encode(&memory))
    };
    let (own, other) = (WORLD.vendor.trust.bytes(), WORLD.other.trust.bytes());
    let (second, license) = (second.as_slice(), WORLD.license(|_| ()));
    trial.signed([
        trusts(&[]),
        trusts(&[second, own]),
        trusts(&[own, own]),
        trusts(&[own, other]),
        trusts(&[other, second]),
        trusts(&[own, second, second]),
        trusts(&[&license]),
        trusts(&[own, &license]),
        trusts(&[own, &[]]),
    ]);

    let listing = |list: &[u8], beside: &[u8]| {
        let delegations = List::new(vec![Blob::new(beside).unwrap()]).unwrap();
        let mut memory = state.memory().clone();
        memory.revocations = Some(Listed { list: Blob::new(list).unwrap(), delegations });
        forge::state(&good, &encode(&memory))
    };
    assert!(Reader::State.accepts(&listing(&bare, &delegation)));
    let cut = (0..bare.len()).map(|len| listing(&bare[..len], &delegation));
    trial.signed(cut);
    trial.signed((0..delegation.len()).map(|len| listing(&bare, &delegation[..len])));
    trial.signed([
        listing(&license, &delegation),
        listing(&delegation, &delegation),
        listing(&bare, &bare),
        listing(&bare, own),
        listing(&[bare.as_slice(), &[0]].concat(), &delegation),
    ]);
    trial.assert();
}

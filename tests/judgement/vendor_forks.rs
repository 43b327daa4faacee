//! Restored snapshots, copied homes and servers that simply continue: what two requests reveal.

#![cfg(feature = "vendor")]

use olr_core::crypto::seal::SealingKey;
use olr_core::crypto::sign::Signer;
use olr_core::key::install::InstallSecret;
use olr_core::license::sign_license;
use olr_core::machine::{Class, Factor, FactorKind};
use olr_core::request::{OpenedRequest, RequestBody, SealedRequest};
use olr_core::state::{Ask, Asked, SlotName, State, Surroundings};
use olr_core::time::Instant;
use olr_core::trust::{Act, Trust};
use olr_core::wire::codec::{Hidden, List, Text};
use olr_core::wire::id::LicenseId;
use olr_office::folder::{Folder, Init, Observed, Relation, compare};
use olr_office::issue::{GrantFile, STARTER_GRANT, Stamp, draft};
use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};

/// 2026-11-23T12:00:00Z
const NOW: Instant = Instant::new(1_795_435_200);

/// A vendor's office.
struct Vendor {
    folder: Folder,
    trust: Trust,
    sealing: Option<SealingKey>,
    issuer: (Box<dyn Signer>, Vec<u8>),
    _place: tempfile::TempDir,
}

impl Vendor {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let init = Init {
            name: "Vendor",
            catalog: None,
            passphrases: None,
            test: true,
            roots: Default::default(),
        };
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (folder, trust) = Folder::init(&place.path().join("vendor"), &init, &mut rng).unwrap();
        let issuer = folder.issuer_for(Act::License, NOW, &trust, &mut |_| unreachable!()).unwrap();
        Self { folder, trust, sealing: None, issuer, _place: place }
    }

    fn open(&mut self, request: &[u8]) -> OpenedRequest {
        let sealed = SealedRequest::parse(request).unwrap();
        let folder = &self.folder;
        let open = || folder.sealing_key(sealed.recipient, &mut |_| unreachable!()).unwrap();
        sealed.open(self.sealing.get_or_insert_with(open)).unwrap()
    }
}

/// A server: its state, its machine and its generator.
struct Server {
    state: State,
    machine: String,
    rng: ChaCha20Rng,
}

/// A request as the vendor sees it.
#[derive(Clone)]
struct Made {
    body: RequestBody,
    bytes: Vec<u8>,
}

impl Made {
    fn seen(&self) -> Observed<'_> {
        Observed { body: &self.body, hash: olr_core::crypto::digest::sha256(&self.bytes) }
    }
}

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

impl Server {
    fn new(vendor: &Vendor, machine: &str) -> Self {
        let mut rng = ChaCha20Rng::from_seed([2; 32]);
        let state = State::new(InstallSecret::random(&mut rng), vendor.trust.clone()).unwrap();
        Self { state, machine: machine.to_string(), rng }
    }

    /// A copy of the home in its current state, on `machine`.
    fn copied(&self, machine: &str, seed: u64) -> Self {
        let state = State::parse(&self.state.to_bytes()).unwrap();
        Self { state, machine: machine.to_string(), rng: ChaCha20Rng::seed_from_u64(seed) }
    }

    fn around(&self) -> Surroundings {
        let factor = |kind, class, value: &str| Factor {
            kind,
            class,
            name: Text::default(),
            value: text(value),
            ignored: Text::default(),
        };
        let factors = vec![
            factor(FactorKind::MachineId, Class::Image, "0123"),
            factor(FactorKind::Hostname, Class::Image, "backup1"),
            factor(FactorKind::ProductUuid, Class::Hardware, &self.machine),
        ];
        Surroundings { factors, clock: NOW, ..Surroundings::default() }
    }

    fn request(&mut self) -> Made {
        let asked = Asked {
            licensee: text("ACME Ltd"),
            license_key: Hidden(text("AbCd-1234")),
            product: text("example"),
            product_version: Text::default(),
            slot: text("backup"),
            pins: List::default(),
        };
        let around = self.around();
        let (body, bytes) =
            self.state.request(asked, Ask::default(), &around, &mut self.rng).unwrap();
        Made { body, bytes }
    }

    /// Imports the answer to the last request, and deactivates the license. The receipt takes the
    /// next number, so no request has that number.
    fn deactivate(&mut self, vendor: &mut Vendor, last: &Made) {
        let opened = vendor.open(&last.bytes);
        let grant = GrantFile::parse(STARTER_GRANT).unwrap();
        let stamp = Stamp { license: LicenseId([1; 16]), answer: 1, issued: NOW };
        let catalog = vendor.folder.catalog().unwrap();
        let body = draft(&opened, &grant, &catalog, &vendor.trust, stamp).unwrap();
        let (issuer, delegation) = &vendor.issuer;
        let license = sign_license(&body, &vendor.trust, &[(issuer, delegation)], &[]).unwrap();
        self.state.ensure_answer(&license).unwrap();
        self.state.accept(&license, NOW).unwrap();
        let name = SlotName { product: text("example"), slot: text("backup") };
        let number = self.state.memory().number;
        self.state.deactivate(&name, NOW).unwrap();
        assert_eq!(self.state.memory().number, number + 1);
    }

    /// Makes `count` requests, some of them followed by a deactivation. Returns the requests in
    /// order.
    fn live(&mut self, vendor: &mut Vendor, count: usize) -> Vec<Made> {
        let one = |_| {
            let made = self.request();
            if self.rng.next_u32().is_multiple_of(5) {
                self.deactivate(vendor, &made);
            }
            made
        };
        (0..count).map(one).collect()
    }
}

/// Compares in both orders, which must agree.
fn verdict(first: &Made, second: &Made) -> Relation {
    let there = compare(first.seen(), second.seen()).verdict;
    assert_eq!(there, compare(second.seen(), first.seen()).verdict);
    there
}

const STEPS: usize = 50;

/// A history of 50 steps, and a snapshot of the server before each of them.
fn life(vendor: &mut Vendor) -> (Vec<Server>, Vec<Made>) {
    let mut server = Server::new(vendor, "original");
    let (mut snapshots, mut all) = (Vec::new(), Vec::new());
    for step in 0..STEPS {
        snapshots.push(server.copied("original", step as u64));
        all.extend(server.live(vendor, 1));
    }
    let numbers: Vec<_> = all.iter().map(|made| made.body.number).collect();
    assert!(numbers[STEPS - 1] > STEPS as u64 + 5, "no deactivation took a number: {numbers:?}");
    (snapshots, all)
}

#[test]
fn a_restored_memory_is_told_from_every_step() {
    let mut vendor = Vendor::new();
    let (snapshots, _) = life(&mut vendor);
    let (mut told, mut far, mut open) = (0, 0, 0);
    for (step, snapshot) in snapshots.iter().enumerate().step_by(2) {
        for (other, fork) in [("original", Relation::Snapshot), ("elsewhere", Relation::Clone)] {
            let mut original = snapshot.copied("original", 1_000 + step as u64);
            let mut copy = snapshot.copied(other, 2_000 + step as u64);
            let ours = original.live(&mut vendor, 24);
            let theirs = copy.live(&mut vendor, 24);
            for (i, ours) in ours.iter().enumerate() {
                for (j, theirs) in theirs.iter().enumerate() {
                    let said = verdict(ours, theirs);
                    // The first 16 requests after the fork always reveal it; later ones may leave
                    // it open.
                    if i.max(j) <= 15 {
                        assert_eq!(said, fork, "step {step}: requests {i} and {j} since the fork");
                        told += 1;
                    } else {
                        assert!(said == fork || said == Relation::CannotTell, "{said:?}");
                        far += 1;
                        open += usize::from(said == Relation::CannotTell);
                    }
                }
            }
        }
    }
    assert_eq!((told, far), (STEPS * 256, STEPS * (24 * 24 - 256)));
    assert!(open > 0 && open < far, "{open} of {far}");
}

#[test]
fn a_server_that_goes_on_is_never_a_fork() {
    let mut vendor = Vendor::new();
    let (_, all) = life(&mut vendor);
    let mut counts = [0; 3];
    for (i, first) in all.iter().enumerate() {
        for (j, second) in all.iter().enumerate().skip(i) {
            let expected = match j - i {
                0 => Relation::Same,
                1..=16 => Relation::Continuing,
                _ => Relation::CannotTell,
            };
            assert_eq!(verdict(first, second), expected, "{i} and {j}");
            counts[(j - i).div_ceil(16).min(2)] += 1;
        }
    }
    assert!(counts.iter().all(|count| *count >= STEPS), "{counts:?}");
}

#[test]
fn what_lies_before_a_fork_belongs_to_both() {
    let mut vendor = Vendor::new();
    let (snapshots, all) = life(&mut vendor);
    for (step, snapshot) in snapshots.iter().enumerate().skip(1) {
        let mut copy = snapshot.copied("elsewhere", 3_000 + step as u64);
        let theirs = copy.request();
        let first = step.saturating_sub(16);
        for before in &all[first..step] {
            assert_eq!(verdict(before, &theirs), Relation::Continuing);
        }
        for before in &all[..first] {
            assert_eq!(verdict(before, &theirs), Relation::CannotTell);
        }
    }
}

#[test]
fn twenty_copies_are_told_apart() {
    let mut vendor = Vendor::new();
    let mut server = Server::new(&vendor, "original");
    let before = server.live(&mut vendor, 5);
    let requests: Vec<_> = (0..20)
        .map(|n| {
            let mut copy = server.copied(&format!("machine-{n}"), n);
            let made = copy.live(&mut vendor, 1 + n as usize % 4);
            made.last().unwrap().clone()
        })
        .collect();
    let mut pairs = 0;
    for (i, first) in requests.iter().enumerate() {
        for second in &requests[..i] {
            assert_eq!(verdict(first, second), Relation::Clone);
            pairs += 1;
        }
        assert_eq!(verdict(first, before.last().unwrap()), Relation::Continuing);
    }
    assert_eq!(pairs, 190);
}

#[test]
fn another_installation_shares_what_the_machine_shows() {
    let vendor = Vendor::new();
    let mut old = Server::new(&vendor, "original");
    let mut anew = Server::new(&vendor, "original");
    let secret = InstallSecret::random(&mut ChaCha20Rng::from_seed([9; 32]));
    anew.state = State::new(secret, vendor.trust.clone()).unwrap();
    let (old, anew) = (old.request(), anew.request());
    let compared = compare(old.seen(), anew.seen());
    assert_eq!(compared.verdict, Relation::Unrelated);
    assert_eq!(compared.shared.len(), 3);
    assert!(compared.only_first.is_empty() && compared.only_second.is_empty());
}

//! Whether a machine is still the one that a license was issued for: policies, points, descriptions
//! of changes, and the grace period of a machine that no longer matches.
#![cfg(feature = "vendor")]

use olr::{Home, RequestParams};
use olr_core::error::{NextStep, Refusal, Remedy};
use olr_core::judge::Decision;
use olr_core::license::LicenseBody;
use olr_core::machine::{
    Assessment, Bound, Change, Class, Commitments, Factor, FactorKind, Here, Reason, Unreadable,
    changes, judgement,
};
use olr_core::state::{State, Surroundings};
use olr_core::time::Instant;
use olr_core::trust::Trust;
use olr_core::wire::codec::{Hidden, Text};
use olr_office::catalog::{Catalog, STARTER};
use olr_office::folder::{Folder, Handover, Init, Issue};
use olr_office::issue::{GrantFile, STARTER_GRANT};
use rand::{SeedableRng, rngs::ChaCha20Rng};
use std::cell::Cell;

mod grace;
mod machines;
mod page;

use machines::{Machine, container, server, small_server, vm};

/// 2026-11-23T12:00:00Z
const NOW: u64 = 1_795_435_200;
const DAY: u64 = 86_400;

/// A vendor's office and a server, in a temporary folder.
pub struct World {
    folder: tempfile::TempDir,
    vendor: Folder,
    trust: Trust,
    /// Counter that seeds the generator, so that no two homes are the same.
    draws: Cell<u32>,
}

impl World {
    pub fn new(catalog: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let init = Init {
            name: "V",
            catalog: Some(catalog),
            passphrases: None,
            test: true,
            roots: Default::default(),
        };
        let path = folder.path().join("vendor");
        let (vendor, trust) = Folder::init(&path, &init, &mut rng(1)).unwrap();
        Self { folder, vendor, trust, draws: Cell::new(10) }
    }

    fn rng(&self) -> ChaCha20Rng {
        self.draws.set(self.draws.get() + 1);
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&self.draws.get().to_le_bytes());
        ChaCha20Rng::from_seed(seed)
    }

    fn home(&self, name: &str) -> Home {
        Home::at(self.folder.path().join(name))
    }

    /// Makes a request on `machine` and issues a license for it. Returns the body and the file of
    /// the license, and the commitment key of the request.
    ///
    /// # Errors
    /// If no license can be issued.
    pub fn answer(
        &self,
        home: &Home,
        machine: &Machine,
        policy: &str,
    ) -> olr_core::error::Result<(LicenseBody, Vec<u8>, [u8; 32])> {
        let order = RequestParams {
            trust: Some(self.trust.bytes().to_vec()),
            licensee: Some(Text::new("ACME Ltd").unwrap()),
            license_key: Some(Hidden(Text::new("AbCd-1234").unwrap())),
            pins: machine.pins(),
            ..RequestParams::default()
        };
        let around = around(machine, NOW);
        let made = home.request(&order, &around, &mut self.rng()).unwrap();
        let ask = &mut |_: &_| unreachable!();
        let opened = self.vendor.open_request(&made.bytes, None, &self.trust, ask).unwrap();
        let text = STARTER_GRANT.replace("note ", &format!("policy = \"{policy}\"\nnote "));
        let grant = GrantFile::parse(&text).unwrap();
        let issue = Issue {
            // Allow one key on all machines of these tests.
            handover: Handover::Transfer("a test"),
            ..Issue::new(&made.bytes, &grant, Instant::new(NOW))
        };
        let rng = &mut self.rng();
        let issued = self.vendor.issue(&opened, &issue, &self.trust, ask, rng)?.outcome;
        let license = issued.license().unwrap();
        let key = opened.body().commitment_key.0;
        Ok((license.body().clone(), license.bytes().to_vec(), key))
    }

    /// A home with an installed license for `machine`.
    fn licensed(&self, name: &str, machine: &Machine, policy: &str) -> Home {
        let home = self.home(name);
        let (_, bytes, _) = self.answer(&home, machine, policy).unwrap();
        home.import(&bytes, &around(machine, NOW), Default::default()).unwrap();
        home
    }
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// The factors that a probe finds. Pins are stored in the home.
fn around(machine: &Machine, clock: u64) -> Surroundings {
    let factors = machine.0.iter().filter(|factor| factor.kind != FactorKind::Pin);
    let clock = Instant::new(clock);
    Surroundings { factors: factors.cloned().collect(), clock, ..Surroundings::default() }
}

fn judged(home: &Home, machine: &Machine, clock: u64) -> (State, Decision) {
    home.decide(None, None, &around(machine, clock)).unwrap()
}

fn assessed(home: &Home, machine: &Machine, unreadable: &[Unreadable]) -> Assessment {
    let around = Surroundings { unreadable: unreadable.to_vec(), ..around(machine, NOW) };
    home.decide(None, None, &around).unwrap().1.machine().unwrap().clone()
}

/// Assesses `machine` against a license by its commitments only, without the enrolled values.
fn held_against(body: &LicenseBody, key: &[u8; 32], machine: &Machine) -> Assessment {
    let bound = Bound { commitment_key: key, enrolled: &[] };
    body.policy.assess(bound, Here { factors: &machine.0, unreadable: &[] })
}

fn step(machine: &Assessment) -> NextStep {
    machine.next_step().unwrap()
}

fn hidden(kind: FactorKind) -> Unreadable {
    let name = Text::new("product_uuid").unwrap();
    Unreadable { kind, name, reason: Reason::NeedsPrivileged }
}

fn words(machine: &Assessment) -> Vec<(FactorKind, &str, Change, u16)> {
    let line = |line: &'_ olr_core::machine::Line| (line.kind, line.change, line.weight);
    let names = machine.lines.iter().map(olr_core::machine::Line::name);
    let lines = machine.lines.iter().map(line);
    lines.zip(names).map(|((kind, change, weight), name)| (kind, name, change, weight)).collect()
}

use FactorKind::{Cpu, Filesystem, Hostname, MachineId, NetworkAddress, Pin, ProductUuid};

#[test]
fn every_word_for_what_became_of_a_factor() {
    let world = World::new(STARTER);
    let home = world.licensed("home", &server(), "server");
    let mut now = server();
    now.set("eth1", "02:fc:00:00:00:99").set("hostname", "renamed").drop("machine-id");
    now.drop("product_uuid").add(NetworkAddress, Class::Hardware, "eth2", "02:fc:00:00:00:33");
    now.add(NetworkAddress, Class::Common, "docker0", "02:42:00:00:00:01");
    let machine = assessed(&home, &now, &[hidden(ProductUuid)]);
    let mut said = words(&machine);
    let last = said.pop().unwrap();
    assert_eq!(last, (NetworkAddress, "eth2", Change::New, 0), "what is new comes last");
    said.sort_by_key(|(kind, name, ..)| (*kind, name.to_string()));
    assert_eq!(
        said,
        [
            (MachineId, "/etc/machine-id", Change::Missing, 3),
            (ProductUuid, "product_uuid", Change::Unreadable, 4),
            (NetworkAddress, "eth0", Change::Same, 3),
            (NetworkAddress, "eth1", Change::Changed, 3),
            (Filesystem, "/", Change::Same, 2),
            (Hostname, "", Change::Changed, 1),
            (Pin, "asset", Change::Same, 2),
            (Pin, "rack", Change::Same, 2),
        ]
    );
    assert_eq!((machine.score, machine.threshold, machine.total), (9, 10, 20));
    let card = machine.lines.iter().find(|line| line.name() == "eth1").unwrap();
    assert_eq!(&*card.then.as_ref().unwrap().value, "02:fc:00:00:00:02");
    assert_eq!(&*card.now.as_ref().unwrap().value, "02:fc:00:00:00:99");
    // If the hidden factor, which only root can read, still matches, so does the machine.
    assert!(machine.is_hidden());
    assert_eq!(step(&machine).text(), "run as root: product-uuid can only be read by root");
}

#[test]
fn a_renamed_interface_is_the_same_card_and_a_card_that_lost_its_permanence_is_not() {
    let factor = |class, name: &str, value: &str| Factor {
        kind: NetworkAddress,
        class,
        name: Text::new(name).unwrap(),
        value: Text::new(value).unwrap(),
        ignored: Text::default(),
    };
    let then = [
        factor(Class::Hardware, "eth0", "02:fc:00:00:00:01"),
        factor(Class::Hardware, "eth1", "02:fc:00:00:00:02"),
        factor(Class::Hardware, "eth9", "02:fc:00:00:00:02"),
    ];
    let swapped = [
        factor(Class::Hardware, "eth0", "02:fc:00:00:00:02"),
        factor(Class::Hardware, "ens3", "02:fc:00:00:00:01"),
    ];
    let lines = changes(&then, &swapped, &[]);
    assert_eq!(lines.len(), 2, "one value counts once");
    assert!(lines.iter().all(|line| line.change == Change::Same), "{lines:#?}");
    let common = [factor(Class::Common, "eth0", "02:fc:00:00:00:01")];
    let lines = changes(&then[..1], &common, &[]);
    assert_eq!(lines[0].change, Change::Changed);
    assert_eq!(lines[0].now.as_ref().unwrap().class, Class::Common);
    assert!(changes(&common, &common, &[]).is_empty(), "a common factor never counts");
}

#[test]
fn only_what_is_enrolled_counts_however_much_is_found() {
    let world = World::new(STARTER);
    let (body, _, key) = world.answer(&world.home("home"), &server(), "server").unwrap();
    let whole = held_against(&body, &key, &server());
    assert_eq!((whole.score, whole.threshold, whole.total), (20, 10, 20));
    // Additional and duplicate factors gain nothing.
    let mut more = server();
    more.0.extend(server().0);
    for n in 10..40 {
        let address = format!("02:fc:00:00:00:{n}");
        more.add(NetworkAddress, Class::Hardware, &format!("eth{n}"), &address);
    }
    assert_eq!(held_against(&body, &key, &more).score, 20);
    // A factor that is now common does not match, even with the enrolled value.
    let mut common = server();
    common.0.iter_mut().for_each(|factor| factor.class = Class::Common);
    let none = held_against(&body, &key, &common);
    assert_eq!((none.score, none.hardware_missing), (0, true));
    let cpu = Commitments::new(&key).commit(Cpu, "Test CPU");
    assert!(body.policy.enrolled.get(&cpu).is_none(), "a common factor is not enrolled");
    // The image alone has enough points, but the policy also requires hardware.
    let mut copy = server();
    copy.0.retain(|factor| factor.class == Class::Image);
    let copy = held_against(&body, &key, &copy);
    assert_eq!((copy.score, copy.hardware_missing), (10, true));
    assert_eq!(copy.ensure().unwrap_err().refusal(), Some(Refusal::WrongMachine));
}

#[test]
fn a_license_file_that_no_request_here_is_known_of_tells_kinds_alone() {
    let world = World::new(STARTER);
    let (body, _, key) = world.answer(&world.home("home"), &server(), "server").unwrap();
    let mut now = server();
    now.set("eth1", "02:fc:00:00:00:99");
    let machine = held_against(&body, &key, &now);
    assert!(machine.lines.iter().all(|line| line.then.is_none()));
    let missing: Vec<_> =
        machine.lines.iter().filter(|line| line.change == Change::Missing).collect();
    assert_eq!(missing.len(), 1);
    assert_eq!((missing[0].kind, missing[0].name(), missing[0].weight), (NetworkAddress, "", 3));
    assert_eq!(machine.lines.last().unwrap().change, Change::New);
    assert_eq!(machine.score, 17);
}

#[test]
fn what_is_known_of_the_enrolled_factors_adds_to_the_report_and_never_to_the_verdict() {
    let world = World::new(STARTER);
    let (body, _, key) = world.answer(&world.home("home"), &server(), "server").unwrap();
    let mut twice = server();
    twice.0.extend(server().0);
    let mut common = server();
    common.0.iter_mut().for_each(|factor| factor.class = Class::Common);
    let mut copy = server();
    copy.other_hardware().set("hostname", "renamed").drop("machine-id");
    for now in [server(), copy.clone(), small_server(), Machine(Vec::new())] {
        let bare = held_against(&body, &key, &now);
        for enrolled in [&server().0[..], &server().0[..3], &twice.0, &common.0, &copy.0, &now.0] {
            let here = Here { factors: &now.0, unreadable: &[hidden(ProductUuid)] };
            let told = body.policy.assess(Bound { commitment_key: &key, enrolled }, here);
            assert_eq!((told.score, told.matches()), (bare.score, bare.matches()));
            let lines = told.lines.iter().filter(|line| line.change != Change::New);
            assert_eq!(lines.count(), body.policy.enrolled.len(), "each factor has one line");
        }
    }
    // A refusal lists the changes in the order of the report.
    let bound = Bound { commitment_key: &key, enrolled: &server().0 };
    let told = body.policy.assess(bound, Here { factors: &copy.0, unreadable: &[] });
    let kinds: Vec<_> = told.drift().into_iter().map(|line| line.kind.word()).collect();
    let fact = told.ensure().unwrap_err().fact().to_string();
    assert!(
        kinds.len() > 3 && fact.ends_with(&format!("unreadable: {}", kinds.join(", "))),
        "{fact}"
    );
}

#[test]
fn drift_is_told_with_the_room_that_is_left() {
    let world = World::new(STARTER);
    let home = world.licensed("home", &server(), "server");
    let mut now = server();
    let whole = assessed(&home, &now, &[]);
    assert!(whole.drift().is_empty() && whole.next_step().is_none());
    assert_eq!((whole.room(), whole.breaking()), (10, None));
    now.set("eth1", "02:fc:00:00:00:99");
    let one = assessed(&home, &now, &[]);
    assert_eq!((one.room(), one.breaking(), one.drift().len()), (7, None, 1));
    assert_eq!(
        one.next_step(),
        Some(NextStep::new(
            "the network card eth1 was replaced: ask for a new license while this one still matches",
            &[Remedy::Renew]
        ))
    );
    assert!(one.room_left().ends_with("any one other value may still change"));
    now.drop("product_uuid");
    // One card is the only hardware left: three points of room, but losing that card loses all
    // hardware.
    let two = assessed(&home, &now, &[]);
    assert_eq!((two.room(), two.breaking().unwrap().name()), (3, "eth0"));
    now.set("hostname", "renamed");
    let three = assessed(&home, &now, &[]);
    assert_eq!((three.room(), three.breaking().unwrap().weight), (2, 3));
    assert!(three.room_left().contains("changes in the same way"), "{}", three.room_left());
    now.set("machine-id", "deadbeef");
    let four = assessed(&home, &now, &[]);
    assert!(!four.matches() && four.room() == 0);
    assert_eq!(step(&four).remedies(), [Remedy::MakeRequest], "{}", step(&four));
}

#[test]
fn judgement_and_next_step_name_what_happened() {
    let world = World::new(STARTER);
    let home = world.licensed("home", &server(), "server");
    let case = |change: fn(&mut Machine) -> &mut Machine| {
        let mut now = server();
        change(&mut now);
        (
            judgement(&changes(&server().0, &now.0, &[])),
            assessed(&home, &now, &[]).next_step().map(|step| step.to_string()).unwrap_or_default(),
        )
    };
    assert_eq!(case(|now| now).0, "the same machine: nothing changed");
    let (card, _) = case(|now| now.set("eth1", "02:fc:00:00:00:99"));
    assert_eq!(card, "the same machine with a replaced network card");
    let (gone, step) = case(|now| now.drop("eth1"));
    assert_eq!(gone, "the same machine with one network card fewer");
    assert!(step.starts_with("network-address eth1 is not found: ask for"), "{step}");
    let (renamed, step) = case(|now| now.set("hostname", "x"));
    assert_eq!(renamed, "the same machine; changed: hostname");
    assert!(step.starts_with("the host was renamed: ask for"), "{step}");
    let (anew, _) = case(|now| now.set("machine-id", "x").set("filesystem", "x"));
    assert_eq!(anew, "the same hardware, reinstalled");
    let (copy, step) = case(|now| now.other_hardware());
    assert!(copy.starts_with("the same disk on other hardware"), "{copy}");
    assert!(step.starts_with("no hardware value is the same"), "{step}");
    let (pins, _) = case(|now| now.other_hardware().other_image());
    assert!(pins.starts_with("another machine: only the operator's pins"), "{pins}");
    assert_eq!(judgement(&[]), "there are no earlier values to compare with");
    let elsewhere = judgement(&changes(&vm().0, &server().0, &[]));
    assert_eq!(elsewhere, "another machine: no value is the same");
}

#[test]
fn a_copy_is_never_advised_to_renew() {
    let world = World::new(STARTER);
    let serials = || {
        let mut machine = vm();
        // Serial numbers that a virtual machine shares with its host, enrolled as hardware.
        machine.add(FactorKind::ProductSerial, Class::Hardware, "product_serial", "7XK9TM3");
        machine.add(FactorKind::DiskSerial, Class::Hardware, "vda", "WD-WMAP9A966149");
        machine
    };
    let home = world.licensed("serials", &serials(), "server");
    let mut clone = serials();
    clone.set("product_uuid", "564d0002-0002").set("ens3", "52:54:00:00:00:02");
    let clone = assessed(&home, &clone, &[]);
    assert!(clone.matches(), "the points are enough, and a serial number is hardware");
    let to_do = step(&clone);
    assert!(to_do.text().contains("as on a copy"), "{to_do}");
    assert_eq!(to_do.remedies(), [Remedy::MakeRequest]);
    let said = judgement(&clone.lines);
    let shared =
        "the same disk on other hardware with the same product-serial, disk-serial vda: a copy";
    assert!(said.starts_with(shared), "{said}");
    // If serial numbers are the only hardware, matching ones mean the same machine.
    let only = || {
        let mut machine = serials();
        machine.drop("product_uuid").drop("ens3");
        machine
    };
    let home = world.licensed("only", &only(), "server");
    let mut renamed = only();
    renamed.set("hostname", "renamed");
    assert_eq!(step(&assessed(&home, &renamed, &[])).remedies(), [Remedy::Renew]);
    // A copy is not advised to renew under a policy without hardware either.
    let home = world.licensed("container", &container(), "container");
    let mut moved = container();
    moved.other_hardware();
    let moved = assessed(&home, &moved, &[]);
    assert!(moved.matches());
    assert_eq!(step(&moved).remedies(), [Remedy::MakeRequest], "{}", step(&moved));
    // A factor that cannot be read now may be unchanged.
    let mut ordinary = container();
    ordinary.drop("product_uuid").set("hostname", "renamed");
    let ordinary = assessed(&home, &ordinary, &[hidden(ProductUuid)]);
    assert!(!step(&ordinary).text().contains("as on a copy"), "{}", step(&ordinary));
    // One network card of two, or a board with its UUID, may be replaced.
    let home = world.licensed("server", &server(), "server");
    for (which, value) in [("eth1", "02:fc:00:00:00:99"), ("product_uuid", "4c4c4544-0009")] {
        let mut now = server();
        now.set(which, value);
        assert_eq!(step(&assessed(&home, &now, &[])).remedies(), [Remedy::Renew], "{which}");
    }
}

#[test]
fn the_operators_pins_count_as_last_given() {
    let world = World::new(STARTER);
    let home = world.licensed("home", &server(), "pinned");
    let mut other = server();
    other.other_hardware().other_image();
    let (_, decision) = judged(&home, &other, NOW);
    assert!(decision.matches(), "only pins are enrolled, and they come with the home");
    assert!(!decision.license().unwrap().body().policy.stops_a_copy());
    let order = |pin: &str| RequestParams {
        pins: vec![Factor::pin(pin).unwrap()],
        ..RequestParams::default()
    };
    let _ = home.request(&order("rack=C1"), &around(&server(), NOW), &mut rng(4)).unwrap();
    assert!(judged(&home, &server(), NOW).1.matches(), "one of two is half");
    let _ = home.request(&order("asset=1"), &around(&server(), NOW), &mut rng(5)).unwrap();
    let (_, decision) = judged(&home, &server(), NOW);
    assert_eq!(decision.refusal().unwrap().refusal(), Some(Refusal::WrongMachine));
}

#[test]
fn a_grant_names_a_policy_of_the_catalog() {
    let world = World::new(STARTER);
    let names: Vec<_> = Catalog::parse(STARTER).unwrap().policies.into_keys().collect();
    assert_eq!(names, ["container", "pinned", "server", "strict", "vm"]);
    for (policy, machine) in
        [("strict", server()), ("server", small_server()), ("vm", vm()), ("container", container())]
    {
        let body = world.answer(&world.home(policy), &machine, policy).unwrap().0;
        assert_eq!(&*body.policy.name, policy);
        assert_eq!(body.policy.stops_a_copy(), policy != "container");
    }
    let error = world.answer(&world.home("none"), &server(), "laptop").unwrap_err();
    assert!(error.next_step().text().contains("container, pinned, server, strict, vm"));
    let error = world.answer(&world.home("bare"), &vm(), "pinned").unwrap_err();
    assert_eq!(error.next_step().remedies(), [Remedy::Pin, Remedy::ReadPrivileged]);
}

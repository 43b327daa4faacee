//! The tables of `docs/machines.md`, made by issuing a license for each machine and policy and
//! assessing the changed machine. `OLR_MINT=1 cargo test --test judgement matching` rewrites them.

use olr_core::license::LicenseBody;
use olr_core::machine::{Class, FactorKind};
use olr_office::catalog::{Catalog, STARTER};
use std::collections::BTreeMap;

use crate::matching::machines::{Machine, container, server, small_server, vm, vm_of_a_host, wsl};
use crate::matching::{World, held_against};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/machines.md");
const POLICIES: [&str; 5] = ["strict", "server", "vm", "container", "pinned"];

/// Rows of the tables of changes, each with the factor that changes. A machine without this factor
/// has no such row.
const CHANGES: [(&str, &str); 8] = [
    ("machine-id", "machine-id"),
    ("product-uuid", "product_uuid"),
    ("filesystem", "filesystem"),
    ("hostname", "hostname"),
    ("first card", "eth0"),
    ("second card", "eth1"),
    ("one pin", "rack"),
    ("the other pin", "asset"),
];

type Event = (&'static str, fn() -> Machine, fn(&mut Machine) -> &mut Machine);

const EVENTS: [Event; 28] = [
    ("the kernel is updated", server, |m| m.set("cpu", "Test CPU, microcode 2")),
    ("Docker or a VPN comes or goes", server, |m| {
        m.add(FactorKind::NetworkAddress, Class::Common, "docker0", "02:42:00:00:00:01")
    }),
    ("the host is renamed", server, |m| m.set("hostname", "renamed")),
    ("one of two cards is replaced", server, |m| m.set("eth1", "02:fc:00:00:00:99")),
    ("a card is added", server, |m| {
        m.add(FactorKind::NetworkAddress, Class::Hardware, "eth2", "02:fc:00:00:00:03")
    }),
    ("a new card and a new name", server, |m| {
        m.set("eth1", "02:fc:00:00:00:99").set("hostname", "renamed")
    }),
    ("the disk dies; restored on a new filesystem", server, |m| m.set("filesystem", "new")),
    ("reinstalled on the same hardware, the home restored", server, |m| {
        m.set("filesystem", "new").set("machine-id", "new")
    }),
    ("main board with its cards replaced", server, |m| m.other_hardware()),
    ("restored from backup on new hardware", server, |m| {
        m.other_hardware().set("filesystem", "new")
    }),
    ("the disk is copied, or moved, to another machine", server, |m| m.other_hardware()),
    ("the home folder alone is copied to another machine", server, |m| {
        m.other_hardware().other_image()
    }),
    ("requested as root, checked as an ordinary user", server, |m| m.drop("product_uuid")),
    ("small server: the host is renamed", small_server, |m| m.set("hostname", "renamed")),
    ("small server: the only card is replaced", small_server, |m| {
        m.set("eth0", "02:fc:00:00:00:99")
    }),
    ("small server: the disk is copied to another machine", small_server, |m| m.other_hardware()),
    ("VM: migrated to another host, live or not", vm, |m| {
        m.add(FactorKind::Cpu, Class::Common, "", "another processor")
    }),
    ("VM: a snapshot is restored", vm, |m| m),
    ("VM: its virtual card is replaced", vm, |m| m.set("ens3", "52:54:00:00:00:99")),
    ("VM: cloned; the clone gets its own UUID and address", vm, |m| m.other_hardware()),
    ("VM: copied with its UUID and addresses, against all advice", vm, |m| m),
    ("VM with its host's serial number: migrated to another host", vm_of_a_host, |m| {
        m.set("product_serial", "5QX2LK8")
    }),
    ("VM with its host's serial number: cloned on the same host", vm_of_a_host, |m| {
        m.other_hardware()
    }),
    ("WSL: restarted", wsl, |m| m.set("eth0", "00:15:5d:77:66:55")),
    ("WSL: its disk is copied to another computer", wsl, |m| m.set("eth0", "00:15:5d:01:02:03")),
    ("container: restarted on the same host", container, |m| {
        m.set("hostname", "5a4b3c2d1e0f").set("eth0", "02:42:ac:11:00:09")
    }),
    ("container: restarted on another host, from a new image", container, |m| {
        m.other_hardware().other_image()
    }),
    ("container: one pin is changed", container, |m| m.set("cluster", "cluster=south")),
];

/// The licenses for one machine, by policy; `None` if none can be issued.
type Licenses = BTreeMap<&'static str, Option<(LicenseBody, [u8; 32])>>;

fn licenses(world: &World, name: &str, machine: &Machine) -> Licenses {
    let one = |policy| {
        let home = world.home(&format!("{name}-{policy}"));
        let answer = world.answer(&home, machine, policy);
        (policy, answer.ok().map(|(body, _, key)| (body, key)))
    };
    POLICIES.into_iter().map(one).collect()
}

fn row(title: &str, licenses: &Licenses, now: &Machine) -> String {
    let cell = |policy: &&str| match &licenses[policy] {
        None => "not issued",
        Some((body, key)) if held_against(body, key, now).matches() => "matches",
        Some(_) => "**no**",
    };
    format!("| {title} | {} |\n", POLICIES.iter().map(cell).collect::<Vec<_>>().join(" | "))
}

fn head(title: &str) -> String {
    format!("| {title} | {} |\n|---|---|---|---|---|---|\n", POLICIES.join(" | "))
}

fn changes(world: &World, name: &str, machine: fn() -> Machine) -> String {
    let licenses = licenses(world, name, &machine());
    let changed = |names: &[&str]| {
        let mut now = machine();
        for name in names {
            now.set(name, "other");
        }
        now
    };
    let here: Vec<_> = CHANGES.iter().filter(|(_, name)| machine().has(name)).collect();
    let mut table = head("what changed");
    for (title, name) in &here {
        table += &row(title, &licenses, &changed(&[name]));
    }
    for (at, (title, name)) in here.iter().enumerate() {
        for (other_title, other) in &here[at + 1..] {
            table += &row(&format!("{title} + {other_title}"), &licenses, &changed(&[name, other]));
        }
    }
    table
}

fn events(world: &World) -> String {
    let mut table = head("what happened");
    for (at, (title, before, happens)) in EVENTS.iter().enumerate() {
        let mut now = before();
        happens(&mut now);
        table += &row(title, &licenses(world, &format!("event{at}"), &before()), &now);
    }
    table
}

fn policies() -> String {
    let catalog = Catalog::parse(STARTER).unwrap();
    let mut table =
        "| policy | share | minimum | hardware | weights |\n|---|--:|--:|---|---|\n".to_string();
    for name in POLICIES {
        let policy = &catalog.policies[name];
        let mut weights: Vec<_> = policy.weights.iter().collect();
        weights.sort_by_key(|(kind, weight)| (std::cmp::Reverse(**weight), kind.word()));
        let weights: Vec<_> = weights.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
        let hardware = if policy.hardware { "must match" } else { "need not match" };
        table += &format!(
            "| `{name}` | {} % | {} | {hardware} | {} |\n",
            policy.share,
            policy.minimum,
            weights.join(", ")
        );
    }
    table
}

#[test]
fn the_page_says_what_the_policies_do() {
    let world = World::new(STARTER);
    let page = std::fs::read_to_string(PAGE).unwrap();
    let mut made = page.clone();
    for (name, table) in [
        ("policies", policies()),
        ("changes", changes(&world, "server", server)),
        ("changes of the small server", changes(&world, "small", small_server)),
        ("events", events(&world)),
    ] {
        let (begin, end) = (format!("<!-- made: {name} -->\n"), "<!-- end -->");
        let (before, rest) =
            made.split_once(&begin).unwrap_or_else(|| panic!("docs/machines.md has no {begin:?}"));
        let (_, after) = rest.split_once(end).unwrap();
        made = format!("{before}{begin}\n{table}\n{end}{after}");
    }
    if std::env::var_os("OLR_MINT").is_some() {
        std::fs::write(PAGE, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(PAGE).unwrap(), made, "out of date: OLR_MINT=1 rewrites it");
    assert!(made.matches("| matches").count() > 100, "the tables are not empty");
}

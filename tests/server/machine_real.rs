//! What `olr machine` says about interfaces that the kernel really creates, in their own namespaces.
//!
//! Each kind is created by `ip` inside `unshare`, with a new sysfs mount. A kind that this kernel
//! lacks is skipped by name; without namespaces or the programs, all kinds are skipped.
#![cfg(all(target_os = "linux", feature = "cli"))]

use serde_json::Value;
use std::process::{Command, Output};

/// A kind of interface: how to create it, which interface to read, and the expected description.
struct Kind {
    name: &'static str,
    make: &'static str,
    interface: &'static str,
    says: &'static str,
}

const fn kind(
    name: &'static str,
    make: &'static str,
    interface: &'static str,
    says: &'static str,
) -> Kind {
    Kind { name, make, interface, says }
}

/// Creates a veth pair, before every other kind. Some kinds are attached to one of its two ends.
const CABLE: &str = "ip link add v0 type veth peer name v1";

const KINDS: [Kind; 16] = [
    kind("veth", CABLE, "v0", "virtual interface: veth"),
    kind("bridge", "ip link add x type bridge && ip link set v1 master x", "x", "bridge on v1"),
    kind("macvlan", "ip link add link v0 name x type macvlan", "x", "macvlan"),
    kind("macvtap", "ip link add link v0 name x type macvtap", "x", "macvtap on v0"),
    kind("ipvlan", "ip link add link v0 name x type ipvlan", "x", "ipvlan on v0"),
    kind("vlan", "ip link add link v0 name x type vlan id 7", "x", "vlan on v0"),
    kind("bond", "ip link add x type bond && ip link set v1 master x", "x", "bond"),
    kind("team", "ip link add x type team && ip link set v1 master x", "x", "team"),
    kind("tun", "ip tuntap add dev x mode tun", "x", "virtual interface: tun"),
    kind("tap", "ip tuntap add dev x mode tap", "x", "virtual interface: tap"),
    kind("dummy", "ip link add dummy7 type dummy", "dummy7", "dummy, by its name"),
    kind("ifb", "ip link add ifb7 type ifb", "ifb7", "ifb, by its name"),
    kind("vxlan", "ip link add x type vxlan id 5 dstport 4789", "x", "vxlan"),
    kind("wireguard", "ip link add x type wireguard", "x", "wireguard"),
    // Interfaces as a container gets them: from inside, each looks like a network card.
    kind("veth in a container", MOVED_CABLE, "eth0", "veth, or macvlan of another namespace"),
    kind("macvlan in a container", MOVED, "eth0", "veth, or macvlan of another namespace"),
];

const MOVED_CABLE: &str = "ip link set v1 netns inner && ip -n inner link set v1 name eth0 \
    address 00:e0:84:35:d0:e8";
const MOVED: &str = "ip link add link v0 name x type macvlan && ip link set x netns inner && \
    ip -n inner link set x name eth0 address 00:e0:84:35:d0:e8";

/// Runs a script as root with its own network, mounts and host name.
fn apart(script: &str) -> Output {
    let base = ["--net", "--mount", "--uts"];
    let root = rustix::process::geteuid().is_root();
    let user: &[&str] = if root { &[] } else { &["--user", "--map-root-user"] };
    let script = format!(
        "set -e; mount -t sysfs none /sys; mount -t tmpfs none /run; hostname probe7; {script}"
    );
    let mut command = Command::new("unshare");
    command.args(user).args(base).args(["sh", "-c", &script]);
    command.output().unwrap_or_else(|error| Output {
        status: Default::default(),
        stdout: Vec::new(),
        stderr: error.to_string().into_bytes(),
    })
}

fn error(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().next().unwrap_or_default().trim().to_string()
}

#[test]
fn each_kind_of_interface_that_this_kernel_makes() {
    let program = env!("CARGO_BIN_EXE_olr");
    let trial = apart("ip link show lo && echo possible");
    if !String::from_utf8_lossy(&trial.stdout).contains("possible") {
        eprintln!("skipped, all {}: no namespaces here: {}", KINDS.len(), error(&trial));
        return;
    }
    let (mut made, mut skipped) = (Vec::new(), Vec::new());
    for kind in &KINDS {
        let inside = kind.interface == "eth0";
        let cable = if kind.make == CABLE { "true" } else { CABLE };
        let inner = if inside { "ip netns add inner" } else { "true" };
        let look = if inside { "ip netns exec inner" } else { "" };
        let script =
            format!("{cable}; {inner}; {} || exit 77; {look} {program} machine --json", kind.make);
        let output = apart(&script);
        if output.status.code() == Some(77) {
            eprintln!("skipped: the kernel has no {} ({})", kind.name, error(&output));
            skipped.push(kind.name);
            continue;
        }
        let json: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}: {}", kind.name, error(&output)));
        expect(kind, &json);
        made.push(kind.name);
    }
    eprintln!("created and distinguished: {}", made.join(", "));
    eprintln!("skipped {}: {}", skipped.len(), skipped.join(", "));
    assert!(made.len() >= 2, "namespaces work here, but only {made:?} could be created");
}

fn expect(kind: &Kind, json: &Value) {
    let factors = json["factors"].as_array().unwrap();
    let of_kind = |word: &str| -> Vec<&Value> {
        factors.iter().filter(|factor| factor["kind"] == word).collect()
    };
    let cards = of_kind("network-address");
    let card = cards.iter().find(|card| card["name"] == kind.interface);
    let card = card.unwrap_or_else(|| panic!("{}: {json:#}", kind.name));
    let why = card["ignored"].as_str().unwrap();
    assert!(why.contains(kind.says), "{}: {why}", kind.name);
    // No interface in a namespace is a physical card.
    assert!(cards.iter().all(|card| card["class"] == "common"), "{}: {json:#}", kind.name);
    assert_eq!(of_kind("hostname")[0]["value"], "probe7", "{}", kind.name);
}

/// On this machine itself, `olr machine` gives a reason for each factor that it ignores.
#[test]
fn this_machine_outside_of_any_namespace() {
    let output = Command::new(env!("CARGO_BIN_EXE_olr")).args(["machine", "--json"]).output();
    let json: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let factors = json["factors"].as_array().unwrap();
    for factor in factors.iter().filter(|factor| factor["class"] == "common") {
        assert_ne!(factor["ignored"], "", "{factor}");
    }
    let counting = factors.iter().filter(|factor| factor["class"] != "common").count();
    assert_eq!(json["counting"], counting);
}

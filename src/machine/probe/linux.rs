//! Linux, by the files of `/proc`, `/sys` and `/etc`. Obeys `docs/format.md`, section "Factors".

use std::path::Path;

use super::{Findings, Unreadable};
use crate::machine::{Class, FactorKind};
use crate::wire::codec::Text;
use tree::{Content, Tree};

mod cards;
#[cfg(test)]
mod tests;
mod tree;

/// The address a card answers with, by the name of its interface.
type AddressOf<'a> = &'a dyn Fn(&str) -> Option<[u8; 6]>;

pub(super) fn read(privileged: bool) -> Findings {
    read_below(Path::new("/"), privileged, &|name| {
        mac_address::mac_address_by_name(name).ok().flatten().map(mac_address::MacAddress::bytes)
    })
}

/// Reads the system whose files stand below `root`.
fn read_below(root: &Path, privileged: bool, address_of: AddressOf<'_>) -> Findings {
    let tree = Tree { root, privileged };
    let mut findings = Findings::default();
    machine_id(&tree, &mut findings);
    firmware(&tree, &mut findings);
    cards::add(&tree, address_of, &mut findings);
    root_filesystem(&tree, &mut findings);
    findings.hostname(&tree.text("proc/sys/kernel/hostname"));
    processor(&tree, &mut findings);
    container(&tree, &mut findings);
    facts(&tree, &mut findings);
    findings.boot_id = tree.line("proc/sys/kernel/random/boot_id").map(|id| Text::truncated(&id));
    let uptime = tree.line("proc/uptime");
    findings.uptime = uptime.and_then(|text| text.split('.').next()?.parse().ok());
    findings.sorted()
}

fn machine_id(tree: &Tree<'_>, findings: &mut Findings) {
    let mut hidden = None;
    for name in ["/etc/machine-id", "/var/lib/dbus/machine-id"] {
        match tree.read(name) {
            Content::Text(text) => {
                let id = text.trim().to_ascii_lowercase();
                // systemd writes "uninitialized" into images that are yet to get one.
                let hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
                if hex && !placeholder(&id) {
                    return findings.found(FactorKind::MachineId, Class::Image, name, &id);
                }
            }
            Content::Unreadable(reason) => hidden = hidden.or(Some((name, reason))),
            Content::Missing => {}
        }
    }
    if let Some((name, reason)) = hidden {
        let (kind, name) = (FactorKind::MachineId, Text::truncated(name));
        findings.unreadable.push(Unreadable { kind, name, reason });
    }
}

/// What the firmware says (DMI). Its serial numbers and UUID are for root only.
fn firmware(tree: &Tree<'_>, findings: &mut Findings) {
    for (kind, name) in [
        (FactorKind::ProductUuid, "product_uuid"),
        (FactorKind::ProductSerial, "product_serial"),
        (FactorKind::BoardSerial, "board_serial"),
        (FactorKind::ProductName, "product_name"),
    ] {
        match tree.read(&format!("sys/class/dmi/id/{name}")) {
            Content::Text(text) if placeholder(&text) => {}
            Content::Text(text) => match kind {
                FactorKind::ProductName => {
                    findings.ignored(kind, name, &text, "the same for all machines of a model");
                }
                FactorKind::ProductUuid => {
                    findings.found(kind, Class::Hardware, name, &text.to_ascii_lowercase());
                }
                _ => findings.found(kind, Class::Hardware, name, &text),
            },
            Content::Unreadable(reason) => {
                findings.unreadable.push(Unreadable { kind, name: Text::truncated(name), reason });
            }
            Content::Missing => {}
        }
    }
}

/// Whether makers left a value as it came: nothing, one digit over and over, or a known filler.
fn placeholder(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let mut letters = value.chars().filter(|letter| letter.is_alphanumeric());
    let first = letters.next();
    letters.all(|letter| Some(letter) == first) || FILLERS.contains(&value.as_str())
}

const FILLERS: [&str; 21] = [
    "0123456789",
    "03000200-0400-0500-0006-000700080009",
    "123456789",
    "1234567890",
    "base board serial number",
    "chassis serial number",
    "default string",
    "empty",
    "invalid",
    "n/a",
    "none",
    "not applicable",
    "not available",
    "not settable",
    "not specified",
    "oem",
    "system product name",
    "system serial number",
    "to be filled by o.e.m.",
    "to be filled by oem",
    "unknown",
];

/// The UUID of what is mounted at `/`, as udev names it.
fn root_filesystem(tree: &Tree<'_>, findings: &mut Findings) {
    let Some(device) = root_device(tree) else { return };
    const BY_UUID: &str = "dev/disk/by-uuid";
    let names = tree.names(BY_UUID);
    let is_root =
        |uuid: &&String| tree.target(&format!("{BY_UUID}/{uuid}")) == Some(device.clone());
    if let Some(uuid) = names.iter().find(is_root) {
        findings.found(FactorKind::Filesystem, Class::Image, "/", uuid);
    }
}

/// The kernel's name of the device at `/`: `sda1`, `dm-0`.
fn root_device(tree: &Tree<'_>) -> Option<String> {
    let mounts = tree.text("proc/self/mountinfo");
    // The last one covers those before it.
    let mount = mounts.lines().rfind(|line| line.split(' ').nth(4) == Some("/"))?;
    let (place, device) = mount.split_once(" - ")?;
    let mut device = device.split(' ');
    if matches!(device.next()?, "overlay" | "tmpfs" | "ramfs" | "rootfs" | "squashfs") {
        return None;
    }
    let number = place.split(' ').nth(2)?;
    // btrfs counts under a number that belongs to no device; then the mount's source says it.
    tree.target(&format!("sys/dev/block/{number}")).or_else(|| {
        let source = device.next()?.strip_prefix("/dev/")?;
        tree.target(&format!("dev/{source}")).or_else(|| Some(source.to_string()))
    })
}

fn processor(tree: &Tree<'_>, findings: &mut Findings) {
    let text = tree.text("proc/cpuinfo");
    let field = |name: &str| {
        let entries = text.lines().filter_map(|line| line.split_once(':'));
        entries.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    };
    // ARM has no model name.
    let model = ["model name", "Hardware", "CPU part"].into_iter().find_map(field);
    let why = "the same for all processors of a model";
    findings.ignored(FactorKind::Cpu, "", model.unwrap_or_default(), why);

    let flagged =
        field("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    let hypervisor = match tree.line("sys/hypervisor/type") {
        Some(name) => name,
        None if flagged => "present".to_string(),
        None => return,
    };
    let why = "says where this runs, not which machine it is";
    findings.ignored(FactorKind::Hypervisor, "", &hypervisor, why);
}

/// The first sign that this is a container, most specific first.
fn container(tree: &Tree<'_>, findings: &mut Findings) {
    let cgroups = tree.text("proc/self/cgroup");
    let grouped = |part: &str| cgroups.lines().any(|line| line.contains(part));
    let kind = if tree.exists("run/secrets/kubernetes.io") || grouped("/kubepods") {
        "kubernetes".to_string()
    } else if tree.exists("run/.containerenv") {
        "podman".to_string()
    } else if tree.exists(".dockerenv") || grouped("/docker/") || grouped("/docker-") {
        "docker".to_string()
    } else if let Some(name) = tree.line("run/systemd/container") {
        name
    } else if grouped("/lxc/") || grouped("/lxc.payload") {
        "lxc".to_string()
    } else {
        return;
    };
    let why = "says where this runs, not which machine it is";
    findings.ignored(FactorKind::Container, "", &kind, why);
}

fn facts(tree: &Tree<'_>, findings: &mut Findings) {
    let release = ["etc/os-release", "usr/lib/os-release"].map(|path| tree.text(path)).join("\n");
    let version = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    findings.fact("os version", version.unwrap_or_default().trim_matches(['"', '\'']));
    findings.fact("kernel", &tree.text("proc/sys/kernel/osrelease"));
}

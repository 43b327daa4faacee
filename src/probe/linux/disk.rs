//! The root filesystem and its disks. Implements `docs/format.md`, section "Factors".

use super::Machine;
use super::tree::Tree;
use olr_core::machine::filler::filler;
use olr_core::machine::{Class, FactorKind};

const BLOCK: &str = "sys/class/block";
const BTRFS: &str = "sys/fs/btrfs";
/// Maximum number of disks that are read, and of layers of devices followed down to a disk.
const DISKS: usize = 8;

/// Adds the id of the root filesystem and the serial numbers of its disks.
pub(super) fn add(tree: &Tree<'_>, contained: bool, findings: &mut Machine) {
    let Some(root) = Root::of(tree) else { return };
    let id = root.uuid(tree).or_else(|| {
        // In a container, the kernel's command line describes the host.
        if contained { None } else { root.named_at_start(tree) }
    });
    findings.found(FactorKind::Filesystem, Class::Image, "/", &id.unwrap_or_default());

    let mut disks = Vec::new();
    for device in &root.devices {
        below(tree, device, 0, &mut disks);
    }
    for disk in disks {
        serial(tree, &disk, findings);
    }
}

/// The filesystem mounted at `/`.
struct Root {
    /// Kernel names of its devices, such as `sda1` or `dm-0`. Only btrfs has several.
    devices: Vec<String>,
    /// UUID of a btrfs filesystem, as sysfs shows it.
    btrfs: Option<String>,
}

impl Root {
    fn of(tree: &Tree<'_>) -> Option<Self> {
        let mount = tree.mount("/")?;
        let (place, what) = mount.split_once(" - ")?;
        let mut what = what.split(' ');
        if matches!(what.next()?, "overlay" | "tmpfs" | "ramfs" | "rootfs" | "squashfs") {
            return None;
        }
        let number = place.split(' ').nth(2)?;
        // The device number of btrfs belongs to no device, so the mount source is used instead.
        let device = tree.target(&format!("sys/dev/block/{number}")).or_else(|| {
            let source = what.next()?.strip_prefix("/dev/")?;
            tree.target(&format!("dev/{source}")).or_else(|| Some(source.to_string()))
        })?;
        let holds = |id: &&String| tree.exists(&format!("{BTRFS}/{id}/devices/{device}"));
        let Some(btrfs) = tree.names(BTRFS).iter().find(holds).cloned() else {
            return Some(Self { devices: vec![device], btrfs: None });
        };
        let others = tree.names(&format!("{BTRFS}/{btrfs}/devices"));
        Some(Self { devices: others, btrfs: Some(btrfs) })
    }

    /// Returns the UUID of the filesystem, or else that of its partition.
    fn uuid(&self, tree: &Tree<'_>) -> Option<String> {
        if let Some(uuid) = &self.btrfs {
            return Some(uuid.clone());
        }
        let named = |folder: &str| {
            let names = tree.names(folder);
            let is_root = |name: &String| {
                let target = tree.target(&format!("{folder}/{name}"));
                target.is_some_and(|target| self.devices.contains(&target))
            };
            names.into_iter().find(is_root)
        };
        named("dev/disk/by-uuid")
            .or_else(|| named("dev/disk/by-partuuid").map(|uuid| format!("PARTUUID={uuid}")))
    }

    /// Returns the UUID of the root filesystem, or of its partition, from the kernel's command
    /// line, for systems without udev.
    fn named_at_start(&self, tree: &Tree<'_>) -> Option<String> {
        let line = tree.text("proc/cmdline");
        let root = line.split_whitespace().rev().find_map(|word| word.strip_prefix("root="))?;
        let uuid = root.strip_prefix("UUID=").filter(|uuid| !uuid.is_empty());
        uuid.or_else(|| root.starts_with("PARTUUID=").then_some(root)).map(str::to_string)
    }
}

/// Collects the whole disks that hold a device.
fn below(tree: &Tree<'_>, device: &str, depth: usize, disks: &mut Vec<String>) {
    if depth > DISKS || disks.len() >= DISKS {
        return;
    }
    let lower = tree.names(&format!("{BLOCK}/{device}/slaves"));
    for device in &lower {
        below(tree, device, depth.saturating_add(1), disks);
    }
    let mut disk = device.to_string();
    if tree.exists(&format!("{BLOCK}/{device}/partition")) {
        // The folder of a partition is inside the folder of its disk.
        let place = tree.link_text(&format!("{BLOCK}/{device}")).unwrap_or_default();
        disk = place.rsplit('/').nth(1).unwrap_or(device).to_string();
    }
    if lower.is_empty() && !disks.contains(&disk) {
        disks.push(disk);
    }
}

/// Adds the serial number of a disk, if it has one: with weight 0 if it does not identify the disk.
fn serial(tree: &Tree<'_>, disk: &str, findings: &mut Machine) {
    const KIND: FactorKind = FactorKind::DiskSerial;
    let at = |part: &str| tree.text(&format!("{BLOCK}/{disk}/{part}"));
    // In order: SD card; NVMe; virtio; SCSI and SATA; NVMe without a serial number.
    let parts = ["device/cid", "device/serial", "serial", "device/wwid", "wwid"];
    let Some(value) = parts.iter().map(|part| at(part)).find(|text| !filler(text)) else {
        return;
    };
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    // A disk that is reachable by several paths is listed several times.
    if findings.factors.iter().any(|factor| factor.kind == KIND && *factor.value == *value) {
        return;
    }
    let make = format!("{} {}", at("device/vendor"), at("device/model")).to_ascii_lowercase();
    if VIRTUAL.iter().any(|part| make.contains(part)) {
        let why = "virtual disk: its number is a default, or is copied with its file";
        findings.ignored(KIND, disk, &value, why);
    } else if value.bytes().filter(u8::is_ascii_digit).count() < 4 {
        // If a person gave the disk a name, hypervisors report that name as its serial number.
        findings.ignored(KIND, disk, &value, "a name, not a serial number");
    } else {
        findings.found(KIND, Class::Hardware, disk, &value);
    }
}

/// Parts of vendor and model names of disks that are files of a hypervisor.
const VIRTUAL: [&str; 9] = [
    "bhyve",
    "google",
    "msft nvme accelerator",
    "nvme_card",
    "parallels",
    "qemu",
    "vbox",
    "virtual",
    "vmware",
];

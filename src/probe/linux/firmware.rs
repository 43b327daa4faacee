//! Firmware values from DMI, or else from the device tree; the processor and the hypervisor.
//! Implements `docs/format.md`, section "Factors".

use super::Machine;
use super::tree::{Content, Tree};
use crate::probe::dmi::Firmware;
use crate::probe::hypervisor;
use olr_core::machine::filler::filler;
use olr_core::machine::{Class, FactorKind};

const DMI: &str = "sys/class/dmi/id";
const DEVICE_TREE: &str = "proc/device-tree";
/// Number of bytes of the description of the processors that contain the whole first one.
const FIRST_PROCESSOR: u64 = 8 * 1024;
/// Device tree nodes that only guests have: guests of KVM and Xen, and partitions and virtual
/// machines on POWER.
const GUEST: [&str; 3] = ["hypervisor", "ibm,partition-name", "vm,uuid"];

/// Adds the firmware values, the processor model, and the hypervisor if one is detected.
pub(super) fn add(tree: &Tree<'_>, findings: &mut Machine) {
    let hypervisor = processor(tree, findings);
    let mut firmware = read(tree, findings);
    firmware.guest = hypervisor.is_some();
    firmware.add(findings);
    hypervisor::add(&hypervisor.unwrap_or_default(), findings);
}

/// Reads the serial numbers, the UUID and the model. In DMI, only root can read the first two.
fn read(tree: &Tree<'_>, findings: &mut Machine) -> Firmware {
    let mut firmware = Firmware::default();
    // Xen exposes the UUID of a guest's firmware in a file that every user can read, so the factor
    // is the same for all users.
    const XEN: &str = "/sys/hypervisor/uuid";
    let xen = tree.line(XEN).filter(|uuid| !filler(uuid));
    let has_uuid = xen.is_some();
    firmware.values.extend(xen.map(|uuid| (FactorKind::ProductUuid, XEN, uuid)));
    for (kind, name) in [
        (FactorKind::ProductUuid, "product_uuid"),
        (FactorKind::ProductSerial, "product_serial"),
        (FactorKind::BoardSerial, "board_serial"),
        (FactorKind::ProductName, "product_name"),
    ] {
        if kind == FactorKind::ProductUuid && has_uuid {
            continue;
        }
        match tree.read(&format!("{DMI}/{name}")) {
            Content::Text(text) => firmware.values.push((kind, name, text)),
            Content::Unreadable(reason) => findings.unreadable(kind, name, reason),
            Content::Missing => {}
        }
    }
    firmware.chassis_serial = tree.text(&format!("{DMI}/chassis_serial"));
    firmware.chassis_type = tree.text(&format!("{DMI}/chassis_type")).parse().unwrap_or(0);
    if !tree.exists(DMI) {
        for (kind, name) in
            [(FactorKind::ProductSerial, "serial-number"), (FactorKind::ProductName, "model")]
        {
            firmware.values.push((kind, name, tree.text(&format!("{DEVICE_TREE}/{name}"))));
        }
    }
    firmware
}

/// Adds the processor model, and returns the hypervisor if one is detected.
fn processor(tree: &Tree<'_>, findings: &mut Machine) -> Option<String> {
    // The kernel takes long to describe a hundred processors, and the first one is enough if it has
    // a model name. If it has none, as on 64-bit ARM, the line that names the board comes last.
    let first = tree.text_up_to("proc/cpuinfo", FIRST_PROCESSOR);
    let text = if first.contains("model name") { first } else { tree.text("proc/cpuinfo") };
    let field = |name: &str| {
        let entries = text.lines().filter_map(|line| line.split_once(':'));
        entries.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    };
    // 64-bit ARM has no model name.
    let model = ["model name", "Hardware", "CPU part"].into_iter().find_map(field);
    let why = "the same for all processors of a model";
    findings.ignored(FactorKind::Cpu, "", model.unwrap_or_default(), why);

    let [maker, product] =
        ["sys_vendor", "product_name"].map(|name| tree.text(&format!("{DMI}/{name}")));
    let named = hypervisor::by_its_names(&maker, &product).map(str::to_string);
    let flagged = field("flags")
        .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"))
        || GUEST.iter().any(|sign| tree.exists(&format!("{DEVICE_TREE}/{sign}")));
    named
        .or_else(|| tree.line("sys/hypervisor/type"))
        .or_else(|| flagged.then(|| "present".to_string()))
}

/// Adds the machine id: 32 hexadecimal digits.
pub(super) fn machine_id(tree: &Tree<'_>, findings: &mut Machine) {
    const KIND: FactorKind = FactorKind::MachineId;
    let mut hidden = None;
    for name in ["/etc/machine-id", "/var/lib/dbus/machine-id"] {
        match tree.read(name) {
            Content::Text(text) => {
                let id = text.trim().to_ascii_lowercase();
                // systemd writes "uninitialized" into images that have no id yet.
                let hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
                if !hex || filler(&id) {
                    continue;
                }
                // If the file is not writable, systemd mounts a temporary one over it.
                return match tree.mounted("/etc/machine-id").as_deref() {
                    Some("tmpfs") => findings.ignored(KIND, name, &id, "generated at this boot"),
                    _ => findings.found(KIND, Class::Image, name, &id),
                };
            }
            Content::Unreadable(reason) => hidden = hidden.or(Some((name, reason))),
            Content::Missing => {}
        }
    }
    if let Some((name, reason)) = hidden {
        findings.unreadable(KIND, name, reason);
    }
}

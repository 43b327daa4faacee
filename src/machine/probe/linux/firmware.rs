//! The firmware's word (DMI), the device tree's where there is none, and the hypervisor.
//! Obeys `docs/format.md`, section "Factors".

use super::Findings;
use super::tree::{Content, Tree};
use crate::machine::probe::firmware::{add, placeholder};
use crate::machine::probe::hypervisor;
use crate::machine::{Class, FactorKind};

const DMI: &str = "sys/class/dmi/id";
const DEVICE_TREE: &str = "proc/device-tree";

/// Adds the serial numbers, the UUID (both for root only, but in a device tree) and the model.
pub(super) fn read(tree: &Tree<'_>, findings: &mut Findings) {
    // What Xen calls a guest is the UUID of its firmware, in a spelling that everybody may read and
    // that does not change with who reads it.
    const XEN: &str = "/sys/hypervisor/uuid";
    add(FactorKind::ProductUuid, XEN, &tree.text(XEN), findings);
    for (kind, name) in [
        (FactorKind::ProductUuid, "product_uuid"),
        (FactorKind::ProductSerial, "product_serial"),
        (FactorKind::BoardSerial, "board_serial"),
        (FactorKind::ProductName, "product_name"),
    ] {
        if findings.has(kind) {
            continue;
        }
        match tree.read(&format!("{DMI}/{name}")) {
            Content::Text(text) => add(kind, name, &text, findings),
            Content::Unreadable(reason) => findings.unreadable(kind, name, reason),
            Content::Missing => {}
        }
    }
    if !tree.exists(DMI) {
        for (kind, name) in
            [(FactorKind::ProductSerial, "serial-number"), (FactorKind::ProductName, "model")]
        {
            add(kind, name, &tree.text(&format!("{DEVICE_TREE}/{name}")), findings);
        }
    }
}

/// Adds the model of the processor, and the hypervisor where one shows.
pub(super) fn processor(tree: &Tree<'_>, findings: &mut Findings) {
    let text = tree.text("proc/cpuinfo");
    let field = |name: &str| {
        let entries = text.lines().filter_map(|line| line.split_once(':'));
        entries.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    };
    // ARM has no model name.
    let model = ["model name", "Hardware", "CPU part"].into_iter().find_map(field);
    let why = "the same for all processors of a model";
    findings.ignored(FactorKind::Cpu, "", model.unwrap_or_default(), why);

    let [maker, product] =
        ["sys_vendor", "product_name"].map(|name| tree.text(&format!("{DMI}/{name}")));
    let flagged =
        field("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    match (hypervisor::by_its_names(&maker, &product), tree.line("sys/hypervisor/type")) {
        (Some(name), _) => hypervisor::add(name, findings),
        (None, Some(name)) => hypervisor::add(&name, findings),
        (None, None) if flagged => hypervisor::add("present", findings),
        (None, None) => {}
    }
}

/// Adds the machine id: 32 hexadecimal digits.
pub(super) fn machine_id(tree: &Tree<'_>, findings: &mut Findings) {
    const KIND: FactorKind = FactorKind::MachineId;
    let mut hidden = None;
    for name in ["/etc/machine-id", "/var/lib/dbus/machine-id"] {
        match tree.read(name) {
            Content::Text(text) => {
                let id = text.trim().to_ascii_lowercase();
                // systemd writes "uninitialized" into images that are yet to get one.
                let hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
                if !hex || placeholder(&id) {
                    continue;
                }
                // Where it cannot be stored, systemd lays one in memory over the file.
                return match tree.mounted("/etc/machine-id").as_deref() {
                    Some("tmpfs") => findings.ignored(KIND, name, &id, "made up at this start"),
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

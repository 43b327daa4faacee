//! What the firmware says of a machine (DMI, SMBIOS). Obeys `docs/format.md`, section "Factors".
//!
//! Linux gives it as files, Windows as one table; what it means is the same.

use super::Findings;
use crate::machine::{Class, FactorKind};

/// Adds one value of the firmware, unless its maker left it as it came.
pub(super) fn add(kind: FactorKind, name: &str, value: &str, findings: &mut Findings) {
    if placeholder(value) {
        return;
    }
    match kind {
        FactorKind::ProductName => {
            findings.ignored(kind, name, value, "the same for all machines of a model");
        }
        FactorKind::ProductUuid => {
            findings.found(kind, Class::Hardware, name, &value.to_ascii_lowercase());
        }
        _ => findings.found(kind, Class::Hardware, name, value),
    }
}

/// Adds which hypervisor this runs under.
pub(super) fn add_hypervisor(name: &str, findings: &mut Findings) {
    let why = "says where this runs, not which machine it is";
    findings.ignored(FactorKind::Hypervisor, "", name, why);
}

/// The hypervisor that the names of maker and product give away.
pub(super) fn hypervisor(maker: &str, product: &str) -> Option<&'static str> {
    // Makers of hypervisors sell machines too: those need the product's name.
    let of_maker = match maker {
        "QEMU" => Some("qemu"),
        "Xen" => Some("xen"),
        "innotek GmbH" => Some("virtualbox"),
        "Amazon EC2" if !product.contains(".metal") => Some("amazon"),
        "Microsoft Corporation" if product == "Virtual Machine" => Some("hyper-v"),
        "Apple Inc." if product.starts_with("Apple Virtualization") => Some("apple"),
        _ if maker.starts_with("VMware") => Some("vmware"),
        _ if maker.starts_with("Parallels") => Some("parallels"),
        _ => None,
    };
    of_maker.or(match product {
        "KVM" | "OpenStack Nova" | "OpenStack Compute" | "KubeVirt" => Some("kvm"),
        "Google Compute Engine" => Some("google"),
        "VirtualBox" => Some("virtualbox"),
        "BHYVE" => Some("bhyve"),
        _ => None,
    })
}

/// Whether makers left a value as it came: nothing, one or two letters over and over, or a known
/// filler.
pub(super) fn placeholder(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let letters = || value.chars().filter(|letter| letter.is_alphanumeric());
    letters().zip(letters().skip(2)).all(|(one, next)| one == next)
        || FILLERS.contains(&value.as_str())
}

const FILLERS: [&str; 32] = [
    "00020003-0004-0005-0006-000700080009",
    "0123456789",
    "0123456789abcdef",
    "03000200-0400-0500-0006-000700080009",
    "11111111-2222-3333-4444-555555555555",
    "12345",
    "123456",
    "12345678",
    "12345678-1234-5678-90ab-cddeefaabbcc",
    "123456789",
    "1234567890",
    "4c4c4544-0020-2010-8020-a0c04f202020",
    "base board serial number",
    "chassis serial number",
    "default",
    "default string",
    "empty",
    "invalid",
    "n/a",
    "none",
    "not applicable",
    "not available",
    "not settable",
    "not specified",
    "o.e.m.",
    "oem",
    "system product name",
    "system serial number",
    "to be filled by o.e.m.",
    "to be filled by oem",
    "undefined",
    "unknown",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_told_from_values() {
        for filler in ["", " ", "0", "00", "XX", "fefefefe-fefe", "Default string", "None", "...."]
        {
            assert!(placeholder(filler), "{filler:?}");
        }
        for value in ["B5RMN2", "VB2f4c1d", "100", "4c4c4544-0042-3510-8052-b4c04f4d4e32"] {
            assert!(!placeholder(value), "{value:?}");
        }
    }

    #[test]
    fn makers_of_hypervisors_sell_machines_too() {
        assert_eq!(hypervisor("Microsoft Corporation", "Virtual Machine"), Some("hyper-v"));
        assert_eq!(hypervisor("Microsoft Corporation", "Surface Pro 7"), None);
        assert_eq!(hypervisor("Amazon EC2", "c5.metal"), None);
        assert_eq!(hypervisor("Oracle Corporation", "SUN FIRE X4170"), None);
        assert_eq!(hypervisor("VMware, Inc.", "VMware7,1"), Some("vmware"));
        assert_eq!(hypervisor("Red Hat", "KVM"), Some("kvm"));
    }
}

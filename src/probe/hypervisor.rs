//! Detects the hypervisor. Implements `docs/format.md`, section "Factors".

use super::Machine;
use olr_core::machine::FactorKind;

/// Adds the hypervisor, with weight 0.
pub(super) fn add(name: &str, findings: &mut Machine) {
    let why = "identifies the platform, not the machine";
    findings.ignored(FactorKind::Hypervisor, "", name, why);
}

/// Detects the hypervisor from the names of the manufacturer and the product.
pub(super) fn by_its_names(maker: &str, product: &str) -> Option<&'static str> {
    // Some of these manufacturers also sell physical machines: for those, the product decides.
    let of_maker = match maker {
        "QEMU" => Some("qemu"),
        "Xen" => Some("xen"),
        "innotek GmbH" => Some("virtualbox"),
        "Amazon EC2" if !product.contains(".metal") => Some("amazon"),
        "Microsoft Corporation" if product == "Virtual Machine" => Some("hyper-v"),
        "Apple Inc." if product.starts_with("Apple Virtualization") => Some("apple"),
        _ if maker.starts_with("VMware") => Some("vmware"),
        _ if maker.starts_with("Parallels") => Some("parallels"),
        "Nutanix" if product == "AHV" => Some("kvm"),
        "Alibaba Cloud" if !product.contains("Bare Metal") => Some("kvm"),
        "oVirt" | "Bochs" | "DigitalOcean" | "Hetzner" | "Linode" | "UpCloud" | "Vultr" => {
            Some("kvm")
        }
        _ => None,
    };
    of_maker.or(match product {
        "KVM" | "OpenStack Nova" | "OpenStack Compute" | "KubeVirt" | "RHEV Hypervisor" => {
            Some("kvm")
        }
        "Google Compute Engine" => Some("google"),
        "VirtualBox" => Some("virtualbox"),
        "BHYVE" => Some("bhyve"),
        "HVM domU" => Some("xen"),
        "Cloud Hypervisor" | "crosvm" => Some("present"),
        _ if ["Standard PC (", "pc-i440fx", "pc-q35", "QEMU "]
            .iter()
            .any(|q| product.starts_with(q)) =>
        {
            Some("qemu")
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_of_hypervisors_sell_machines_too() {
        assert_eq!(by_its_names("Microsoft Corporation", "Virtual Machine"), Some("hyper-v"));
        assert_eq!(by_its_names("Microsoft Corporation", "Surface Pro 7"), None);
        assert_eq!(by_its_names("Amazon EC2", "c5.metal"), None);
        assert_eq!(by_its_names("Oracle Corporation", "SUN FIRE X4170"), None);
        assert_eq!(by_its_names("VMware, Inc.", "VMware7,1"), Some("vmware"));
        assert_eq!(by_its_names("Red Hat", "KVM"), Some("kvm"));
    }
}

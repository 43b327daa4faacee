//! Linux, from files, most of them in `/proc`, `/sys` and `/etc`. Implements `docs/format.md`,
//! section "Factors".

use std::path::Path;

use super::Machine;
use olr_core::machine::FactorKind;
use olr_core::wire::codec::Text;
use tree::Tree;

mod cards;
mod cloud;
mod container;
mod disk;
mod firmware;
mod interface;
mod json;
#[cfg(test)]
mod tests;
mod tree;

/// Function that returns the current address of a network interface, by name; used if sysfs is
/// missing.
type AddressOf<'a> = &'a dyn Fn(&str) -> Option<[u8; 6]>;

pub(super) fn read(privileged: bool) -> Machine {
    read_below(Path::new("/"), privileged, &|name| {
        mac_address::mac_address_by_name(name).ok().flatten().map(mac_address::MacAddress::bytes)
    })
}

/// Reads the system whose root directory is `root`.
fn read_below(root: &Path, privileged: bool, address_of: AddressOf<'_>) -> Machine {
    let tree = Tree::below(root, privileged);
    let mut findings = Machine::default();
    let container = container::kind(&tree);
    firmware::machine_id(&tree, &mut findings);
    firmware::add(&tree, &mut findings);
    cards::add(&tree, address_of, &mut findings);
    disk::add(&tree, container.is_some(), &mut findings);
    cloud::add(&tree, &mut findings);
    security_chip(&tree, &mut findings);
    container::add(&tree, container.as_deref(), &mut findings);
    facts(&tree, &mut findings);
    findings.boot_id = tree.line("proc/sys/kernel/random/boot_id").map(|id| Text::truncated(&id));
    let uptime = tree.line("proc/uptime");
    findings.uptime = uptime.and_then(|text| text.split('.').next()?.parse().ok());
    findings.sorted()
}

/// Adds a TPM with weight 0. Its identity is only available through the TPM protocol, which is not
/// implemented.
fn security_chip(tree: &Tree<'_>, findings: &mut Machine) {
    const CHIP: &str = "sys/class/tpm/tpm0";
    if tree.exists(CHIP) {
        let version = tree.line(&format!("{CHIP}/tpm_version_major"));
        let value = version.unwrap_or_else(|| "present".to_string());
        findings.ignored(
            FactorKind::Tpm,
            "tpm0",
            &value,
            "shows only that there is one, not which one",
        );
    }
}

fn facts(tree: &Tree<'_>, findings: &mut Machine) {
    let version = ["etc/os-release", "usr/lib/os-release"].iter().find_map(|path| {
        let text = tree.text(path);
        text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(str::to_string)
    });
    findings.fact("os version", version.unwrap_or_default().trim_matches(['"', '\'']));
    findings.fact("kernel", &tree.text("proc/sys/kernel/osrelease"));
}

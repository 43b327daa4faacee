//! Network cards where the system only lists addresses. Obeys `docs/format.md`, section "Factors".

use super::{Findings, impossible, locally_administered, spell};
use crate::machine::{Class, FactorKind};

/// Adds the address of every card; the system gives no names here.
#[cfg(not(target_os = "linux"))]
pub(super) fn add(findings: &mut Findings) {
    if let Ok(addresses) = mac_address::MacAddressIterator::new() {
        classify(addresses.map(mac_address::MacAddress::bytes), findings);
    }
}

/// Adds each address once.
fn classify(addresses: impl Iterator<Item = [u8; 6]>, findings: &mut Findings) {
    let mut addresses: Vec<[u8; 6]> = addresses.collect();
    addresses.sort_unstable();
    addresses.dedup();
    for address in addresses {
        let value = spell(address);
        match impossible(address).or_else(|| not_a_machines_own(address)) {
            Some(why) => findings.ignored(FactorKind::NetworkAddress, "", &value, why),
            None => findings.found(FactorKind::NetworkAddress, Class::Hardware, "", &value),
        }
    }
}

/// Why this address may not tell one machine from another, if so.
fn not_a_machines_own(address: [u8; 6]) -> Option<&'static str> {
    // Virtual adapters with an address out of a manufacturer's range; most are equal everywhere.
    match address {
        [0x00, 0x50, 0x56, 0xc0, 0x00, _] => Some("adapter of a VMware host"),
        [0x00, 0xff, ..] => Some("tap adapter of a VPN"),
        [0x00, 0x05, 0x9a, 0x3c, ..] => Some("adapter of a Cisco VPN"),
        [0x00, 0x09, 0x0f, 0xaa | 0xfe, 0x00, 0x01] => Some("adapter of a Fortinet VPN"),
        _ if locally_administered(address) => Some("locally administered address"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_universal_addresses_are_hardware() {
        let mut findings = Findings::default();
        let real = [0xf0, 0x18, 0x98, 1, 2, 3];
        let listed = [[0; 6], real, [0x00, 0x50, 0x56, 0xc0, 0, 8], [2, 0, 0, 0, 0, 1], real];
        classify(listed.into_iter(), &mut findings);
        let lines: Vec<String> = findings
            .factors
            .iter()
            .map(|factor| format!("{} {} {}", factor.class, &*factor.value, &*factor.ignored))
            .collect();
        assert_eq!(
            lines,
            [
                "common 00:00:00:00:00:00 no address",
                "common 00:50:56:c0:00:08 adapter of a VMware host",
                "common 02:00:00:00:00:01 locally administered address",
                "hardware f0:18:98:01:02:03 ",
            ]
        );
    }
}

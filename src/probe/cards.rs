//! Network cards on systems that only list addresses. Implements `docs/format.md`, section
//! "Factors".

use super::{Machine, impossible, locally_administered, spell};
use olr_core::machine::{Class, FactorKind};

#[cfg(not(target_os = "linux"))]
pub(super) fn add(findings: &mut Machine) {
    if let Ok(addresses) = mac_address::MacAddressIterator::new() {
        let named = |address: mac_address::MacAddress| {
            let name = mac_address::name_by_mac_address(&address).ok().flatten();
            (address.bytes(), name.unwrap_or_default())
        };
        classify(addresses.map(named), findings);
    }
}

/// Adds each address once, in its class.
fn classify(cards: impl Iterator<Item = ([u8; 6], String)>, findings: &mut Machine) {
    let mut cards: Vec<_> = cards.collect();
    cards.sort_unstable();
    cards.dedup_by_key(|(address, _)| *address);
    for (address, name) in cards {
        let value = spell(&address);
        match impossible(address).or_else(|| not_a_machines_own(address, &name)) {
            Some(why) => findings.ignored(FactorKind::NetworkAddress, &name, &value, why),
            None => findings.found(FactorKind::NetworkAddress, Class::Hardware, &name, &value),
        }
    }
}

/// Returns why an address may not identify the machine, or `None` if it may.
fn not_a_machines_own(address: [u8; 6], name: &str) -> Option<&'static str> {
    // Virtual interfaces of macOS and the BSDs. Physical cards are named en0, em0, igb0 there.
    let made_up = name.trim_end_matches(|last: char| last.is_ascii_digit());
    if MADE_UP.contains(&made_up) {
        return Some("virtual interface, by its name");
    }
    // Virtual adapters with an address from a manufacturer's range; most have the same one
    // everywhere.
    match address {
        [0x00, 0x50, 0x56, 0xc0, 0x00, _] => Some("adapter of a VMware host"),
        [0x00, 0xff, ..] => Some("tap adapter of a VPN"),
        [0x00, 0x05, 0x9a, 0x3c, ..] => Some("adapter of a Cisco VPN"),
        [0x00, 0x09, 0x0f, 0xaa | 0xfe, 0x00, 0x01] => Some("adapter of a Fortinet VPN"),
        _ if locally_administered(address) => Some("locally administered address"),
        _ => None,
    }
}

const MADE_UP: [&str; 14] = [
    "anpi", "ap", "awdl", "bridge", "epair", "feth", "lagg", "llw", "p2p", "tap", "utun", "vlan",
    "vmenet", "vmnet",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_universal_addresses_are_hardware() {
        let mut findings = Machine::default();
        let real = [0xf0, 0x18, 0x98, 1, 2, 3];
        let bridge = [0xf0, 0x18, 0x98, 1, 2, 9];
        let listed = [
            ([0; 6], "lo0"),
            (real, "en0"),
            ([0x00, 0x50, 0x56, 0xc0, 0, 8], "VMware Network Adapter VMnet8"),
            ([2, 0, 0, 0, 0, 1], "en5"),
            (bridge, "bridge100"),
            (real, "en0"),
        ];
        classify(
            listed.map(|(address, name)| (address, name.to_string())).into_iter(),
            &mut findings,
        );
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
                "common f0:18:98:01:02:09 virtual interface, by its name",
            ]
        );
    }
}

//! Reads the factors that identify this machine. Implements `docs/format.md`, section "Factors".
//!
//! Linux, Windows, and the other systems together have a file each; this one holds what all share.

use std::net::IpAddr;

use olr_core::machine::{Machine, filler};
use olr_core::wire::codec::Text;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

#[cfg(not(any(target_os = "linux", windows)))]
mod unix;
#[cfg(not(any(target_os = "linux", windows)))]
use unix as system;

/// Network adapters from the Windows registry. Compiled in tests everywhere.
#[cfg(any(windows, test))]
mod adapters;
/// Network cards on systems that do not say where an address comes from. Compiled in tests
/// everywhere.
#[cfg(any(not(target_os = "linux"), test))]
mod cards;
#[cfg(any(target_os = "linux", windows, test))]
mod dmi;
/// Firmware values. Not for the BSDs, which expose them only through another program.
#[cfg(any(target_os = "linux", target_os = "macos", windows, test))]
mod firmware;
#[cfg(any(target_os = "linux", windows, test))]
mod hypervisor;
/// Firmware table from the Windows registry. Compiled in tests everywhere.
#[cfg(any(windows, test))]
mod smbios;

/// Reads this machine. Never fails, starts no process and sends nothing.
///
/// Without `privileged`, even root finds only what an ordinary user can read: a product that runs
/// as another user must find the same factors again.
///
/// ```
/// let machine = olr::probe(false);
/// println!("{} factors, {} of them not readable", machine.factors.len(), machine.unreadable.len());
/// ```
pub fn probe(privileged: bool) -> Machine {
    let mut findings = system::read(privileged);
    findings.addresses = local_addresses();
    for (name, value) in [
        ("os", std::env::consts::OS),
        ("arch", std::env::consts::ARCH),
        ("olr", env!("CARGO_PKG_VERSION")),
    ] {
        findings.fact(name, value);
    }
    findings.sorted()
}

/// Returns the IP addresses of this machine, except loopback. IPv6 link-local addresses are left
/// out too: every virtual interface has one, and they identify nothing.
fn local_addresses() -> Vec<Text> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .iter()
        .map(if_addrs::Interface::ip)
        .filter(|ip| !ip.is_loopback())
        .filter(|ip| !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.iter().map(|ip| Text::truncated(&ip.to_string())).collect()
}

/// Formats a hardware address, such as `02:fc:00:00:00:01`.
fn spell(address: &[u8]) -> String {
    address.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// Returns why this address identifies no card: no card can have it, or many have the same. `None`
/// if it may identify one.
fn impossible(address: [u8; 6]) -> Option<&'static str> {
    match address {
        [0, 0, 0, 0, 0, 0] => Some("no address"),
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Some("broadcast address"),
        [first, ..] if first & 1 == 1 => Some("multicast address"),
        // The default address of QEMU, which it increments for each further card.
        [0x52, 0x54, 0x00, 0x12, 0x34, 0x56..=0x5f] => Some("the default of QEMU"),
        _ if filler::filler(&spell(&address)) => Some(filler::WHY),
        _ => None,
    }
}

/// Returns whether a bit of the address says that software assigned it. Hypervisors set this bit
/// too.
fn locally_administered([first, ..]: [u8; 6]) -> bool {
    first & 2 == 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use olr_core::machine::Class;

    #[test]
    fn addresses_of_cards() {
        assert_eq!(spell(&[0x02, 0xfc, 0, 0, 0, 1]), "02:fc:00:00:00:01");
        assert_eq!(impossible([0; 6]), Some("no address"));
        assert_eq!(impossible([0xff; 6]), Some("broadcast address"));
        assert_eq!(impossible([1, 0, 0x5e, 0, 0, 1]), Some("multicast address"));
        assert_eq!(impossible([2, 0, 0, 0, 0, 1]), None);
        for shared in [
            [0x52, 0x54, 0, 0x12, 0x34, 0x56],
            [0, 0x11, 0x22, 0x33, 0x44, 0x55],
            [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc],
            [0, 1, 2, 3, 4, 5],
            [0, 0, 0, 0, 0, 1],
            [0xde, 0xad, 0xbe, 0xef, 0, 1],
        ] {
            assert!(impossible(shared).is_some(), "{shared:02x?}");
        }
        for own in
            [[0x00, 0x15, 0x5d, 0, 0, 2], [0x0c, 0xc4, 0x7a, 0, 0, 1], [0, 0x25, 0x90, 0, 1, 2]]
        {
            assert_eq!(impossible(own), None, "{own:02x?}");
        }
        assert!(locally_administered([2, 0, 0, 0, 0, 1]));
        assert!(!locally_administered([0, 0x1b, 0x21, 0, 0, 1]));
    }

    #[test]
    fn this_machine_twice() {
        let findings = probe(false);
        assert_eq!(findings, probe(false));
        assert!(findings.facts.iter().any(|(name, _)| *name == "olr"));
        for factor in &findings.factors {
            assert_eq!(factor.class == Class::Common, !factor.ignored.is_empty(), "{factor:?}");
            assert!(!factor.value.is_empty(), "{factor:?}");
        }
    }
}

//! Reads what identifies this machine. Obeys `docs/format.md`, section "Factors".
//!
//! One file for each system; what they share stands here.

use std::net::IpAddr;

use crate::machine::{Class, Factor, FactorKind};
use crate::wire::codec::Text;

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

/// The adapters in the registry of Windows. Tested everywhere.
#[cfg(any(windows, test))]
mod adapters;
/// Cards of systems that do not say where an address comes from. Tested everywhere.
#[cfg(any(not(target_os = "linux"), test))]
mod cards;
#[cfg(any(target_os = "linux", windows, test))]
mod dmi;
mod filler;
/// BSD says nothing of it without another program.
#[cfg(any(target_os = "linux", target_os = "macos", windows, test))]
mod firmware;
#[cfg(any(target_os = "linux", windows, test))]
mod hypervisor;
/// The table of the firmware in the registry of Windows. Tested everywhere.
#[cfg(any(windows, test))]
mod smbios;

/// What was read, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Sorted by kind, value and name; those of class [`Class::Common`] say why.
    pub factors: Vec<Factor>,
    /// What exists but needs privilege; what is missing is not listed. Sorted by kind and name.
    pub unreadable: Vec<Unreadable>,
    /// Local IP addresses in ascending order, each once, without loopback and IPv6 link-local.
    pub addresses: Vec<Text>,
    /// What support staff ask first, as name and value: `("os", "linux")`.
    pub facts: Vec<(&'static str, Text)>,
    /// Changes with each start of the system; Linux only.
    pub boot_id: Option<Text>,
    /// Seconds since that start, suspended or not; Linux only.
    pub uptime: Option<u64>,
}

/// A factor that exists but was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// What it would be.
    pub kind: FactorKind,
    /// What the system calls it, as in [`Factor::name`].
    pub name: Text,
    /// Why it was not read, in words.
    pub reason: String,
}

/// Reads this machine: never fails, starts no process, sends nothing.
///
/// Without `privileged` the findings are those of an ordinary user, also when run by root: a
/// product that runs as somebody else must find the same factors again.
pub fn probe(privileged: bool) -> Findings {
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

impl Findings {
    /// Adds a factor of class hardware or image, unless its value is empty.
    fn found(&mut self, kind: FactorKind, class: Class, name: &str, value: &str) {
        self.factor(kind, class, name, value, "");
    }

    /// Adds a factor of weight 0, and why it has none.
    fn ignored(&mut self, kind: FactorKind, name: &str, value: &str, why: &str) {
        self.factor(kind, Class::Common, name, value, why);
    }

    fn factor(&mut self, kind: FactorKind, class: Class, name: &str, value: &str, why: &str) {
        let value = clean(value);
        if !value.is_empty() {
            let [name, ignored] = [name, why].map(Text::truncated);
            self.factors.push(Factor { kind, class, name, value, ignored });
        }
    }

    /// Adds what exists and could not be read.
    #[cfg(target_os = "linux")]
    fn unreadable(&mut self, kind: FactorKind, name: &str, reason: String) {
        self.unreadable.push(Unreadable { kind, name: Text::truncated(name), reason });
    }

    /// Adds the name of the host in lower case, unless it is the one that every host has: names of
    /// hosts compare without case, commitments byte by byte.
    fn hostname(&mut self, value: &str) {
        let value = value.trim().to_ascii_lowercase();
        if value != "localhost" && !value.starts_with("localhost.") && value != "(none)" {
            self.found(FactorKind::Hostname, Class::Image, "", &value);
        }
    }

    fn fact(&mut self, name: &'static str, value: &str) {
        let value = clean(value);
        if !value.is_empty() {
            self.facts.push((name, value));
        }
    }

    fn sorted(mut self) -> Self {
        let key = |factor: &Factor| (factor.kind, factor.value.clone(), factor.name.clone());
        self.factors.sort_by_cached_key(key);
        self.unreadable.sort();
        self.facts.sort();
        self
    }
}

/// Link-local IPv6 is left out: each virtual cable has one, and it says nothing.
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

/// `text` without NUL and surrounding space, and no longer than a text may be.
fn clean(text: &str) -> Text {
    Text::truncated(text.replace('\0', "").trim())
}

/// `02:fc:00:00:00:01`.
fn spell(address: &[u8]) -> String {
    address.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// Why no card can have this address, if so.
fn impossible(address: [u8; 6]) -> Option<&'static str> {
    match address {
        [0, 0, 0, 0, 0, 0] => Some("no address"),
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Some("broadcast address"),
        [first, ..] if first & 1 == 1 => Some("multicast address"),
        // The one that QEMU gives where nobody names another, counted up for each card.
        [0x52, 0x54, 0x00, 0x12, 0x34, 0x56..=0x5f] => Some("the default of QEMU"),
        _ if filler::filler(&spell(&address)) => Some(filler::WHY),
        _ => None,
    }
}

/// Whether software gave this address, by the address's own word; hypervisors set it too.
fn locally_administered([first, ..]: [u8; 6]) -> bool {
    first & 2 == 2
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn values_are_cut_and_cleaned() {
        assert_eq!(&*clean(" a\0b\n\0"), "ab");
        assert_eq!(clean(&"ü".repeat(200)).len(), 256);
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

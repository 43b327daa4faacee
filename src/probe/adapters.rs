//! Network adapters as the Windows registry describes them. Implements `docs/format.md`, section
//! "Factors".

use super::{Machine, impossible, locally_administered, spell};
use olr_core::machine::{Class, FactorKind};

/// An adapter with an installed driver.
#[derive(Debug, Clone, Default)]
pub(super) struct Adapter {
    /// Display name, such as `Intel(R) I210 Gigabit Network Connection`.
    pub(super) name: String,
    /// Device path, such as `PCI\VEN_8086&DEV_1533…`.
    pub(super) device: String,
    /// True for Wi-Fi.
    pub(super) wireless: bool,
    /// True if its properties override the address.
    pub(super) overridden: bool,
    /// Current address.
    pub(super) address: Option<[u8; 6]>,
}

/// Buses of physical and virtualized cards. Software adapters are under `ROOT`, `SWD` or a GUID.
const BUSES: [&str; 5] = ["PCI", "USB", "VMBUS", "XENVIF", "SD"];
/// Maximum number of adapters of weight 0 that are listed.
const IGNORED_CAP: usize = 16;

/// Adds the adapters that have an address: permanent addresses as hardware factors, each once, and
/// up to [`IGNORED_CAP`] others with weight 0.
pub(super) fn add(adapters: &[Adapter], findings: &mut Machine) {
    let mut adapters: Vec<_> = adapters
        .iter()
        .filter_map(|adapter| Some((adapter.address?, adapter)))
        .map(|(address, adapter)| (address, unfit(address, adapter), adapter))
        .collect();
    // A card comes before software adapters that copy its address.
    adapters.sort_by_key(|(address, why, adapter)| (*address, why.is_some(), &*adapter.name));
    let (mut last, mut ignored) = (None, 0);
    for (address, why, adapter) in adapters {
        let same = (last == Some(address)).then(|| "same address as another adapter".to_string());
        match why.or(same) {
            None => {
                findings.found(KIND, Class::Hardware, &adapter.name, &spell(&address));
                last = Some(address);
            }
            Some(why) if ignored < IGNORED_CAP => {
                findings.ignored(KIND, &adapter.name, &spell(&address), &why);
                ignored = ignored.saturating_add(1);
            }
            Some(_) => {}
        }
    }
}

const KIND: FactorKind = FactorKind::NetworkAddress;

/// Returns why an adapter does not identify the machine, or `None` if it does.
fn unfit(address: [u8; 6], adapter: &Adapter) -> Option<String> {
    let bus = adapter.device.split('\\').next().unwrap_or_default().to_ascii_uppercase();
    let why = if !BUSES.contains(&bus.as_str()) {
        let bus =
            if bus.starts_with('{') || bus.is_empty() { "a program".to_string() } else { bus };
        return Some(format!("virtual adapter of {bus}"));
    } else if let Some(why) = impossible(address) {
        why
    } else if adapter.overridden {
        "address set by software"
    } else if locally_administered(address) && adapter.wireless {
        "random address"
    } else if locally_administered(address) && bus == "USB" {
        "USB device with a locally administered address"
    } else {
        return None;
    };
    Some(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, device: &str, address: [u8; 6]) -> Adapter {
        let [name, device] = [name, device].map(str::to_string);
        Adapter { name, device, address: Some(address), ..Adapter::default() }
    }

    #[test]
    fn cards_are_told_from_what_programs_make_up() {
        let own = [0x00, 0x15, 0x5d, 0, 0, 1];
        let listed = [
            adapter("Hyper-V Virtual Ethernet Adapter", "ROOT\\VMS_MP\\0000", own),
            adapter("Intel(R) I210", "PCI\\VEN_8086&DEV_1533\\3", own),
            adapter("Hyper-V Network Adapter", "VMBUS\\{f8615163}\\{0a}", [0, 0x15, 0x5d, 0, 0, 2]),
            adapter("WireGuard Tunnel", "SWD\\WireGuard\\{0b}", [0; 6]),
            adapter("Wi-Fi Direct", "{5d624f94}\\vwifimp_wfd\\5", [0x32, 0, 0, 0, 0, 1]),
            adapter("virtio", "pci\\VEN_1AF4&DEV_1041\\3", [0x52, 0x54, 0, 0, 0, 1]),
            adapter("Remote NDIS", "USB\\VID_046B\\7", [0x0a, 0, 0, 0, 0, 1]),
            Adapter {
                wireless: true,
                ..adapter("Wi-Fi", "PCI\\VEN_8086\\4", [0x32, 0, 0, 0, 0, 2])
            },
            Adapter { overridden: true, ..adapter("Set", "PCI\\VEN_8086\\5", [2, 0, 0, 0, 0, 3]) },
            Adapter { address: None, ..adapter("Unplugged", "PCI\\VEN_8086\\6", own) },
        ];
        let mut findings = Machine::default();
        add(&listed, &mut findings);
        let lines: Vec<_> = findings
            .factors
            .iter()
            .map(|f| format!("{} {} {} {}", f.class, &*f.name, &*f.value, &*f.ignored))
            .collect();
        assert_eq!(
            lines,
            [
                "common WireGuard Tunnel 00:00:00:00:00:00 virtual adapter of SWD",
                "hardware Intel(R) I210 00:15:5d:00:00:01 ",
                "common Hyper-V Virtual Ethernet Adapter 00:15:5d:00:00:01 virtual adapter of ROOT",
                "hardware Hyper-V Network Adapter 00:15:5d:00:00:02 ",
                "common Set 02:00:00:00:00:03 address set by software",
                "common Remote NDIS 0a:00:00:00:00:01 USB device with a locally administered address",
                "common Wi-Fi Direct 32:00:00:00:00:01 virtual adapter of a program",
                "common Wi-Fi 32:00:00:00:00:02 random address",
                "hardware virtio 52:54:00:00:00:01 ",
            ]
        );
    }

    #[test]
    fn an_address_counts_once() {
        let listed = ["a", "b"].map(|name| adapter(name, "PCI\\1", [2, 0, 0, 0, 0, 1]));
        let mut findings = Machine::default();
        add(&listed, &mut findings);
        let classes: Vec<_> = findings.factors.iter().map(|factor| factor.class).collect();
        assert_eq!(classes, [Class::Hardware, Class::Common]);
    }
}

//! Windows, from its registry. Implements `docs/format.md`, section "Factors".

use windows_registry::{Key, LOCAL_MACHINE};

use super::adapters::{self, Adapter};
use super::{Machine, cards, smbios};
use olr_core::machine::filler::filler;
use olr_core::machine::{Class, FactorKind};

/// `KEY_READ | KEY_WOW64_64KEY`: without the latter, a 32-bit program sees a different registry.
const ACCESS: u32 = 0x0002_0019 | 0x0100;
/// Device class of network adapters.
const ADAPTERS: &str =
    r"SYSTEM\CurrentControlSet\Control\Class\{4d36e972-e325-11ce-bfc1-08002be10318}";
/// `IF_TYPE_IEEE80211` of ipifcons.h.
const WIRELESS: u32 = 71;

pub(super) fn read(_privileged: bool) -> Machine {
    let mut findings = Machine::default();
    let id = text(r"SOFTWARE\Microsoft\Cryptography", "MachineGuid");
    let id = id.replace('-', "").to_ascii_lowercase();
    if !filler(&id) {
        findings.found(FactorKind::MachineId, Class::Image, "MachineGuid", &id);
    }
    let table = open(r"SYSTEM\CurrentControlSet\Services\mssmbios\Data")
        .and_then(|key| key.get_value("SMBiosData").ok());
    smbios::read(table.as_deref().unwrap_or_default(), &mut findings);
    match adapters() {
        Some(list) => adapters::add(&list, &mut findings),
        None => cards::add(&mut findings),
    }
    let name = text(r"SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName", "ComputerName");
    findings.hostname(&name);
    let model = text(r"HARDWARE\DESCRIPTION\System\CentralProcessor\0", "ProcessorNameString");
    let why = "the same for all processors of a model";
    findings.ignored(FactorKind::Cpu, "", &model, why);
    let version = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    findings.fact("os version", &text(version, "ProductName"));
    findings.fact("kernel", &text(version, "CurrentBuild"));
    findings
}

/// Returns the adapters that have a driver, or `None` if the registry does not list them.
fn adapters() -> Option<Vec<Adapter>> {
    let class = open(ADAPTERS)?;
    let adapter = |key: Key| {
        let say = |name: &str| key.get_string(name).unwrap_or_default();
        let address = mac_address::mac_address_by_name(&say("NetCfgInstanceId")).ok().flatten();
        Adapter {
            name: say("DriverDesc"),
            device: say("DeviceInstanceID"),
            wireless: key.get_u32("*IfType").is_ok_and(|kind| kind == WIRELESS),
            overridden: !say("NetworkAddress").is_empty(),
            address: address.map(mac_address::MacAddress::bytes),
        }
    };
    let numbers = class.keys().ok()?;
    Some(numbers.filter_map(|number| below(&class, &number)).map(adapter).collect())
}

fn text(path: &str, name: &str) -> String {
    open(path).and_then(|key| key.get_string(name).ok()).unwrap_or_default()
}

fn open(path: &str) -> Option<Key> {
    below(LOCAL_MACHINE, path)
}

fn below(key: &Key, path: &str) -> Option<Key> {
    key.options().access(ACCESS).open(path).ok()
}

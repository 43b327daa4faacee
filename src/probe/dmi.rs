//! Firmware values of a machine (DMI, SMBIOS), and whether its serial numbers are its own.
//! Implements `docs/format.md`, section "Serial numbers".
//!
//! Linux exposes them as files, Windows as one table; the values mean the same.

use super::Machine;
use super::firmware::add;
use olr_core::machine::filler::filler;
use olr_core::machine::{Class, FactorKind};

/// Values read from the firmware; missing ones are empty.
#[derive(Debug, Default)]
pub(super) struct Firmware {
    /// Each value: its kind, the system's name for it, and its text.
    pub(super) values: Vec<(FactorKind, &'static str, String)>,
    /// Serial number of the chassis. Not a factor itself, but other serial numbers may equal it.
    pub(super) chassis_serial: String,
    /// Type of the chassis, DMTF DSP0134 section 7.4.1.
    pub(super) chassis_type: u8,
    /// True if a hypervisor provides this firmware.
    pub(super) guest: bool,
}

/// Types of chassis that hold several machines: multi-system chassis, blade, blade enclosure.
const SHARED_CHASSIS: [u8; 3] = [25, 28, 29];

impl Firmware {
    pub(super) fn add(&self, findings: &mut Machine) {
        for (kind, name, value) in &self.values {
            add(*kind, name, value, self.class(*kind, value), findings);
        }
    }

    /// Returns the class of a value. A serial number may belong to the host, or to a chassis shared
    /// with other machines: then a copy on another of these machines would show it too.
    fn class(&self, kind: FactorKind, value: &str) -> Class {
        let serial = matches!(kind, FactorKind::ProductSerial | FactorKind::BoardSerial);
        let shared = self.guest || self.in_a_chassis();
        if serial && shared && !self.is_of_the_uuid(value) { Class::Image } else { Class::Hardware }
    }

    /// Returns whether the machine shares its chassis with others, or may do so.
    fn in_a_chassis(&self) -> bool {
        let serials = self.of(FactorKind::ProductSerial).chain(self.of(FactorKind::BoardSerial));
        let serials: Vec<_> = serials
            .chain([self.chassis_serial.as_str()])
            .filter(|serial| !filler(serial))
            .map(|serial| serial.trim().to_ascii_lowercase())
            .collect();
        let mut distinct = serials.clone();
        distinct.sort_unstable();
        distinct.dedup();
        SHARED_CHASSIS.contains(&self.chassis_type) || distinct.len() < serials.len()
    }

    /// Returns whether a serial number ends with the product UUID, in either byte order:
    /// `VMware-56 4d …`, `GoogleCloud-…`, or the UUID itself.
    fn is_of_the_uuid(&self, serial: &str) -> bool {
        let serial = squeezed(serial);
        self.of(FactorKind::ProductUuid).filter(|uuid| !filler(uuid)).any(|uuid| {
            let uuid = squeezed(uuid);
            let whole = uuid.len() == 32 && uuid.bytes().all(|byte| byte.is_ascii_hexdigit());
            whole
                && [swapped(&uuid), Some(uuid)].iter().flatten().any(|uuid| serial.ends_with(uuid))
        })
    }

    fn of(&self, kind: FactorKind) -> impl Iterator<Item = &str> {
        let same = move |value: &&(FactorKind, &'static str, String)| value.0 == kind;
        self.values.iter().filter(same).map(|(_, _, text)| text.as_str())
    }
}

/// Returns the letters and digits of a text, in lower case.
fn squeezed(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Swaps the byte order of the first three fields of a UUID.
fn swapped(uuid: &str) -> Option<String> {
    let bytes = [6..8, 4..6, 2..4, 0..2, 10..12, 8..10, 14..16, 12..14, 16..32];
    bytes.into_iter().map(|at| uuid.get(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use FactorKind::{BoardSerial, ProductSerial, ProductUuid};

    const UUID: &str = "564d8f1a-3e7b-2c90-11d2-4f6ea835c709";

    #[track_caller]
    fn classes(firmware: Firmware, expected: &[Class]) {
        let mut findings = Machine::default();
        firmware.add(&mut findings);
        let classes: Vec<_> = findings.factors.iter().map(|factor| factor.class).collect();
        assert_eq!(classes, expected, "{firmware:?}");
    }

    fn guest(uuid: &str, serial: &str) -> Firmware {
        let values = vec![
            (ProductUuid, "product_uuid", uuid.to_string()),
            (ProductSerial, "product_serial", serial.to_string()),
        ];
        Firmware { values, guest: true, ..Firmware::default() }
    }

    fn bare(product: &str, board: &str, chassis: &str, chassis_type: u8) -> Firmware {
        let values = vec![
            (ProductSerial, "product_serial", product.to_string()),
            (BoardSerial, "board_serial", board.to_string()),
        ];
        let chassis_serial = chassis.to_string();
        Firmware { values, chassis_serial, chassis_type, guest: false }
    }

    #[test]
    fn in_a_guest_only_a_serial_of_its_uuid_is_hardware() {
        for serial in [
            "VMware-56 4d 8f 1a 3e 7b 2c 90-11 d2 4f 6e a8 35 c7 09",
            "VMware-1a 8f 4d 56 7b 3e 90 2c-11 d2 4f 6e a8 35 c7 09",
            "GoogleCloud-564D8F1A3E7B2C9011D24F6EA835C709",
            UUID,
            "1A8F4D56-7B3E-902C-11D2-4F6EA835C709",
        ] {
            classes(guest(UUID, serial), &[Class::Hardware; 2]);
        }
        for serial in [
            "7XK9TM3",
            "VMware-56 4d 8f 1a 3e 7b 2c 90-11 d2 4f 6e a8 35 c7 0a",
            "VMware-56 4d 8f 1a 3e 7b 2c 90",
            "8e2b47c1-6d0f-935a-1b7c-4e82f0a6d395",
            "8791-4420-3061-7752-9983-1174-60",
            "564d8f1a-3e7b-2c90-11d2-4f6ea835c709-2",
        ] {
            classes(guest(UUID, serial), &[Class::Hardware, Class::Image]);
        }
        // A UUID that many machines share does not make a serial number unique.
        let filler = "12345678-1234-5678-90ab-cddeefaabbcc";
        classes(guest(filler, filler), &[Class::Common; 2]);
        classes(guest("7XK9TM3", "VMware-7XK9TM3"), &[Class::Hardware, Class::Image]);
        classes(guest("", "564D8F1A3E7B2C9011D24F6EA835C709"), &[Class::Image]);
    }

    #[test]
    fn in_a_chassis_serials_are_no_hardware() {
        let own = || bare("J300A1B2", "Z1ZS0A1B2", "", 23);
        classes(own(), &[Class::Hardware; 2]);
        classes(Firmware { chassis_serial: "S4KZ1234".into(), ..own() }, &[Class::Hardware; 2]);
        for chassis_type in SHARED_CHASSIS {
            classes(Firmware { chassis_type, ..own() }, &[Class::Image; 2]);
        }
        // Two equal serial numbers belong to the chassis, not to the board.
        classes(bare("J300A1B2", "J300A1B2", "", 23), &[Class::Image; 2]);
        classes(bare("J300A1B2", "Z1ZS0A1B2", " j300a1b2", 23), &[Class::Image; 2]);
        classes(bare("J300A1B2", "Z1ZS0A1B2", "Z1ZS0A1B2", 1), &[Class::Image; 2]);
        // Fillers are equal on many machines.
        classes(
            bare("J300A1B2", "Default string", "Default string", 3),
            &[Class::Hardware, Class::Common],
        );
    }
}

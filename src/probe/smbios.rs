//! The SMBIOS table as Windows stores it (DMTF DSP0134). Implements `docs/format.md`, section
//! "Factors".

use super::Machine;
use super::dmi::Firmware;
use super::hypervisor;
use olr_core::machine::FactorKind;

/// Adds the values of the system (type 1) and the board (type 2), and the hypervisor. The chassis
/// (type 3) only affects the classes of the serial numbers.
///
/// `data` begins with eight bytes from Windows: calling method, version (major, minor), revision,
/// length.
pub(super) fn read(data: &[u8], findings: &mut Machine) {
    let Some((&[_, major, minor, ..], table)) = data.split_first_chunk::<8>() else { return };
    let mut firmware = Firmware::default();
    let mut hypervisor = None;
    if let Some(system) = find(table, 1) {
        let uuid = system.uuid((major, minor)).unwrap_or_default();
        let (maker, product) = (system.text(4), system.text(5));
        hypervisor = hypervisor::by_its_names(&maker, &product);
        firmware.values.extend([
            (FactorKind::ProductUuid, "product_uuid", uuid),
            (FactorKind::ProductSerial, "product_serial", system.text(7)),
            (FactorKind::ProductName, "product_name", product),
        ]);
    }
    if let Some(board) = find(table, 2) {
        firmware.values.push((FactorKind::BoardSerial, "board_serial", board.text(7)));
    }
    if let Some(chassis) = find(table, 3) {
        // The highest bit says whether the chassis has a lock.
        firmware.chassis_type = chassis.bytes.get(5).map_or(0, |kind| kind & 0x7f);
        firmware.chassis_serial = chassis.text(7);
    }
    firmware.guest = hypervisor.is_some();
    firmware.add(findings);
    hypervisor::add(hypervisor.unwrap_or_default(), findings);
}

/// One structure: its bytes, beginning with type and length, and the strings that follow it.
struct Structure<'a> {
    bytes: &'a [u8],
    strings: &'a [u8],
}

/// Finds the first structure of a type.
fn find(mut table: &[u8], wanted: u8) -> Option<Structure<'_>> {
    loop {
        let &[kind, length, ..] = table else { return None };
        let (bytes, rest) = table.split_at_checked(length.max(4).into())?;
        // Each string ends with a NUL, and one more NUL ends the list.
        let end = rest.windows(2).position(|two| two == [0, 0])?;
        let (strings, rest) = rest.split_at_checked(end)?;
        if kind == wanted {
            return Some(Structure { bytes, strings });
        }
        table = rest.get(2..)?;
    }
}

impl Structure<'_> {
    /// Returns the string whose number, counted from 1, is at `at`; empty if there is none.
    fn text(&self, at: usize) -> String {
        let number = self.bytes.get(at).copied().unwrap_or(0);
        let mut strings = self.strings.split(|byte| *byte == 0);
        let found = number.checked_sub(1).and_then(|skipped| strings.nth(skipped.into()));
        String::from_utf8_lossy(found.unwrap_or_default()).into_owned()
    }

    /// Returns the UUID. Since SMBIOS 2.6 its first three fields are little-endian.
    fn uuid(&self, version: (u8, u8)) -> Option<String> {
        let mut bytes: [u8; 16] = *self.bytes.get(8..)?.first_chunk()?;
        if version >= (2, 6) {
            for field in [0..4, 4..6, 6..8] {
                bytes.get_mut(field)?.reverse();
            }
        }
        let digits = bytes.map(|byte| format!("{byte:02x}")).concat();
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|at| digits.get(at));
        groups.into_iter().collect::<Option<Vec<_>>>().map(|groups| groups.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table of a Hyper-V virtual machine: types 0, 1, 2 and the end.
    fn table(version: [u8; 2]) -> Vec<u8> {
        let mut data = vec![0, version[0], version[1], 0, 0, 0, 0, 0];
        data.extend([0, 5, 0, 0, 1]);
        data.extend(b"American Megatrends Inc.\0\0");
        data.extend([1, 27, 1, 0, 1, 2, 0, 3]);
        data.extend(*b"\x44\x45\x4c\x4c\x42\x00\x10\x35\x80\x52\xb4\xc0\x4f\x4d\x4e\x32");
        data.extend([6, 0, 0]);
        data.extend(b"Microsoft Corporation\0Virtual Machine\x000000-7312\0\0");
        data.extend([2, 8, 2, 0, 0, 0, 0, 1]);
        data.extend(b"None\0\0");
        data.extend([127, 4, 3, 0, 0, 0]);
        data
    }

    fn lines(data: &[u8]) -> Vec<String> {
        let mut findings = Machine::default();
        read(data, &mut findings);
        let line = |f: &olr_core::machine::Factor| format!("{} {} {}", f.kind, f.class, &*f.value);
        findings.factors.iter().map(line).collect()
    }

    #[test]
    fn machine_and_board() {
        let rest = [
            "product-serial image 0000-7312",
            "product-name common Virtual Machine",
            "board-serial common None",
            "hypervisor common hyper-v",
        ];
        let found = lines(&table([3, 0]));
        assert_eq!(found[0], "product-uuid hardware 4c4c4544-0042-3510-8052-b4c04f4d4e32");
        assert_eq!(found[1..], rest);
        let found = lines(&table([2, 5]));
        assert_eq!(found[0], "product-uuid hardware 44454c4c-4200-1035-8052-b4c04f4d4e32");
        assert_eq!(found[1..], rest);
    }

    /// Chassis of a blade: type 28, with the lock bit set.
    #[test]
    fn chassis() {
        let mut data = table([3, 0]);
        data.truncate(data.len() - 6);
        let maker = data.windows(9).position(|part| part == b"Microsoft").unwrap();
        data[maker..maker + 9].copy_from_slice(b"Some make");
        let end = [127, 4, 3, 0, 0, 0];
        assert_eq!(lines(&[&data[..], &end].concat())[1], "product-serial hardware 0000-7312");
        let chassis = [3, 9, 3, 0, 0, 0x80 | 28, 0, 1, 0];
        let blade = [&data[..], &chassis, b"CZ3434XLNR\0\0", &end].concat();
        assert_eq!(lines(&blade)[1], "product-serial image 0000-7312");
    }

    #[test]
    fn a_cut_or_broken_table_breaks_nothing() {
        let whole = table([3, 0]);
        for end in 0..whole.len() {
            assert!(lines(&whole[..end]).len() <= 5);
        }
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0xff;
            lines(&broken);
        }
        assert_eq!(lines(&[]), [""; 0]);
    }
}

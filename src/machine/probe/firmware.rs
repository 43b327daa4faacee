//! What the firmware says of a machine (DMI, SMBIOS). Obeys `docs/format.md`, section "Factors".
//!
//! Linux gives it as files, Windows as one table, macOS by a call; what it means is the same.

use super::Findings;
use crate::machine::{Class, FactorKind};

/// Adds one value of the firmware, unless its maker left it as it came.
pub(super) fn add(kind: FactorKind, name: &str, value: &str, findings: &mut Findings) {
    if placeholder(value) {
        return;
    }
    match kind {
        FactorKind::ProductName => {
            findings.ignored(kind, name, value, "the same for all machines of a model");
        }
        FactorKind::ProductUuid | FactorKind::PlatformUuid => {
            findings.found(kind, Class::Hardware, name, &value.to_ascii_lowercase());
        }
        _ => findings.found(kind, Class::Hardware, name, value),
    }
}

/// Whether makers left a value as it came: nothing, one or two letters over and over, or a known
/// filler.
pub(super) fn placeholder(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let letters = || value.chars().filter(|letter| letter.is_alphanumeric());
    letters().zip(letters().skip(2)).all(|(one, next)| one == next)
        || FILLERS.contains(&value.as_str())
}

const FILLERS: [&str; 32] = [
    "00020003-0004-0005-0006-000700080009",
    "0123456789",
    "0123456789abcdef",
    "03000200-0400-0500-0006-000700080009",
    "11111111-2222-3333-4444-555555555555",
    "12345",
    "123456",
    "12345678",
    "12345678-1234-5678-90ab-cddeefaabbcc",
    "123456789",
    "1234567890",
    "4c4c4544-0020-2010-8020-a0c04f202020",
    "base board serial number",
    "chassis serial number",
    "default",
    "default string",
    "empty",
    "invalid",
    "n/a",
    "none",
    "not applicable",
    "not available",
    "not settable",
    "not specified",
    "o.e.m.",
    "oem",
    "system product name",
    "system serial number",
    "to be filled by o.e.m.",
    "to be filled by oem",
    "undefined",
    "unknown",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_told_from_values() {
        for filler in ["", " ", "0", "00", "XX", "fefefefe-fefe", "Default string", "None", "...."]
        {
            assert!(placeholder(filler), "{filler:?}");
        }
        for value in ["B5RMN2", "VB2f4c1d", "100", "4c4c4544-0042-3510-8052-b4c04f4d4e32"] {
            assert!(!placeholder(value), "{value:?}");
        }
    }
}

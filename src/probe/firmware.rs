//! Adds a firmware value in its class. Implements `docs/format.md`, section "Factors".

use super::Machine;
use olr_core::machine::filler::{self, filler};
use olr_core::machine::{Class, FactorKind};

/// Adds a firmware value: fillers and model names with weight 0, anything else in `class`.
pub(super) fn add(kind: FactorKind, name: &str, value: &str, class: Class, findings: &mut Machine) {
    let lower = matches!(kind, FactorKind::ProductUuid | FactorKind::PlatformUuid);
    let value = if lower { value.to_ascii_lowercase() } else { value.to_string() };
    if filler(&value) {
        findings.ignored(kind, name, &value, filler::WHY);
    } else if kind == FactorKind::ProductName {
        findings.ignored(kind, name, &value, "the same for all machines of a model");
    } else {
        findings.found(kind, class, name, &value);
    }
}

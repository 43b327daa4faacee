//! Windows. Obeys `docs/format.md`, section "Factors".

use super::{Findings, cards};

pub(super) fn read(_privileged: bool) -> Findings {
    let mut findings = Findings::default();
    cards::add(&mut findings);
    let name = std::env::var_os("COMPUTERNAME").unwrap_or_default();
    findings.hostname(&name.to_string_lossy());
    findings
}

//! macOS and other Unix systems. Implements `docs/format.md`, section "Factors".

use super::{Machine, cards};
#[cfg(target_os = "macos")]
use olr_core::machine::{Class, FactorKind};
use std::fs::File;
use std::io::Read as _;

/// File with the version of macOS; missing on other systems.
const VERSION_FILE: &str = "/System/Library/CoreServices/SystemVersion.plist";
const FILE_CAP: u64 = 64 * 1024;

pub(super) fn read(_privileged: bool) -> Machine {
    let mut findings = Machine::default();
    cards::add(&mut findings);
    platform(&mut findings);
    let names = rustix::system::uname();
    findings.hostname(&names.nodename().to_string_lossy());
    findings.fact("kernel", &names.release().to_string_lossy());
    findings.fact("os version", &version().unwrap_or_default());
    findings
}

/// Adds the UUID that Apple gives to a machine, obtained by a system call.
#[cfg(target_os = "macos")]
fn platform(findings: &mut Machine) {
    let uuid = machine_uid::get().unwrap_or_default();
    let (kind, class) = (FactorKind::PlatformUuid, Class::Hardware);
    super::firmware::add(kind, "", &uuid, class, findings);
}

/// Adds nothing: other systems expose a UUID of the machine only through another program.
#[cfg(not(target_os = "macos"))]
fn platform(_: &mut Machine) {}

/// Returns the string that follows the key `ProductVersion`.
fn version() -> Option<String> {
    let mut text = String::new();
    File::open(VERSION_FILE).ok()?.take(FILE_CAP).read_to_string(&mut text).ok()?;
    let (_, rest) = text.split_once("<key>ProductVersion</key>")?;
    let (_, rest) = rest.split_once("<string>")?;
    rest.split_once("</string>").map(|(version, _)| version.to_string())
}

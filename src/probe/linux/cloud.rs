//! The instance id from a cloud, as opposed to one copied with the disk. Implements
//! `docs/format.md`, section "Factors".

use super::Machine;
use super::json::string_at;
use super::tree::Tree;
use olr_core::machine::{Class, FactorKind};

const KIND: FactorKind = FactorKind::CloudInstance;
const TAG: &str = "board_asset_tag";
/// Written by cloud-init at each start, in memory.
const INSTANCE: &str = "/run/cloud-init/instance-data.json";
const INSTANCE_CAP: u64 = 512 * 1024;
/// If this file exists, cloud-init trusts the id on the disk.
const KEPT: &str = "var/lib/cloud/instance/manual-clean";
const ON_DISK: &str = "/var/lib/cloud/data/instance-id";

pub(super) fn add(tree: &Tree<'_>, findings: &mut Machine) {
    let mut known = String::new();
    if let Some(id) = of_the_firmware(tree) {
        findings.found(KIND, Class::Hardware, TAG, &id);
        known = id;
    } else if tree.exists(INSTANCE) {
        let text = tree.text_up_to(INSTANCE, INSTANCE_CAP);
        let say = |key| string_at(&text, &["v1", key]).unwrap_or_default();
        let id = say("instance_id");
        match copied(tree, &say("platform"), &say("subplatform")) {
            None => findings.found(KIND, Class::Hardware, INSTANCE, &id),
            Some(why) => findings.ignored(KIND, INSTANCE, &id, why),
        }
        known = id;
    }
    if let Some(id) = tree.line(ON_DISK).filter(|id| *id != known) {
        findings.ignored(KIND, ON_DISK, &id, "copied with the disk");
    }
}

/// Returns the instance id of EC2 on Nitro, which is in a firmware field that every user can read.
fn of_the_firmware(tree: &Tree<'_>) -> Option<String> {
    let text = |name: &str| tree.text(&format!("sys/class/dmi/id/{name}"));
    let tag = text(TAG);
    let digits = tag.strip_prefix("i-").filter(|_| text("sys_vendor") == "Amazon EC2")?;
    let hex = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then_some(tag)
}

/// Returns why cloud-init may have taken this id from a disk, judged by the source it reports.
/// `None` if it came from the cloud.
fn copied(tree: &Tree<'_>, platform: &str, source: &str) -> Option<&'static str> {
    if tree.exists(KEPT) {
        return Some("cloud-init was told to keep the id that is on the disk");
    }
    // Only a metadata service of the cloud, or a drive that the cloud attaches, is trusted.
    let attached =
        ["azure", "openstack"].contains(&platform) && source.starts_with("config-disk (");
    let given = source.starts_with("metadata (") || attached;
    (!given || platform == "nocloud").then_some("from a seed, which may be copied with the disk")
}

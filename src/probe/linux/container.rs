//! Which kind of container this is, and names that it makes up.
//! Obeys `docs/format.md`, section "Factors".

use super::Machine;
use super::tree::Tree;
use olr_core::machine::FactorKind;

/// The first sign that this is a container, most specific first.
pub(super) fn kind(tree: &Tree<'_>) -> Option<String> {
    let cgroups = tree.text("proc/self/cgroup");
    let grouped = |part: &str| cgroups.lines().any(|line| line.contains(part));
    let mounts = tree.mounts();
    // The kubelet gives every container this file; service accounts may be switched off.
    let kubelet = || mounts.lines().any(|line| line.contains(" /dev/termination-log "));
    let lxcfs =
        || mounts.lines().any(|line| line.contains(" /proc/") && line.contains("fuse.lxcfs"));
    // What stands at /etc/hosts here; on the host of containers such a place is mounted upon.
    let docker = || {
        let hosts = tree.mount("/etc/hosts");
        hosts.is_some_and(|line| line.contains("/docker/containers/"))
    };
    let kind = if tree.exists("run/secrets/kubernetes.io") || grouped("/kubepods") || kubelet() {
        "kubernetes"
    } else if tree.exists("run/.containerenv") {
        "podman"
    } else if tree.exists(".dockerenv") || grouped("/docker/") || grouped("/docker-") || docker() {
        "docker"
    } else if let Some(name) = tree.line("run/systemd/container") {
        return Some(name);
    } else if grouped("/lxc/") || grouped("/lxc.payload") || lxcfs() || tree.exists("dev/lxd/sock")
    {
        "lxc"
    } else {
        return None;
    };
    Some(kind.to_string())
}

/// Adds the kind of container, if it is one, and the host's name.
pub(super) fn add(tree: &Tree<'_>, kind: Option<&str>, findings: &mut Machine) {
    let why = "says where this runs, not which machine it is";
    findings.ignored(FactorKind::Container, "", kind.unwrap_or_default(), why);
    let name = tree.text("proc/sys/kernel/hostname");
    // The start of the container's id: another one each time that it is made.
    let made_up = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if kind.is_some() && made_up {
        findings.ignored(FactorKind::Hostname, "", &name, "made up for this container");
    } else {
        findings.hostname(&name);
    }
}

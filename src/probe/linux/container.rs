//! The kind of container, if any, and the host name. Implements `docs/format.md`, section
//! "Factors".

use super::Machine;
use super::tree::Tree;
use olr_core::machine::FactorKind;

/// Detects the kind of container, most specific sign first. `None` outside a container.
pub(super) fn kind(tree: &Tree<'_>) -> Option<String> {
    let cgroups = tree.text("proc/self/cgroup");
    let grouped = |part: &str| cgroups.lines().any(|line| line.contains(part));
    let mounts = tree.mounts();
    // The kubelet mounts this file in every container; a service account may be absent.
    let kubelet = || mounts.lines().any(|line| line.contains(" /dev/termination-log "));
    let lxcfs =
        || mounts.lines().any(|line| line.contains(" /proc/") && line.contains("fuse.lxcfs"));
    // Docker mounts a file over /etc/hosts in each container, but not on the host.
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

/// Adds the kind of container, if any, and the host name.
pub(super) fn add(tree: &Tree<'_>, kind: Option<&str>, findings: &mut Machine) {
    let why = "identifies the platform, not the machine";
    findings.ignored(FactorKind::Container, "", kind.unwrap_or_default(), why);
    let name = tree.text("proc/sys/kernel/hostname");
    // A name of 12 hexadecimal digits is the start of the container's id, which is new each time
    // the container is created.
    let made_up = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if kind.is_some() && made_up {
        findings.ignored(FactorKind::Hostname, "", &name, "generated for this container");
    } else {
        findings.hostname(&name);
    }
}

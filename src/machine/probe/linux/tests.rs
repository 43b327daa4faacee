//! Made-up systems, and exactly what is found on each. Obeys `docs/format.md`, section "Factors".

use super::Findings;
use made::Made;

mod made;
mod situations;

const WHERE: &str = "says where this runs, not which machine it is";

#[test]
fn facts_for_support_staff() {
    let made = Made::new();
    made.file("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
        .file("proc/sys/kernel/random/boot_id", "9d1f2c1e-7a51-4b6f-8a86-4f3a1f5c2d11\n")
        .file("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
    let findings = made.read(false);
    let facts: Vec<_> = findings.facts.iter().map(|(name, value)| (*name, &**value)).collect();
    assert_eq!(
        facts,
        [("kernel", "6.1.0-18-amd64"), ("os version", "Debian GNU/Linux 12 (bookworm)")]
    );
    assert_eq!(findings.boot_id.as_deref(), Some("9d1f2c1e-7a51-4b6f-8a86-4f3a1f5c2d11"));
}

#[test]
fn signs_of_a_container() {
    let bind = |place: &str| format!("90 80 8:1 {place} rw - ext4 /dev/sda1 rw\n");
    let hosts = bind("/var/lib/docker/containers/0a1b/hosts /etc/hosts");
    let log = bind("/pods/1/containers/app/2 /dev/termination-log");
    let lxcfs = "90 80 0:60 /proc/cpuinfo /proc/cpuinfo rw - fuse.lxcfs lxcfs rw\n";
    for (path, content, kind) in [
        ("run/.containerenv", "", "podman"),
        ("run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"),
        ("run/secrets/kubernetes.io/token", "", "kubernetes"),
        ("proc/self/cgroup", "0::/kubepods.slice/x.scope\n", "kubernetes"),
        ("proc/self/cgroup", "4:cpu:/docker/0a1b\n", "docker"),
        ("proc/self/cgroup", "0::/system.slice/docker-0a1b.scope\n", "docker"),
        ("proc/self/cgroup", "0::/lxc.payload.c1/init.scope\n", "lxc"),
        ("proc/self/mountinfo", &log, "kubernetes"),
        ("proc/self/mountinfo", &hosts, "docker"),
        ("proc/self/mountinfo", lxcfs, "lxc"),
    ] {
        Made::new()
            .file(path, content)
            .assert(false, &[&format!("container common \"\" {kind} ({WHERE})")]);
    }
    // The services themselves, on a host.
    Made::new().file("proc/self/cgroup", "0::/system.slice/docker.service\n").assert(false, &[]);
    let lxcfs = "90 80 0:60 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw\n";
    Made::new().file("proc/self/mountinfo", lxcfs).assert(false, &[]);
}

#[test]
fn placeholders_are_not_values() {
    for (serial, uuid) in [
        ("", "00000000-0000-0000-0000-000000000000"),
        ("None", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
        ("To be filled by O.E.M.", "03000200-0400-0500-0006-000700080009"),
        ("Default string\0\0", ""),
        ("System Serial Number", "Not Settable"),
        ("Not Specified", "............"),
        ("0", "0"),
        (" 000000 \n", "0000"),
    ] {
        let made = Made::new();
        made.file("sys/class/dmi/id/product_name", "System Product Name")
            .file("sys/class/dmi/id/product_serial", serial)
            .file("sys/class/dmi/id/board_serial", serial)
            .file("sys/class/dmi/id/product_uuid", uuid)
            .file("etc/machine-id", "uninitialized\n")
            .file("var/lib/dbus/machine-id", "00000000000000000000000000000000\n");
        made.assert(true, &[]);
    }
}

#[test]
fn nothing_at_all() {
    assert_eq!(Made::new().read(false), Findings::default());
    assert_eq!(Made::new().read(true), Findings::default());
}

#[test]
fn junk_is_cut_and_never_breaks() {
    let long = "x y".repeat(100_000);
    let made = Made::new();
    made.file("proc/sys/kernel/hostname", &long)
        .file("proc/self/mountinfo", &long)
        .file("proc/cpuinfo", "model name\nflags\n:::")
        .file("etc/machine-id", "\u{fffd}")
        .file("etc/os-release", "PRETTY_NAME=\n")
        .file("run/cloud-init/instance-data.json", "{\"v1\": {\"instance_id\": \"i-")
        .file("sys/class/net/eth0/type", "-1")
        .file("sys/class/net/eth0/device/uevent", "")
        .file("sys/class/net/eth0/address", "1:2");
    let findings = made.read(true);
    let values: Vec<_> = findings.factors.iter().map(|factor| &*factor.value).collect();
    assert_eq!((values.len(), values[0], values[1].len()), (2, "1:2", 256));
}

/// A device that lies on itself must not keep the program.
#[test]
fn a_ring_of_devices_ends() {
    let made = Made::new();
    made.file("proc/self/mountinfo", "29 1 253:0 / / rw - ext4 /dev/dm-0 rw\n")
        .link("sys/dev/block/253:0", "../../devices/virtual/block/dm-0")
        .folder("sys/class/block/dm-0/slaves/dm-1")
        .folder("sys/class/block/dm-0/slaves/dm-2")
        .folder("sys/class/block/dm-1/slaves/dm-0")
        .folder("sys/class/block/dm-2/slaves/dm-0");
    made.assert(false, &[]);
}

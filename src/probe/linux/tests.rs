//! Made-up systems, and the exact factors found on each. See `docs/format.md`, section "Factors".

use super::Machine;
use made::Made;
use olr_core::machine::{Class, FactorKind};

mod made;
mod situations;

const WHERE: &str = "identifies the platform, not the machine";

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
    // Not containers: services on a host.
    Made::new().file("proc/self/cgroup", "0::/system.slice/docker.service\n").assert(false, &[]);
    let lxcfs = "90 80 0:60 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw\n";
    Made::new().file("proc/self/mountinfo", lxcfs).assert(false, &[]);
}

#[test]
fn fillers_do_not_count() {
    for (serial, uuid) in [
        ("None", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
        ("To be filled by O.E.M.", "03000200-0400-0500-0006-000700080009"),
        ("Default string\0\0", "00020003-0004-0005-0006-000700080009"),
        ("System Serial Number", "Not Settable"),
        ("BSN12345678901234567", "12345678-1234-5678-90ab-cddeefaabbcc"),
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
        let factors = made.read(true).factors;
        assert_eq!(factors.len(), 4, "{serial:?}");
        for factor in factors {
            assert_eq!(
                &*factor.ignored, "a manufacturer's placeholder: many machines have it",
                "{factor:?}"
            );
        }
    }
    // An empty file counts as missing.
    let made = Made::new();
    for name in ["product_name", "product_serial", "board_serial", "product_uuid"] {
        made.file(&format!("sys/class/dmi/id/{name}"), " \n");
    }
    made.assert(true, &[]);
}

#[test]
fn a_guest_is_told_by_its_processor_or_its_device_tree() {
    let serial = |made: &Made| {
        let findings = made.read(true);
        let serial = findings.factors.into_iter().find(|f| f.kind == FactorKind::ProductSerial);
        serial.unwrap().class
    };
    let with = |path: &str, content: &str| {
        let made = Made::new();
        made.file("sys/class/dmi/id/product_serial", "7XK9TM3").file(path, content);
        serial(&made)
    };
    assert_eq!(with("proc/cpuinfo", "flags : fpu vmx lm\n"), Class::Hardware);
    assert_eq!(with("proc/cpuinfo", "flags : fpu hypervisor\n"), Class::Image);
    assert_eq!(with("sys/class/dmi/id/sys_vendor", "QEMU\n"), Class::Image);
    assert_eq!(
        with("sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)"),
        Class::Image
    );
    assert_eq!(with("sys/hypervisor/type", "xen\n"), Class::Image);
    assert_eq!(with("proc/device-tree/hypervisor/compatible", "linux,kvm\0"), Class::Image);
    let tree = |sign: &str| {
        let made = Made::new();
        made.file("proc/device-tree/serial-number", "IBM,0278A1B2C\0").file(sign, "x\0");
        serial(&made)
    };
    assert_eq!(tree("proc/device-tree/model"), Class::Hardware);
    assert_eq!(tree("proc/device-tree/ibm,partition-name"), Class::Image);
}

#[test]
fn a_processor_is_told_among_hundreds() {
    let model = |entry: &str, end: &str| {
        let made = Made::new();
        let all = (0..300).map(|n| format!("processor : {n}\n{entry}\n")).collect::<String>();
        made.file("proc/cpuinfo", &(all + end));
        let mut found = made.read(true).factors.into_iter();
        found.find(|f| f.kind == FactorKind::Cpu).map(|f| f.value.to_string())
    };
    let long = format!("model name : A CPU\nflags : {}", "flag ".repeat(600));
    assert_eq!(model(&long, ""), Some("A CPU".to_string()));
    assert_eq!(model("CPU part : 0xd0c", ""), Some("0xd0c".to_string()));
    assert_eq!(model("CPU part : 0xd0c", "\nHardware : A board\n"), Some("A board".to_string()));
}

#[test]
fn addresses_under_wsl_are_drawn() {
    let classes = |signs: &[(&str, &str)]| {
        let made = Made::new();
        made.file("sys/class/net/eth0/address", "00:15:5d:0a:0b:01")
            .file("sys/class/net/eth0/addr_assign_type", "0")
            .file("sys/class/net/eth0/type", "1")
            .folder("sys/class/net/eth0/device");
        for (path, content) in signs {
            made.file(path, content);
        }
        made.read(true).factors[0].class
    };
    const RELEASE: &str = "proc/sys/kernel/osrelease";
    for wsl in ["5.15.153.1-microsoft-standard-WSL2", "4.4.0-19041-Microsoft", "6.6.1-wsl2-mine+"] {
        assert_eq!(classes(&[(RELEASE, wsl)]), Class::Common, "{wsl}");
    }
    let own = (RELEASE, "6.6.36-custom");
    for sign in ["WSLInterop", "WSLInterop-late"] {
        let sign = format!("proc/sys/fs/binfmt_misc/{sign}");
        assert_eq!(classes(&[own, (&sign, "enabled\n")]), Class::Common, "{sign}");
    }
    for other in ["6.1.0-18-amd64", "6.5.0-1018-azure", "5.15.0-hyperv"] {
        assert_eq!(classes(&[(RELEASE, other)]), Class::Hardware, "{other}");
    }
}

#[test]
fn the_name_of_a_host_is_in_lower_case() {
    let made = Made::new();
    for (name, value) in [("BACKUP1\n", "backup1"), ("Backup1.Example", "backup1.example")] {
        made.file("proc/sys/kernel/hostname", name);
        made.assert(false, &[&format!("hostname image \"\" {value}")]);
    }
    for nobodys in ["localhost", "LOCALHOST", "Localhost.localdomain", "(NONE)", ""] {
        made.file("proc/sys/kernel/hostname", nobodys);
        made.assert(false, &[]);
    }
}

#[test]
fn nothing_at_all() {
    assert_eq!(Made::new().read(false), Machine::default());
    assert_eq!(Made::new().read(true), Machine::default());
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

/// A device that lists itself as its own lower device must not cause endless recursion.
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

//! Made-up systems, and exactly what is found on each. Obeys `docs/format.md`, section "Factors".

use super::Findings;
use made::{Made, lines, unreadable};

mod cards;
mod made;

const SERVER_UUID: &str = "4c4c4544-0042-3510-8052-b4c04f4d4e32";
const MACHINE_ID: &str = "8f2e6d1c4b5a49788f6e5d4c3b2a1908";
const BY_MODEL: &str = "the same for all processors of a model";
const WHERE: &str = "says where this runs, not which machine it is";

fn server() -> Made {
    let made = Made::new();
    made.loopback()
        .file("etc/machine-id", &format!("{MACHINE_ID}\n"))
        .firmware("PowerEdge R650\n", "B5RMN2\n", &format!("{}\n", SERVER_UUID.to_uppercase()))
        .card("eno1", "b4:96:91:00:00:01", "0\n", "pci")
        .card("eno2", "b4:96:91:00:00:02", "0\n", "pci")
        .file(
            "proc/self/mountinfo",
            concat!(
                "21 1 0:2 / / rw - rootfs none rw\n",
                "29 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw\n",
                "30 29 8:1 / /boot rw - ext4 /dev/sda1 rw\n"
            ),
        )
        .link("sys/dev/block/253:0", "../../devices/virtual/block/dm-0")
        .link("dev/disk/by-uuid/5f1c1c60-0000-4444-8888-000000000001", "../../sda1")
        .link("dev/disk/by-uuid/5f1c1c60-0000-4444-8888-000000000002", "../../dm-0")
        .file("proc/sys/kernel/hostname", "db01\n")
        .file("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
        .file("proc/sys/kernel/random/boot_id", "9d1f2c1e-7a51-4b6f-8a86-4f3a1f5c2d11\n")
        .file("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
        .file("proc/cpuinfo", "model name\t: Intel(R) Xeon(R) Silver 4310\nflags\t\t: fpu vme\n");
    made
}

const SERVER: [&str; 8] = [
    "machine-id image \"/etc/machine-id\" 8f2e6d1c4b5a49788f6e5d4c3b2a1908",
    "network-address common \"lo\" 00:00:00:00:00:00 (loopback)",
    "network-address hardware \"eno1\" b4:96:91:00:00:01",
    "network-address hardware \"eno2\" b4:96:91:00:00:02",
    "filesystem image \"/\" 5f1c1c60-0000-4444-8888-000000000002",
    "hostname image \"\" db01",
    "cpu common \"\" Intel(R) Xeon(R) Silver 4310 (the same for all processors of a model)",
    "product-name common \"product_name\" PowerEdge R650 (the same for all machines of a model)",
];

#[test]
fn server_as_an_ordinary_user() {
    let made = server();
    made.assert(false, &SERVER);
    let findings = made.read(false);
    assert_eq!(
        unreadable(&findings),
        [
            "product-uuid \"product_uuid\" needs --privileged",
            "product-serial \"product_serial\" needs --privileged",
            "board-serial \"board_serial\" needs --privileged",
        ]
    );
    let facts: Vec<_> = findings.facts.iter().map(|(name, value)| (*name, &**value)).collect();
    assert_eq!(
        facts,
        [("kernel", "6.1.0-18-amd64"), ("os version", "Debian GNU/Linux 12 (bookworm)")]
    );
    assert_eq!(findings.boot_id.as_deref(), Some("9d1f2c1e-7a51-4b6f-8a86-4f3a1f5c2d11"));
}

#[test]
fn server_with_privilege() {
    let made = server();
    let findings = made.read(true);
    let firmware = [
        format!("product-uuid hardware \"product_uuid\" {SERVER_UUID}"),
        "product-serial hardware \"product_serial\" B5RMN2".to_string(),
        "board-serial hardware \"board_serial\" B5RMN2".to_string(),
    ];
    let mut expected: Vec<String> = SERVER.map(str::to_string).into();
    expected.splice(1..1, firmware);
    assert_eq!(lines(&findings), expected);
    assert_eq!(unreadable(&findings), [""; 0]);
}

#[test]
fn guest_with_a_locally_administered_address() {
    let made = Made::new();
    made.loopback()
        .file("var/lib/dbus/machine-id", MACHINE_ID)
        .card("eth0", "52:54:00:12:34:56", "0\n", "virtio")
        .file("proc/sys/kernel/hostname", "localhost\n")
        .file("proc/cpuinfo", "model name\t: QEMU Virtual CPU\nflags\t\t: fpu hypervisor lm\n");
    made.assert(
        false,
        &[
            &format!("machine-id image \"/var/lib/dbus/machine-id\" {MACHINE_ID}"),
            "network-address common \"lo\" 00:00:00:00:00:00 (loopback)",
            "network-address hardware \"eth0\" 52:54:00:12:34:56",
            &format!("cpu common \"\" QEMU Virtual CPU ({BY_MODEL})"),
            &format!("hypervisor common \"\" present ({WHERE})"),
        ],
    );
}

#[test]
fn docker_container() {
    let made = Made::new();
    made.loopback()
        .file(".dockerenv", "")
        .file("etc/machine-id", "")
        .interface("eth0", "02:42:ac:11:00:02", "3\n")
        .part("eth0", "iflink", "9\n")
        .file("proc/sys/kernel/hostname", "0a1b2c3d4e5f\n")
        .file("proc/self/mountinfo", "1 0 0:50 / / rw - overlay overlay rw\n");
    made.assert(
        false,
        &[
            "network-address common \"lo\" 00:00:00:00:00:00 (loopback)",
            "network-address common \"eth0\" 02:42:ac:11:00:02 (virtual interface: veth or another link)",
            "hostname image \"\" 0a1b2c3d4e5f",
            &format!("container common \"\" docker ({WHERE})"),
        ],
    );
}

#[test]
fn other_containers() {
    for (path, content, kind) in [
        ("run/.containerenv", "", "podman"),
        ("run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"),
        ("run/secrets/kubernetes.io/token", "", "kubernetes"),
        ("proc/self/cgroup", "0::/kubepods.slice/x.scope\n", "kubernetes"),
        ("proc/self/cgroup", "4:cpu:/docker/0a1b\n", "docker"),
        ("proc/self/cgroup", "0::/system.slice/docker-0a1b.scope\n", "docker"),
        ("proc/self/cgroup", "0::/lxc.payload.c1/init.scope\n", "lxc"),
    ] {
        Made::new()
            .file(path, content)
            .assert(false, &[&format!("container common \"\" {kind} ({WHERE})")]);
    }
    // The service itself, on a host.
    Made::new().file("proc/self/cgroup", "0::/system.slice/docker.service\n").assert(false, &[]);
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
        made.firmware("System Product Name", serial, uuid)
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
        .file("sys/class/net/eth0/type", "-1")
        .file("sys/class/net/eth0/address", "1:2");
    let findings = made.read(true);
    assert_eq!(findings.factors.len(), 1);
    assert_eq!(findings.factors[0].value.len(), 256);
}

#[test]
fn btrfs_root_is_found_by_its_source() {
    Made::new()
        .file("proc/self/mountinfo", "29 1 0:27 /@ / rw - btrfs /dev/nvme0n1p2 rw,subvol=/@\n")
        .link("dev/disk/by-uuid/aaaa-bbbb", "../../nvme0n1p2")
        .assert(false, &["filesystem image \"/\" aaaa-bbbb"]);
}

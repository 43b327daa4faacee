//! Which addresses are permanent. Obeys `docs/format.md`, section "Factors".

use super::made::{Made, lines};

#[test]
fn host_of_virtual_interfaces() {
    let made = Made::new();
    let own = "3c:ec:ef:00:00:01";
    made.interface("bond0", own, "3\n")
        .part("bond0", "uevent", "DEVTYPE=bond\n")
        .interface("br0", own, "3\n")
        .part("br0", "bridge/bridge_id", "8000\n")
        .file("sys/class/net/bonding_masters", "bond0\n")
        .card("eth0", own, "3\n", "pci")
        .part("eth0", "bonding_slave/perm_hwaddr", "3c:ec:ef:00:00:01\n")
        .link("sys/class/net/eth0/master", "../bond0")
        .card("eth1", own, "3\n", "pci")
        .part("eth1", "bonding_slave/perm_hwaddr", "3c:ec:ef:00:00:02\n")
        .link("sys/class/net/eth1/master", "../bond0")
        .card("eth2", "3c:ec:ef:00:00:03", "0\n", "pci")
        .link("sys/class/net/eth2/master", "../br0")
        .interface("eth2.100", "3c:ec:ef:00:00:03", "2\n")
        .file("proc/net/vlan/eth2.100", "")
        .interface("tap0", "fe:00:00:00:00:07", "1\n")
        .part("tap0", "tun_flags", "0x1002\n")
        .interface("veth1a", "fe:00:00:00:00:08", "1\n")
        .part("veth1a", "iflink", "9\n")
        .interface("ifb0", "fe:00:00:00:00:09", "1\n");
    made.assert(
        false,
        &[
            "network-address common \"bond0\" 3c:ec:ef:00:00:01 (virtual interface: bond)",
            "network-address common \"br0\" 3c:ec:ef:00:00:01 (virtual interface: bridge)",
            "network-address hardware \"eth0\" 3c:ec:ef:00:00:01",
            "network-address hardware \"eth1\" 3c:ec:ef:00:00:02",
            "network-address hardware \"eth2\" 3c:ec:ef:00:00:03",
            "network-address common \"eth2.100\" 3c:ec:ef:00:00:03 (virtual interface: vlan)",
            "network-address common \"tap0\" fe:00:00:00:00:07 (virtual interface: tun or tap)",
            "network-address common \"veth1a\" fe:00:00:00:00:08 (virtual interface: veth or another link)",
            "network-address common \"ifb0\" fe:00:00:00:00:09 (virtual interface)",
        ],
    );
}

#[test]
fn cards_whose_address_does_not_last() {
    let made = Made::new();
    made.card("a", "3c:ec:ef:00:00:01", "1\n", "pci")
        .card("b", "3c:ec:ef:00:00:02", "3\n", "pci")
        .link("sys/class/net/b/master", "../team0")
        .card("c", "00:00:00:00:00:00", "0\n", "pci")
        .card("d", "01:00:5e:00:00:01", "0\n", "pci")
        .card("e", "be:3a:f2:b6:05:9f", "0\n", "usb")
        .card("f", "00:e0:4c:00:00:01", "0\n", "usb")
        .card("g", "3c:ec:ef:00:00:07", "0\n", "pci")
        .file("sys/class/net/g/device/physfn/vendor", "")
        .card("h", "80:00:02:08:fe:80", "0\n", "pci")
        .part("h", "type", "32\n")
        .card("w", "3e:00:00:00:00:01", "3\n", "pci")
        .part("w", "phy80211/macaddress", "3c:ec:ef:00:00:08\n");
    made.assert(
        false,
        &[
            "network-address common \"c\" 00:00:00:00:00:00 (no address)",
            "network-address hardware \"f\" 00:e0:4c:00:00:01",
            "network-address common \"d\" 01:00:5e:00:00:01 (multicast address)",
            "network-address common \"a\" 3c:ec:ef:00:00:01 (random address)",
            "network-address common \"b\" 3c:ec:ef:00:00:02 (address set by software, member of team0)",
            "network-address common \"g\" 3c:ec:ef:00:00:07 (part of another card (SR-IOV))",
            "network-address hardware \"w\" 3c:ec:ef:00:00:08",
            "network-address common \"h\" 80:00:02:08:fe:80 (not an Ethernet card)",
            "network-address common \"e\" be:3a:f2:b6:05:9f (USB device with a locally administered address)",
        ],
    );
}

#[test]
fn a_device_that_is_virtual_itself() {
    let made = Made::new();
    let below = "sys/devices/virtual/mac80211_hwsim/hwsim0";
    for (file, content) in [("type", "1"), ("addr_assign_type", "0"), ("device/uevent", "")] {
        made.file(&format!("{below}/net/wlan0/{file}"), content);
    }
    made.file(&format!("{below}/net/wlan0/address"), "02:00:00:00:00:00")
        .link("sys/class/net/wlan0", "../../devices/virtual/mac80211_hwsim/hwsim0/net/wlan0");
    made.assert(false, &["network-address common \"wlan0\" 02:00:00:00:00:00 (virtual interface)"]);
}

#[test]
fn the_same_address_counts_once() {
    let made = Made::new();
    made.card("eth0", "00:15:5d:00:00:01", "0\n", "vmbus").card(
        "enP1s1",
        "00:15:5d:00:00:01",
        "0\n",
        "pci",
    );
    made.assert(
        false,
        &[
            "network-address hardware \"enP1s1\" 00:15:5d:00:00:01",
            "network-address common \"eth0\" 00:15:5d:00:00:01 (same address as enP1s1)",
        ],
    );
}

#[test]
fn hundreds_of_virtual_interfaces_hide_no_card() {
    let made = Made::new();
    for number in 0..99 {
        made.interface(&format!("cali{number:02}"), "ee:ee:ee:ee:ee:ee", "3\n");
    }
    made.card("eth0", "3c:ec:ef:00:00:01", "0\n", "pci");
    let findings = made.read(false);
    assert_eq!(findings.factors.len(), 17);
    assert!(lines(&findings)[0].starts_with("network-address hardware \"eth0\""));
}

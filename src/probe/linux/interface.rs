//! Describes interfaces that are not physical cards. See `docs/format.md`, section "Factors".

use super::cards::Card;

const LOOPBACK: &str = "772";

impl Card<'_> {
    /// Returns whether the interface has no device, or a virtual one.
    pub(super) fn is_virtual(&self) -> bool {
        !self.tree.exists(&self.at("device"))
            || self.place().is_some_and(|path| path.contains("/devices/virtual/"))
    }

    /// Describes a virtual interface. Which signs it shows depends on the kernel version.
    pub(super) fn kind_of_virtual(&self) -> String {
        if self.text("type") == LOOPBACK {
            return "loopback".to_string();
        }
        let uevent = self.text("uevent");
        let word = uevent.lines().find_map(|line| line.strip_prefix("DEVTYPE="));
        let kind = match word {
            Some(word) => word.to_string(),
            None if self.has("bridge") => "bridge".to_string(),
            None if self.has("bonding") => "bond".to_string(),
            None if self.has("tun_flags") => self.tun_or_tap().to_string(),
            None if self.has("macvtap") => "macvtap".to_string(),
            None if self.has("ipvtap") => "ipvtap".to_string(),
            None => return self.by_its_links(),
        };
        format!("virtual interface: {kind}{}", self.on())
    }

    fn tun_or_tap(&self) -> &'static str {
        let flags = self.text("tun_flags");
        let flags = flags.strip_prefix("0x").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        // IFF_TUN and IFF_TAP of linux/if_tun.h.
        match flags.map(|flags| flags & 3) {
            Some(1) => "tun",
            Some(2) => "tap",
            _ => "tun or tap",
        }
    }

    /// Describes an interface without a type name, by the interfaces it is linked to or by its own
    /// name.
    fn by_its_links(&self) -> String {
        let on = self.on();
        let elsewhere = self.text("ifindex") != self.text("iflink");
        let kind = match (elsewhere, on.is_empty()) {
            (true, false) if self.vlan() => "vlan",
            (true, false) => "macvlan or ipvlan",
            (false, false) => "team or similar",
            (true, true) if self.vlan() => "vlan",
            // A macvlan that was moved into a container cannot be told from a veth.
            (true, true) => "veth, or macvlan of another namespace",
            (false, true) => match self.name.trim_end_matches(|last: char| last.is_ascii_digit()) {
                "ifb" => "ifb, by its name",
                "dummy" => "dummy, by its name",
                _ => return "virtual interface".to_string(),
            },
        };
        format!("virtual interface: {kind}{on}")
    }

    fn vlan(&self) -> bool {
        self.tree.exists(&format!("proc/net/vlan/{}", self.name))
    }

    /// Lists the lower interfaces in this namespace: ` on eth0`.
    fn on(&self) -> String {
        let parts = self.parts().iter();
        let lower: Vec<_> = parts.filter_map(|name| name.strip_prefix("lower_")).collect();
        let (shown, more) = lower.split_at_checked(4).unwrap_or((&lower, &[]));
        match (shown.is_empty(), more.is_empty()) {
            (true, _) => String::new(),
            (_, true) => format!(" on {}", shown.join(", ")),
            (_, false) => format!(" on {} and {} more", shown.join(", "), more.len()),
        }
    }
}

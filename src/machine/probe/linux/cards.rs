//! Network cards, and which of their addresses are permanent by the kernel's word.
//! Obeys `docs/format.md`, section "Factors".

use super::tree::Tree;
use super::{AddressOf, Findings};
use crate::machine::probe::{impossible, locally_administered, spell};
use crate::machine::{Class, FactorKind};

const CARDS: &str = "sys/class/net";
/// Most cards of weight 0 that are listed: a host of containers has hundreds.
const IGNORED_CAP: usize = 16;
const ETHERNET: &str = "1";
const LOOPBACK: &str = "772";

/// Adds every card; permanent addresses are hardware, each once.
pub(super) fn add(tree: &Tree<'_>, address_of: AddressOf<'_>, findings: &mut Findings) {
    let mut permanent: Vec<(String, String)> = Vec::new();
    let mut ignored = 0;
    for name in tree.names(CARDS) {
        let card = Card { tree, name: &name };
        let unfit = card.unfit();
        if unfit.is_some() && ignored >= IGNORED_CAP {
            continue; // before its address is looked up, which walks over all cards
        }
        let Some(address) = address_of(&name) else { continue };
        let found = match unfit {
            Some(why) => Err(why),
            None => card.permanent(address),
        };
        let (value, why) = match found {
            Ok(own) => {
                let value = spell(own);
                match permanent.iter().find(|(known, _)| *known == value) {
                    Some((_, first)) => (value, format!("same address as {first}")),
                    None => {
                        findings.found(FactorKind::NetworkAddress, Class::Hardware, &name, &value);
                        permanent.push((value, name));
                        continue;
                    }
                }
            }
            Err(why) => (spell(address), why),
        };
        if ignored < IGNORED_CAP {
            findings.ignored(FactorKind::NetworkAddress, &name, &value, &why);
            ignored = ignored.saturating_add(1);
        }
    }
}

struct Card<'a> {
    tree: &'a Tree<'a>,
    name: &'a str,
}

impl Card<'_> {
    fn at(&self, part: &str) -> String {
        format!("{CARDS}/{}/{part}", self.name)
    }

    fn text(&self, part: &str) -> String {
        self.tree.text(&self.at(part))
    }

    fn has(&self, part: &str) -> bool {
        self.tree.exists(&self.at(part))
    }

    /// Why this is not a card of its own, whatever its address.
    fn unfit(&self) -> Option<String> {
        let kind = self.text("type");
        if kind == LOOPBACK {
            return Some("loopback".to_string());
        }
        if self.is_virtual() {
            return Some(self.kind_of_virtual());
        }
        if kind != ETHERNET {
            // Six bytes of a longer address, as InfiniBand has, do not last.
            return Some("not an Ethernet card".to_string());
        }
        // On the host of a card that splits itself up, which draws addresses for its parts.
        self.has("device/physfn").then(|| "part of another card (SR-IOV)".to_string())
    }

    fn is_virtual(&self) -> bool {
        let place = self.tree.resolved(&self.at(""));
        !self.has("device")
            || place.is_some_and(|path| path.to_string_lossy().contains("/devices/virtual/"))
    }

    fn kind_of_virtual(&self) -> String {
        let uevent = self.text("uevent");
        let kind = uevent.lines().find_map(|line| line.strip_prefix("DEVTYPE="));
        let kind = match kind {
            Some(kind) => kind,
            None if self.has("bridge") => "bridge",
            None if self.has("bonding") => "bond",
            None if self.has("tun_flags") => "tun or tap",
            None if self.tree.exists(&format!("proc/net/vlan/{}", self.name)) => "vlan",
            None if self.text("ifindex") != self.text("iflink") => "veth or another link",
            None => return "virtual interface".to_string(),
        };
        format!("virtual interface: {kind}")
    }

    /// The permanent address, or why there is none.
    fn permanent(&self, address: [u8; 6]) -> Result<[u8; 6], String> {
        let own = match self.given_elsewhere() {
            Some(own) => own,
            None => self.given_by_the_device(address)?,
        };
        match impossible(own) {
            Some(why) => Err(why.to_string()),
            // Service processors and telephones: many of them show the same address everywhere.
            None if locally_administered(own) && self.is_usb() => {
                Err("USB device with a locally administered address".to_string())
            }
            None => Ok(own),
        }
    }

    /// The permanent address of a card that now shows another: a part of a bond, or Wi-Fi.
    fn given_elsewhere(&self) -> Option<[u8; 6]> {
        ["bonding_slave/perm_hwaddr", "phy80211/macaddress"]
            .iter()
            .find_map(|part| parse(&self.text(part)))
    }

    fn given_by_the_device(&self, address: [u8; 6]) -> Result<[u8; 6], String> {
        // NET_ADDR_* of linux/netdevice.h.
        let why = match self.text("addr_assign_type").as_str() {
            "0" => return Ok(address),
            "1" => "random address",
            "2" => "address taken from another interface",
            "3" => "address set by software",
            _ => "address of unknown origin",
        };
        Err(match self.tree.target(&self.at("master")) {
            Some(master) => format!("{why}, member of {master}"),
            None => why.to_string(),
        })
    }

    fn is_usb(&self) -> bool {
        self.tree.target(&self.at("device/subsystem")).as_deref() == Some("usb")
    }
}

/// Reads `02:fc:00:00:00:01`.
fn parse(text: &str) -> Option<[u8; 6]> {
    let bytes: Option<Vec<u8>> =
        text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes?.try_into().ok()
}

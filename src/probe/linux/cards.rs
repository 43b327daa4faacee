//! Network cards, and which of their addresses the kernel reports as permanent. Implements
//! `docs/format.md`, section "Factors".

use std::cell::OnceCell;

use super::tree::Tree;
use super::{AddressOf, Machine};
use crate::probe::{impossible, locally_administered, spell};
use olr_core::machine::{Class, FactorKind};

const CARDS: &str = "sys/class/net";
/// Maximum number of cards of weight 0 that are listed: a host of containers has hundreds.
const IGNORED_CAP: usize = 16;
/// Maximum number of cards with weight: a request has room for 64 factors.
const COUNTED_CAP: usize = 32;
const ETHERNET: &str = "1";
const INFINIBAND: &str = "32";

/// Adds the cards: up to [`COUNTED_CAP`] permanent addresses as hardware factors, each once, and up
/// to [`IGNORED_CAP`] others with weight 0.
pub(super) fn add(tree: &Tree<'_>, address_of: AddressOf<'_>, findings: &mut Machine) {
    let names = tree.names(CARDS);
    if names.is_empty() {
        return without_sysfs(tree, address_of, findings);
    }
    let drawn = is_wsl(tree);
    let mut permanent: Vec<(String, String)> = Vec::new();
    let mut ignored = 0;
    for name in names {
        let card = Card::named(tree, &name);
        let is_virtual = card.is_virtual();
        // Checked first, so that nothing else is read for hundreds of virtual interfaces.
        if is_virtual && ignored >= IGNORED_CAP {
            continue;
        }
        let Some(shown) = tree.line(&card.at("address")) else {
            // A tunnel has no address; `bonding_masters` is not an interface.
            if card.has("ifindex") && ignored < IGNORED_CAP {
                findings.ignored(KIND, &name, "none", &card.kind_of_virtual());
                ignored = ignored.saturating_add(1);
            }
            continue;
        };
        let found = if is_virtual { Err(card.kind_of_virtual()) } else { card.permanent(&shown) };
        let (value, why) = match found {
            Ok(value) if drawn => (value, "random at each boot (WSL)".to_string()),
            Ok(value) => match permanent.iter().find(|(known, _)| *known == value) {
                Some((_, first)) => (value, format!("same address as {first}")),
                None if permanent.len() >= COUNTED_CAP => (value, "too many cards".to_string()),
                None => {
                    findings.found(KIND, Class::Hardware, &name, &value);
                    permanent.push((value, name));
                    continue;
                }
            },
            Err(why) => (shown, why),
        };
        if ignored < IGNORED_CAP {
            findings.ignored(KIND, &name, &value, &why);
            ignored = ignored.saturating_add(1);
        }
    }
}

const KIND: FactorKind = FactorKind::NetworkAddress;

/// Detects the Windows Subsystem for Linux by the kernel's name or, for a custom kernel, by files
/// that WSL creates.
fn is_wsl(tree: &Tree<'_>) -> bool {
    const INTEROP: &str = "proc/sys/fs/binfmt_misc/WSLInterop";
    let kernel = tree.text("proc/sys/kernel/osrelease").to_ascii_lowercase();
    ["microsoft", "wsl"].iter().any(|part| kernel.contains(part))
        || [INTEROP, "proc/sys/fs/binfmt_misc/WSLInterop-late", "run/WSL"]
            .iter()
            .any(|path| tree.exists(path))
}

/// Lists addresses whose origin is unknown, with weight 0.
fn without_sysfs(tree: &Tree<'_>, address_of: AddressOf<'_>, findings: &mut Machine) {
    let list = tree.text("proc/net/dev");
    let names = list.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim());
    for (name, address) in
        names.filter_map(|name| Some((name, address_of(name)?))).take(IGNORED_CAP)
    {
        let why = "no sysfs here to show whether it is permanent";
        findings.ignored(KIND, name, &spell(&address), why);
    }
}

pub(super) struct Card<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) name: &'a str,
    /// Names in the card's folder. Listing it once takes less time than looking for each name.
    parts: OnceCell<Vec<String>>,
}

impl<'a> Card<'a> {
    fn named(tree: &'a Tree<'a>, name: &'a str) -> Self {
        Self { tree, name, parts: OnceCell::new() }
    }

    /// Names in the card's folder, in ascending order.
    pub(super) fn parts(&self) -> &[String] {
        self.parts.get_or_init(|| self.tree.names(&self.at("")))
    }

    pub(super) fn at(&self, part: &str) -> String {
        format!("{CARDS}/{}/{part}", self.name)
    }

    /// Reads a file in the card's folder, or in a folder there: empty if it is missing or
    /// unreadable.
    pub(super) fn text(&self, part: &str) -> String {
        let first = part.split('/').next().unwrap_or(part);
        if self.has(first) { self.tree.text(&self.at(part)) } else { String::new() }
    }

    /// Returns whether the card's folder contains this name.
    pub(super) fn has(&self, part: &str) -> bool {
        self.parts().binary_search_by(|name| name.as_str().cmp(part)).is_ok()
    }

    /// Returns the card's path in the device tree of sysfs.
    pub(super) fn place(&self) -> Option<String> {
        self.tree.link_text(&format!("{CARDS}/{}", self.name))
    }

    /// Returns why a device does not identify the machine, whatever its address is.
    fn unfit(&self) -> Option<&'static str> {
        let uevent = self.text("uevent");
        // Names the part of a split card that this interface represents, such as pf0vf1.
        let part = || self.text("phys_port_name");
        if uevent.contains("DEVTYPE=gadget") {
            Some("USB cable to another machine")
        } else if uevent.contains("DEVTYPE=wwan") {
            Some("mobile modem with a generated address")
        } else if self.tree.exists(&self.at("device/physfn")) {
            // Present only on the host of a split card, where the parts get random addresses.
            Some("part of another card (SR-IOV)")
        } else if part().split_once("pf").is_some_and(|(_, rest)| rest.contains(['v', 's'])) {
            Some("represents a part of another card (SR-IOV)")
        } else {
            None
        }
    }

    /// Returns the permanent address, or why there is none.
    fn permanent(&self, shown: &str) -> Result<String, String> {
        if let Some(why) = self.unfit() {
            return Err(why.to_string());
        }
        match self.text("type").as_str() {
            ETHERNET => {}
            INFINIBAND => return self.port(shown),
            _ => return Err("not an Ethernet card".to_string()),
        }
        let shown = parse(shown).ok_or("not an Ethernet address")?;
        let own = match self.given_elsewhere() {
            Some(own) => own,
            None => self.given_by_the_device(shown)?,
        };
        match impossible(own) {
            Some(why) => Err(why.to_string()),
            // Service processors and phones: many models show the same address on every unit.
            None if locally_administered(own) && self.is_usb() => {
                Err("USB device with a locally administered address".to_string())
            }
            None => Ok(spell(&own)),
        }
    }

    /// Returns the GUID of an InfiniBand port. The bytes before it may differ after each boot.
    fn port(&self, shown: &str) -> Result<String, String> {
        let guid: Option<[u8; 8]> = parse::<20>(shown).and_then(|all| all.last_chunk().copied());
        match guid {
            _ if self.has("parent") => Err("part of another card (partition)".to_string()),
            Some(guid) if guid.iter().any(|byte| *byte != 0) => Ok(spell(&guid)),
            _ => Err("no address".to_string()),
        }
    }

    /// Returns the permanent address of a Wi-Fi card or of a member of a bond: either may currently
    /// show another address.
    fn given_elsewhere(&self) -> Option<[u8; 6]> {
        ["bonding_slave/perm_hwaddr", "phy80211/macaddress"]
            .iter()
            .find_map(|part| parse(&self.text(part)))
    }

    fn given_by_the_device(&self, shown: [u8; 6]) -> Result<[u8; 6], String> {
        // NET_ADDR_* of linux/netdevice.h.
        let why = match self.text("addr_assign_type").as_str() {
            "0" => return Ok(shown),
            "1" => "random address",
            "2" => "address taken from another interface",
            "3" if self.is_of_its_team(shown) => return Ok(shown),
            "3" => "address set by software",
            _ => "address of unknown origin",
        };
        Err(match self.tree.target(&self.at("master")) {
            Some(master) => format!("{why}, member of {master}"),
            None => why.to_string(),
        })
    }

    /// Returns whether the card is a member of a team and shows the team's address, which is
    /// permanent. A team takes the address and its origin from its first member, and gives the
    /// address to all other members.
    fn is_of_its_team(&self, shown: [u8; 6]) -> bool {
        let Some(master) = self.tree.target(&self.at("master")) else { return false };
        let team = Card::named(self.tree, &master);
        !team.has("bonding")
            && !team.has("bridge")
            && team.text("addr_assign_type") == "0"
            && parse(&team.text("address")) == Some(shown)
    }

    fn is_usb(&self) -> bool {
        self.tree.target(&self.at("device/subsystem")).as_deref() == Some("usb")
    }
}

/// Parses an address such as `02:fc:00:00:00:01`.
fn parse<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes: Option<Vec<u8>> =
        text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    bytes?.try_into().ok()
}

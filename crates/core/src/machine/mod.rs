//! What identifies a machine. Obeys `docs/format.md`, section "Factors".

use crate::error::{Error, NextStep, Problem, Remedy, Result};
use crate::wire::codec::{Text, numbered, record};

mod assess;
mod compare;
pub mod filler;
mod findings;
mod policy;
mod words;

pub use assess::{Assessment, Bound, Here};
pub use compare::{Change, Line, changes, looks_like_a_copy};
pub use findings::{Machine, Reason, Unreadable};
pub use policy::{Enrolled, Policy, commit};
pub use words::{judgement, label};

numbered! {
    /// How much a factor says about the machine.
    pub enum Class {
        /// Given by the machine or its hypervisor.
        1 Hardware "hardware",
        /// Shown by a copy too: copied with the disk, or the host's.
        2 Image "image",
        /// Shared by many machines, or not to be relied upon: weight 0.
        3 Common "common",
    }
}

numbered! {
    /// What a factor is.
    pub enum FactorKind {
        /// `/etc/machine-id`, or the machine GUID of Windows: an image factor.
        1 MachineId "machine-id",
        /// The product UUID of the firmware (DMI): hardware.
        2 ProductUuid "product-uuid",
        /// The product serial number of the firmware (DMI): hardware, or image where several
        /// machines may share it.
        3 ProductSerial "product-serial",
        /// The board serial number of the firmware (DMI): as the product's.
        4 BoardSerial "board-serial",
        /// The address of a network card: hardware when permanent, else common.
        5 NetworkAddress "network-address",
        /// The id of the root filesystem: image.
        6 Filesystem "filesystem",
        /// The name of the host, in lower case: image.
        7 Hostname "hostname",
        /// What an operator pinned, NAME=VALUE: image.
        8 Pin "pin",
        /// The model of the processor: common.
        9 Cpu "cpu",
        /// Which kind of container this is: common.
        10 Container "container",
        /// The instance id given by a cloud: hardware, unless it may come from the disk.
        11 CloudInstance "cloud-instance",
        /// The identity of a trusted platform module: hardware; that there is one is common.
        12 Tpm "tpm",
        /// The serial number of a disk: hardware.
        13 DiskSerial "disk-serial",
        /// The product name of the firmware (DMI): common.
        14 ProductName "product-name",
        /// The platform UUID of macOS: hardware.
        15 PlatformUuid "platform-uuid",
        /// Which hypervisor this runs under: common.
        16 Hypervisor "hypervisor",
    }
}

record! {
    /// One thing that was found on a machine.
    pub struct Factor {
        /// What it is.
        pub kind: FactorKind,
        /// How much it says; `Common` has weight 0.
        pub class: Class,
        /// What the system calls it: an interface (`eth0`), a file, or nothing.
        pub name: Text,
        /// Its value in the spelling that commitments are computed over.
        pub value: Text,
        /// Why it has weight 0, in words; empty for hardware and image factors.
        pub ignored: Text,
    }
}

impl FactorKind {
    /// Whether a factor of this kind may have this class. Every one may be common.
    pub fn may_be(self, class: Class) -> bool {
        match self {
            Self::MachineId | Self::Filesystem | Self::Hostname | Self::Pin => {
                class != Class::Hardware
            }
            Self::Cpu | Self::Container | Self::ProductName | Self::Hypervisor => {
                class == Class::Common
            }
            // The host's or the chassis', where several machines share it.
            Self::ProductSerial | Self::BoardSerial => true,
            Self::ProductUuid
            | Self::NetworkAddress
            | Self::CloudInstance
            | Self::Tpm
            | Self::DiskSerial
            | Self::PlatformUuid => class != Class::Image,
        }
    }
}

impl Factor {
    /// What an operator pins: `NAME=VALUE`.
    ///
    /// # Errors
    /// Exit 2 when `text` has another shape.
    pub fn pin(text: &str) -> Result<Self> {
        let name_and_value = text
            .split_once('=')
            .filter(|(name, value)| !name.trim().is_empty() && !value.trim().is_empty());
        let Some((name, value)) = name_and_value else {
            let fact = "a pin has the form NAME=VALUE";
            return Err(Error::unable(
                Problem::Usage,
                fact,
                NextStep::new("write it like rack=B12", &[Remedy::Pin]),
            ));
        };
        Ok(Self {
            kind: FactorKind::Pin,
            class: Class::Image,
            name: Text::new(name.trim())?,
            value: Text::new(&format!("{}={}", name.trim(), value.trim()))?,
            ignored: Text::default(),
        })
    }

    /// Whether its kind may have its class: a sender cannot make an image factor hardware by saying
    /// so.
    pub fn is_plausible(&self) -> bool {
        self.kind.may_be(self.class)
    }

    /// Whether it can carry weight.
    pub fn counts(&self) -> bool {
        self.class != Class::Common
    }
}

/// Refuses a machine that too little is known of.
///
/// # Errors
/// Exit 2 with fewer than two factors that count, naming the remedy.
pub fn ensure_two(factors: &[Factor]) -> Result<()> {
    let count = factors.iter().filter(|factor| factor.counts()).count();
    if count >= 2 {
        return Ok(());
    }
    let fact = format!("{count} factors identify this machine, and at least 2 are needed");
    Err(Error::unable(
        Problem::Usage,
        fact,
        NextStep::new(
            "pin values of your own, for example asset=4711 and rack=B12",
            &[Remedy::Pin],
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_factor_is_too_few_and_the_remedy_is_named() {
        let pins = ["rack=B12", "asset=4711"].map(|pin| Factor::pin(pin).unwrap());
        assert!(ensure_two(&pins).is_ok());
        let mut common = pins.clone();
        common[1].class = Class::Common;
        for few in [&pins[..0], &pins[..1], &common[..]] {
            let error = ensure_two(few).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert_eq!(error.next_step().remedies(), [Remedy::Pin], "{}", error.next_step());
        }
    }
}

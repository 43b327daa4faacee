//! Identification of a machine. Implements `docs/format.md`, section "Factors".

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
pub use policy::{Commitments, Enrolled, Policy};
pub use words::{judgement, label};

numbered! {
    /// How well a factor identifies a machine.
    pub enum Class {
        /// Given by the machine or its hypervisor.
        1 Hardware "hardware",
        /// Also shown by a copy, because it is copied with the disk or belongs to the host.
        2 Image "image",
        /// Shared by many machines, or unreliable. Weight 0.
        3 Common "common",
    }
}

numbered! {
    /// Kind of a factor.
    pub enum FactorKind {
        /// `/etc/machine-id`, or the machine GUID of Windows. Image.
        1 MachineId "machine-id",
        /// Product UUID of the firmware (DMI). Hardware.
        2 ProductUuid "product-uuid",
        /// Product serial number of the firmware (DMI). Hardware, or image if several machines may
        /// share it.
        3 ProductSerial "product-serial",
        /// Board serial number of the firmware (DMI). Hardware or image, like the product serial
        /// number.
        4 BoardSerial "board-serial",
        /// Address of a network card. Hardware if permanent, otherwise common.
        5 NetworkAddress "network-address",
        /// Id of the root filesystem. Image.
        6 Filesystem "filesystem",
        /// Host name in lower case. Image.
        7 Hostname "hostname",
        /// Value that an operator pinned, NAME=VALUE. Image.
        8 Pin "pin",
        /// Model of the processor. Common.
        9 Cpu "cpu",
        /// Kind of container in which the program runs. Common.
        10 Container "container",
        /// Instance id assigned by a cloud. Hardware; common if it may come from the disk.
        11 CloudInstance "cloud-instance",
        /// Identity of a trusted platform module. Hardware; common if only its existence is known.
        12 Tpm "tpm",
        /// Serial number of a disk. Hardware.
        13 DiskSerial "disk-serial",
        /// Product name of the firmware (DMI). Common.
        14 ProductName "product-name",
        /// Platform UUID of macOS. Hardware.
        15 PlatformUuid "platform-uuid",
        /// Hypervisor under which the program runs. Common.
        16 Hypervisor "hypervisor",
    }
}

record! {
    /// One factor found on a machine.
    pub struct Factor {
        /// Kind of the factor.
        pub kind: FactorKind,
        /// How well it identifies the machine. `Common` has weight 0.
        pub class: Class,
        /// Name that the system gives to it: an interface (`eth0`), a file, or empty.
        pub name: Text,
        /// Value, in the spelling from which commitments are computed.
        pub value: Text,
        /// Why it has weight 0, in words. Empty for hardware and image factors.
        pub ignored: Text,
    }
}

impl FactorKind {
    /// True if a factor of this kind may have this class. Every kind may be common.
    pub fn may_be(self, class: Class) -> bool {
        match self {
            Self::MachineId | Self::Filesystem | Self::Hostname | Self::Pin => {
                class != Class::Hardware
            }
            Self::Cpu | Self::Container | Self::ProductName | Self::Hypervisor => {
                class == Class::Common
            }
            // Image if it is the number of a host or chassis that several machines share.
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
    /// Creates a factor from a value that an operator pins: `NAME=VALUE`.
    ///
    /// # Errors
    /// Exit 2 if `text` does not have that form, or is too long.
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

    /// True if its kind may have its class. This keeps a sender from declaring an image factor as
    /// hardware.
    pub fn is_plausible(&self) -> bool {
        self.kind.may_be(self.class)
    }

    /// True if it can carry weight.
    pub fn counts(&self) -> bool {
        self.class.counts()
    }
}

impl Class {
    /// True if a factor of this class can carry weight.
    pub fn counts(self) -> bool {
        self != Self::Common
    }
}

/// Checks that enough factors identify a machine.
///
/// # Errors
/// Exit 2 if fewer than two factors can carry weight, with the remedy.
pub fn ensure_two(factors: &[Factor]) -> Result<()> {
    let count = factors.iter().filter(|factor| factor.counts()).count();
    if count >= 2 {
        return Ok(());
    }
    let fact = format!("too few factors identify this machine: {count}, but at least 2 are needed");
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

//! Typical machines, and changes to them.

use olr_core::machine::{Class, Factor, FactorKind};
use olr_core::wire::codec::Text;

/// All factors of a machine, including the operator's pins.
#[derive(Clone)]
pub struct Machine(pub Vec<Factor>);

const HARDWARE: Class = Class::Hardware;

/// A physical server read as root: two network cards, two pins.
pub fn server() -> Machine {
    let mut machine = Machine(Vec::new());
    machine
        .add(FactorKind::MachineId, Class::Image, "/etc/machine-id", "4c4c4544")
        .add(FactorKind::ProductUuid, HARDWARE, "product_uuid", "4c4c4544-0001")
        .add(FactorKind::NetworkAddress, HARDWARE, "eth0", "02:fc:00:00:00:01")
        .add(FactorKind::NetworkAddress, HARDWARE, "eth1", "02:fc:00:00:00:02")
        .add(FactorKind::Filesystem, Class::Image, "/", "0b5e1a9c-root")
        .add(FactorKind::Hostname, Class::Image, "", "backup1")
        .add(FactorKind::Cpu, Class::Common, "", "Test CPU");
    machine.0.push(Factor::pin("rack=B12").unwrap());
    machine.0.push(Factor::pin("asset=4711").unwrap());
    machine
}

/// A server with one network card and no pins, read as an ordinary user.
pub fn small_server() -> Machine {
    let mut machine = server();
    machine.drop("product_uuid").drop("eth1").drop("rack").drop("asset");
    machine
}

/// A virtual machine with one network card, read as root.
pub fn vm() -> Machine {
    let mut machine = Machine(Vec::new());
    machine
        .add(FactorKind::MachineId, Class::Image, "/etc/machine-id", "77aa0001")
        .add(FactorKind::ProductUuid, HARDWARE, "product_uuid", "564d0001-0001")
        .add(FactorKind::NetworkAddress, HARDWARE, "ens3", "52:54:00:00:00:01")
        .add(FactorKind::Filesystem, Class::Image, "/", "9d1c0001-root")
        .add(FactorKind::Hostname, Class::Image, "", "vm1")
        .add(FactorKind::Hypervisor, Class::Common, "", "present");
    machine
}

/// A virtual machine that exposes its host's serial number to root.
pub fn vm_of_a_host() -> Machine {
    let mut machine = vm();
    machine.add(FactorKind::ProductSerial, Class::Image, "product_serial", "7XK9TM3");
    machine
}

/// The Windows Subsystem for Linux: no firmware, and a random network address at each start.
pub fn wsl() -> Machine {
    let mut machine = Machine(Vec::new());
    machine
        .add(FactorKind::MachineId, Class::Image, "/etc/machine-id", "51be0001")
        .add(FactorKind::NetworkAddress, Class::Common, "eth0", "00:15:5d:0a:0b:01")
        .add(FactorKind::Filesystem, Class::Image, "/", "3e2b0001-root")
        .add(FactorKind::Hostname, Class::Image, "", "desk1");
    machine
}

/// A container with two pins that exposes the firmware of its host to root.
pub fn container() -> Machine {
    let mut machine = Machine(Vec::new());
    machine
        .add(FactorKind::ProductUuid, HARDWARE, "product_uuid", "4c4c4544-0002")
        .add(FactorKind::MachineId, Class::Image, "/etc/machine-id", "c0c00001")
        .add(FactorKind::Hostname, Class::Image, "", "0f1e2d3c4b5a")
        .add(FactorKind::NetworkAddress, Class::Common, "eth0", "02:42:ac:11:00:02")
        .add(FactorKind::Container, Class::Common, "", "docker");
    machine.0.push(Factor::pin("cluster=north").unwrap());
    machine.0.push(Factor::pin("service=backup").unwrap());
    machine
}

impl Machine {
    /// The pins, as an operator sets them.
    pub fn pins(&self) -> Vec<Factor> {
        self.0.iter().filter(|factor| factor.kind == FactorKind::Pin).cloned().collect()
    }

    /// Whether the machine has a factor of this name or kind.
    pub fn has(&self, which: &str) -> bool {
        self.0.iter().any(|factor| is(factor, which))
    }

    /// Changes the value of a factor, given by name or kind.
    pub fn set(&mut self, which: &str, value: &str) -> &mut Self {
        let factor = self.0.iter_mut().find(|factor| is(factor, which)).unwrap();
        factor.value = Text::new(value).unwrap();
        self
    }

    /// Removes a factor.
    pub fn drop(&mut self, which: &str) -> &mut Self {
        let before = self.0.len();
        self.0.retain(|factor| !is(factor, which));
        assert_eq!(self.0.len() + 1, before, "{which}");
        self
    }

    /// Adds a factor.
    pub fn add(&mut self, kind: FactorKind, class: Class, name: &str, value: &str) -> &mut Self {
        let [name, value] = [name, value].map(|text| Text::new(text).unwrap());
        self.0.push(Factor { kind, class, name, value, ignored: Text::default() });
        self
    }

    /// Replaces all hardware.
    pub fn other_hardware(&mut self) -> &mut Self {
        self.change(|factor| factor.class == Class::Hardware)
    }

    /// Replaces the whole image, except the operator's pins.
    pub fn other_image(&mut self) -> &mut Self {
        self.change(|factor| factor.class == Class::Image && factor.kind != FactorKind::Pin)
    }

    fn change(&mut self, which: impl Fn(&Factor) -> bool) -> &mut Self {
        for factor in self.0.iter_mut().filter(|factor| which(factor)) {
            factor.value = Text::new(&format!("{}-other", &*factor.value)).unwrap();
        }
        self
    }
}

fn is(factor: &Factor, which: &str) -> bool {
    &*factor.name == which || factor.kind.word() == which
}

//! A tree of files that looks like a system. See `docs/format.md`, section "Factors".

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use tempfile::TempDir;

use crate::machine::Factor;
use crate::machine::probe::linux::read_below;
use crate::machine::probe::{Findings, Unreadable};

pub struct Made(TempDir);

impl Made {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn file(&self, path: &str, content: &str) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        self
    }

    pub fn for_root(&self, path: &str, content: &str) -> &Self {
        self.file(path, content);
        fs::set_permissions(self.0.path().join(path), Permissions::from_mode(0o400)).unwrap();
        self
    }

    pub fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
        self
    }

    /// An interface without a device.
    pub fn interface(&self, name: &str, address: &str, assigned: &str) -> &Self {
        for (file, content) in [
            ("address", address),
            ("addr_assign_type", assigned),
            ("type", "1\n"),
            ("ifindex", "4\n"),
            ("iflink", "4\n"),
            ("uevent", "IFINDEX=4\n"),
        ] {
            self.part(name, file, content);
        }
        self
    }

    /// An interface of a device on the given bus.
    pub fn card(&self, name: &str, address: &str, assigned: &str, bus: &str) -> &Self {
        self.interface(name, address, assigned);
        self.link(&format!("sys/class/net/{name}/device/subsystem"), &format!("../../bus/{bus}"))
    }

    pub fn part(&self, name: &str, file: &str, content: &str) -> &Self {
        self.file(&format!("sys/class/net/{name}/{file}"), content)
    }

    pub fn loopback(&self) -> &Self {
        self.interface("lo", "00:00:00:00:00:00", "0").part("lo", "type", "772\n")
    }

    pub fn firmware(&self, name: &str, serial: &str, uuid: &str) -> &Self {
        self.file("sys/class/dmi/id/product_name", name)
            .for_root("sys/class/dmi/id/product_serial", serial)
            .for_root("sys/class/dmi/id/board_serial", serial)
            .for_root("sys/class/dmi/id/product_uuid", uuid)
    }

    pub fn read(&self, privileged: bool) -> Findings {
        let root = self.0.path();
        read_below(root, privileged, &|name| {
            let file = root.join("sys/class/net").join(name).join("address");
            let bytes = fs::read_to_string(file).ok()?;
            bytes
                .trim()
                .split(':')
                .map(|byte| u8::from_str_radix(byte, 16).unwrap())
                .collect::<Vec<u8>>()
                .try_into()
                .ok()
        })
    }

    /// The factors, one a line: `kind class name value (why)`.
    #[track_caller]
    pub fn assert(&self, privileged: bool, expected: &[&str]) {
        assert_eq!(lines(&self.read(privileged)), expected);
    }
}

pub fn lines(findings: &Findings) -> Vec<String> {
    let line = |factor: &Factor| {
        let (name, value) = (&*factor.name, &*factor.value);
        let why = if factor.ignored.is_empty() {
            String::new()
        } else {
            format!(" ({})", &*factor.ignored)
        };
        format!("{} {} {name:?} {value}{why}", factor.kind, factor.class)
    };
    findings.factors.iter().map(line).collect()
}

pub fn unreadable(findings: &Findings) -> Vec<String> {
    let line = |entry: &Unreadable| format!("{} {:?} {}", entry.kind, &*entry.name, entry.reason);
    findings.unreadable.iter().map(line).collect()
}

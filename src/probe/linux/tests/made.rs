//! A directory tree that looks like a system. See `docs/format.md`, section "Factors".

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use tempfile::TempDir;

use crate::probe::linux::read_below;
use olr_core::machine::{Factor, Machine, Unreadable};

pub struct Made(TempDir);

impl Made {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn file(&self, path: &str, content: &str) -> &Self {
        self.file_of_mode(path, content, 0o644)
    }

    pub fn file_of_mode(&self, path: &str, content: &str, mode: u32) -> &Self {
        let path = self.place(path);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        self
    }

    pub fn link(&self, path: &str, target: &str) -> &Self {
        symlink(target, self.place(path)).unwrap();
        self
    }

    pub fn folder(&self, path: &str) -> &Self {
        fs::create_dir_all(self.0.path().join(path)).unwrap();
        self
    }

    fn place(&self, path: &str) -> PathBuf {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// Reads the system. `getifaddrs/NAME` holds the address of an interface for systems without
    /// sysfs.
    pub fn read(&self, privileged: bool) -> Machine {
        read_below(self.0.path(), privileged, &|name| {
            let text = fs::read_to_string(self.0.path().join("getifaddrs").join(name)).ok()?;
            let bytes = text.trim().split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap());
            bytes.collect::<Vec<_>>().try_into().ok()
        })
    }

    /// Asserts the factors, one per line: `kind class name value (why)`.
    #[track_caller]
    pub fn assert(&self, privileged: bool, expected: &[&str]) {
        assert_eq!(lines(&self.read(privileged)), expected);
    }
}

pub fn lines(findings: &Machine) -> Vec<String> {
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

pub fn unreadable(findings: &Machine) -> Vec<String> {
    let line = |entry: &Unreadable| {
        format!("unreadable {} {:?} ({})", entry.kind, &*entry.name, entry.reason)
    };
    findings.unreadable.iter().map(line).collect()
}

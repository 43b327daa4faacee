//! Key files of a folder, and their status under the newest trust.

use std::path::{Path, PathBuf};

use crate::file;
use crate::folder::{Folder, read_own};
use crate::key::file::KeyFile;
use crate::key::store;
use olr_core::error::Result;
use olr_core::key::Role;
use olr_core::trust::Trust;
use olr_core::wire::frame::{Frame, Kind};

/// A file in `keys/`.
#[derive(Debug)]
pub struct FoundKey {
    /// Path of the file.
    pub path: PathBuf,
    /// The key, or the reason why it cannot be read.
    pub key: Result<KeyFile>,
}

/// Status of a key under the newest trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// A root or sealing key of the trust.
    InTrust,
    /// An issuer key with a valid delegation.
    Delegated,
    /// A revoked key.
    Revoked,
    /// Neither in the trust nor delegated: no signature of this key is accepted, and no new request
    /// is sealed to it.
    Unknown,
}

impl KeyStatus {
    /// Name used in text and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::InTrust => "in trust",
            Self::Delegated => "delegated",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

/// Key files of any folder, in order of file name.
///
/// # Errors
/// Exit 2 when the folder cannot be read.
pub fn keys_in(folder: &Path) -> Result<Vec<FoundKey>> {
    let found = |path: PathBuf| FoundKey { key: store::read(&path), path };
    Ok(named(folder, "key")?.into_iter().map(found).collect())
}

fn named(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut paths = file::list(folder)?;
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    Ok(paths)
}

impl Folder {
    /// Key files in `keys/` that users other than the owner can access, with their permissions.
    pub fn keys_open_to_others(&self) -> Vec<(PathBuf, String)> {
        let paths = named(&self.path().join("keys"), "key").unwrap_or_default();
        let open = |path: PathBuf| file::open_to_others(&path).map(|mode| (path, mode));
        paths.into_iter().filter_map(open).collect()
    }

    /// Returns a function that gives the status of a key under the newest trust.
    ///
    /// # Errors
    /// Same as [`Folder::trust`].
    pub fn standings(&self) -> Result<impl Fn(&KeyFile) -> KeyStatus> {
        let trust = self.trust()?;
        let delegated = self.delegated(&trust);
        Ok(move |key: &KeyFile| {
            let body = trust.body();
            let known = match key.role {
                Role::Root => body.roots.get(&key.public).map(|_| KeyStatus::InTrust),
                Role::Sealing => body.sealing.contains(&key.public).then_some(KeyStatus::InTrust),
                _ => delegated.contains(&key.public).then_some(KeyStatus::Delegated),
            };
            match body.revoked.get(&key.id) {
                Some(_) => KeyStatus::Revoked,
                None => known.unwrap_or(KeyStatus::Unknown),
            }
        })
    }

    /// Issuer keys of all delegations that are valid under `trust`.
    fn delegated(&self, trust: &Trust) -> Vec<[u8; 32]> {
        let paths = named(&self.path().join("delegations"), "olr").unwrap_or_default();
        let read = |path: PathBuf| {
            read_own(Kind::Delegation, &path, |bytes| {
                let frame = Frame::parse(Kind::Delegation, bytes)?;
                trust.delegation(&frame).map(|delegation| delegation.body().issuer)
            })
        };
        paths.into_iter().filter_map(|path| read(path).ok()).collect()
    }
}

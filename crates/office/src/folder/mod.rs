//! The vendor's folder: keys, catalog, trusts, delegations, and records of every issued license.

use std::path::{Path, PathBuf};

use crate::catalog::{CATALOG_CAP, Catalog};
use crate::file;
use crate::key::file::KeyFile;
use crate::key::typed::Passphrase;
use olr_core::armor::{dearmor, foreign};
use olr_core::crypto::seal::SealingKey;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_core::key::Role;
use olr_core::trust::Trust;
use olr_core::wire::frame::{FILE_CAP, Header, Kind};
use olr_core::wire::id::KeyId;

mod carried;
mod concern;
mod copies;
mod covered;
mod delegate;
mod foresee;
mod fork;
mod init;
mod issue;
mod issuer;
mod keys;
mod moves;
mod propose;
mod proposed;
mod publish;
mod recorded;
mod records;
mod revoke;
mod rotate;
mod signer;
mod signing;
mod time;

pub use concern::{Concern, ConcernKind};
pub use copies::{Restore, Restored};
pub use delegate::{Unsaid, check_names, fill_in, propose_delegation};
pub use fork::{Hardware, Observed, Proof, Relation, RequestComparison, compare};
pub use init::{Init, Passphrases, Roots};
pub use issue::{Issue, Issued, IssuedLicense, Signers};
pub use issuer::Chosen;
pub use keys::{FoundKey, KeyStatus, keys_in};
pub use moves::{Ended, Handover};
pub use propose::{Changes, FirstTrust, propose_first, propose_next};
pub use proposed::{Adopted, Waiting, catalog_for, keep_proposed};
pub use publish::Published;
pub use revoke::{Revoked, ensure_reason};
pub use rotate::Drawn;
pub use signer::{Locked, MODULE, is_uri, open_signer, public_of};

/// The folder of one vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

/// Callback that asks for the passphrase of an encrypted key file, or for the PIN of a token.
pub type AskPassphrase<'a> = &'a mut dyn FnMut(&Locked) -> Result<Passphrase>;

impl Folder {
    /// Refers to the vendor folder at `path`, without reading it.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the newest trust, `vendor.trust`, and checks that it belongs to the same vendor as the
    /// newest copy in `trusts/`.
    ///
    /// # Errors
    /// Exit 2 when the file is missing, [`Trust::pin`] refuses it, or it belongs to a different
    /// vendor than the newest copy in `trusts/`.
    pub fn trust(&self) -> Result<Trust> {
        let path = self.path.join("vendor.trust");
        let kept = self.newest_kept_trust();
        let copy = kept.as_ref().map(|(kept, _)| {
            format!("copy {} to {}: it is the newest copy", file::name(kept), file::name(&path))
        });
        if !file::is_there(&path)? {
            if let Some(copy) = copy {
                return Err(Error::unable(
                    Problem::NotFound,
                    format!("{} is missing", file::name(&path)),
                    copy,
                ));
            }
            let fact = format!("{} is not a vendor folder", file::name(&self.path));
            return Err(Error::unable(
                Problem::NotFound,
                fact,
                NextStep::new("name one, or make one", &[Remedy::NameVendor, Remedy::MakeVendor]),
            ));
        }
        let trust = read_own(Kind::Trust, &path, Trust::pin);
        let (Some(copy), Some((_, kept))) = (copy, kept) else { return trust };
        match trust {
            Ok(trust) if trust.vendor() != kept.vendor() => {
                let (other, own) = (trust.vendor(), kept.vendor());
                let fact = format!(
                    "{}: it belongs to vendor {other}, not to vendor {own}",
                    file::name(&path)
                );
                Err(Error::unable(Problem::Damaged, fact, copy))
            }
            // The copy helps only if the file is damaged; an I/O error keeps its own next step.
            Err(error) if error.problem() == Some(Problem::Damaged) => Err(error.hint(copy)),
            trust => trust,
        }
    }

    /// Returns the newest readable trust in `trusts/`.
    fn newest_kept_trust(&self) -> Option<(PathBuf, Trust)> {
        let paths = file::list(&self.path.join("trusts")).unwrap_or_default();
        let paths = paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "trust"));
        let read = |path: PathBuf| {
            let trust = read_own(Kind::Trust, &path, Trust::pin).ok()?;
            Some((path, trust))
        };
        paths.filter_map(read).max_by_key(|(_, trust)| trust.body().version)
    }

    /// Checks that `trust` is still the newest: another command may have published a newer one.
    ///
    /// # Errors
    /// Exit 2 when it is not, or the newest trust cannot be read.
    pub fn ensure_newest(&self, trust: &Trust) -> Result<()> {
        if self.trust()?.bytes() == trust.bytes() { Ok(()) } else { Err(self.changed_meanwhile()) }
    }

    /// Error for a folder that changed between a command's check and its write.
    pub(crate) fn changed_meanwhile(&self) -> Error {
        let place = file::name(&self.path);
        let fact = format!("{place}: another command changed this folder at the same time");
        Error::unable(Problem::Changed, fact, "run this again")
    }

    /// Reads and parses `catalog.toml`.
    ///
    /// # Errors
    /// Exit 2 when the file is missing, unreadable or not a valid catalog.
    pub fn catalog(&self) -> Result<Catalog> {
        let path = self.path.join("catalog.toml");
        Catalog::parse(&read_text(&path)?).map_err(|error| error.within(file::name(&path)))
    }

    /// Opens the sealing key with this id, asking for its passphrase if it has one.
    ///
    /// # Errors
    /// Exit 2 when the folder has no such key, or it cannot be opened.
    pub fn sealing_key(&self, id: KeyId, ask: AskPassphrase<'_>) -> Result<SealingKey> {
        let (path, key) = self.find_key(|key| key.role == Role::Sealing && key.id == id)?.ok_or_else(|| {
            let fact = format!("this request is sealed to key {id}, which is not in keys/");
            let hint = "copy that sealing key to keys/; if it is lost, replace it in the trust, \
                        and ask for a request made with your newest vendor.trust";
            Error::unable(Problem::NotFound, fact, hint)
        })?;
        let passphrase = passphrase_of(&key, ask)?;
        key.open_sealing(passphrase.as_ref()).map_err(|error| error.within(file::name(&path)))
    }

    /// Returns the first key file in `keys/`, in order of file name, that satisfies `fits`.
    fn find_key(&self, fits: impl Fn(&KeyFile) -> bool) -> Result<Option<(PathBuf, KeyFile)>> {
        for path in self.key_paths("key")? {
            let key = read_key(&path)?;
            if fits(&key) {
                return Ok(Some((path, key)));
            }
        }
        Ok(None)
    }

    /// Key files of one role in `keys/`, newest first: `root-3`, `root-2`, `root`, then files with
    /// other names.
    ///
    /// # Errors
    /// Exit 2 when a key file cannot be read.
    pub fn keys(&self, role: Role) -> Result<Vec<(PathBuf, KeyFile)>> {
        let mut keys = Vec::new();
        for path in self.key_paths("key")? {
            let key = read_key(&path)?;
            if key.role == role {
                keys.push((path, key));
            }
        }
        keys.sort_by_key(|(path, _)| std::cmp::Reverse(numbered(role, path)));
        Ok(keys)
    }

    /// Lists the files in a subfolder that every vendor folder has.
    fn list_part(&self, part: &str) -> Result<Vec<PathBuf>> {
        let path = self.path.join(part);
        if file::is_there(&path)? {
            return file::list(&path);
        }
        // A `vendor.trust` alone proves nothing: customers have that file too.
        let fact = format!("{} is not a vendor folder: it has no {part}/", file::name(&self.path));
        let hint = NextStep::new(
            "name the complete folder of the vendor, or restore it from a backup",
            &[Remedy::NameVendor],
        );
        Err(Error::unable(Problem::NotFound, fact, hint))
    }

    fn key_paths(&self, extension: &str) -> Result<Vec<PathBuf>> {
        let mut paths = self.list_part("keys")?;
        paths.retain(|path| path.extension().is_some_and(|own| own == extension));
        Ok(paths)
    }
}

fn read_key(path: &Path) -> Result<KeyFile> {
    let hint = "restore this key from a backup, or move it out of keys/";
    read_kept(Kind::KeyFile, path, hint, KeyFile::parse)
}

/// Sequence number in the name of a key file: 1 for `issuer.key`, 2 for `issuer-2.key`, 0 for other
/// names.
fn numbered(role: Role, path: &Path) -> u32 {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    match stem.strip_prefix(role.word()) {
        Some("") => 1,
        Some(rest) => rest.strip_prefix('-').and_then(|n| n.parse().ok()).unwrap_or(0),
        None => 0,
    }
}

fn read_own<T>(kind: Kind, path: &Path, parse: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
    read_kept(kind, path, RESTORE, parse)
}

/// Next step when one of the vendor's own files is damaged.
const RESTORE: &str = "restore it from a backup";

/// Reads one of the vendor's own files. A damaged one says nothing about the request at hand, so
/// the error is exit 2, never a refusal. The hint `restore` applies to damaged content only; I/O
/// errors keep their own next step.
fn read_kept<T>(
    kind: Kind,
    path: &Path,
    restore: &'static str,
    parse: impl FnOnce(&[u8]) -> Result<T>,
) -> Result<T> {
    let bytes = zeroize::Zeroizing::new(bytes_of(path, FILE_CAP, restore)?);
    dearmor(Some(kind), &bytes)
        .and_then(|binary| parse(&zeroize::Zeroizing::new(binary.into_owned())))
        .map_err(|error| Error::unable(Problem::Damaged, error.fact(), restore))
        .map_err(|error| error.within(file::name(path)))
}

/// Raw bytes of one of the vendor's own files; a refusal becomes exit 2.
fn bytes_of(path: &Path, cap: usize, restore: &'static str) -> Result<Vec<u8>> {
    file::read(path, cap).map_err(|error| match error.refusal() {
        Some(_) => Error::unable(Problem::Damaged, error.fact(), restore),
        None => error,
    })
}

fn passphrase_of(key: &KeyFile, ask: AskPassphrase<'_>) -> Result<Option<Passphrase>> {
    if key.needs_passphrase() { ask(&key.into()).map(Some) } else { Ok(None) }
}

/// Reads the passphrase or PIN in the first line of a file; `None` if that line is empty.
///
/// # Errors
/// Exit 2 when the file cannot be read or is not text.
pub fn read_passphrase(path: &Path) -> Result<Option<Passphrase>> {
    let bytes = zeroize::Zeroizing::new(read_edited(path)?);
    Passphrase::in_file(&bytes).map_err(|error| error.within(file::name(path)))
}

/// Reads a text file that people edit.
///
/// # Errors
/// Exit 2 when the file cannot be read, is longer than [`CATALOG_CAP`], or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read_edited(path)?).map_err(|error| {
        let bytes = error.as_bytes();
        let other = match Header::peek(bytes) {
            Ok(kind) => Some(format!("an olr file ({kind})")),
            Err(_) => foreign(bytes).map(|other| other.what.to_string()),
        };
        let is_wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        let (fact, hint) = match other {
            Some(other) => (format!("this is {other}, not a text file"), "name the right file"),
            None if is_wide => ("it is UTF-16 text".to_string(), "save it as UTF-8"),
            None => ("it is not UTF-8 text".to_string(), "save it as UTF-8"),
        };
        Error::unable(Problem::NotFound, fact, hint).within(file::name(path))
    })
}

fn read_edited(path: &Path) -> Result<Vec<u8>> {
    file::read(path, CATALOG_CAP).map_err(|error| match error.refusal() {
        Some(Refusal::Malformed) => {
            Error::unable(Problem::Usage, error.fact(), "name the right file")
        }
        _ => error,
    })
}

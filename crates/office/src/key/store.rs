//! Key files on disk: never overwritten, except when the passphrase of the same key changes.

use std::path::Path;
use zeroize::Zeroizing;

use rand::CryptoRng;

use crate::file::{self, Writing};
use crate::key::file::KeyFile;
use crate::key::passphrase::Cost;
use crate::key::typed::Passphrase;
use olr_core::armor::{armor, dearmor};
use olr_core::crypto::secret::Secret;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::Role;
use olr_core::wire::frame::{FILE_CAP, Kind};

/// Argon2id cost for the passphrase of a key with this role.
pub fn cost(role: Role) -> Cost {
    if role == Role::Root { Cost::ROOT } else { Cost::STAFF }
}

/// Reads a key file, binary or armored.
///
/// # Errors
/// `malformed`: the file is too long. Exit 2: it is missing, damaged, or not a key file.
pub fn read(path: &Path) -> Result<KeyFile> {
    let bytes = Zeroizing::new(file::read(path, FILE_CAP)?);
    parse_from(path, &bytes)
}

/// Parses the contents of a key file that was already read from `path`.
///
/// # Errors
/// Exit 2: the contents are damaged, or not a key file.
pub fn parse_from(path: &Path, bytes: &[u8]) -> Result<KeyFile> {
    parse(bytes)
        .map_err(|error| {
            Error::unable(
                Problem::Content,
                error.fact(),
                "name a key file, or restore this one from a backup",
            )
        })
        .map_err(|error| error.within(file::name(path)))
}

fn parse(bytes: &[u8]) -> Result<KeyFile> {
    let binary = dearmor(Some(Kind::KeyFile), bytes)?;
    KeyFile::parse(&Zeroizing::new(binary.into_owned()))
}

/// Writes a new key file that only its owner can read.
///
/// # Errors
/// Exit 2 when it cannot be written, or a file exists at `path`.
pub fn write(path: &Path, key: &KeyFile) -> Result<()> {
    file::write(path, text(key).as_bytes(), Writing::NewSecret)
}

fn text(key: &KeyFile) -> Zeroizing<String> {
    Zeroizing::new(armor(Kind::KeyFile, &Zeroizing::new(key.to_bytes())))
}

/// Replaces a key file with the same key under another passphrase, or none. Reads the new file
/// back, opens it and compares it before the old file is replaced.
///
/// # Errors
/// `malformed`: the old file is too long. Exit 2 when a file cannot be read or written, the
/// passphrase cannot be used, or the new file does not hold the same key. In each case, the old
/// file is left unchanged.
pub fn replace(
    path: &Path,
    seed: &Secret,
    passphrase: Option<&Passphrase>,
    rng: &mut impl CryptoRng,
) -> Result<KeyFile> {
    // Follow symbolic links, to replace the file and not the link.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let old = read(&path)?;
    let new = KeyFile::new(old.role, seed, passphrase.map(|p| (p, cost(old.role))), rng)?;
    let staged = file::stage(&path, text(&new).as_bytes(), Writing::Secret)?;
    let written = read(staged.path())?;
    let opened = written.open_seed(passphrase)?;
    if written.public != old.public || written.id != old.id || opened.expose() != seed.expose() {
        let fact = format!(
            "{}: the key read back from the disk is not the one that was written",
            file::name(&path)
        );
        return Err(Error::unable(Problem::Io, fact, "check the disk; the old file is unchanged"));
    }
    staged.commit()?;
    Ok(written)
}

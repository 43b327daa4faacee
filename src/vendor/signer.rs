//! Who signs for the vendor: a private key, wherever it is kept.

use std::path::Path;

use crate::crypto::sign::Signer;
use crate::error::Result;
use crate::key::Role;
use crate::key::file::KeyFile;
use crate::vendor::{AskPassphrase, passphrase_of, read_own};
use crate::wire::frame::Kind;

/// Opens the private key that `named` names: a key file.
///
/// # Errors
/// Exit 2: it is not there, is for another role, or does not open.
pub fn open_signer(named: &str, role: Role, ask: AskPassphrase<'_>) -> Result<Box<dyn Signer>> {
    let path = Path::new(named);
    let key = read_own(Kind::KeyFile, path, KeyFile::parse)?;
    let passphrase = passphrase_of(&key, ask)?;
    let key = key.open_signing(role, passphrase.as_ref());
    Ok(Box::new(key.map_err(|error| error.within(crate::file::name(path)))?))
}

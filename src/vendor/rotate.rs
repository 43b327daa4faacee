//! New keys in place of old ones.

use rand::CryptoRng;
use std::path::PathBuf;

use crate::crypto::passphrase::Cost;
use crate::crypto::secret::{Passphrase, Secret};
use crate::error::Result;
use crate::file::{self, Writing};
use crate::key::Role;
use crate::key::file::KeyFile;
use crate::time::Instant;
use crate::trust::{Act, DelegationBody, Trust};
use crate::vendor::{Folder, numbered};
use crate::wire::armor::armor;
use crate::wire::frame::Kind;

impl Folder {
    /// Makes a new key in `keys/`, under the next number of its role: `issuer-2.key`.
    ///
    /// # Errors
    /// Exit 2 when it cannot be written.
    pub fn new_key(
        &self,
        role: Role,
        passphrase: Option<&Passphrase>,
        rng: &mut impl CryptoRng,
    ) -> Result<(PathBuf, KeyFile)> {
        let seed = Secret::random(rng);
        let cost = if role == Role::Root { Cost::ROOT } else { Cost::STAFF };
        let key = KeyFile::new(role, &seed, passphrase.map(|passphrase| (passphrase, cost)), rng)?;
        let highest = self.keys(role)?.iter().map(|(path, _)| numbered(role, path)).max();
        let number = highest.unwrap_or(0).saturating_add(1);
        let name = match number {
            1 => format!("{role}.key"),
            number => format!("{role}-{number}.key"),
        };
        let path = self.path().join("keys").join(name);
        write_key(&path, &key)?;
        Ok((path, key))
    }

    /// What the present issuer may do, for the key that takes its place.
    ///
    /// # Errors
    /// Exit 2 when there is none.
    pub fn present_issuer(&self, now: Instant, trust: &Trust) -> Result<DelegationBody> {
        let fits = |may: &crate::trust::Delegation| may.permits(Act::License, now).is_ok();
        Ok(self.default_issuer(fits, trust)?.may.body().clone())
    }
}

/// Writes a private key, in armor, where nothing is yet.
pub(super) fn write_key(path: &std::path::Path, key: &KeyFile) -> Result<()> {
    let bytes = zeroize::Zeroizing::new(key.to_bytes());
    let text = zeroize::Zeroizing::new(armor(Kind::KeyFile, &bytes));
    file::write(path, text.as_bytes(), Writing::NewSecret)
}

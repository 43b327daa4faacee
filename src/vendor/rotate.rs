//! New keys in place of old ones.

use rand::CryptoRng;
use std::path::PathBuf;

use crate::crypto::secret::{Passphrase, Secret};
use crate::error::Result;
use crate::key::file::KeyFile;
use crate::key::{Role, store};
use crate::time::Instant;
use crate::trust::{Act, DelegationBody, Trust};
use crate::vendor::{Folder, numbered};

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
        let lock = passphrase.map(|passphrase| (passphrase, store::cost(role)));
        let key = KeyFile::new(role, &seed, lock, rng)?;
        let highest = self.keys(role)?.iter().map(|(path, _)| numbered(role, path)).max();
        let number = highest.unwrap_or(0).saturating_add(1);
        let name = match number {
            1 => format!("{role}.key"),
            number => format!("{role}-{number}.key"),
        };
        let path = self.path().join("keys").join(name);
        store::write(&path, &key)?;
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

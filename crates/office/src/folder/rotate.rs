//! New keys in place of old ones.

use rand::CryptoRng;
use std::path::PathBuf;

use crate::file::{self, Writing};
use crate::folder::{Folder, Locked, numbered};
use crate::key::file::KeyFile;
use crate::key::public::to_pem;
use crate::key::store;
use crate::key::typed::Passphrase;
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::SigningKey;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::key::Role;
use olr_core::proposal::Proposal;
use olr_core::time::Instant;
use olr_core::trust::{Act, DelegationBody, Trust, root_keys};
use olr_core::wire::id::KeyId;

/// A new key that is written nowhere yet.
pub struct Drawn {
    /// Where it goes.
    pub path: PathBuf,
    /// Its public half.
    pub public: [u8; 32],
    key: KeyFile,
    seed: Secret,
}

impl Drawn {
    /// A proposal that names this key as a root, signed by it too.
    ///
    /// # Errors
    /// As [`Proposal::sign`].
    pub fn sign(&self, proposal: &Proposal, trust: &Trust) -> Result<Proposal> {
        proposal.sign(&SigningKey::from_seed(&self.seed), Some(trust))
    }

    /// Writes the key file, and the public key beside it, where `trust` is still the newest.
    ///
    /// # Errors
    /// Exit 2, also where another command has put a next trust or a key of this name in place.
    pub fn write(&self, folder: &Folder, trust: &Trust) -> Result<()> {
        let _lock = folder.lock()?;
        folder.ensure_newest(trust)?;
        for path in [&self.path, &self.path.with_extension("pub")] {
            if file::is_there(path)? {
                return Err(folder.changed_meanwhile());
            }
        }
        store::write(&self.path, &self.key)?;
        let text = to_pem(self.key.role, &self.public);
        file::write(&self.path.with_extension("pub"), text.as_bytes(), Writing::New)
    }
}

impl Folder {
    /// Draws a new key, and names its file in `keys/`, under the next number of its role:
    /// `issuer-2.key`. Nothing is written yet.
    ///
    /// # Errors
    /// Exit 2 when a key that is there cannot be read, or there is not enough memory.
    pub fn draw_key(
        &self,
        role: Role,
        passphrase: Option<&Passphrase>,
        rng: &mut impl CryptoRng,
    ) -> Result<Drawn> {
        let seed = Secret::random(rng);
        let lock = passphrase.map(|passphrase| (passphrase, store::cost(role)));
        let key = KeyFile::new(role, &seed, lock, rng)?;
        // A key that was carried away has left its public half here, and keeps its number.
        let mut paths: Vec<_> = self.keys(role)?.into_iter().map(|(path, _)| path).collect();
        paths.extend(self.key_paths("pub")?);
        let highest = paths.iter().map(|path| numbered(role, path)).max();
        let number = highest.unwrap_or(0).saturating_add(1);
        let name = match number {
            1 => format!("{role}.key"),
            number => format!("{role}-{number}.key"),
        };
        let path = self.path().join("keys").join(name);
        Ok(Drawn { path, public: key.public, key, seed })
    }

    /// Whether a key was a root of a trust before this one.
    ///
    /// # Errors
    /// Exit 2 when one of those that are kept cannot be read.
    pub fn was_root(&self, id: KeyId, trust: &Trust) -> Result<bool> {
        let earlier = self.earlier_trusts(trust.body().version)?;
        Ok(earlier.values().any(|old| root_keys(old.body()).iter().any(|(root, _)| *root == id)))
    }

    /// What the present issuer may do, for the key that takes its place.
    ///
    /// # Errors
    /// Exit 2 when there is none.
    pub fn present_issuer(&self, now: Instant, trust: &Trust) -> Result<DelegationBody> {
        let fits = |may: &olr_core::trust::Delegation| may.permits(Act::License, now).is_ok();
        let no_pin = &mut |_: &Locked| {
            let fact = "the present issuer's token shows its public key to nobody without a PIN";
            Err(Error::unable(
                Problem::NeedsPassphrase,
                fact,
                NextStep::new("say what the new key may do", &[Remedy::Delegate]),
            ))
        };
        Ok(self.default_issuer(fits, trust, no_pin)?.may.body().clone())
    }
}

//! Generating new keys that replace old ones.

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
use olr_core::trust::{Act, Delegation, DelegationBody, Trust, root_keys};
use olr_core::wire::id::KeyId;

/// A new key that is not written to disk yet.
pub struct Drawn {
    /// Path of the key file to write.
    pub path: PathBuf,
    /// Public half of the key.
    pub public: [u8; 32],
    key: KeyFile,
    seed: Secret,
}

impl Drawn {
    /// Adds this key's signature to a proposal that names it as a root.
    ///
    /// # Errors
    /// Same as [`Proposal::sign`].
    pub fn sign(&self, proposal: &Proposal, trust: &Trust) -> Result<Proposal> {
        proposal.sign(&SigningKey::from_seed(&self.seed), Some(trust))
    }

    /// Writes the key file and the public key next to it, if `trust` is still the newest.
    ///
    /// # Errors
    /// Exit 2 when a file cannot be written, or another command has published a newer trust or
    /// written a key with this name.
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
    /// Generates a key, and chooses its file name in `keys/` with the next free number of its role:
    /// `issuer-2.key`. Writes nothing.
    ///
    /// # Errors
    /// Exit 2 when an existing key cannot be read, the passphrase is too long, or there is not
    /// enough memory.
    pub fn draw_key(
        &self,
        role: Role,
        passphrase: Option<&Passphrase>,
        rng: &mut impl CryptoRng,
    ) -> Result<Drawn> {
        let seed = Secret::random(rng);
        let lock = passphrase.map(|passphrase| (passphrase, store::cost(role)));
        let key = KeyFile::new(role, &seed, lock, rng)?;
        // A private key that was moved away has left its `.pub` file here, and keeps its number.
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

    /// True if a key was a root in a trust before `trust`.
    ///
    /// # Errors
    /// Exit 2 when a stored trust cannot be read.
    pub fn was_root(&self, id: KeyId, trust: &Trust) -> Result<bool> {
        let earlier = self.earlier_trusts(trust.body().version)?;
        Ok(earlier.values().any(|old| root_keys(old.body()).iter().any(|(root, _)| *root == id)))
    }

    /// Returns the delegation of the current issuer, as a template for the key that replaces it.
    ///
    /// # Errors
    /// The refusal of the issuer's delegations if none is valid; exit 2 when there is no issuer, or
    /// the issuer's token demands a PIN.
    pub fn present_issuer(&self, now: Instant, trust: &Trust) -> Result<DelegationBody> {
        Ok(self.present(now, trust)?.body().clone())
    }

    /// Returns the next step when no issuer key here may sign licenses at `now`. A rotation copies
    /// the limits of the current issuer, so it helps only if these still allow licenses.
    ///
    /// # Errors
    /// Same as [`Folder::present_issuer`].
    pub fn next_issuer(&self, now: Instant, trust: &Trust) -> Result<NextStep> {
        let present = self.present(now, trust)?;
        let key = present.key_id();
        Ok(match (present.permits(Act::License, now), trust.ensure_unrevoked([key])) {
            (Ok(()), _) => NextStep::new(
                "no issuer key here is valid: make a new one",
                &[Remedy::RotateIssuer],
            ),
            (Err(_), Ok(())) => {
                let text = format!(
                    "no issuer key here may sign licenses now: delegate key {key} again, with the \
                     act license and dates that include today"
                );
                NextStep::new(text, &[Remedy::Delegate, Remedy::NameEnd])
            }
            (Err(_), Err(_)) => NextStep::new(
                "no issuer key here is valid: make a new one, and delegate it",
                &[Remedy::MakeIssuer, Remedy::Delegate],
            ),
        })
    }

    /// Returns the delegation of the current issuer.
    fn present(&self, now: Instant, trust: &Trust) -> Result<Delegation> {
        let fits = |may: &Delegation| may.permits(Act::License, now).is_ok();
        let no_pin = &mut |_: &Locked| {
            let fact = "the token of the current issuer does not show its public key without a PIN";
            Err(Error::unable(
                Problem::NeedsPassphrase,
                fact,
                NextStep::new("name what the new key may do", &[Remedy::Delegate]),
            ))
        };
        Ok(self.default_issuer(fits, trust, no_pin)?.may)
    }
}

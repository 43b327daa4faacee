//! Who issues: an issuer key at hand, and the delegation that lets it.

use std::path::PathBuf;

use crate::crypto::sign::Signer;
use crate::error::{Error, Result};
use crate::file;
use crate::key::{Role, key_id};
use crate::time::Instant;
use crate::trust::{Act, Delegation, Trust};
use crate::vendor::{AskPassphrase, Folder, open_signer, read_key, read_own};
use crate::wire::frame::{Frame, Kind};
use crate::wire::id::KeyId;

/// An issuer that was chosen; a key file among them is not opened yet.
pub struct Chosen {
    /// The key file, or how else it was named.
    pub named: String,
    /// Its delegation, as a frame.
    pub delegation: Vec<u8>,
    /// What that says.
    pub may: Delegation,
    signer: Option<Box<dyn Signer>>,
}

impl Chosen {
    /// The private key.
    ///
    /// # Errors
    /// Exit 2 when it does not open.
    pub fn open(self, ask: AskPassphrase<'_>) -> Result<Box<dyn Signer>> {
        match self.signer {
            Some(signer) => Ok(signer),
            None => open_signer(&self.named, Role::Issuer, ask),
        }
    }
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chosen").field("named", &self.named).finish_non_exhaustive()
    }
}

impl Folder {
    /// An issuer's key and its delegation.
    ///
    /// # Errors
    /// What makes the delegation not count; exit 2 when key or delegation is missing, or the key
    /// does not open.
    pub fn issuer(&self, ask: AskPassphrase<'_>) -> Result<(Box<dyn Signer>, Vec<u8>)> {
        let chosen = self.default_issuer(|_| true, &self.trust()?)?;
        let delegation = chosen.delegation.clone();
        Ok((chosen.open(ask)?, delegation))
    }

    /// An issuer's key that may sign an `act` at `now`, and its delegation.
    ///
    /// # Errors
    /// `not-delegated`, `revoked`; as [`Folder::issuer`].
    pub(crate) fn issuer_for(
        &self,
        act: Act,
        now: Instant,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<(Box<dyn Signer>, Vec<u8>)> {
        let chosen = self.default_issuer(|may| may.permits(act, now).is_ok(), trust)?;
        chosen.may.permits(act, now)?;
        trust.expect_unrevoked([chosen.may.key_id()])?;
        let delegation = chosen.delegation.clone();
        Ok((chosen.open(ask)?, delegation))
    }

    /// The issuers that `named` names, each a key file, a name in `keys/` or what else
    /// [`open_signer`] knows; without any, the newest in `keys/` that may sign licenses at `now`.
    /// No passphrase is asked for a key file.
    ///
    /// # Errors
    /// What makes a delegation not count; exit 2 when a key or its delegation is missing, or one
    /// is named twice.
    pub fn choose_issuers(
        &self,
        named: &[String],
        now: Instant,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Vec<Chosen>> {
        if named.is_empty() {
            let may = |may: &Delegation| may.permits(Act::License, now).is_ok();
            return Ok(vec![self.default_issuer(may, trust)?]);
        }
        let mut chosen: Vec<Chosen> = Vec::new();
        for named in named {
            let one = self.named_issuer(named, trust, ask)?;
            if chosen.iter().any(|other| other.may.key_id() == one.may.key_id()) {
                let fact = format!("issuer {} is named twice", one.may.key_id());
                return Err(Error::unable(fact, "name each issuer once"));
            }
            chosen.push(one);
        }
        Ok(chosen)
    }

    fn named_issuer(&self, named: &str, trust: &Trust, ask: AskPassphrase<'_>) -> Result<Chosen> {
        let Some(path) = self.key_path(named) else {
            let signer = open_signer(named, Role::Issuer, ask)?;
            let (may, delegation) =
                self.delegation_of(key_id(Role::Issuer, &signer.public()), trust)?;
            let named = named.to_string();
            return Ok(Chosen { named, delegation, may, signer: Some(signer) });
        };
        let key = read_key(&path)?;
        if key.role != Role::Issuer {
            let fact = format!("{}: this is a {} key", file::name(&path), key.role);
            return Err(Error::unable(fact, "name an issuer key"));
        }
        let (may, delegation) = self.delegation_of(key.id, trust)?;
        let named = path.to_string_lossy().into_owned();
        Ok(Chosen { named, delegation, may, signer: None })
    }

    /// The key file that is meant by `named`: a path, or a name in `keys/` with or without `.key`.
    pub fn key_path(&self, named: &str) -> Option<PathBuf> {
        let keys = self.path().join("keys");
        let there = [PathBuf::from(named), keys.join(named), keys.join(format!("{named}.key"))];
        there.into_iter().find(|path| path.is_file())
    }

    /// The newest issuer key in `keys/` with a delegation that counts and fits; where none is so,
    /// one that at least has a delegation.
    pub(super) fn default_issuer(
        &self,
        fits: impl Fn(&Delegation) -> bool,
        trust: &Trust,
    ) -> Result<Chosen> {
        let keys = self.keys(Role::Issuer)?;
        if keys.is_empty() {
            let fact =
                format!("there is no issuer key in {}", file::name(&self.path().join("keys")));
            return Err(Error::unable(fact, "fetch it, or name another folder with --vendor"));
        }
        let (mut second_best, mut refused) = (None, None);
        for (path, key) in keys {
            match self.delegation_of(key.id, trust) {
                Ok((may, delegation)) => {
                    let counts = trust.expect_unrevoked([key.id]).is_ok() && fits(&may);
                    let named = path.to_string_lossy().into_owned();
                    let chosen = Chosen { named, delegation, may, signer: None };
                    if counts {
                        return Ok(chosen);
                    }
                    second_best.get_or_insert(chosen);
                }
                // Proof weighs more than absence.
                Err(error) if error.refusal().is_some() => refused = refused.or(Some(error)),
                Err(error) => {
                    second_best = second_best.or_else(|| {
                        refused.get_or_insert(error);
                        None
                    })
                }
            }
        }
        match (second_best, refused) {
            (Some(chosen), _) => Ok(chosen),
            (None, Some(error)) => Err(error),
            (None, None) => Err(Error::unable("no issuer key has a delegation", "delegate one")),
        }
    }

    /// The delegation of an issuer key that counts under `trust`.
    ///
    /// # Errors
    /// What makes the only ones there not count; exit 2 when there is none.
    pub fn delegation_of(&self, key: KeyId, trust: &Trust) -> Result<(Delegation, Vec<u8>)> {
        let mut refused = None;
        for (_, bytes) in self.delegations_first(key)? {
            let Ok(frame) = Frame::parse(Kind::Delegation, &bytes) else { continue };
            if !Delegation::read(&frame).is_ok_and(|read| read.key_id() == key) {
                continue;
            }
            match trust.delegation(&frame) {
                Ok(may) => return Ok((may, bytes)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or_else(|| {
            let fact = format!("there is no delegation for issuer key {key} in delegations/");
            Error::unable(fact, "let the roots sign one: `olr key delegate`, `olr vendor publish`")
        }))
    }

    fn delegations_first(&self, key: KeyId) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut delegations = self.delegations()?;
        let newest = self.delegation_path(key);
        delegations.sort_by_key(|(path, _)| *path != newest);
        Ok(delegations)
    }

    /// Where the newest delegation of an issuer key stands.
    pub(super) fn delegation_path(&self, key: KeyId) -> PathBuf {
        self.path().join("delegations").join(format!("{key}.olr"))
    }

    /// Every delegation in `delegations/`, by name: its file and its bytes.
    ///
    /// # Errors
    /// Exit 2 when one cannot be read.
    pub fn delegations(&self) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let folder = self.path().join("delegations");
        let Ok(entries) = std::fs::read_dir(&folder) else {
            let fact = format!("{}: the delegations cannot be read", file::name(&folder));
            return Err(Error::unable(fact, "restore the folder from a backup"));
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "olr"));
        paths.sort();
        let read = |path: PathBuf| {
            let bytes = read_own(Kind::Delegation, &path, |bytes| {
                Frame::parse(Kind::Delegation, bytes).map(|frame| frame.bytes.to_vec())
            })?;
            Ok((path, bytes))
        };
        paths.into_iter().map(read).collect()
    }
}

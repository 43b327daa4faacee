//! Choosing an issuer: an available issuer key, and the delegation that authorizes it.

use std::path::PathBuf;

use crate::file;
use crate::folder::{AskPassphrase, Folder, numbered, open_signer, public_of, read_key, read_own};
use crate::key::file::KeyFile;
use olr_core::crypto::sign::Signer;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::key::{Role, key_id};
use olr_core::time::Instant;
use olr_core::trust::{Act, Delegation, Trust};
use olr_core::wire::frame::{Frame, Kind};
use olr_core::wire::id::KeyId;

/// A chosen issuer whose private key is not opened yet.
#[derive(Debug)]
pub struct Chosen {
    /// Path of the key file, or the URI of the key.
    pub named: String,
    /// Its delegation, as a frame.
    pub delegation: Vec<u8>,
    /// Decoded delegation.
    pub may: Delegation,
}

impl Chosen {
    /// Opens the private key.
    ///
    /// # Errors
    /// Exit 2 when the key cannot be opened.
    pub fn open(self, ask: AskPassphrase<'_>) -> Result<Box<dyn Signer>> {
        open_signer(&self.named, Role::Issuer, ask)
    }
}

impl Folder {
    /// Opens an issuer key that may perform `act` at `now`, and returns it with its delegation.
    ///
    /// # Errors
    /// `not-delegated`, `revoked`, and the refusals of an invalid delegation; exit 2 when the key
    /// or its delegation is missing, or the key cannot be opened.
    pub fn issuer_for(
        &self,
        act: Act,
        now: Instant,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<(Box<dyn Signer>, Vec<u8>)> {
        let chosen = self.default_issuer(|may| may.permits(act, now).is_ok(), trust, &mut *ask)?;
        chosen.may.permits(act, now)?;
        self.ensure_unrevoked([chosen.may.key_id()], now, trust, &mut *ask)?;
        let delegation = chosen.delegation.clone();
        Ok((chosen.open(ask)?, delegation))
    }

    /// Resolves the issuers in `named`: each a key file, a name in `keys/`, or any other name that
    /// [`open_signer`] accepts. If `named` is empty, chooses the newest key in `keys/` that may
    /// sign licenses at `now`. Asks for no passphrase, and for a PIN only if a token hides its
    /// public keys.
    ///
    /// # Errors
    /// The refusals of an invalid delegation; exit 2 when a key or its delegation is missing or
    /// cannot be read, a key has another role, or a key is named twice.
    pub fn choose_issuers(
        &self,
        named: &[String],
        now: Instant,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Vec<Chosen>> {
        if named.is_empty() {
            let may = |may: &Delegation| may.permits(Act::License, now).is_ok();
            return Ok(vec![self.default_issuer(may, trust, ask)?]);
        }
        let mut chosen: Vec<Chosen> = Vec::new();
        for named in named {
            let one = self.named_issuer(named, trust, ask)?;
            if chosen.iter().any(|other| other.may.key_id() == one.may.key_id()) {
                let fact = format!("issuer {} is named twice", one.may.key_id());
                return Err(Error::unable(Problem::Usage, fact, "name each issuer once"));
            }
            chosen.push(one);
        }
        Ok(chosen)
    }

    /// Checks that none of these keys is revoked. If no valid issuer key is left, the next step is
    /// that of [`Folder::next_issuer`].
    ///
    /// # Errors
    /// `revoked`.
    pub(super) fn ensure_unrevoked(
        &self,
        keys: impl IntoIterator<Item = KeyId>,
        now: Instant,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<()> {
        trust.ensure_unrevoked(keys).map_err(|error| {
            if self.has_issuer(now, trust, ask) {
                return error;
            }
            let step = self.next_issuer(now, trust);
            error.hint(step.unwrap_or_else(|other| other.at_vendor().next_step().clone()))
        })
    }

    /// True if an available issuer key may sign licenses at `now`.
    pub fn has_issuer(&self, now: Instant, trust: &Trust, ask: AskPassphrase<'_>) -> bool {
        let may = |may: &Delegation| may.permits(Act::License, now).is_ok();
        // If none fits, this is one that does not.
        let newest = self.default_issuer(may, trust, ask);
        newest.is_ok_and(|one| may(&one.may) && trust.ensure_unrevoked([one.may.key_id()]).is_ok())
    }

    fn named_issuer(&self, named: &str, trust: &Trust, ask: AskPassphrase<'_>) -> Result<Chosen> {
        let Some(path) = self.key_path(named) else {
            let kept = self.path().join("keys").join(format!("{named}.uri"));
            let named = match kept.is_file() {
                true => kept.to_string_lossy().into_owned(),
                false => named.to_string(),
            };
            let public = public_of(&named, Role::Issuer, ask)?;
            let (may, delegation) = self.delegation_of(key_id(Role::Issuer, &public), trust)?;
            return Ok(Chosen { named, delegation, may });
        };
        let key = read_key(&path)?;
        if key.role != Role::Issuer {
            let fact = format!("{}: this key has the role {}", file::name(&path), key.role);
            return Err(Error::unable(Problem::WrongKey, fact, "name an issuer key"));
        }
        let (may, delegation) = self.delegation_of(key.id, trust)?;
        let named = path.to_string_lossy().into_owned();
        Ok(Chosen { named, delegation, may })
    }

    /// Resolves `named` to a key file: a path, or a name in `keys/` with or without `.key`.
    pub fn key_path(&self, named: &str) -> Option<PathBuf> {
        let keys = self.path().join("keys");
        let there = [PathBuf::from(named), keys.join(named), keys.join(format!("{named}.key"))];
        // A `.uri` file names a key held elsewhere; it is not a key file.
        let is_key = |path: &PathBuf| path.extension().is_none_or(|own| own != "uri");
        there.into_iter().find(|path| path.is_file() && is_key(path))
    }

    /// Returns the newest issuer key in `keys/` that is not revoked and has a valid delegation that
    /// satisfies `fits`; failing that, the newest one with any valid delegation, so that the caller
    /// can say why it does not fit.
    pub(super) fn default_issuer(
        &self,
        fits: impl Fn(&Delegation) -> bool,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Chosen> {
        let keys = self.issuer_keys()?;
        if keys.is_empty() {
            let fact =
                format!("there is no issuer key in {}", file::name(&self.path().join("keys")));
            return Err(Error::unable(
                Problem::NotFound,
                fact,
                NextStep::new(
                    "copy one there, or name another vendor folder; if the key is lost, make a new \
                     one there, and have the roots delegate it",
                    &[Remedy::NameVendor, Remedy::MakeIssuer, Remedy::Delegate],
                ),
            ));
        }
        let (mut second_best, mut refused, mut away) = (None, None, None);
        for (path, key) in keys {
            let named = path.to_string_lossy().into_owned();
            let public = match key {
                Some(key) => Ok(key.public),
                None => public_of(&named, Role::Issuer, &mut *ask),
            };
            let id = match public {
                Ok(public) => key_id(Role::Issuer, &public),
                Err(error) => {
                    away = away.or(Some(error));
                    continue;
                }
            };
            match self.delegation_of(id, trust) {
                Ok((may, delegation)) => {
                    let counts = trust.ensure_unrevoked([id]).is_ok() && fits(&may);
                    let chosen = Chosen { named, delegation, may };
                    if counts {
                        return Ok(chosen);
                    }
                    second_best.get_or_insert(chosen);
                }
                // A refusal says more than a missing file, so it takes precedence.
                Err(error) if error.refusal().is_some() => refused = refused.or(Some(error)),
                Err(error) => {
                    second_best = second_best.or_else(|| {
                        refused.get_or_insert(error);
                        None
                    })
                }
            }
        }
        // The right key may be in a token that is not plugged in.
        if let Some(error) = away {
            return Err(error);
        }
        match (second_best, refused) {
            (Some(chosen), _) => Ok(chosen),
            (None, Some(error)) => Err(error),
            (None, None) => Err(Error::unable(
                Problem::Usage,
                "no issuer key has a delegation",
                "delegate an issuer key",
            )),
        }
    }

    /// Issuer keys in `keys/`, newest first: key files, and `NAME.uri` files that name a key held
    /// elsewhere. A `.uri` file is assumed to name an issuer key, unless NAME is that of another
    /// role, as in `root-2.uri`.
    fn issuer_keys(&self) -> Result<Vec<(PathBuf, Option<KeyFile>)>> {
        let files = self.keys(Role::Issuer)?;
        let mut keys: Vec<_> = files.into_iter().map(|(path, key)| (path, Some(key))).collect();
        let mut elsewhere = self.key_paths("uri")?;
        let is_other =
            |path: &PathBuf| [Role::Root, Role::Sealing].map(|role| numbered(role, path));
        elsewhere.retain(|path| is_other(path) == [0, 0]);
        keys.extend(elsewhere.into_iter().map(|path| (path, None)));
        keys.sort_by_key(|(path, _)| std::cmp::Reverse(numbered(Role::Issuer, path)));
        Ok(keys)
    }

    /// Returns a delegation of the issuer key `key` that `trust` accepts, the newest one if
    /// possible.
    ///
    /// # Errors
    /// The refusal of the key's delegations if none is valid; exit 2 when the key has none.
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
            Error::unable(
                Problem::NotFound,
                fact,
                NextStep::new(
                    "have the roots sign one, and install it",
                    &[Remedy::Delegate, Remedy::PublishTrust],
                ),
            )
        }))
    }

    /// All delegations, beginning with the file that is named after `key`: the newest of that key.
    fn delegations_first(&self, key: KeyId) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut delegations = self.delegations()?;
        let newest = self.delegation_path(key);
        delegations.sort_by_key(|(path, _)| *path != newest);
        Ok(delegations)
    }

    /// Path of the newest delegation of an issuer key.
    pub(super) fn delegation_path(&self, key: KeyId) -> PathBuf {
        self.path().join("delegations").join(format!("{key}.olr"))
    }

    /// Every delegation in `delegations/`, in order of file name, as path and bytes.
    ///
    /// # Errors
    /// Exit 2 when one cannot be read.
    pub fn delegations(&self) -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let folder = self.path().join("delegations");
        let mut paths = file::list(&folder)?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "olr"));
        let read = |path: PathBuf| {
            let bytes = read_own(Kind::Delegation, &path, |bytes| {
                Frame::parse(Kind::Delegation, bytes).map(|frame| frame.bytes.to_vec())
            })?;
            Ok((path, bytes))
        };
        paths.into_iter().map(read).collect()
    }
}

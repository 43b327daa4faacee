//! Publishing what the roots signed: the next trust, or a delegation.

use std::path::{Path, PathBuf};

use crate::catalog::{Catalog, STARTER};
use crate::file::{self, Writing};
use crate::folder::Folder;
use crate::folder::init::first_grant;
use crate::folder::proposed::first_catalog;
use olr_core::armor::armor;
use olr_core::crypto::digest::sha256;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::trust::{Delegation, Trust};
use olr_core::wire::frame::{Frame, Header, Kind, wrong_kind};
use olr_core::wire::id::KeyId;

/// What was published.
#[derive(Debug)]
pub enum Published {
    /// A trust, which is now the newest.
    Trust {
        /// The trust.
        trust: Box<Trust>,
        /// False if it was published before.
        new: bool,
    },
    /// A delegation, which now authorizes its key.
    Delegation {
        /// The delegation.
        delegation: Box<Delegation>,
        /// Path of its file.
        path: PathBuf,
        /// False if it was the newest delegation of its key before.
        new: bool,
    },
}

impl Folder {
    /// Publishes a next trust or a delegation. Publishing the newest one again changes nothing.
    ///
    /// # Errors
    /// Frame errors, `wrong-kind`, `malformed` for a weak issuer key, and the refusals of
    /// [`Trust::successor`] and [`Trust::delegation`]; exit 2 when the folder cannot be read or
    /// written.
    pub fn publish(&self, bytes: &[u8]) -> Result<Published> {
        let kind = Header::peek(bytes)?;
        if !matches!(kind, Kind::Trust | Kind::Delegation) {
            self.trust()?;
            return Err(wrong_kind(Kind::Trust, kind));
        }
        // Read the newest trust under the lock: another process may be publishing too.
        let _lock = self.lock()?;
        let trust = self.trust()?;
        match kind {
            Kind::Trust => self.publish_trust(&trust, bytes),
            _ => {
                let delegation = trust.delegation(&Frame::parse(Kind::Delegation, bytes)?)?;
                delegation.check_key()?;
                self.publish_delegation(delegation, bytes)
            }
        }
    }

    fn publish_trust(&self, old: &Trust, bytes: &[u8]) -> Result<Published> {
        let new = bytes != old.bytes();
        let trust = if new { old.successor(bytes)? } else { old.clone() };
        // The folder may lack a copy of its current trust, which servers may need to reach later
        // ones.
        self.keep_trust(old)?;
        self.keep_trust(&trust)?;
        if new {
            let text = armor(Kind::Trust, trust.bytes());
            file::write(&self.path().join("vendor.trust"), text.as_bytes(), Writing::Public)?;
        }
        Ok(Published::Trust { trust: Box::new(trust), new })
    }

    /// Stores a copy in `trusts/`. All published trusts are kept: licenses carry them, so that
    /// servers can follow from the trust they know to the newest.
    pub(super) fn keep_trust(&self, trust: &Trust) -> Result<()> {
        let folder = self.path().join("trusts");
        file::make_private_folder(&folder)?;
        let path = folder.join(format!("{}.trust", trust.body().version));
        let text = armor(Kind::Trust, trust.bytes());
        if file::is_there(&path)?
            && file::read(&path, text.len().saturating_mul(2))? == text.as_bytes()
        {
            return Ok(());
        }
        file::write(&path, text.as_bytes(), Writing::Public)
    }

    fn publish_delegation(&self, delegation: Delegation, bytes: &[u8]) -> Result<Published> {
        let key = delegation.key_id();
        let path = self.delegation_path(key);
        // An older delegation of the key becomes the newest again.
        let new = !self.delegations()?.contains(&(path.clone(), bytes.to_vec()));
        if new {
            self.set_aside(key, &path)?;
            file::write(&path, armor(Kind::Delegation, bytes).as_bytes(), Writing::Public)?;
        }
        Ok(Published::Delegation { delegation: Box::new(delegation), path, new })
    }

    /// Copies the older delegation of the same key to another name before it is replaced: issued
    /// licenses carry it, and a next trust may keep it.
    fn set_aside(&self, key: KeyId, path: &Path) -> Result<()> {
        if !file::is_there(path)? {
            return Ok(());
        }
        let Some((_, old)) = self.delegations()?.into_iter().find(|(there, _)| there == path)
        else {
            return Ok(());
        };
        let digest = data_encoding::HEXLOWER.encode(&sha256(&old));
        let name = format!("{key}-{}.olr", digest.get(..8).unwrap_or_default());
        let aside = path.with_file_name(name);
        file::write(&aside, armor(Kind::Delegation, &old).as_bytes(), Writing::Public)
    }

    /// Creates a vendor folder around a trust that custodians made and signed elsewhere. The folder
    /// has no keys yet. The catalog is `catalog`, or the one proposed with the trust and kept in
    /// the folder `beside`, or the starter. Only the vendor code, compared by a person, shows that
    /// the trust is genuine.
    ///
    /// # Errors
    /// The refusals of [`Trust::pin`]; exit 2: there is something other than an empty folder at
    /// `path`, the catalog is invalid or does not fit, or the folder cannot be written.
    pub fn begin(
        path: &Path,
        trust: &[u8],
        catalog: Option<&str>,
        beside: &Path,
    ) -> Result<(Self, Trust)> {
        Self::ensure_new(path)?;
        let trust = Trust::pin(trust)?;
        let found = first_catalog(&trust, catalog, &[beside])?;
        let text = found.as_deref().unwrap_or(STARTER);
        let grant = first_grant(found.as_deref(), &Catalog::parse(text)?);
        Self::make(path, |draft| {
            let folder = Self::at(draft);
            file::write(&draft.join("catalog.toml"), text.as_bytes(), Writing::New)?;
            if let Some(grant) = grant {
                file::write(&draft.join("grant.toml"), grant.as_bytes(), Writing::New)?;
            }
            folder.create_ledger()?;
            folder.keep_trust(&trust)?;
            let armored = armor(Kind::Trust, trust.bytes());
            file::write(&draft.join("vendor.trust"), armored.as_bytes(), Writing::New)
        })?;
        Ok((Self::at(path), trust))
    }

    /// Checks that an issuer key is known to this folder, by a delegation or an issued license.
    ///
    /// # Errors
    /// Exit 2 when it is not, or a file cannot be read.
    pub fn ensure_issuer(&self, id: KeyId) -> Result<()> {
        for (_, bytes) in self.delegations()? {
            let frame = Frame::parse(Kind::Delegation, &bytes)?;
            if Delegation::read(&frame).is_ok_and(|delegation| delegation.key_id() == id) {
                return Ok(());
            }
        }
        if !self.ledger()?.signed_with(id)?.is_empty() {
            return Ok(());
        }
        let fact = format!("no delegation or license here names issuer key {id}");
        Err(Error::unable(
            Problem::NotFound,
            fact,
            NextStep::new("copy the id from a delegation or a license", &[Remedy::Inspect]),
        ))
    }
}

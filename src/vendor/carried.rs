//! What a license carries to a server that never goes online: the trusts it may have slept through,
//! and the newest revocations. Obeys `docs/format.md`, section "Attachments".

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::file;
use crate::revocation::Revocations;
use crate::trust::Trust;
use crate::vendor::{Folder, read_own};
use crate::wire::frame::{Frame, Kind};

/// The newest revocations, signed twice: as a file of their own, and for attaching.
pub(super) struct Kept {
    pub file: Vec<u8>,
    pub bare: Vec<u8>,
}

impl Folder {
    /// Trusts, revocations and the delegations of these, as attachments of a license.
    ///
    /// # Errors
    /// Exit 2 when one of them cannot be read, or the revocations count no longer.
    pub(super) fn carried(&self, trust: &Trust) -> Result<Vec<Vec<u8>>> {
        let mut carried = self.trusts_to(trust)?;
        if let Some(kept) = self.revocations()? {
            let listed = Revocations::verify(&kept.file, trust).map_err(|error| {
                let fact = format!("the list in revocations/ counts no longer: {}", error.fact());
                Error::unable(fact, "sign it anew with `olr revoke --again`")
            })?;
            let frame = Frame::parse(Kind::Revocations, &kept.file)?;
            let bare = Frame::parse(Kind::Revocations, &kept.bare)?;
            if crate::revocation::read_body(&bare)? != *listed.body() {
                let fact = "the two files in revocations/ do not belong together";
                return Err(Error::unable(fact, "sign them anew with `olr revoke --again`"));
            }
            let beside = frame.attachments.iter().filter(|a| a.kind == Kind::Delegation);
            carried.extend(beside.map(|delegation| delegation.bytes.to_vec()));
            carried.push(kept.bare);
        }
        Ok(carried)
    }

    /// The trusts by which a server gets to the newest one from any that counted before. Versions
    /// between are left out where the signatures reach over them.
    ///
    /// # Errors
    /// Exit 2 when one cannot be read.
    pub(super) fn trusts_to(&self, newest: &Trust) -> Result<Vec<Vec<u8>>> {
        let last = newest.body().version;
        if last == 1 {
            return Ok(Vec::new());
        }
        let mut older = BTreeMap::new();
        for version in 1..last {
            let path = self.path().join("trusts").join(format!("{version}.trust"));
            if file::is_there(&path)? {
                older.insert(version, read_own(Kind::Trust, &path, Trust::pin)?);
            }
        }
        let mut needed = BTreeMap::from([(last, newest)]);
        for (version, trust) in older.iter().rev() {
            let reaches = needed
                .range(version.saturating_add(1)..)
                .try_fold(trust.clone(), |trust, (_, next)| trust.successor(next.bytes()));
            if reaches.is_err()
                && let Some((next, trust)) = older.range(version.saturating_add(1)..).next()
            {
                needed.insert(*next, trust);
            }
        }
        Ok(needed.into_values().map(|trust| trust.bytes().to_vec()).collect())
    }

    /// The newest revocations, where they count.
    ///
    /// # Errors
    /// Exit 2 when they cannot be read.
    pub fn newest_revocations(&self) -> Result<Option<Revocations>> {
        let (Some(kept), trust) = (self.revocations()?, self.trust()?) else { return Ok(None) };
        Ok(Revocations::verify(&kept.file, &trust).ok())
    }

    /// The newest revocations, where any license was ever revoked.
    ///
    /// # Errors
    /// Exit 2 when they cannot be read.
    pub(super) fn revocations(&self) -> Result<Option<Kept>> {
        let folder = self.path().join("revocations");
        let read = |name: &str| {
            let path = folder.join(name);
            read_own(Kind::Revocations, &path, |bytes| Ok(bytes.to_vec()))
        };
        if !file::is_there(&folder.join(FILE))? {
            return Ok(None);
        }
        Ok(Some(Kept { file: read(FILE)?, bare: read(BARE)? }))
    }
}

/// As it is given to a server.
pub(super) const FILE: &str = "revoked.olr";
/// As it is attached to licenses.
pub(super) const BARE: &str = "attached.olr";

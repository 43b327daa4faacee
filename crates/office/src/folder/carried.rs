//! Attachments of a license for a server that never goes online: the trusts that lead from any
//! earlier trust to the newest one, and the newest revocations. Implements `docs/format.md`,
//! section "Attachments".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::file;
use crate::folder::{Folder, read_own};
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::revocation::{Revocations, RevocationsBody, read_body};
use olr_core::trust::{Act, Delegation, Trust};
use olr_core::wire::frame::{Frame, Kind};
use olr_core::wire::id::KeyId;

/// The newest revocations: the file for servers, and the path of the bare copy, which has no
/// attachments itself and is attached to licenses.
pub(super) struct Kept {
    pub file: Vec<u8>,
    pub bare: PathBuf,
}

/// Next step when the delegation of a license's signer does not allow the list that the key signed.
const CANNOT_REVOKE: &str = "delegate this key with the acts license and revoke, and install the \
                             delegation; or have another issuer sign the list again";

impl Kept {
    /// Reads the bare copy, and checks that it has the same body as the file.
    ///
    /// # Errors
    /// Exit 2 when the bodies differ, or the copy cannot be read.
    pub fn attached(&self) -> Result<Vec<u8>> {
        let bytes = read_own(Kind::Revocations, &self.bare, |bytes| Ok(bytes.to_vec()))?;
        let (file, bare) = (Frame::parse(Kind::Revocations, &self.file)?, &bytes);
        let bare = Frame::parse(Kind::Revocations, bare)?;
        if read_body(&bare)? != read_body(&file)? {
            let fact = "the two copies of the list in revocations/ differ";
            return Err(Error::unable(
                Problem::Damaged,
                fact,
                NextStep::new("sign the list again", &[Remedy::RevokeAgain]),
            ));
        }
        Ok(bytes)
    }

    /// Returns the delegations to attach for `bare`, the bare copy: one for each key that signed
    /// it, except the keys of `signing`, the delegations of the license's own signers.
    ///
    /// # Errors
    /// Exit 2 when the list is not valid under these delegations.
    fn delegations(&self, bare: &[u8], signing: &[Vec<u8>], trust: &Trust) -> Result<Vec<Vec<u8>>> {
        let file = Frame::parse(Kind::Revocations, &self.file)?;
        let bare = Frame::parse(Kind::Revocations, bare)?;
        let signed = |key: KeyId| bare.signatures.iter().any(|signature| signature.key == key);
        let (mut attachments, mut signers) = (vec![bare.clone()], Vec::new());
        for delegation in signing {
            let frame = Frame::parse(Kind::Delegation, delegation)?;
            signers.push(Delegation::read(&frame)?);
            attachments.push(frame);
        }
        let mut others = Vec::new();
        for attached in file.attachments.iter().filter(|a| a.kind == Kind::Delegation) {
            let key = Delegation::read(attached)?.key_id();
            // A file has one delegation for each key, even if the license's is newer.
            if signed(key) && signers.iter().all(|signer| signer.key_id() != key) {
                others.push(attached.bytes.to_vec());
                attachments.push(attached.clone());
            }
        }
        Revocations::verify_frame(&bare, &attachments, trust).map_err(|error| {
            let is_unable = |may: &Delegation| may.body().acts.get(&Act::Revoke).is_none();
            let step = match signers.iter().any(|may| signed(may.key_id()) && is_unable(may)) {
                true => NextStep::new(
                    CANNOT_REVOKE,
                    &[Remedy::Delegate, Remedy::PublishTrust, Remedy::RevokeAgain],
                ),
                false => NextStep::new("sign the list again", &[Remedy::RevokeAgain]),
            };
            let fact = format!(
                "the list in revocations/ is not valid with the delegations of this license's \
                 signers: {}",
                error.fact()
            );
            Error::unable(Problem::Damaged, fact, step)
        })?;
        Ok(others)
    }
}

impl Folder {
    /// Attachments of a license besides `signing`, the delegations of its signers: trusts,
    /// revocations, and the other delegations that these need.
    ///
    /// # Errors
    /// Exit 2 when one of them cannot be read, or the revocations are not valid under `trust` and
    /// these delegations.
    pub(super) fn carried(&self, trust: &Trust, signing: &[Vec<u8>]) -> Result<Vec<Vec<u8>>> {
        let mut carried = self.trusts_to(trust)?;
        if let Some(kept) = self.revocations()? {
            Revocations::verify(&kept.file, trust).map_err(|error| {
                let fact = format!("the list in revocations/ is no longer valid: {}", error.fact());
                Error::unable(
                    Problem::Damaged,
                    fact,
                    NextStep::new("sign it again", &[Remedy::RevokeAgain]),
                )
            })?;
            let bare = kept.attached().map_err(|error| {
                Error::unable(
                    Problem::Content,
                    error.fact(),
                    NextStep::new("sign the list again", &[Remedy::RevokeAgain]),
                )
            })?;
            carried.extend(kept.delegations(&bare, signing, trust)?);
            carried.push(bare);
        }
        Ok(carried)
    }

    /// Trusts in `trusts/` with a version below `last`.
    ///
    /// # Errors
    /// Exit 2 when one cannot be read.
    pub(super) fn earlier_trusts(&self, last: u32) -> Result<BTreeMap<u32, Trust>> {
        let mut older = BTreeMap::new();
        for version in 1..last {
            let path = self.path().join("trusts").join(format!("{version}.trust"));
            if file::is_there(&path)? {
                older.insert(version, read_own(Kind::Trust, &path, Trust::pin)?);
            }
        }
        Ok(older)
    }

    /// Returns the trusts that lead a server from any earlier trust to the newest one. Leaves out a
    /// version if all older trusts can do without it, because a later version has enough signatures
    /// of their roots.
    ///
    /// # Errors
    /// Exit 2 when one cannot be read.
    pub(super) fn trusts_to(&self, newest: &Trust) -> Result<Vec<Vec<u8>>> {
        let last = newest.body().version;
        if last == 1 {
            return Ok(Vec::new());
        }
        let older = self.earlier_trusts(last)?;
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

    /// Returns the newest revocations if they are valid under the newest trust.
    ///
    /// # Errors
    /// Exit 2 when the revocations or the newest trust cannot be read.
    pub fn newest_revocations(&self) -> Result<Option<Revocations>> {
        let (Some(kept), trust) = (self.revocations()?, self.trust()?) else { return Ok(None) };
        Ok(Revocations::verify(&kept.file, &trust).ok())
    }

    /// Reads the newest revocations; `None` if no license was ever revoked.
    ///
    /// # Errors
    /// Exit 2 when they cannot be read.
    pub(super) fn revocations(&self) -> Result<Option<Kept>> {
        let folder = self.path().join("revocations");
        let path = folder.join(FILE);
        if !file::is_there(&path)? {
            return Ok(None);
        }
        let file = read_own(Kind::Revocations, &path, |bytes| Ok(bytes.to_vec()))?;
        let frame = Frame::parse(Kind::Revocations, &file)?;
        let own = read_body(&frame).map(|body| folder.join(bare_name(&body)));
        let bare = match own {
            Ok(own) if file::is_there(&own)? => own,
            // Name used by older versions.
            _ => folder.join(BARE),
        };
        Ok(Some(Kept { file, bare }))
    }
}

/// File name of the bare copy. It is unique per list, so that the older copy stays intact until the
/// newer list has replaced it.
pub(super) fn bare_name(body: &RevocationsBody) -> String {
    format!("attached-{}-{}.olr", body.version, body.sequence)
}

/// True if a file is a bare copy, even one from an older version of this program.
pub(super) fn is_bare(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let numbers = name.strip_prefix("attached-").and_then(|name| name.strip_suffix(".olr"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    name == BARE
        || numbers
            .and_then(|n| n.split_once('-'))
            .is_some_and(|(version, sequence)| is_number(version) && is_number(sequence))
}

/// File name of the list for servers.
pub(super) const FILE: &str = "revoked.olr";
/// File name of the bare copy in older versions of this program.
const BARE: &str = "attached.olr";

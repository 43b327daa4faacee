//! Attachments of a license for a server that never goes online: the trusts that lead from any
//! earlier trust to the newest one, and the newest revocations. Implements `docs/format.md`,
//! section "Attachments".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::file;
use crate::folder::{Folder, read_own};
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::revocation::{Revocations, RevocationsBody, read_body};
use olr_core::trust::Trust;
use olr_core::wire::frame::{Frame, Kind};

/// The newest revocations: the file for servers, and the path of the bare copy, which has no
/// attachments itself and is attached to licenses.
pub(super) struct Kept {
    pub file: Vec<u8>,
    pub bare: PathBuf,
}

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
}

impl Folder {
    /// Attachments of a license: trusts, revocations, and the delegations that these need.
    ///
    /// # Errors
    /// Exit 2 when one of them cannot be read, or the revocations are not valid under `trust`.
    pub(super) fn carried(&self, trust: &Trust) -> Result<Vec<Vec<u8>>> {
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
            let frame = Frame::parse(Kind::Revocations, &kept.file)?;
            let beside = frame.attachments.iter().filter(|a| a.kind == Kind::Delegation);
            carried.extend(beside.map(|delegation| delegation.bytes.to_vec()));
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

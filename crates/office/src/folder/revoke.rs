//! Revoking licenses. Implements `docs/format.md`, section "Revocations".

use crate::file::{self, Writing};
use crate::folder::carried::{FILE, bare_name, is_bare};
use crate::folder::{AskPassphrase, Folder};
use crate::ledger::{AnswerRecord, Order, RecordRevocation};
use olr_core::armor::armor;
use olr_core::display::shown;
use olr_core::entitlement::Cause;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_core::revocation::{
    Revocations, RevocationsBody, Withdrawn, digest_of, read_body, sign_bare, sign_revocations,
};
use olr_core::time::Instant;
use olr_core::trust::{Act, Trust};
use olr_core::wire::codec::Set;
use olr_core::wire::frame::{Frame, Kind};
use olr_core::wire::id::LicenseId;

/// Checks that a reason for a revocation is not empty.
///
/// # Errors
/// Exit 2 when it is empty.
pub fn ensure_reason(reason: &str) -> Result<()> {
    if !reason.trim().is_empty() {
        return Ok(());
    }
    let fact = "the reason for the revocation is empty";
    Err(Error::unable(
        Problem::Usage,
        fact,
        NextStep::new("give the reason: olr records it", &[Remedy::NameReason]),
    ))
}

/// Outcome of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The signed list, `revoked.olr`, for servers.
    pub file: Vec<u8>,
    /// Decoded body of the list.
    pub body: RevocationsBody,
    /// True if the valid list contained the license already, or if [`Folder::revoke_again`] only
    /// signed the list again.
    pub already: bool,
}

impl Folder {
    /// Revokes a license: adds it to the list of revocations, which every later license carries and
    /// which is also a file of its own. The cause is `revoked`, or `pooled` for a license that was
    /// added to a pool; a revoked one is never changed to pooled.
    ///
    /// # Errors
    /// `not-delegated`, and the refusals of an invalid delegation; exit 2 when the license record
    /// is damaged, the reason is empty, the issuer's key is revoked, the list is full, or it cannot
    /// be signed or written.
    pub fn revoke(
        &self,
        license: &AnswerRecord,
        (cause, reason): (Cause, &str),
        now: Instant,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Revoked> {
        ensure_reason(reason)?;
        let id = license.license;
        let _lock = self.lock()?;
        let kept = self.kept_body()?;
        let known = kept.as_ref().and_then(|kept| kept.licenses.get(&digest_of(id)));
        if let Some(known) = known
            && [cause, Cause::Revoked].contains(&known.cause)
            && let Some(there) = self.revocations()?
            && Revocations::verify(&there.file, trust).is_ok()
            && there.attached().is_ok()
        {
            // A previous run may have stopped after the list and before the record: write the
            // record now.
            let answer = self.issued_license(id)?;
            if answer.revoked.is_none_or(|record| record.cause != known.cause) {
                let sequence = read_body(&Frame::parse(Kind::Revocations, &there.file)?)?.sequence;
                self.record(license, (known.cause, reason), (sequence, now))?;
            }
            let body = read_body(&Frame::parse(Kind::Revocations, &there.file)?)?;
            return Ok(Revoked { file: there.file, body, already: true });
        }
        // What the ledger refuses must not be signed: maintenance may be over, for example.
        let (booking, order) = recording(id, (cause, reason), (0, now));
        self.ledger()?.try_order(&order, &booking, now)?;
        let withdrawn = Withdrawn { license: digest_of(id), cause };
        let signed = self.sign_list(kept, Some(withdrawn), now, trust, ask)?;
        // Write the list first: a record must never claim a revocation that did not happen.
        self.keep_list(&signed)?;
        self.record(license, (cause, reason), (signed.2.sequence, now))?;
        Ok(Revoked { file: signed.0, body: signed.2, already: false })
    }

    /// Signs the newest revocations again, under the newest trust and with a valid issuer key.
    ///
    /// # Errors
    /// Same as [`Folder::revoke`].
    pub fn revoke_again(
        &self,
        now: Instant,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Revoked> {
        let _lock = self.lock()?;
        let signed = self.sign_list(self.kept_body()?, None, now, trust, ask)?;
        self.keep_list(&signed)?;
        let (file, _, body) = signed;
        Ok(Revoked { file, body, already: true })
    }

    fn sign_list(
        &self,
        kept: Option<RevocationsBody>,
        withdrawn: Option<Withdrawn>,
        now: Instant,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<(Vec<u8>, Vec<u8>, RevocationsBody)> {
        let version = trust.body().version;
        let last = kept.as_ref().filter(|kept| kept.version == version);
        let Some(sequence) = last.map_or(0, |last| last.sequence).checked_add(1) else {
            let fact = "there are no list numbers left under this trust";
            return Err(Error::unable(
                Problem::TooLarge,
                fact,
                "publish a new trust: its lists start at 1 again",
            ));
        };
        let mut licenses = kept.map(|kept| kept.licenses.to_vec()).unwrap_or_default();
        licenses.retain(|there| withdrawn.as_ref().is_none_or(|new| new.license != there.license));
        licenses.extend(withdrawn);
        licenses.sort_unstable_by_key(|withdrawn| withdrawn.license);
        let licenses = Set::new(licenses).map_err(|_| {
            let fact = "the list of revocations is full: it has room for 4096 licenses";
            Error::unable(
                Problem::TooLarge,
                fact,
                NextStep::new(
                    "revoke the key that signed this license: that ends every license that it signed",
                    &[Remedy::RevokeKey],
                ),
            )
        })?;
        let body = RevocationsBody {
            version,
            sequence,
            issued: now,
            licenses,
            extensions: Set::default(),
        };
        let issuer = self.issuer_for(Act::Revoke, now, trust, ask).map_err(|error| {
            let fact = format!("cannot sign the list of revocations: {}", error.fact());
            match error.refusal() {
                // The word `revoked` would read as if the license were revoked; in fact, the
                // issuer's key is.
                Some(Refusal::Revoked) => {
                    Error::unable(Problem::WrongKey, fact, error.next_step().clone())
                }
                _ => error.told(fact),
            }
        });
        let (issuer, delegation) = issuer?;
        let trusts = self.trusts_to(trust)?;
        let file = sign_revocations(&body, trust, (&*issuer, &delegation), &trusts)?;
        Ok((file, sign_bare(&body, trust, &*issuer)?, body))
    }

    /// Returns the answer with this license id.
    ///
    /// # Errors
    /// Exit 2 when there is none, or the ledger cannot be read.
    pub fn issued_license(&self, id: LicenseId) -> Result<AnswerRecord> {
        self.ledger()?.answer(id)?.ok_or_else(|| {
            let fact = format!("no license {id} was issued from this folder");
            Error::unable(
                Problem::NotFound,
                fact,
                NextStep::new("list the issued licenses", &[Remedy::ListIssued]),
            )
        })
    }

    /// Returns the cause for which the newest revocations list a license, if they do.
    pub(super) fn withdrawn(&self, license: &AnswerRecord) -> Result<Option<Cause>> {
        let Some(kept) = self.kept_body()? else { return Ok(None) };
        let id = license.license;
        Ok(kept.licenses.get(&digest_of(id)).map(|withdrawn| withdrawn.cause))
    }

    fn kept_body(&self) -> Result<Option<RevocationsBody>> {
        let Some(kept) = self.revocations()? else { return Ok(None) };
        let frame = Frame::parse(Kind::Revocations, &kept.file)?;
        read_body(&frame).map(Some).map_err(|error| {
            Error::unable(Problem::Damaged, error.fact(), "restore revocations/ from a backup")
        })
    }

    fn record(
        &self,
        license: &AnswerRecord,
        (cause, reason): (Cause, &str),
        (sequence, now): (u64, Instant),
    ) -> Result<()> {
        let (booking, order) = recording(license.license, (cause, reason), (sequence, now));
        self.ledger()?.order(&order, &booking, now).map(drop)
    }

    /// Writes the signed list twice: bare, for attaching to licenses, and as the file for servers,
    /// which decides which list is in effect. The bare one is written first, under a new name, so
    /// that both files of the list in effect exist wherever this is interrupted.
    fn keep_list(&self, (revoked, bare, body): &(Vec<u8>, Vec<u8>, RevocationsBody)) -> Result<()> {
        let folder = self.path().join("revocations");
        file::make_private_folder(&folder)?;
        let own = folder.join(bare_name(body));
        for (path, bytes) in [(&own, bare), (&folder.join(FILE), revoked)] {
            let text = armor(Kind::Revocations, bytes);
            file::write(path, text.as_bytes(), Writing::Public)?;
        }
        let older = file::list(&folder)?.into_iter().filter(|path| is_bare(path) && *path != own);
        older.for_each(|older| drop(std::fs::remove_file(older)));
        Ok(())
    }

    /// Refuses to hand out a license that was revoked or pooled.
    ///
    /// # Errors
    /// `revoked`; exit 2 when the list or a record cannot be read.
    pub(super) fn ensure_not_revoked(&self, stored: &AnswerRecord) -> Result<()> {
        let Some(cause) = self.withdrawn(stored)? else { return Ok(()) };
        let id = stored.license;
        let mut fact = format!("license {id}, the answer to this request, was {}", cause.word());
        if let Some(record) = &stored.revoked {
            fact += &format!(" at {}: {}", record.revoked, shown(&record.reason));
        }
        Err(Error::refuse(Refusal::Revoked, fact).hint(NextStep::new(
            "if this server may still run, issue another answer to this request; if the license \
             was pooled, ask for a request with a license key of that pool",
            &[Remedy::IssueAgain],
        )))
    }
}

/// The order that records a revocation by the list with this number.
fn recording(
    license: LicenseId,
    (cause, reason): (Cause, &str),
    (sequence, revoked): (u64, Instant),
) -> (RecordRevocation<'_>, Order) {
    let id = format!("revoke/{license}/{}/{sequence}", cause.word());
    let booking = RecordRevocation { license, cause, reason: reason.trim(), revoked };
    (booking, Order::new(id, "staff"))
}

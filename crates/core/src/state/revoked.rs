//! Revocations that reached this installation. Implements `docs/format.md`, section "Revocations".

use crate::entitlement::Cause;
use crate::error::{Error, Refusal, Result};
use crate::license::License;
use crate::revocation::{Revocations, Withdrawn, digest_of, read_body};
use crate::state::State;
use crate::time::Instant;
use crate::trust::{Delegation, Trust};
use crate::wire::codec::{Blob, List, record};
use crate::wire::frame::{FRAME_CAP, Frame, Kind};
use crate::wire::id::LicenseId;

record! {
    /// A list of revocations with the delegations of its signers.
    pub struct Listed {
        /// The list as a binary frame.
        pub list: Blob<FRAME_CAP>,
        /// Delegations that were attached to the same license as the list. Empty if they are
        /// attached to the list itself.
        pub delegations: List<Blob<FRAME_CAP>, 16>,
    }
}

impl Listed {
    /// Checks that the stored list can be parsed.
    pub(super) fn check(&self) -> Result<()> {
        self.delegations.iter().try_for_each(|d| Frame::parse(Kind::Delegation, d).map(drop))?;
        read_body(&Frame::parse(Kind::Revocations, &self.list)?).map(drop)
    }

    /// Verifies the list under `trust`, with the delegations that it came with.
    fn verify(&self, trust: &Trust) -> Result<Revocations> {
        let list = Frame::parse(Kind::Revocations, &self.list)?;
        let mut beside = self
            .delegations
            .iter()
            .map(|delegation| Frame::parse(Kind::Delegation, delegation))
            .collect::<Result<Vec<_>>>()?;
        if beside.is_empty() {
            return Revocations::verify_frame(&list, &list.attachments, trust);
        }
        beside.push(list.clone());
        Revocations::verify_frame(&list, &beside, trust)
    }
}

impl State {
    /// Returns the revocations in effect. Ignores a list signed by a key that has been revoked
    /// since: by revoking a stolen key, the roots also undo the revocations that the thief signed.
    pub fn revocations(&self) -> Option<Revocations> {
        let listed = self.memory.revocations.as_ref();
        let listed = listed.and_then(|listed| listed.verify(&self.trust).ok());
        match self.supposed.is_empty() {
            true => listed,
            false => Revocations::supposing(listed, &self.supposed).ok(),
        }
    }

    /// Treats `license` as revoked for `cause` from now on, although no list names it. Used only in
    /// simulations and never stored.
    ///
    /// # Errors
    /// Exit 2 if a cap is exceeded.
    pub(crate) fn suppose(
        &mut self,
        license: LicenseId,
        cause: Cause,
        clock: Instant,
    ) -> Result<()> {
        let license = digest_of(license);
        self.supposed.retain(|withdrawn| withdrawn.license != license);
        self.supposed.push(Withdrawn { license, cause });
        Revocations::supposing(self.revocations(), &self.supposed)?;
        self.note_revoked(clock);
        Ok(())
    }

    /// Returns the cause and the refusal if the license is known to be revoked or pooled.
    pub fn revocation(&self, license: &License) -> Option<(Cause, Error)> {
        let list = self.revocations();
        let error = license.ensure_unrevoked(&self.trust, list.as_ref()).err()?;
        let by_key = license.ensure_unrevoked(&self.trust, None).is_err();
        let cause = list.and_then(|list| list.cause(license.body().license));
        let cause = cause.filter(|_| !by_key).unwrap_or(Cause::Revoked);
        Some((cause, error))
    }

    /// Adopts the trusts and revocations attached to `frame` that are newer than those stored.
    /// `clock` is the clock of this machine.
    ///
    /// # Errors
    /// `wrong-vendor`, and the errors for trusts and revocations in files of their own, except
    /// `superseded`.
    pub fn take_up_attached(&mut self, frame: &Frame<'_>, clock: Instant) -> Result<()> {
        for newer in self.trust.followed_by(frame)? {
            self.take_up(newer)?;
        }
        let of_kind = |kind| frame.attachments.iter().filter(move |a| a.kind == kind);
        for list in of_kind(Kind::Revocations).filter(|_| frame.kind == Kind::License) {
            let revocations = Revocations::verify_frame(list, &frame.attachments, &self.trust)?;
            if self.is_newer(&revocations)? {
                let needed = |delegation: &&Frame<'_>| {
                    self.trust
                        .delegation(delegation)
                        .is_ok_and(|d| list.signatures.iter().any(|s| s.key == d.key_id()))
                };
                let beside: Vec<_> = of_kind(Kind::Delegation).filter(needed).collect();
                self.keep(list, &beside)?;
                self.raise_to_issue(&revocations, clock);
            }
        }
        Ok(())
    }

    /// Raises the mark to when the list was issued, but not beyond the clock. Otherwise a stolen
    /// key could stop every server for good.
    fn raise_to_issue(&mut self, list: &Revocations, clock: Instant) {
        if self.memory.mark != Instant::default() {
            self.raise(list.body().issued.min(clock));
        }
    }

    /// Imports a file with revocations. `clock` is the clock of this machine. Returns whether the
    /// list is new here.
    ///
    /// # Errors
    /// The errors of [`State::take_up_attached`] and of [`Revocations::verify`], and `superseded`.
    pub fn revoke(&mut self, bytes: &[u8], clock: Instant) -> Result<bool> {
        let frame = Frame::parse(Kind::Revocations, bytes)?;
        self.take_up_attached(&frame, clock)?;
        let revocations = Revocations::verify(bytes, &self.trust).map_err(|error| {
            match frame.attachments.is_empty() {
                true => error.hint(
                    "this list is only for attaching to licenses: ask the vendor for \
                     revoked.olr, and import that file",
                ),
                false => error,
            }
        })?;
        if self.is_newer(&revocations)? {
            self.keep(&frame, &[])?;
            self.raise_to_issue(&revocations, clock);
            return Ok(true);
        }
        if self.kept_body()?.as_ref() == Some(revocations.body()) {
            return Ok(false);
        }
        let fact =
            "newer revocations, or different ones with the same number, were already imported here";
        Err(Error::refuse(Refusal::Superseded, fact).rule("revocations-6"))
    }

    /// Records since when each installed license is revoked. Call this after adopting an artefact
    /// and observing the clock.
    pub fn note_revoked(&mut self, clock: Instant) {
        let (now, list) = (self.note(clock), self.revocations());
        let mut slots = std::mem::take(&mut self.memory.slots);
        slots.change(|slot| {
            let license = slot.held().and_then(|held| self.license(&slot.name, held).ok());
            let is_revoked =
                license.is_some_and(|l| l.ensure_unrevoked(&self.trust, list.as_ref()).is_err());
            slot.revoked = is_revoked.then(|| slot.revoked.unwrap_or(now));
        });
        self.memory.slots = slots;
    }

    fn kept_body(&self) -> Result<Option<crate::revocation::RevocationsBody>> {
        let Some(listed) = &self.memory.revocations else { return Ok(None) };
        read_body(&Frame::parse(Kind::Revocations, &listed.list)?).map(Some)
    }

    fn is_newer(&self, revocations: &Revocations) -> Result<bool> {
        let kept = self.kept_body()?;
        Ok(kept.is_none_or(|kept| revocations.body().order() > kept.order()))
    }

    /// Stores a list with its delegations. Checks the delegated keys for weaknesses once, here, not
    /// at every verification.
    fn keep(&mut self, list: &Frame<'_>, beside: &[&Frame<'_>]) -> Result<()> {
        let attached = list.attachments.iter().filter(|a| a.kind == Kind::Delegation);
        for delegation in attached.chain(beside.iter().copied()) {
            self.trust.delegation(delegation).and_then(|d: Delegation| d.check_key())?;
        }
        let beside = beside.iter().map(|frame| Blob::new(frame.bytes));
        self.memory.revocations = Some(Listed {
            list: Blob::new(list.bytes)?,
            delegations: List::new(beside.collect::<Result<_>>()?)?,
        });
        self.remember(list.bytes);
        Ok(())
    }
}

//! Concerns that the records raise about the installation that sent a request: its home was copied,
//! or its last license was revoked.

use crate::folder::fork::{Proof, prove_by_later};
use crate::folder::moves::KeyHistory;
use crate::folder::{AskPassphrase, Concern, ConcernKind, Folder};
use crate::ledger::AnswerRecord;
use olr_core::display::shown;
use olr_core::entitlement::{Cause, Model};
use olr_core::error::{NextStep, Remedy, Result};
use olr_core::license::LicenseBody;
use olr_core::request::{OpenedRequest, RequestBody};
use olr_core::trust::Trust;
use olr_core::wire::id::LicenseId;

/// An answered request that is not in the history of the current one.
pub(super) struct Fork {
    /// Number of the current request.
    asked: u64,
    /// Number of the other request.
    number: u64,
    /// Code of the other request.
    code: String,
    /// True if the current history was answered after the fork: the staff has seen this concern
    /// before.
    pub(super) is_known: bool,
}

impl Fork {
    pub(super) fn concern(&self) -> Concern {
        let Self { asked, number, code, .. } = self;
        let fact = format!(
            "this server's home was copied or restored from a backup: request {number} of this \
             installation (code {code}) was already answered, but this request ({asked}) does not \
             follow from it"
        );
        let step = NextStep::new(
            "ask whether the old machine is still running, or whether a snapshot was restored; a copy \
             must start as a new installation",
            &[Remedy::NewIdentity],
        );
        Concern::new(ConcernKind::Fork, fact, None, step)
    }
}

impl Folder {
    /// Returns the newest of `own`, the answers to this installation in the order of issue, to a
    /// request from another history. `next` is the first of them to a later request, with that
    /// request.
    pub(super) fn fork_of(
        &self,
        opened: &OpenedRequest,
        (own, next): (&[AnswerRecord], Option<(LicenseId, Vec<u8>)>),
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Option<Fork> {
        let asked = opened.body();
        // Open only the next later request: its list reaches back furthest.
        let next = next.and_then(|(license, request)| {
            let theirs = self.open_request(&request, None, trust, ask).ok()?;
            Some((license, prove_by_later(asked.number, opened.hash(), (&theirs).into())))
        });
        let prove = |answer: &AnswerRecord| match &next {
            _ if answer.number <= asked.number => {
                Some(prove_by_later(answer.number, answer.request_hash, opened.into()))
            }
            Some((opened, proof)) if *opened == answer.license => Some(*proof),
            _ => None,
        };
        let (mut first, mut fork) = (asked.number, None::<Fork>);
        for answer in own {
            match prove(answer) {
                Some(Proof::TwoRequests { .. } | Proof::NoRequest { .. }) => {
                    first = first.min(answer.number);
                    let (number, code) = (answer.number, answer.code.clone());
                    fork = Some(Fork { asked: asked.number, number, code, is_known: false });
                }
                // After the point of divergence, a request belongs to one history only.
                Some(Proof::SameBytes | Proof::Named) if answer.number >= first => {
                    fork.iter_mut().for_each(|fork| fork.is_known = true);
                }
                _ => {}
            }
        }
        fork
    }

    /// Returns a concern if the last license of the key, or of the installation in this slot, was
    /// revoked.
    pub(super) fn revoked_before(
        &self,
        asked: &RequestBody,
        history: &KeyHistory,
        body: &LicenseBody,
    ) -> Result<Option<Concern>> {
        let is_own = |answer: &&AnswerRecord| {
            (&*answer.product, &*answer.slot) == (&*asked.product, &*asked.slot)
        };
        // Trial keys are shared by all customers.
        let of_key = history.newest.as_ref().filter(|_| body.model != Model::Evaluation);
        for answer in of_key.into_iter().chain(history.own.iter().rev().find(is_own)) {
            if self.withdrawn(answer)? != Some(Cause::Revoked) {
                continue;
            }
            let mut fact = format!(
                "the last license of this key or installation, {}, was revoked",
                answer.license
            );
            if let Some(kept) = &answer.revoked {
                fact += &format!(" at {}: {}", kept.revoked, shown(&kept.reason));
            }
            let step = "ask the person who revoked it whether the reason is resolved";
            return Ok(Some(Concern::new(ConcernKind::Revoked, fact, None, step)));
        }
        Ok(None)
    }
}

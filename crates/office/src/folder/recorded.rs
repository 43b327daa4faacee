//! Concerns that the records raise about the installation that sent a request: its home was copied,
//! or its last license was revoked.

use crate::folder::fork::{Proof, prove_by_later};
use crate::folder::moves::KeyHistory;
use crate::folder::{AskPassphrase, Concern, ConcernKind, Folder, IssuedRecord};
use olr_core::display::shown;
use olr_core::entitlement::{Cause, Model};
use olr_core::error::{NextStep, Remedy, Result};
use olr_core::license::LicenseBody;
use olr_core::request::{OpenedRequest, RequestBody};
use olr_core::trust::Trust;

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
    /// Returns the newest of `records` (oldest first) that answers a request of the same
    /// installation from another history. Ignores damaged records.
    pub(super) fn fork_of(
        &self,
        opened: &OpenedRequest,
        records: &[IssuedRecord],
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Option<Fork> {
        let asked = opened.body();
        let install_key = data_encoding::HEXLOWER.encode(&asked.install_key);
        let own = records.iter().filter(|record| record.install_key == install_key);
        let own: Vec<_> =
            own.filter_map(|record| Some((record, record.license_body().ok()?))).collect();
        // Open only the next later request: its list reaches back furthest.
        let later = own.iter().filter(|(_, body)| body.number > asked.number);
        let next = later.min_by_key(|(_, body)| body.number).map(|(record, _)| *record);
        let next = next.and_then(|record| {
            let theirs = self.open_request(&record.request_bytes().ok()?, None, trust, ask).ok()?;
            Some((record, prove_by_later(asked.number, opened.hash(), (&theirs).into())))
        });
        let prove = |record: &IssuedRecord, body: &LicenseBody| match &next {
            _ if body.number <= asked.number => {
                Some(prove_by_later(body.number, body.request_hash, opened.into()))
            }
            Some((opened, proof)) if *opened == record => Some(*proof),
            _ => None,
        };
        let (mut first, mut fork) = (asked.number, None::<Fork>);
        for (record, body) in &own {
            match prove(record, body) {
                Some(Proof::TwoRequests { .. } | Proof::NoRequest { .. }) => {
                    first = first.min(body.number);
                    let (number, code) = (body.number, record.code.clone());
                    fork = Some(Fork { asked: asked.number, number, code, is_known: false });
                }
                // After the point of divergence, a request belongs to one history only.
                Some(Proof::SameBytes | Proof::Named) if body.number >= first => {
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
        records: &[IssuedRecord],
    ) -> Result<Option<Concern>> {
        let install_key = data_encoding::HEXLOWER.encode(&asked.install_key);
        let is_own = |record: &&IssuedRecord| {
            (&*record.install_key, &*record.product, &*record.slot)
                == (&*install_key, &*asked.product, &*asked.slot)
        };
        // Trial keys are shared by all customers.
        let of_key = history.newest().filter(|_| body.model != Model::Evaluation);
        for record in of_key.into_iter().chain(records.iter().rev().find(is_own)) {
            if self.withdrawn(record)? != Some(Cause::Revoked) {
                continue;
            }
            let mut fact = format!(
                "the last license of this key or installation, {}, was revoked",
                record.license_id
            );
            if let Some(kept) = self.revocation(record)? {
                fact += &format!(" at {}: {}", kept.revoked, shown(&kept.reason));
            }
            let step = "ask the person who revoked it whether the reason is resolved";
            return Ok(Some(Concern::new(ConcernKind::Revoked, fact, None, step)));
        }
        Ok(None)
    }
}

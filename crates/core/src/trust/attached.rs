//! Attachments of a signed file: newer trusts, and the delegations of its signers.
//! Implements `docs/format.md`, section "Attachments".

use std::collections::BTreeSet;

use crate::error::{Error, NextStep, Refusal, Remedy, Result};
use crate::trust::{Delegation, Trust, check_signatures, read_body};
use crate::wire::frame::{Frame, Kind};
use crate::wire::id::KeyId;

/// Kinds of attachments allowed besides delegations and trusts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MayCarry {
    /// No other kind.
    Delegations,
    /// Revocations.
    Revocations,
    /// Any kind. For revocations that are attached themselves: they share the attachments of the
    /// file that carries them.
    Anything,
}

impl Trust {
    /// Verifies the signatures of `frame`, and returns the delegations of all its signers. The
    /// caller must still check the signed body against each delegation. Ignores attached trusts and
    /// revocations.
    ///
    /// # Errors
    /// `wrong-vendor`, `untrusted-signer`, `wrong-signature`, `malformed`, `unknown-version`.
    pub fn signers(&self, frame: &Frame<'_>) -> Result<Vec<Delegation>> {
        self.signers_of(frame, &frame.attachments)
    }

    /// Like [`Trust::signers`], but takes the delegations from `attachments`, which may contain
    /// `frame` itself.
    ///
    /// # Errors
    /// Same as [`Trust::signers`].
    pub fn signers_of(
        &self,
        frame: &Frame<'_>,
        attachments: &[Frame<'_>],
    ) -> Result<Vec<Delegation>> {
        frame.ensure_vendor(self.vendor)?;
        // An attached frame shares the delegations of the file that it is attached to.
        let is_attached = attachments.iter().any(|attached| attached.bytes == frame.bytes);
        let own: BTreeSet<_> = frame.signatures.iter().map(|signature| signature.key).collect();
        let may_carry = match (is_attached, frame.kind) {
            // The other attachments are checked with the file that carries them.
            (true, _) => MayCarry::Anything,
            (false, Kind::License) => MayCarry::Revocations,
            (false, _) => MayCarry::Delegations,
        };
        let delegations = self.delegations(&own, attachments, may_carry)?;
        let keys: Vec<_> = delegations.iter().map(Delegation::issuer).cloned().collect();
        check_signatures(frame, &keys, 1)?;
        if !is_attached {
            ensure_one_for_each(frame, own)?;
        }
        Ok(delegations)
    }

    /// Returns the delegations of the keys that are to sign a license: what [`Trust::signers`] will
    /// return once exactly these keys have signed.
    ///
    /// # Errors
    /// Same as [`Trust::signers`], except `wrong-signature`.
    pub fn future_signers(
        &self,
        license: &Frame<'_>,
        keys: &BTreeSet<KeyId>,
    ) -> Result<Vec<Delegation>> {
        license.ensure_vendor(self.vendor)?;
        let delegations = self.delegations(keys, &license.attachments, MayCarry::Revocations)?;
        let known: BTreeSet<_> = delegations.iter().map(Delegation::key_id).collect();
        if let Some(unknown) = keys.difference(&known).next() {
            let fact = format!("key {unknown} must sign, but no attached delegation names it");
            return Err(Error::refuse(Refusal::UntrustedSigner, fact).rule("signature-1"));
        }
        ensure_one_for_each(license, keys.clone())?;
        Ok(delegations)
    }

    /// Returns the attached delegations. If revocations are attached too, returns only those of
    /// `own` keys.
    fn delegations(
        &self,
        own: &BTreeSet<KeyId>,
        attachments: &[Frame<'_>],
        may_carry: MayCarry,
    ) -> Result<Vec<Delegation>> {
        let carries = attachments.iter().any(|attached| attached.kind == Kind::Revocations);
        let (mut delegations, mut left_aside) = (Vec::new(), None);
        for attached in attachments {
            match attached.kind {
                Kind::Delegation => match self.delegation(attached) {
                    Ok(delegation) => delegations.push(delegation),
                    // This delegation may belong to the attached revocations only, and no longer be
                    // valid.
                    Err(error) if carries => {
                        left_aside.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                },
                Kind::Trust => {}
                Kind::Revocations if may_carry != MayCarry::Delegations => {}
                _ if may_carry == MayCarry::Anything => {}
                other => {
                    let fact = format!("this program cannot use an attached {other}");
                    return Err(Error::refuse(Refusal::UnknownVersion, fact).rule("license-1"));
                }
            }
        }
        delegations.retain(|delegation| !carries || own.contains(&delegation.key_id()));
        let lacks = |key: &KeyId| !delegations.iter().any(|d| d.key_id() == *key);
        match left_aside.filter(|_| own.iter().any(lacks)) {
            Some(error) => Err(error),
            None => Ok(delegations),
        }
    }

    /// Returns the trusts attached to `frame` that follow this one, oldest first. The others,
    /// including the second of two with the same version, are only checked against their own roots.
    ///
    /// # Errors
    /// Same as [`Trust::pin`] and [`Trust::successor`].
    pub fn followed_by(&self, frame: &Frame<'_>) -> Result<Vec<Trust>> {
        frame.ensure_vendor(self.vendor)?;
        let mut attached = Vec::new();
        for trust in frame.attachments.iter().filter(|attached| attached.kind == Kind::Trust) {
            attached.push((read_body(trust)?.version, trust.bytes));
        }
        attached.sort_by_key(|(version, _)| *version);
        let mut newer: Vec<Trust> = Vec::new();
        for (version, bytes) in attached {
            let newest = newer.last().unwrap_or(self);
            if version > newest.body.version {
                newer.push(newest.successor(bytes)?);
            } else {
                Trust::pin(bytes)?;
            }
        }
        Ok(newer)
    }

    /// Returns the newest trust that can be reached from this one through `later` trusts. Ignores
    /// trusts that do not follow, even those of other vendors.
    pub fn leads_to<'a>(&self, later: impl Iterator<Item = &'a [u8]>) -> Trust {
        let version = |bytes: &&[u8]| {
            let body = Frame::parse(Kind::Trust, bytes).and_then(|frame| read_body(&frame));
            body.map_or(0, |body| body.version)
        };
        let mut later: Vec<&[u8]> = later.collect();
        later.sort_by_cached_key(version);
        let follow = |trust: Trust, next: &[u8]| trust.successor(next).unwrap_or(trust);
        later.into_iter().fold(self.clone(), follow)
    }

    /// Checks that none of these signers' keys is revoked.
    ///
    /// # Errors
    /// `revoked`.
    pub fn ensure_unrevoked(&self, signers: impl IntoIterator<Item = KeyId>) -> Result<()> {
        for key in signers {
            if self.body.revoked.get(&key).is_some() {
                let fact = format!("the vendor revoked the signing key {key}");
                return Err(Error::refuse(Refusal::Revoked, fact).hints(
                    "ask the vendor for a file that is signed with a valid key",
                    NextStep::new("issue this file again with a valid key", &[Remedy::ListKeys]),
                ));
            }
        }
        Ok(())
    }
}

/// Checks for exactly one delegation for each signer of the file and of the revocations that it
/// carries.
fn ensure_one_for_each(frame: &Frame<'_>, mut signers: BTreeSet<KeyId>) -> Result<()> {
    let lists = frame.attachments.iter().filter(|attached| attached.kind == Kind::Revocations);
    let carried: Vec<_> = lists.collect();
    let malformed = |rule, problem: &str| {
        let fact = format!("{}: attachments: {problem}", frame.kind);
        Err(Error::refuse(Refusal::Malformed, fact).rule(rule))
    };
    if carried.len() > 1 {
        return malformed("license-2", "more than one list of revocations");
    }
    let theirs = carried.iter().flat_map(|list| &list.signatures);
    signers.extend(theirs.map(|signature| signature.key));
    let delegations = frame.attachments.iter().filter(|a| a.kind == Kind::Delegation).count();
    if delegations != signers.len() {
        return malformed("license-3", "exactly one delegation for each signer is needed");
    }
    Ok(())
}

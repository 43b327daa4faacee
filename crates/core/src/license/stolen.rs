//! Terms of a license that apply after its revocation, if a key that signed it is revoked too.
//! Implements `docs/judgement.md`, section "Judgement".

use std::sync::Arc;

use crate::entitlement::Outcome;
use crate::license::License;
use crate::trust::{Delegation, Trust};
use crate::wire::codec::{Limit, Set};
use crate::wire::id::KeyId;

/// A key that signed a license, and which terms its delegation limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signer {
    pub(super) key: KeyId,
    /// True if the delegation limits the grace period.
    bounds_grace: bool,
    /// True if the delegation limits which operations stay allowed afterwards.
    bounds_afterwards: bool,
}

impl From<&Delegation> for Signer {
    fn from(delegation: &Delegation) -> Self {
        Self {
            key: delegation.key_id(),
            bounds_grace: delegation.body().longest_grace != Limit::Any,
            bounds_afterwards: delegation.body().afterwards != Limit::Any,
        }
    }
}

impl License {
    /// Returns the license with the terms that apply once it is revoked. If `trust` revoked a
    /// signer, a thief of that key may have written the terms, so only those limited by the
    /// delegation of each revoked signer are kept. Otherwise a license could outlive the revocation
    /// of its key.
    pub fn as_revoked(&self, trust: &Trust) -> Self {
        let revoked = |signer: &&Signer| trust.body().revoked.get(&signer.key).is_some();
        let mut license = self.clone();
        let mut stolen = self.0.signers.iter().filter(revoked).peekable();
        if stolen.peek().is_none() {
            return license;
        }
        let (mut bounds_grace, mut bounds_afterwards) = (true, true);
        for signer in stolen {
            bounds_grace &= signer.bounds_grace;
            bounds_afterwards &= signer.bounds_afterwards;
        }
        let body = &mut Arc::make_mut(&mut license.0).body;
        if !bounds_grace {
            body.grace = Set::default();
        }
        if !bounds_afterwards {
            let mut rules = body.grace.to_vec();
            let blocks = rules.iter_mut().filter(|rule| rule.outcome == Outcome::Block);
            blocks.for_each(|rule| rule.outcome = Outcome::Stop);
            body.grace = Set::new(rules).unwrap_or_default();
            body.always = Set::default();
        }
        license
    }
}

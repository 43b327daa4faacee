//! Proposals for a vendor's first or next trust, for the roots to sign. Implements
//! `docs/format.md`, sections "Trust" and "Proposal".

use rand::CryptoRng;
use std::collections::BTreeSet;

use crate::catalog::Catalog;
use olr_core::crypto::digest::sha256;
use olr_core::crypto::seal::seal;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::key::{Role, key_id};
use olr_core::proposal::Proposal;
use olr_core::trust::{Delegation, Product, SignerRule, Trust, TrustBody, root_keys, vendor_id};
use olr_core::wire::codec::{List, Set, Text, encode};
use olr_core::wire::frame::{Frame, Kind, SIGNATURES_CAP, SUITE, Unsigned};
use olr_core::wire::id::{KeyId, VendorId};

/// Contents of a vendor's first trust. Public keys suffice; the private keys stay with their
/// custodians.
#[derive(Debug, Clone, Copy)]
pub struct FirstTrust<'a> {
    /// Display name of the vendor.
    pub name: &'a str,
    /// Ed25519 root keys.
    pub roots: &'a [[u8; 32]],
    /// Number of roots that must sign.
    pub threshold: u8,
    /// X25519 sealing keys. Requests are sealed to the first one.
    pub sealing: &'a [[u8; 32]],
    /// Catalog whose products the trust lists.
    pub catalog: &'a Catalog,
    /// True if everything issued under this trust is for tests only.
    pub test: bool,
}

/// Changes from the current trust to the next one.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// New display name; `None` keeps the current one.
    pub name: Option<String>,
    /// Roots to add.
    pub add_roots: Vec<[u8; 32]>,
    /// Roots to remove.
    pub remove_roots: Vec<KeyId>,
    /// New threshold; `None` keeps the current one.
    pub threshold: Option<u8>,
    /// Sealing keys to add, before the existing ones: requests are sealed to the first.
    pub add_sealing: Vec<[u8; 32]>,
    /// Sealing keys to remove.
    pub remove_sealing: Vec<KeyId>,
    /// Issuer keys to revoke.
    pub revoke: Vec<KeyId>,
    /// Rules requiring several signers, to add.
    pub add_rules: Vec<SignerRule>,
    /// Rules requiring several signers, to remove.
    pub remove_rules: Vec<SignerRule>,
    /// Products of a new catalog; `None` keeps the current ones.
    pub products: Option<List<Product>>,
    /// Delegations, as frames, to list as kept: these stay valid even if the roots that signed them
    /// are gone.
    pub keep: Vec<Vec<u8>>,
    /// Delegations, as frames, to remove from the kept list.
    pub drop: Vec<Vec<u8>>,
}

/// Builds the body of a first trust.
pub(super) fn first_body(first: &FirstTrust<'_>) -> Result<TrustBody> {
    Ok(TrustBody {
        version: 1,
        name: Text::new(first.name).map_err(|error| error.within("the vendor's name"))?,
        roots: Set::new(first.roots.to_vec()).map_err(|error| error.within("the roots"))?,
        threshold: first.threshold,
        sealing: List::new(first.sealing.to_vec()).map_err(|e| e.within("the sealing keys"))?,
        suites: Set::new(vec![SUITE])?,
        products: first.catalog.wire_products()?,
        kept: Set::default(),
        revoked: Set::default(),
        signer_rules: List::default(),
        test: first.test,
        extensions: Set::default(),
    })
}

/// Proposes the first trust of a vendor to its roots.
///
/// # Errors
/// Exit 2 for a trust that servers would refuse.
pub fn propose_first(first: &FirstTrust<'_>, rng: &mut impl CryptoRng) -> Result<Proposal> {
    let body = first_body(first)?;
    propose(vendor_id(&encode(&body)), &body, rng)
}

/// Proposes the successor of `trust`. A delegation in `delegations` (frames) that is valid now but
/// would lose its validity under the new roots is put on the kept list, unless `changes` drops it
/// or revokes its key.
///
/// # Errors
/// The refusals of a malformed delegation; exit 2 for a change that is not possible (such as
/// removing an unknown key), for a trust that servers would refuse, and when nothing changes.
pub fn propose_next(
    trust: &Trust,
    changes: &Changes,
    delegations: &[Vec<u8>],
    rng: &mut impl CryptoRng,
) -> Result<Proposal> {
    let old = trust.body();
    let mut body = old.clone();
    let version = old.version.checked_add(1);
    body.version = version.ok_or_else(|| {
        Error::unable(Problem::TooLarge, "there are no version numbers left", "create a new vendor")
    })?;
    if let Some(name) = &changes.name {
        body.name = Text::new(name).map_err(|error| error.within("the vendor's name"))?;
    }
    let roots = without(Role::Root, &old.roots, &changes.remove_roots)?;
    let roots = with(Role::Root, roots, &changes.add_roots, false)?;
    body.roots = Set::new(roots).map_err(|error| error.within("the roots"))?;
    body.threshold = changes.threshold.unwrap_or(old.threshold);
    let sealing = without(Role::Sealing, &old.sealing, &changes.remove_sealing)?;
    let sealing = with(Role::Sealing, sealing, &changes.add_sealing, true)?;
    body.sealing = List::new(sealing).map_err(|error| error.within("the sealing keys"))?;
    body.revoked = revoked(old, &changes.revoke)?;
    body.signer_rules = rules(old, changes)?;
    if let Some(products) = &changes.products {
        body.products = products.clone();
    }
    // The kept list depends on the new roots, so validate those first.
    propose(trust.vendor(), &body, rng)?;
    body.kept = kept(trust, &body, changes, delegations)?;
    if (TrustBody { version: old.version, ..body.clone() }) == *old {
        let fact = format!("no change from trust {}", old.version);
        return Err(Error::unable(
            Problem::Usage,
            fact,
            NextStep::new(
                "name at least one change that the trust does not have yet",
                &[Remedy::ProposeTrust],
            ),
        ));
    }
    propose(trust.vendor(), &body, rng)
}

fn propose(vendor: VendorId, body: &TrustBody, rng: &mut impl CryptoRng) -> Result<Proposal> {
    let (threshold, roots) = (usize::from(body.threshold), body.roots.len());
    if threshold == 0 || threshold > roots {
        let fact = format!("{threshold} of {roots} roots is not possible");
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "choose a threshold from 1 to the number of roots, or propose more roots",
        ));
    }
    for key in body.sealing.iter() {
        seal(key, b"", b"", rng).map_err(|_| {
            let fact = format!("requests cannot be sealed to key {}", key_id(Role::Sealing, key));
            Error::unable(Problem::Usage, fact, "name another sealing key")
        })?;
    }
    let unsigned = Unsigned::new(Kind::Trust, vendor, Vec::new(), encode(body))?;
    // A trust that servers would refuse is a usage error here, not a refusal of a file.
    Proposal::new(&unsigned, &BTreeSet::new()).map_err(|error| {
        Error::unable(Problem::Usage, error.fact(), "correct the contents of the proposed trust")
    })
}

fn without(role: Role, keys: &[[u8; 32]], remove: &[KeyId]) -> Result<Vec<[u8; 32]>> {
    let mut left = keys.to_vec();
    for id in remove {
        let before = left.len();
        left.retain(|key| key_id(role, key) != *id);
        if left.len() == before {
            let there: Vec<_> = keys.iter().map(|key| key_id(role, key).to_string()).collect();
            let fact = format!("the trust has no {role} key {id}");
            return Err(Error::unable(
                Problem::Usage,
                fact,
                format!("name one of its {role} keys: {}", there.join(", ")),
            ));
        }
    }
    Ok(left)
}

fn with(
    role: Role,
    mut keys: Vec<[u8; 32]>,
    add: &[[u8; 32]],
    first: bool,
) -> Result<Vec<[u8; 32]>> {
    for (at, key) in add.iter().enumerate() {
        if keys.contains(key) {
            let fact = format!("the trust already has {role} key {}", key_id(role, key));
            return Err(Error::unable(
                Problem::Usage,
                fact,
                "name only keys that the trust does not have yet",
            ));
        }
        keys.insert(if first { at } else { keys.len() }, *key);
    }
    Ok(keys)
}

fn revoked(old: &TrustBody, revoke: &[KeyId]) -> Result<Set<KeyId, 4096>> {
    let mut all = old.revoked.to_vec();
    let sealing = old.sealing.iter().map(|key| key_id(Role::Sealing, key));
    let others: Vec<_> = root_keys(old).into_iter().map(|(id, _)| id).chain(sealing).collect();
    for id in revoke {
        if others.contains(id) {
            let fact = format!("key {id} is not an issuer key");
            return Err(Error::unable(
                Problem::Usage,
                fact,
                NextStep::new(
                    "remove a root or sealing key instead of revoking it",
                    &[Remedy::RemoveKey],
                ),
            ));
        }
        if !all.contains(id) {
            all.push(*id);
        }
    }
    Set::new(all).map_err(|error| error.within("the revoked keys"))
}

fn rules(old: &TrustBody, changes: &Changes) -> Result<List<SignerRule>> {
    let mut rules = old.signer_rules.to_vec();
    for rule in &changes.remove_rules {
        let before = rules.len();
        rules.retain(|other| other != rule);
        if rules.len() == before {
            return Err(Error::unable(
                Problem::Usage,
                "the trust has no such rule",
                "write it exactly as the trust shows it",
            ));
        }
    }
    for rule in &changes.add_rules {
        if rule.signers < 2 || usize::from(rule.signers) > SIGNATURES_CAP {
            let fact = format!("signers={} is not possible in a rule", rule.signers);
            return Err(Error::unable(Problem::Usage, fact, "require 2 to 16 signers"));
        }
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
    List::new(rules).map_err(|error| error.within("the rules for several signers"))
}

/// Computes the kept list: digests of delegations that stay valid whichever roots signed them.
fn kept(
    trust: &Trust,
    next: &TrustBody,
    changes: &Changes,
    delegations: &[Vec<u8>],
) -> Result<Set<[u8; 32]>> {
    let mut kept: BTreeSet<_> = trust.body().kept.iter().copied().collect();
    let roots = root_keys(next);
    for bytes in delegations.iter().chain(&changes.keep) {
        let frame = Frame::parse(Kind::Delegation, bytes)?;
        // The next trust is not signed yet, so it cannot verify the delegation; count signatures
        // instead.
        let by = frame.signatures.iter().filter(|s| roots.iter().any(|(id, _)| *id == s.key));
        let enough = by.count() >= usize::from(next.threshold)
            && frame.signatures.iter().all(|s| roots.iter().any(|(id, _)| *id == s.key));
        let wanted = changes.keep.contains(bytes);
        match trust.delegation(&frame) {
            Ok(there) => {
                let revoked = next.revoked.get(&there.key_id()).is_some();
                if wanted || (!enough && !revoked) {
                    kept.insert(sha256(bytes));
                }
            }
            Err(error) if wanted => {
                let fact = format!("the delegation to keep is not valid now: {}", error.fact());
                return Err(Error::unable(
                    Problem::Usage,
                    fact,
                    "keep only delegations that are valid under the current trust",
                ));
            }
            Err(_) => {}
        }
    }
    for bytes in &changes.drop {
        Delegation::read(&Frame::parse(Kind::Delegation, bytes)?)?;
        kept.remove(&sha256(bytes));
    }
    let room =
        "sign the delegations again with the new roots, so that the trust need not keep them";
    Set::new(kept.into_iter().collect())
        .map_err(|error| error.within("the kept delegations").hint(room))
}

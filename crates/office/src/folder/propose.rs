//! Trusts that are proposed to the roots. Obeys `docs/format.md`, sections "Trust" and "Partial
//! signature".

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

/// What the first trust of a vendor is made of: public keys alone.
#[derive(Debug, Clone, Copy)]
pub struct FirstTrust<'a> {
    /// The vendor's name for people.
    pub name: &'a str,
    /// Root keys, Ed25519.
    pub roots: &'a [[u8; 32]],
    /// How many of them must sign.
    pub threshold: u8,
    /// Sealing keys, X25519; the first is the one that requests are sealed to.
    pub sealing: &'a [[u8; 32]],
    /// What is sold.
    pub catalog: &'a Catalog,
    /// Whether everything under it is for tests only.
    pub test: bool,
}

/// What is to be different in the next trust.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Another name.
    pub name: Option<String>,
    /// Roots that come in.
    pub add_roots: Vec<[u8; 32]>,
    /// Roots that go.
    pub remove_roots: Vec<KeyId>,
    /// Another number of roots that must sign.
    pub threshold: Option<u8>,
    /// Sealing keys that go before the others.
    pub add_sealing: Vec<[u8; 32]>,
    /// Sealing keys that go.
    pub remove_sealing: Vec<KeyId>,
    /// Issuer keys that count no longer.
    pub revoke: Vec<KeyId>,
    /// Rules for several signers that come in.
    pub add_rules: Vec<SignerRule>,
    /// Rules that go.
    pub remove_rules: Vec<SignerRule>,
    /// The products of another catalog.
    pub products: Option<List<Product>>,
    /// Delegations, as frames, that go on counting whoever signed them.
    pub keep: Vec<Vec<u8>>,
    /// Delegations, as frames, that are kept no longer.
    pub drop: Vec<Vec<u8>>,
}

/// The body of a first trust.
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
/// Exit 2 for what servers would refuse.
pub fn propose_first(first: &FirstTrust<'_>, rng: &mut impl CryptoRng) -> Result<Proposal> {
    let body = first_body(first)?;
    propose(vendor_id(&encode(&body)), &body, rng)
}

/// Proposes the trust that follows `trust`. Of `delegations`, the frames at hand, those that count
/// now and would count no longer under the new roots are kept, unless they are dropped or their key
/// is revoked.
///
/// # Errors
/// Exit 2 for what servers would refuse, for ids that nobody has, and where nothing changes.
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
        Error::unable(Problem::TooLarge, "the versions are used up", "begin a new vendor")
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
    // What is kept depends on the new roots, so these must be right first.
    propose(trust.vendor(), &body, rng)?;
    body.kept = kept(trust, &body, changes, delegations)?;
    if (TrustBody { version: old.version, ..body.clone() }) == *old {
        let fact = format!("nothing would differ from trust {}", old.version);
        return Err(Error::unable(
            Problem::Usage,
            fact,
            NextStep::new("say what is to change", &[Remedy::ProposeTrust]),
        ));
    }
    propose(trust.vendor(), &body, rng)
}

fn propose(vendor: VendorId, body: &TrustBody, rng: &mut impl CryptoRng) -> Result<Proposal> {
    let (threshold, roots) = (usize::from(body.threshold), body.roots.len());
    if threshold == 0 || threshold > roots {
        let fact = format!("{threshold} of {roots} roots can never sign");
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "let the threshold be 1 to the number of roots",
        ));
    }
    for key in body.sealing.iter() {
        seal(key, b"", b"", rng).map_err(|_| {
            let fact = format!("nothing can be sealed to key {}", key_id(Role::Sealing, key));
            Error::unable(Problem::Usage, fact, "name another sealing key")
        })?;
    }
    let unsigned = Unsigned::new(Kind::Trust, vendor, Vec::new(), encode(body))?;
    // What servers would refuse is a wrong order here, and proves nothing about a file.
    Proposal::new(&unsigned, &BTreeSet::new()).map_err(|error| {
        Error::unable(Problem::Usage, error.fact(), "correct what the next trust is to say")
    })
}

fn without(role: Role, keys: &[[u8; 32]], remove: &[KeyId]) -> Result<Vec<[u8; 32]>> {
    let mut left = keys.to_vec();
    for id in remove {
        let before = left.len();
        left.retain(|key| key_id(role, key) != *id);
        if left.len() == before {
            let there: Vec<_> = left.iter().map(|key| key_id(role, key).to_string()).collect();
            let fact = format!("the trust has no {role} key {id}");
            return Err(Error::unable(
                Problem::Usage,
                fact,
                format!("it has {}", there.join(", ")),
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
            let fact = format!("{role} key {} is there already", key_id(role, key));
            return Err(Error::unable(Problem::Usage, fact, "name only keys that are to come in"));
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
            let fact = format!("key {id} is no issuer key");
            return Err(Error::unable(
                Problem::Usage,
                fact,
                NextStep::new(
                    "remove a root or sealing key in place of revoking it",
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
                "write it as the trust shows it",
            ));
        }
    }
    for rule in &changes.add_rules {
        if rule.signers < 2 || usize::from(rule.signers) > SIGNATURES_CAP {
            let fact = format!("a rule for {} signers", rule.signers);
            return Err(Error::unable(Problem::Usage, fact, "ask for 2 to 16"));
        }
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
    List::new(rules).map_err(|error| error.within("the rules for several signers"))
}

/// The digests of the delegations that go on counting whoever signed them.
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
        // Trusts that are not finished cannot be asked: what counts is who signed.
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
                let fact = format!("what is to be kept does not count now: {}", error.fact());
                return Err(Error::unable(
                    Problem::Usage,
                    fact,
                    "keep what counts under the trust at hand",
                ));
            }
            Err(_) => {}
        }
    }
    for bytes in &changes.drop {
        Delegation::read(&Frame::parse(Kind::Delegation, bytes)?)?;
        kept.remove(&sha256(bytes));
    }
    let room = "there is no room for more kept delegations: sign them anew with the new roots";
    Set::new(kept.into_iter().collect())
        .map_err(|error| error.within("the kept delegations").hint(room))
}

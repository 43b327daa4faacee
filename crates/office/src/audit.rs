//! Audit of a vendor's own licenses: finds the damaged ones among many, several times faster than
//! verifying each.

use std::collections::HashMap;
use std::num::NonZero;
use std::ops::Range;
use std::thread::ScopedJoinHandle;

use ed25519_dalek::{Signature, VerifyingKey, verify_batch};
use olr_core::crypto::digest::sha512;
use olr_core::error::{Error, Result};
use olr_core::license::License;
use olr_core::trust::Trust;
use olr_core::wire::frame::{Frame, Kind};
use olr_core::wire::id::KeyId;

/// Number of signatures in a batch. A larger one takes hardly less time for each signature.
const BATCH: usize = 1024;
/// Number of signatures up to which a part of a batch is not halved again: each license in it is
/// verified.
const FEW: usize = 8;
/// Least number of licenses for each thread, except the last.
const SMALL: usize = 256;

/// A license that an audit found to be damaged.
#[derive(Debug)]
pub struct Damaged {
    /// Its position among the audited licenses, from 0.
    pub index: usize,
    /// Why it does not verify.
    pub why: Error,
}

/// Returns the damaged ones among `licenses`, in their order: those that [`License::verify`] would
/// refuse because of a changed byte. Accepts revoked licenses. `trust` is the vendor's newest. Uses
/// several processor cores for more than 256 licenses.
///
/// Only for records that the vendor wrote. A batch does not decide whether a license is valid: it
/// verifies signatures, not what was signed, and it may accept a signature that its own signer made
/// to be accepted by some verifiers only. So a license that was signed although it breaks a rule is
/// found only if it is verified by itself, as the first with its attachments.
pub fn audit<L: AsRef<[u8]> + Sync>(licenses: &[L], trust: &Trust) -> Vec<Damaged> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let part = licenses.len().div_ceil(cores).max(SMALL);
    std::thread::scope(|threads| {
        let parts = licenses.chunks(part).zip((0..).step_by(part));
        let run = |(part, first)| threads.spawn(move || audit_part(part, first, trust));
        let running: Vec<_> = parts.map(run).collect();
        let join = |thread: ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        running.into_iter().flat_map(join).collect()
    })
}

/// Audits a part of the licenses, of which the first has the position `first`.
fn audit_part<L: AsRef<[u8]>>(licenses: &[L], first: usize, trust: &Trust) -> Vec<Damaged> {
    let (shared, waiting, damaged) = (HashMap::new(), Batch::default(), Vec::new());
    let mut audit = Audit { trust, shared, waiting, damaged };
    for (license, index) in licenses.iter().zip(first..) {
        if let Err(why) = audit.add(index, license.as_ref()) {
            audit.damaged.push(Damaged { index, why });
        }
        if audit.waiting.licenses.len() >= BATCH {
            audit.check();
        }
    }
    audit.check();
    audit.damaged.sort_by_key(|damaged| damaged.index);
    audit.damaged.dedup_by_key(|damaged| damaged.index);
    audit.damaged
}

/// What many licenses share: their attachments.
struct Shared {
    /// SHA-512 of the attachment section.
    digest: [u8; 64],
    /// The keys that the attached delegations allow to sign.
    signers: Vec<(KeyId, VerifyingKey)>,
}

struct Audit<'a> {
    trust: &'a Trust,
    /// Each attachment section in which every delegation was verified.
    shared: HashMap<&'a [u8], Shared>,
    waiting: Batch<'a>,
    damaged: Vec<Damaged>,
}

/// Signatures that wait, each with its license. A license of several signers is here several times.
#[derive(Default)]
struct Batch<'a> {
    licenses: Vec<(usize, &'a [u8])>,
    messages: Vec<Vec<u8>>,
    signatures: Vec<Signature>,
    keys: Vec<VerifyingKey>,
}

impl<'a> Audit<'a> {
    /// Adds a license to the batch, or verifies it if it is the first with its attachments.
    fn add(&mut self, index: usize, bytes: &'a [u8]) -> Result<()> {
        let frame = Frame::parse(Kind::License, bytes)?;
        frame.ensure_vendor(self.trust.vendor())?;
        let Some(Shared { digest, signers }) = self.shared.get(frame.attachment_section) else {
            License::verify_even_revoked(bytes, self.trust)?;
            self.shared.insert(frame.attachment_section, Shared::new(&frame, self.trust)?);
            return Ok(());
        };
        let key = |id| signers.iter().find(|(signer, _)| *signer == id).map(|(_, key)| *key);
        let keys: Option<Vec<_>> = frame.signatures.iter().map(|one| key(one.key)).collect();
        let Some(keys) = keys else {
            return License::verify_even_revoked(bytes, self.trust).map(drop);
        };
        for (key, signature) in keys.into_iter().zip(&frame.signatures) {
            self.waiting.licenses.push((index, bytes));
            self.waiting.messages.push(frame.message_of(digest));
            self.waiting.signatures.push(Signature::from_bytes(&signature.bytes));
            self.waiting.keys.push(key);
        }
        Ok(())
    }

    /// Verifies the signatures that wait.
    fn check(&mut self) {
        let batch = std::mem::take(&mut self.waiting);
        self.search(&batch, 0..batch.licenses.len());
    }

    /// Looks for damaged licenses in a part of a batch, by halves.
    fn search(&mut self, batch: &Batch<'a>, part: Range<usize>) {
        if batch.is_intact(part.clone()) {
            return;
        }
        if part.len() > FEW {
            let middle = part.start.midpoint(part.end);
            self.search(batch, part.start..middle);
            return self.search(batch, middle..part.end);
        }
        for (index, bytes) in batch.licenses.get(part).unwrap_or_default() {
            if let Err(why) = License::verify_even_revoked(bytes, self.trust) {
                self.damaged.push(Damaged { index: *index, why });
            }
        }
    }
}

impl Shared {
    fn new(frame: &Frame<'_>, trust: &Trust) -> Result<Self> {
        let mut signers = Vec::new();
        for delegation in trust.signers(frame)? {
            if let Ok(key) = VerifyingKey::from_bytes(&delegation.body().issuer) {
                signers.push((delegation.key_id(), key));
            }
        }
        Ok(Self { digest: sha512(frame.attachment_section), signers })
    }
}

impl Batch<'_> {
    /// True if every signature in this part verifies.
    fn is_intact(&self, part: Range<usize>) -> bool {
        let messages = self.messages.get(part.clone()).unwrap_or_default();
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let signatures = self.signatures.get(part.clone()).unwrap_or_default();
        let keys = self.keys.get(part).unwrap_or_default();
        messages.is_empty() || verify_batch(&messages, signatures, keys).is_ok()
    }
}

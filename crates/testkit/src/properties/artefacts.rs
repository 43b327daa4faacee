//! Properties of artefacts and of stored files: armor, frames, and each body.

use super::{SNAKEOIL, body, inner, signed};
use olr_core::armor::{armor as write_armor, dearmor};
use olr_core::crypto::digest::tagged;
use olr_core::crypto::label::{REQUEST_SEAL, STATE, pae};
use olr_core::crypto::seal::seal;
use olr_core::crypto::sign::Signer;
use olr_core::entitlement::Cause;
use olr_core::key::{Role, key_id};
use olr_core::license::{License, LicenseBody, sign_license};
use olr_core::machine::{Bound, Here};
use olr_core::proposal::{Content, Proposal, ProposalBody};
use olr_core::receipt::{Receipt, ReceiptBody};
use olr_core::request::{RequestBody, SealedRequest};
use olr_core::revocation::{Revocations, RevocationsBody, sign_bare, sign_revocations};
use olr_core::state::{Memory, STATE_CAP, State};
use olr_core::time::Instant;
use olr_core::timestamp::{Timestamp, TimestampBody, sign_timestamp};
use olr_core::trust::{Act, DelegationBody, Trust, TrustBody, vendor_id};
use olr_core::wire::codec::{BODY_CAP, encode};
use olr_core::wire::frame::{FRAME_CAP, Frame, Header, Kind, MAGIC, Unsigned};
use olr_office::key::file::KeyFile;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

/// Dearmored bytes can be armored and dearmored again.
pub fn armor(file: &[u8]) {
    for wanted in [None, Some(Kind::Request), Some(Kind::License)] {
        let Ok(bytes) = dearmor(wanted, file) else { continue };
        let inside = Header::peek(&bytes).ok().filter(|_| !file.starts_with(&MAGIC));
        assert!(inside.is_none() || wanted.is_none() || inside == wanted, "the label is wrong");
        // A binary file is returned unchanged; checking it is left to its parser.
        if bytes.len() <= FRAME_CAP {
            let kind = Header::peek(&bytes).or(wanted.ok_or(())).unwrap_or(Kind::Request);
            let text = write_armor(kind, &bytes);
            assert_eq!(*dearmor(Some(kind), text.as_bytes()).unwrap(), *bytes);
        }
    }
}

/// A frame reassembled from its parts equals the original.
pub fn frame(bytes: &[u8]) {
    for kind in Kind::ALL {
        let Ok(frame) = Frame::parse(*kind, bytes) else { continue };
        let attachments = frame.attachments.iter().map(|frame| frame.bytes.to_vec()).collect();
        let unsigned = Unsigned::new(*kind, frame.vendor, attachments, frame.body.to_vec());
        assert_eq!(unsigned.unwrap().with_signatures(frame.signatures).unwrap(), bytes);
    }
}

/// A request reassembled from its fields equals the original.
pub fn request_outer(bytes: &[u8]) {
    let Ok(request) = SealedRequest::parse(bytes) else { return };
    let mut again = Vec::new();
    Header::write(Kind::Request, &mut again);
    again.extend(request.vendor.0);
    again.extend(request.recipient.0);
    again.extend(u32::try_from(request.ciphertext.len()).unwrap().to_le_bytes());
    again.extend(request.encapsulated);
    again.extend(request.ciphertext);
    again.extend(request.signature);
    assert_eq!(again, bytes);
}

/// A request body has exactly one encoding.
pub fn request_body(bytes: &[u8]) {
    body::<RequestBody>(bytes, BODY_CAP);
}

/// Any plaintext under a valid seal, but without a valid signature, is refused.
pub fn request_plaintext(bytes: &[u8]) {
    let mut plaintext = bytes.get(..8 * 1024).unwrap_or(bytes).to_vec();
    plaintext.resize(plaintext.len().next_multiple_of(1024).max(1024), 0);
    let public = SNAKEOIL.sealing.public();
    let mut request = Vec::new();
    Header::write(Kind::Request, &mut request);
    request.extend(SNAKEOIL.trust.vendor().0);
    request.extend(key_id(Role::Sealing, &public).0);
    request.extend(u32::try_from(plaintext.len() + 16).unwrap().to_le_bytes());
    let info = pae(&[REQUEST_SEAL, &[1], &[1], &request]);
    let sealed = seal(&public, &info, &plaintext, &mut ChaCha20Rng::from_seed([7; 32])).unwrap();
    request.extend(sealed.encapsulated);
    request.extend(sealed.ciphertext);
    request.extend([0; 64]);
    let opened = SealedRequest::parse(&request).unwrap().open(&SNAKEOIL.sealing);
    assert!(opened.is_err(), "a request without a valid signature was opened");
}

/// Checks a license: the input is complete, or a body that the issuer then signs.
pub fn license(bytes: &[u8]) {
    if let Ok(license) = License::verify(bytes, &SNAKEOIL.trust) {
        assert_eq!(license.bytes(), bytes);
        looked_at(&license);
    }
    inner::<LicenseBody>(Kind::License, bytes);
    if let Some(body) = body::<LicenseBody>(bytes, BODY_CAP) {
        let issuer = (&SNAKEOIL.issuer as &dyn Signer, SNAKEOIL.delegation.as_slice());
        if let Ok(license) = sign_license(&body, &SNAKEOIL.trust, &[issuer], &[]) {
            assert_eq!(*license.body(), body);
            looked_at(&license);
        }
    }
}

/// Checks the properties of a license that was verified.
pub(super) fn looked_at(license: &License) {
    let body = license.body();
    assert!(body.number > 0 && body.answer > 0);
    assert!(body.expires.is_none_or(|last| body.starts <= last));
    assert!((1..=body.policy.total()).contains(&body.policy.threshold));
    assert!(body.extensions.iter().all(|extension| !extension.critical));
    let bound = Bound { commitment_key: &[0; 32], enrolled: &[] };
    let machine = body.policy.assess(bound, Here::default());
    assert!(!machine.matches(), "a machine without factors matched");
    let _ = body.expires.map(|day| (day.ends(), day.to_string()));
    let _ = (body.starts.begins(), body.issued.to_string());
    license.ensure_here(&body.product, &body.slot, &body.install_key).unwrap();
}

/// Checks a trust: the input is complete, or the body of a first trust that the root then signs.
pub fn trust(bytes: &[u8]) {
    if let Ok(trust) = Trust::pin(bytes) {
        assert_eq!(trust.bytes(), bytes);
        let _ = (trust.vendor_code(), trust.sealing_key(), trust.product(None).unwrap());
    }
    let _ = SNAKEOIL.trust.successor(bytes);
    inner::<TrustBody>(Kind::Trust, bytes);
    if body::<TrustBody>(bytes, BODY_CAP).is_some() {
        let frame = signed(Kind::Trust, vendor_id(bytes), bytes);
        let _ = frame.map(|frame| Trust::pin(&frame));
    }
}

/// Checks a delegation: the input is complete, or a body that the root then signs.
pub fn delegation(bytes: &[u8]) {
    inner::<DelegationBody>(Kind::Delegation, bytes);
    let framed = body::<DelegationBody>(bytes, BODY_CAP)
        .and_then(|_| signed(Kind::Delegation, SNAKEOIL.trust.vendor(), bytes));
    for bytes in framed.as_deref().into_iter().chain([bytes]) {
        let Ok(frame) = Frame::parse(Kind::Delegation, bytes) else { continue };
        let Ok(delegation) = SNAKEOIL.trust.delegation(&frame) else { continue };
        let _ = delegation.check_key();
        let _ = delegation.permits(Act::License, Instant::new(u64::MAX));
        assert_eq!(encode(delegation.body()), frame.body);
    }
}

/// Checks a receipt: the input is complete, or a body that the server of the fixtures then signs.
pub fn receipt(bytes: &[u8]) {
    if let Ok(receipt) = Receipt::verify(bytes) {
        assert_eq!(receipt.bytes(), bytes);
    }
    inner::<ReceiptBody>(Kind::Receipt, bytes);
    if let Some(body) = body::<ReceiptBody>(bytes, BODY_CAP) {
        let signed = Receipt::sign(SNAKEOIL.trust.vendor(), &body, &SNAKEOIL.install);
        let own = SNAKEOIL.install.signing_key().public() == body.install_key;
        assert!(own || signed.is_err(), "a receipt of another installation was accepted");
        assert!(signed.is_err() || body.number > 0, "a receipt with number 0 was accepted");
    }
}

/// Checks a proposal: the input is complete, or the body of an unsigned proposal. The root then
/// signs the unsigned proposal, if a root may sign it.
pub fn proposal(bytes: &[u8]) {
    let trust = Some(&SNAKEOIL.trust);
    for of in [None, trust] {
        let read =
            of.map_or_else(|| Proposal::parse(bytes), |trust| Proposal::verify(bytes, trust));
        if let Ok(proposal) = read {
            assert_eq!(proposal.bytes(), bytes);
            assert_eq!(proposal.merge(&proposal).unwrap().bytes(), bytes);
            let _ = (proposal.check(None), proposal.finish(of));
            if let (Content::Trust(next), Some(trust)) = (proposal.content(), of) {
                assert!(next.version > trust.body().version, "the proposed trust is not newer");
            }
        }
    }
    inner::<ProposalBody>(Kind::Proposal, bytes);
    let Some(body) = body::<ProposalBody>(bytes, BODY_CAP) else { return };
    let vendor = SNAKEOIL.trust.vendor();
    let frame = Unsigned::new(Kind::Proposal, vendor, Vec::new(), encode(&body));
    let Ok(bytes) = frame.unwrap().with_signatures(Vec::new()) else { return };
    let Ok(proposal) = Proposal::verify(&bytes, &SNAKEOIL.trust) else { return };
    if let Content::Trust(next) = proposal.content() {
        assert!(next.version > 1 && !next.roots.is_empty() && body.signers.is_empty());
    }
    if let Ok(signed) = proposal.sign(&SNAKEOIL.root, trust) {
        assert_ne!(proposal.kind(), Kind::License, "a root was allowed to sign a license");
        assert_eq!(signed.signed_by().len(), 1);
        assert!(signed.finish(trust).is_ok() || signed.still_missing(trust).unwrap().is_some());
    }
}

/// Checks a timestamp: the input is complete, or a body that the issuer then signs.
pub fn time(bytes: &[u8]) {
    if let Ok(anchor) = Timestamp::verify(bytes, &SNAKEOIL.trust) {
        assert_eq!(anchor.bytes(), bytes);
    }
    inner::<TimestampBody>(Kind::Timestamp, bytes);
    if let Some(body) = body::<TimestampBody>(bytes, BODY_CAP) {
        let issuer = (&SNAKEOIL.issuer as &dyn Signer, SNAKEOIL.delegation.as_slice());
        let critical = body.extensions.iter().any(|extension| extension.critical);
        assert_eq!(sign_timestamp(&body, &SNAKEOIL.trust, issuer).is_err(), critical);
    }
}

/// Checks revocations: the input is complete, or a body that the issuer then signs, both as a file
/// and for attaching.
pub fn revocations(bytes: &[u8]) {
    if let Ok(list) = Revocations::verify(bytes, &SNAKEOIL.trust) {
        let frame = Frame::parse(Kind::Revocations, bytes).unwrap();
        assert_eq!(encode(list.body()), frame.body);
    }
    inner::<RevocationsBody>(Kind::Revocations, bytes);
    if let Some(body) = body::<RevocationsBody>(bytes, BODY_CAP) {
        let (trust, issuer) = (&SNAKEOIL.trust, &SNAKEOIL.issuer as &dyn Signer);
        let delegation = SNAKEOIL.delegation.as_slice();
        let critical = body.extensions.iter().any(|extension| extension.critical);
        let causes = [Cause::Revoked, Cause::Pooled];
        let fit = body.licenses.iter().all(|withdrawn| causes.contains(&withdrawn.cause));
        let counts = body.version == 1 && body.sequence > 0 && !critical && fit;
        let file = sign_revocations(&body, trust, (issuer, delegation), &[]);
        assert_eq!(file.is_ok(), counts, "only a valid list under trust 1 can be signed");
        let bare = sign_bare(&body, trust, issuer).unwrap();
        assert!(Revocations::verify(&bare, trust).is_err(), "verified without its delegation");
        let list = Frame::parse(Kind::Revocations, &bare).unwrap();
        let beside = Frame::parse(Kind::Delegation, delegation).unwrap();
        let attached = Revocations::verify_frame(&list, &[list.clone(), beside], trust);
        assert_eq!(attached.map(|list| list.body().clone()).ok(), counts.then_some(body));
    }
}

/// A key file is written as it was read. No key is derived, because that may take 1 GiB of memory.
pub fn key_file(bytes: &[u8]) {
    if let Ok(file) = KeyFile::parse(bytes) {
        assert_eq!(file.to_bytes(), bytes);
    }
}

/// A state is written as it was read, even after its digest is corrected.
pub fn state(bytes: &[u8]) {
    body::<Memory>(bytes, STATE_CAP);
    let mut fitting = bytes.get(..bytes.len().saturating_sub(32)).unwrap_or_default().to_vec();
    fitting.extend(tagged(&[STATE, &fitting]));
    for bytes in [bytes, &fitting] {
        if let Ok(state) = State::parse(bytes) {
            assert_eq!(**state.to_bytes(), *bytes);
            let _ = (state.install_id(), state.slot(None, None));
        }
    }
}

//! Builds artefacts with arbitrary content, signed and sealed with the right keys.

use olr_core::crypto::digest::tagged;
use olr_core::crypto::label::{REQUEST, REQUEST_SEAL, STATE, pae};
use olr_core::crypto::seal::seal;
use olr_core::crypto::sign::SigningKey;
use olr_core::key::{Role, key_id};
use olr_core::wire::frame::{Frame, Header, Kind};
use olr_core::wire::id::VendorId;

use crate::raw::{Raw, sized};
use crate::rng;

/// Takes a frame apart.
pub fn apart(kind: Kind, bytes: &[u8]) -> Raw {
    let frame = Frame::parse(kind, bytes).unwrap();
    let mut raw = Raw::new(kind, frame.vendor, frame.body.to_vec());
    raw.attachments = frame.attachments.iter().map(|attached| attached.bytes.to_vec()).collect();
    raw.signatures = frame.signatures.iter().map(|s| (s.key.0, s.bytes)).collect();
    raw
}

/// Seals a plaintext to the key `to` of `vendor`, and signs it as a request.
pub fn request(vendor: VendorId, to: &[u8; 32], plaintext: &[u8], signer: &SigningKey) -> Vec<u8> {
    let mut bytes = Vec::new();
    Header::write(Kind::Request, &mut bytes);
    bytes.extend(vendor.0);
    bytes.extend(key_id(Role::Sealing, to).0);
    bytes.extend(u32::try_from(plaintext.len() + 16).unwrap().to_le_bytes());
    let info = pae(&[REQUEST_SEAL, &[1], &[1], &bytes]);
    let sealed = seal(to, &info, plaintext, &mut rng("forged request")).unwrap();
    let signed = pae(&[REQUEST, &[1], &[1], &bytes, &sealed.encapsulated, &sealed.ciphertext]);
    bytes.extend(sealed.encapsulated);
    bytes.extend(sealed.ciphertext);
    bytes.extend(signer.sign(&signed).unwrap());
    bytes
}

/// A body with its length prefix, padded with zeros to a multiple of 1 KiB.
pub fn padded(body: &[u8]) -> Vec<u8> {
    let mut plaintext = sized(body);
    plaintext.resize(plaintext.len().next_multiple_of(1024), 0);
    plaintext
}

/// Offset of the memory in a state file: after header, secret and length.
pub const MEMORY: usize = 43;

/// Replaces the memory of a state file, and computes the matching digest.
pub fn state(good: &[u8], memory: &[u8]) -> Vec<u8> {
    let mut bytes = [&good[..MEMORY - 4], &sized(memory)].concat();
    bytes.extend(tagged(&[STATE, &bytes]));
    bytes
}

//! SHA-2 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

use crate::crypto::label::pae;

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-512 of `bytes`.
pub fn sha512(bytes: &[u8]) -> [u8; 64] {
    Sha512::digest(bytes).into()
}

/// SHA-256 over PAE(pieces). The first piece is a label.
pub fn tagged(pieces: &[&[u8]]) -> [u8; 32] {
    sha256(&pae(pieces))
}

/// The first 16 bytes of [`tagged`], as used for key ids and vendor ids.
pub fn tagged16(pieces: &[&[u8]]) -> [u8; 16] {
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(tagged(pieces)) {
        *to = from;
    }
    id
}

/// A key of HMAC-SHA256, prepared once for any number of messages.
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// Prepares `key`.
    pub fn new(key: &[u8; 32]) -> Self {
        match Hmac::new_from_slice(key) {
            Ok(mac) => Self(mac),
            Err(_) => unreachable!("HMAC accepts a key of any length"),
        }
    }

    /// HMAC-SHA256 over PAE(pieces).
    pub fn mac(&self, pieces: &[&[u8]]) -> [u8; 32] {
        self.0.clone().chain_update(pae(pieces)).finalize().into_bytes().into()
    }
}

/// HKDF-SHA256 of `secret` without salt: writes 32 bytes, with PAE(pieces) as `info`.
pub fn hkdf(secret: &[u8], pieces: &[&[u8]], into: &mut [u8; 32]) {
    if hkdf::Hkdf::<Sha256>::new(None, secret).expand(&pae(pieces), into).is_err() {
        unreachable!("HKDF-SHA256 can produce up to 8160 bytes");
    }
}

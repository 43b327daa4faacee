//! Ed25519 (RFC 8032) with strict verification, over length-prefixed messages.
//! Implements `docs/format.md`, section "Signatures".

use std::fmt;

use crate::crypto::digest::sha512;
use crate::crypto::label::{of_kind, pae};
use crate::crypto::secret::Secret;
use crate::error::{Error, Problem, Result};
use crate::wire::frame::{Frame, Kind, SUITE, Unsigned, VERSION};
use crate::wire::id::VendorId;

/// A public key that has not been checked yet: 32 bytes of RFC 8032, section 5.1.2.
pub type PublicKey = [u8; 32];

/// Holder of a private Ed25519 key: this program, a token, an agent.
pub trait Signer {
    /// The public key.
    fn public(&self) -> PublicKey;

    /// Signs `message` with pure Ed25519 (RFC 8032, section 5.1.6). Does not verify the signature:
    /// callers use [`sign`] instead.
    ///
    /// # Errors
    /// Exit 2 if the key cannot be used.
    fn sign_unverified(&self, message: &[u8]) -> Result<[u8; 64]>;
}

/// Signs `message`, and verifies the signature before it returns it.
///
/// # Errors
/// Exit 2 if the key cannot be used, or the signature does not verify.
pub fn sign(signer: &dyn Signer, message: &[u8]) -> Result<[u8; 64]> {
    let signature = signer.sign_unverified(message)?;
    if !verify(&signer.public(), message, &signature) {
        let fact = "a signature that was just made does not verify";
        let hint =
            "this computer or token computes wrong results: sign with another computer or token";
        return Err(Error::unable(Problem::Fault, fact, hint));
    }
    Ok(signature)
}

/// A private Ed25519 key in memory. Wiped when dropped, and never printed.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Derives the key from a 32-byte seed (RFC 8032, section 5.1.5).
    pub fn from_seed(seed: &Secret) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed.expose()))
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        self.0.verifying_key().to_bytes()
    }

    /// Signs `message`, and verifies the signature before it returns it.
    ///
    /// # Errors
    /// Same as [`sign`].
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64]> {
        sign(self, message)
    }
}

impl Signer for SigningKey {
    fn public(&self) -> PublicKey {
        self.public()
    }

    fn sign_unverified(&self, message: &[u8]) -> Result<[u8; 64]> {
        Ok(ed25519_dalek::Signer::sign(&self.0, message).to_bytes())
    }
}

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn public(&self) -> PublicKey {
        (**self).public()
    }

    fn sign_unverified(&self, message: &[u8]) -> Result<[u8; 64]> {
        (**self).sign_unverified(message)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

/// A decoded public key, whose point is not of small order. Decoding costs a tenth of a
/// verification, so keys that verify often are kept in this form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Decodes a public key. `None` if it is not a point of the curve, or weak (of small order).
    pub fn new(public: &PublicKey) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    /// True if `signature` is a signature of `message` by this key. Uses `verify_strict`.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }

    /// True if the key is acceptable as a trusted key: canonical and of prime order (torsion-free).
    pub fn is_trustworthy(&self) -> bool {
        let point = self.0.to_edwards();
        point.is_torsion_free() && point.compress().to_bytes() == self.0.to_bytes()
    }
}

/// True if `public` is acceptable as a trusted key: see [`VerifyingKey::is_trustworthy`].
pub fn is_trustworthy(public: &PublicKey) -> bool {
    VerifyingKey::new(public).is_some_and(|key| key.is_trustworthy())
}

/// Same as [`VerifyingKey::verify`], for a key that is used once. A key that [`VerifyingKey::new`]
/// does not accept verifies nothing.
pub fn verify(public: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::new(public).is_some_and(|key| key.verify(message, signature))
}

/// Returns the message that the signatures of a frame are made over. It covers everything in the
/// frame except the signatures.
pub fn message(kind: Kind, vendor: VendorId, attachment_section: &[u8], body: &[u8]) -> Vec<u8> {
    message_of(kind, vendor, &sha512(attachment_section), body)
}

fn message_of(kind: Kind, vendor: VendorId, attachments: &[u8; 64], body: &[u8]) -> Vec<u8> {
    pae(&[of_kind(kind), &[VERSION], &[SUITE], &vendor.0, attachments, &sha512(body)])
}

impl Frame<'_> {
    /// Returns the bytes that its signatures must cover.
    pub fn message(&self) -> Vec<u8> {
        message(self.kind, self.vendor, self.attachment_section, self.body)
    }

    /// Same as [`Frame::message`], for many frames with the same attachments: `attachments` is the
    /// SHA-512 of their attachment section.
    pub fn message_of(&self, attachments: &[u8; 64]) -> Vec<u8> {
        message_of(self.kind, self.vendor, attachments, self.body)
    }
}

impl Unsigned {
    /// Returns the bytes that its signatures will cover.
    pub fn message(&self) -> Vec<u8> {
        message(self.kind, self.vendor, &self.attachment_section, &self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_vector_of_rfc_8032() {
        let seed = data_encoding::HEXLOWER
            .decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap();
        let key = SigningKey::from_seed(&Secret::new(&seed.try_into().unwrap()));
        assert!(data_encoding::HEXLOWER.encode(&key.public()).starts_with("d75a980182b10ab7"));
        let signature = key.sign(b"").unwrap();
        assert!(data_encoding::HEXLOWER.encode(&signature).starts_with("e5564300c360ac72"));
        assert!(verify(&key.public(), b"", &signature));
        assert!(!verify(&key.public(), b"x", &signature));
    }

    #[test]
    fn weak_keys_sign_nothing() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!verify(&identity, b"anything", &signature));
        assert_eq!(VerifyingKey::new(&identity), None);
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SigningKey::from_seed(&Secret::new(&[1; 32]));
        assert_eq!(format!("{key:?}"), "SigningKey([redacted])");
    }
}

//! The vendor's side: opening sealed messages.

use hpke::{Deserializable, Kem as _, OpModeR, Serializable, aead::AesGcm256, kdf::HkdfSha256};
use std::fmt;
use zeroize::Zeroizing;

use super::{ENCAPSULATED, Kem};
use crate::crypto::secret::Secret;

/// A private X25519 key that opens requests. Wiped when dropped, and never printed.
pub struct SealingKey {
    private: <Kem as hpke::Kem>::PrivateKey,
    public: [u8; 32],
}

impl SealingKey {
    /// Derives the key from a 32-byte seed: DeriveKeyPair of RFC 9180, section 7.1.3.
    pub fn from_seed(seed: &Secret) -> Self {
        let (private, public) = Kem::derive_keypair(seed.expose());
        Self { private, public: public.to_bytes().into() }
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// Returns the plaintext, or `None` if the message cannot be decrypted.
    pub fn open(
        &self,
        encapsulated: &[u8; ENCAPSULATED],
        info: &[u8],
        ciphertext: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        hpke::single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            info,
            ciphertext,
            b"",
        )
        .ok()
        .map(Zeroizing::new)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey([redacted])")
    }
}

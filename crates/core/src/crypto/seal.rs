//! Sealing with HPKE (RFC 9180): base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM,
//! single shot, empty `aad`. Implements `docs/format.md`, section "Sealing".

use hpke::{Deserializable, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256};
use rand::CryptoRng;

use crate::error::{Error, Problem, Result};

mod open;
pub use open::SealingKey;

type Kem = hpke::kem::X25519HkdfSha256;

/// Length of an encapsulated key in bytes.
pub const ENCAPSULATED: usize = 32;
/// Number of bytes by which a ciphertext is longer than its plaintext.
pub const TAG: usize = 16;

/// A sealed message, which only the recipient can open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The encapsulated key, `enc` in RFC 9180.
    pub encapsulated: [u8; ENCAPSULATED],
    /// Ciphertext and tag.
    pub ciphertext: Vec<u8>,
}

/// Seals `plaintext` to the X25519 key `recipient`. `info` binds the context.
///
/// # Errors
/// Exit 2 if `recipient` is not a usable key.
pub fn seal(
    recipient: &[u8; 32],
    info: &[u8],
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Sealed> {
    let unusable = |_| {
        let fact = "the vendor's sealing key is not usable";
        Error::unable(Problem::Usage, fact, "ask the vendor for a corrected vendor.trust")
    };
    let recipient = <Kem as hpke::Kem>::PublicKey::from_bytes(recipient).map_err(unusable)?;
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Kem>(
        &OpModeS::Base,
        &recipient,
        info,
        plaintext,
        b"",
        rng,
    )
    .map_err(unusable)?;
    Ok(Sealed { encapsulated: encapsulated.to_bytes().into(), ciphertext })
}

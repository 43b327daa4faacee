//! Ed25519 signatures that a strict verifier refuses, to find out what each peer checks.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use sha2::{Digest, Sha512};

/// How a signature is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    /// As RFC 8032 describes it.
    Genuine,
    /// A signature of another message.
    Wrong,
    /// Like a genuine one, but the group order is added to S.
    LargeScalar,
    /// Under one of the eight keys of small order, for which nobody needs a secret.
    WeakKey(usize),
    /// With a commitment R of small order.
    WeakCommitment,
    /// With a component of small order in R: valid only in the equation with the cofactor.
    Cofactored,
}

impl Signer {
    /// The public key.
    pub fn key(self) -> [u8; 32] {
        let key = match self {
            Self::WeakKey(which) => EIGHT_TORSION[which],
            _ => EdwardsPoint::mul_base(&secret()),
        };
        key.compress().to_bytes()
    }

    /// Signs `message`. Under a weak key of order n, the signature is valid for about one message
    /// in n.
    pub fn sign(self, message: &[u8]) -> [u8; 64] {
        let nonce = scalar(&[b"nonce", message]);
        let commitment = match self {
            Self::WeakCommitment => EdwardsPoint::identity(),
            Self::Cofactored => EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[4],
            _ => EdwardsPoint::mul_base(&nonce),
        };
        let commitment = commitment.compress().to_bytes();
        let other: &[u8] = if self == Self::Wrong { b"another message" } else { &[] };
        let challenge = scalar(&[&commitment, &self.key(), message, other]);
        let response = match self {
            Self::WeakKey(_) => nonce,
            Self::WeakCommitment => challenge * secret(),
            _ => nonce + challenge * secret(),
        };
        let mut response = response.to_bytes();
        if self == Self::LargeScalar {
            add_order(&mut response);
        }
        [commitment, response].concat().try_into().expect("two halves of 32 bytes")
    }
}

/// What a verifier refuses, one letter each: an `S` that is too large, a weak key `A`, a weak
/// commitment `R`, and `1` for a signature that is valid only in the equation with the cofactor. A
/// dash replaces the letter of what it accepts. `accepts(signer, number)` is true if the verifier
/// accepts the signature that `signer` makes of the message with this number.
///
/// # Panics
/// If it refuses a genuine signature, or accepts one of another message.
pub fn checks(name: &str, accepts: &dyn Fn(Signer, u32) -> bool) -> String {
    assert!(accepts(Signer::Genuine, 0), "{name} refuses a genuine signature");
    assert!(!accepts(Signer::Wrong, 0), "{name} accepts a signature of another message");
    // Two signatures under a key of order 8 are valid together for one message in 64.
    let weak_key = (0..8).any(|key| (0..400).any(|n| accepts(Signer::WeakKey(key), n)));
    [
        ('S', accepts(Signer::LargeScalar, 0)),
        ('A', weak_key),
        ('R', accepts(Signer::WeakCommitment, 0)),
        ('1', accepts(Signer::Cofactored, 0)),
    ]
    .map(|(letter, accepted)| if accepted { '-' } else { letter })
    .iter()
    .collect()
}

fn secret() -> Scalar {
    scalar(&[b"secret"])
}

fn scalar(parts: &[&[u8]]) -> Scalar {
    let mut hash = Sha512::new();
    parts.iter().for_each(|part| hash.update(part));
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// Adds the order of the group, 2^252 + 27742317777372353535851937790883648493.
fn add_order(scalar: &mut [u8; 32]) {
    let order = (Scalar::ZERO - Scalar::ONE).to_bytes();
    let mut carry = 1; // because `order` is one less than the order
    for (byte, add) in scalar.iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

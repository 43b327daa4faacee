//! Secrets, which are wiped when dropped, and can be neither printed nor cloned.

use rand::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

use crate::crypto::digest;

/// 32 secret bytes. Boxed, so that moving it leaves no copy behind.
pub struct Secret(Box<Zeroizing<[u8; 32]>>);

impl Secret {
    /// Copies `bytes`. The caller must wipe its own copy.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let mut secret = Self::zeros();
        secret.0.copy_from_slice(bytes);
        secret
    }

    /// Draws a secret from `rng`.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut secret = Self::zeros();
        rng.fill_bytes(secret.0.as_mut_slice());
        secret
    }

    /// Derives a secret with HKDF-SHA256. The first piece is a label.
    #[must_use]
    pub fn derive(&self, pieces: &[&[u8]]) -> Self {
        let mut secret = Self::zeros();
        digest::hkdf(self.0.as_slice(), pieces, &mut secret.0);
        secret
    }

    /// Returns the bytes. The caller must keep them out of output, arguments and errors.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    fn zeros() -> Self {
        Self(Box::new(Zeroizing::new([0; 32])))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Secret::new(&[7; 32])), "[redacted]");
    }

    #[test]
    fn derivations_differ_by_label_and_context() {
        let secret = Secret::new(&[7; 32]);
        let derived = |pieces: &[&[u8]]| *secret.derive(pieces).expose();
        assert_eq!(derived(&[b"a", b"x"]), derived(&[b"a", b"x"]));
        assert_ne!(derived(&[b"a", b"x"]), derived(&[b"b", b"x"]));
        assert_ne!(derived(&[b"a", b"x"]), derived(&[b"a", b"y"]));
    }
}

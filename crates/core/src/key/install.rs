//! The secret of one installation, and the keys derived from it.
//! Implements `docs/format.md`, section "Install keys".

use std::sync::OnceLock;

use rand::rngs::ChaCha20Rng;
use rand::{CryptoRng, SeedableRng};

use crate::crypto::label::{COMMITMENT_KEY, ENCAPSULATION, INSTALL_SIGN};
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::wire::id::RequestId;

/// Secret of one installation. Made at first use, kept in the state, and never sent anywhere.
#[derive(Debug)]
pub struct InstallSecret {
    secret: Secret,
    /// Derived at its first use.
    signing: OnceLock<SigningKey>,
}

impl InstallSecret {
    /// Draws a new secret.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self::from_secret(Secret::random(rng))
    }

    /// Wraps a secret from the state.
    pub fn from_secret(secret: Secret) -> Self {
        Self { secret, signing: OnceLock::new() }
    }

    /// The bytes that the state stores.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The key that signs the requests of this installation. Its public key identifies the
    /// installation.
    pub fn signing_key(&self) -> &SigningKey {
        self.signing.get_or_init(|| SigningKey::from_seed(&self.secret.derive(&[INSTALL_SIGN])))
    }

    /// Derives the key under which the vendor commits to the factors of one request.
    pub fn commitment_key(&self, request: RequestId) -> Secret {
        self.secret.derive(&[COMMITMENT_KEY, &request.0])
    }

    /// Returns a generator of randomness for one encapsulation. Its seed also depends on the
    /// secret, the request number and `content` (SHA-256 of the request body), so that its output
    /// stays unpredictable even if the system's generator repeats itself.
    pub fn encapsulation_rng(
        &self,
        number: u64,
        content: &[u8; 32],
        rng: &mut impl CryptoRng,
    ) -> ChaCha20Rng {
        let fresh = Secret::random(rng);
        let pieces: [&[u8]; 4] = [ENCAPSULATION, fresh.expose(), &number.to_le_bytes(), content];
        ChaCha20Rng::from_seed(*self.secret.derive(&pieces).expose())
    }
}

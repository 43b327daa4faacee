//! Encryption of a seed with a passphrase: Argon2id (RFC 9106), a key commitment, AES-256-GCM.
//! Implements `docs/format.md`, section "Key file".

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key::typed::Passphrase;
use olr_core::crypto::label::{KEY_FILE, pae};
use olr_core::crypto::secret::Secret;
use olr_core::error::{Error, Problem, Result};

/// Argon2id parameters: the work of one passphrase guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// For keys that staff use daily: 64 MiB.
    pub const STAFF: Self = Self { memory: 64 * 1024, passes: 3, lanes: 4 };
    /// For root keys: 256 MiB.
    pub const ROOT: Self = Self { memory: 256 * 1024, passes: 3, lanes: 4 };

    /// True if this program accepts the cost: 8 MiB ≤ memory ≤ 1 GiB, passes and lanes 1 to 16,
    /// memory × passes ≤ 4 GiB. Checked before anything is allocated.
    pub fn is_acceptable(self) -> bool {
        let work = u64::from(self.memory).saturating_mul(self.passes.into());
        (8 * 1024..=1024 * 1024).contains(&self.memory)
            && (1..=16).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
            && work <= 4 * 1024 * 1024
    }
}

/// Half of the Argon2id output.
type Key = Zeroizing<[u8; 32]>;

/// Length in bytes of an encrypted seed: ciphertext and tag.
pub const PROTECTED: usize = 48;

/// Passphrase parameters in the header of a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseLock {
    /// Cost of one guess.
    pub cost: Cost,
    /// Random salt, unique per file.
    pub salt: [u8; 16],
    /// Nonce for AES-256-GCM.
    pub nonce: [u8; 12],
}

impl PassphraseLock {
    /// Generates random parameters.
    pub fn random(cost: Cost, rng: &mut impl CryptoRng) -> Self {
        let mut lock = Self { cost, salt: [0; 16], nonce: [0; 12] };
        rng.fill_bytes(&mut lock.salt);
        rng.fill_bytes(&mut lock.nonce);
        lock
    }

    /// Encrypts a seed. Returns the commitment and the ciphertext; `header` is authenticated too.
    ///
    /// # Errors
    /// Exit 2 when the cost is not acceptable, the passphrase is too long, or there is not enough
    /// memory.
    pub fn protect(
        &self,
        seed: &Secret,
        passphrase: &Passphrase,
        header: &[u8],
    ) -> Result<([u8; 32], [u8; PROTECTED])> {
        let (key, commitment) = self.keys(passphrase)?;
        let payload = (seed.expose().as_slice(), pae(&[KEY_FILE, header, commitment.as_slice()]));
        let payload = Payload { msg: payload.0, aad: &payload.1 };
        let sealed = cipher(&key).encrypt(&Nonce::from(self.nonce), payload);
        match sealed.ok().and_then(|sealed| sealed.try_into().ok()) {
            Some(sealed) => Ok((*commitment, sealed)),
            None => unreachable!("AES-GCM seals 32 bytes into 48"),
        }
    }

    /// Decrypts a seed. Compares the commitment first, in constant time.
    ///
    /// # Errors
    /// Exit 2: a wrong passphrase, a modified file, a cost that is not acceptable, or not enough
    /// memory.
    pub fn unprotect(
        &self,
        commitment: &[u8; 32],
        sealed: &[u8; PROTECTED],
        passphrase: &Passphrase,
        header: &[u8],
    ) -> Result<Secret> {
        let (key, computed) = self.keys(passphrase)?;
        // AES-GCM does not commit to its key: a crafted file could open under two passphrases.
        if !bool::from(computed.ct_eq(commitment)) {
            return Err(Error::unable(
                Problem::WrongPassphrase,
                "the passphrase is wrong",
                "check the passphrase, and try again",
            ));
        }
        let payload = Payload { msg: sealed, aad: &pae(&[KEY_FILE, header, commitment]) };
        let opened = cipher(&key).decrypt(&Nonce::from(self.nonce), payload).map(Zeroizing::new);
        match opened.ok().as_deref().and_then(|seed| seed.as_slice().try_into().ok()) {
            Some(seed) => Ok(Secret::new(seed)),
            None => Err(Error::unable(
                Problem::Damaged,
                "the key file was changed",
                "restore it from a backup",
            )),
        }
    }

    /// Derives the AES key and the commitment: 64 bytes of Argon2id output.
    fn keys(&self, passphrase: &Passphrase) -> Result<(Key, Key)> {
        let Cost { memory, passes, lanes } = self.cost;
        let params = Params::new(memory, passes, lanes, Some(64))
            .ok()
            .filter(|_| self.cost.is_acceptable())
            .ok_or_else(|| {
                Error::unable(
                    Problem::Content,
                    "the cost of this passphrase is out of range",
                    "choose a cost within the limits, or restore the key file from a backup",
                )
            })?;
        let mut out = Zeroizing::new([0; 64]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let text = passphrase.nfc();
        if argon2.hash_password_into(text.as_bytes(), &self.salt, out.as_mut_slice()).is_err() {
            return Err(Error::unable(
                Problem::TooLarge,
                "the passphrase is too long, or there is not enough memory",
                "use a shorter one, or free memory",
            ));
        }
        let (mut key, mut commitment) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        let (first, second) = out.split_at(32);
        key.copy_from_slice(first);
        commitment.copy_from_slice(second);
        Ok((key, commitment))
    }
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory: 8 * 1024, passes: 1, lanes: 1 };

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_string().into())
    }

    #[test]
    fn only_the_passphrase_and_the_header_open_it() {
        let lock = PassphraseLock { cost: CHEAP, salt: [1; 16], nonce: [2; 12] };
        let seed = Secret::new(&[3; 32]);
        let (commitment, sealed) = lock.protect(&seed, &passphrase("right"), b"header").unwrap();
        let open = |sealed: &[u8; 48], words: &str, header: &[u8]| {
            lock.unprotect(&commitment, sealed, &passphrase(words), header)
        };
        assert_eq!(open(&sealed, "right", b"header").unwrap().expose(), &[3; 32]);
        assert!(open(&sealed, "rig\u{200b}ht", b"header").is_err());
        assert!(open(&sealed, "wrong", b"header").unwrap_err().fact().contains("wrong"));
        assert!(open(&sealed, "right", b"Header").unwrap_err().fact().contains("changed"));
        let mut flipped = sealed;
        flipped[0] ^= 1;
        assert!(open(&flipped, "right", b"header").unwrap_err().fact().contains("changed"));
    }

    #[test]
    fn a_passphrase_has_one_normal_form() {
        let lock = PassphraseLock { cost: CHEAP, salt: [1; 16], nonce: [2; 12] };
        let seed = Secret::new(&[3; 32]);
        let (composed, apart) = (passphrase("gr\u{f6}\u{df}er"), passphrase("gro\u{308}\u{df}er"));
        let (commitment, sealed) = lock.protect(&seed, &apart, b"header").unwrap();
        for words in [&composed, &apart] {
            let opened = lock.unprotect(&commitment, &sealed, words, b"header").unwrap();
            assert_eq!(opened.expose(), seed.expose());
        }
        assert_eq!(lock.protect(&seed, &composed, b"header").unwrap(), (commitment, sealed));
    }

    #[test]
    fn costs_have_bounds() {
        let cost = |memory, passes, lanes| Cost { memory, passes, lanes }.is_acceptable();
        assert!(Cost::STAFF.is_acceptable() && Cost::ROOT.is_acceptable());
        assert!(cost(8 * 1024, 1, 1) && cost(1024 * 1024, 4, 16) && cost(256 * 1024, 16, 16));
        assert!(!cost(8 * 1024 - 1, 1, 1) && !cost(1024 * 1024 + 1, 1, 1));
        assert!(!cost(8 * 1024, 0, 1) && !cost(8 * 1024, 17, 1));
        assert!(!cost(8 * 1024, 1, 0) && !cost(8 * 1024, 1, 17));
        assert!(!cost(1024 * 1024, 5, 1) && !cost(u32::MAX, u32::MAX, u32::MAX));
    }
}

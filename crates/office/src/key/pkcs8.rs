//! Exchange of private Ed25519 keys with other programs: PKCS#8 (RFC 5958, RFC 8410) as PEM (RFC
//! 7468), unencrypted or encrypted with a passphrase (PBES2 of RFC 8018).

use ::pkcs8::EncryptedPrivateKeyInfoRef;
use ::pkcs8::der::{Decode, Encode, Error as DerError, ErrorKind, asn1::OctetStringRef};
use ::pkcs8::pkcs5::{EncryptionScheme, pbes2};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::key::typed::Passphrase;
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::SigningKey;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};

mod info;
mod pem;
#[cfg(test)]
mod tests;

use info::Info;
use pem::{ENCRYPTED, PLAIN, no_key, other_algorithm, the_block, write_pem};

/// Size limit of a PEM file. An encrypted Ed25519 key takes less than 1 KiB.
pub const PEM_CAP: usize = 16 * 1024;
/// Maximum number of PBKDF2 rounds that this program accepts.
pub const ROUNDS_CAP: u64 = 10_000_000;
/// Maximum memory in bytes that scrypt may use.
pub const MEMORY_CAP: u64 = 256 * 1024 * 1024;
/// Maximum work for scrypt: memory in bytes times parallelization.
const WORK_CAP: u64 = 4 * MEMORY_CAP;
/// Number of PBKDF2 rounds in exported keys.
const ROUNDS: u32 = 600_000;

/// DER prefix of a version 1 PrivateKeyInfo for Ed25519, before the seed. It has no public key,
/// because OpenSSL 3.0 does not read version 2.
const PREFIX: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const PKCS12: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01";

/// A parsed private key. Parsing never runs the key derivation.
#[derive(Debug)]
pub struct PrivatePem(Inner);

#[derive(Debug)]
enum Inner {
    Plain(Secret),
    Encrypted { how: pbes2::Parameters, sealed: Vec<u8> },
}

impl PrivatePem {
    /// Parses the one private key in a PEM file.
    ///
    /// # Errors
    /// Exit 2: no private Ed25519 key, an unknown encryption, an excessive key derivation cost, or
    /// a public key that does not belong to the private one.
    pub fn parse(file: &[u8]) -> Result<Self> {
        if file.len() > PEM_CAP {
            return Err(no_key("it is longer than 16 KiB"));
        }
        let text = str::from_utf8(file).map_err(|_| {
            let hint = "write it as PEM: `openssl pkey -inform DER -in FILE -out FILE.pem`";
            no_key("it is not text").hint(hint)
        })?;
        let (label, der) = the_block(text)?;
        if label == PLAIN {
            return Ok(Self(Inner::Plain(seed_in(&der)?)));
        }
        let info = EncryptedPrivateKeyInfoRef::from_der(&der).map_err(|error| {
            // The encryptions of PKCS#12 (1.2.840.113549.1.12.1) are recognized by their OID only.
            let is_old = der.windows(PKCS12.len()).take(16).any(|at| at == PKCS12);
            if is_unknown(&error) || is_old { unknown_encryption() } else { not_pkcs8() }
        })?;
        let EncryptionScheme::Pbes2(how) = info.encryption_algorithm else {
            return Err(unknown_encryption());
        };
        let read = Self(Inner::Encrypted { how, sealed: info.encrypted_data.as_bytes().to_vec() });
        read.ensure_affordable()?;
        Ok(read)
    }

    /// True if a passphrase is needed to open the key.
    pub fn needs_passphrase(&self) -> bool {
        matches!(self.0, Inner::Encrypted { .. })
    }

    /// Cost of trying one passphrase: PBKDF2 rounds, and bytes of memory for scrypt.
    pub fn cost(&self) -> (u64, u64) {
        match &self.0 {
            Inner::Plain(_) => (0, 0),
            Inner::Encrypted { how, .. } => match &how.kdf {
                pbes2::Kdf::Pbkdf2(params) => (params.iteration_count.into(), 0),
                pbes2::Kdf::Scrypt(params) => {
                    let memory = params.cost_parameter.saturating_mul(params.block_size.into());
                    (0, memory.saturating_mul(128))
                }
                _ => (u64::MAX, u64::MAX),
            },
        }
    }

    fn ensure_affordable(&self) -> Result<()> {
        let Inner::Encrypted { how, .. } = &self.0 else { return Ok(()) };
        if how.kdf.key_length().is_some_and(|len| usize::from(len) != how.encryption.key_size()) {
            return Err(not_pkcs8());
        }
        let (rounds, memory) = self.cost();
        let is_affordable = match &how.kdf {
            pbes2::Kdf::Pbkdf2(params) => {
                if params.prf == pbes2::Pbkdf2Prf::HmacWithSha1 {
                    return Err(unknown_encryption());
                }
                (1..=ROUNDS_CAP).contains(&rounds)
            }
            pbes2::Kdf::Scrypt(params) => {
                let lanes = u64::from(params.parallelization);
                params.cost_parameter >= 2
                    && params.cost_parameter.is_power_of_two()
                    && (1..=MEMORY_CAP).contains(&memory)
                    && (1..=WORK_CAP).contains(&memory.saturating_mul(lanes))
            }
            _ => false,
        };
        if is_affordable {
            return Ok(());
        }
        let fact = "this key's passphrase settings are invalid, or need more work than olr accepts";
        Err(Error::unable(Problem::Content, fact, "export it again with normal settings"))
    }

    /// Decrypts the seed.
    ///
    /// # Errors
    /// Exit 2: a missing or wrong passphrase, or as [`PrivatePem::parse`].
    pub fn open(&self, passphrase: Option<&Passphrase>) -> Result<Secret> {
        let (how, sealed, passphrase) = match (&self.0, passphrase) {
            (Inner::Plain(seed), _) => return Ok(Secret::new(seed.expose())),
            (Inner::Encrypted { how, sealed }, Some(passphrase)) => (how, sealed, passphrase),
            (Inner::Encrypted { .. }, None) => {
                let fact = "this private key needs a passphrase";
                return Err(Error::unable(
                    Problem::NeedsPassphrase,
                    fact,
                    NextStep::new(
                        "give it in a file, or run this in a terminal",
                        &[Remedy::NamePassphrase],
                    ),
                ));
            }
        };
        // Other programs use the passphrase as typed; this one normalizes it. Try both.
        let normal = passphrase.nfc();
        for text in [passphrase.expose(), normal.as_bytes()] {
            let mut buffer = Zeroizing::new(sealed.clone());
            // The encryption is not authenticated: a wrong passphrase may yield valid padding, so
            // check that the plaintext parses too.
            if let Ok(der) = how.decrypt_in_place(text, &mut buffer)
                && Info::read(der).is_ok()
            {
                return seed_in(der);
            }
            if text == normal.as_bytes() {
                break;
            }
        }
        let fact = "the passphrase is wrong, or the file was changed";
        Err(Error::unable(Problem::WrongPassphrase, fact, "check the passphrase, and try again"))
    }
}

/// Formats the key of `seed` as PEM, encrypted if there is a passphrase. The encryption is PBKDF2
/// with SHA-256 and 600000 rounds, and AES-256-CBC, which every OpenSSL since 1.1 can read.
///
/// # Errors
/// Exit 2 when the passphrase cannot be used.
pub fn to_pem(
    seed: &Secret,
    passphrase: Option<&Passphrase>,
    rng: &mut impl CryptoRng,
) -> Result<Zeroizing<String>> {
    // Room for the plaintext and a block of padding: the buffer is never reallocated, and leaves no
    // copy in memory.
    let mut der = Zeroizing::new([0; 64]);
    for (to, from) in der.iter_mut().zip(PREFIX.iter().chain(seed.expose())) {
        *to = *from;
    }
    let (plain, _) = der.split_at(PREFIX.len().saturating_add(32));
    let Some(passphrase) = passphrase else { return Ok(write_pem(PLAIN, plain)) };
    let unusable =
        || Error::unable(Problem::Content, "the passphrase cannot be used", "choose a shorter one");
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut iv);
    let how = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv)
        .map_err(|_| unusable())?;
    let length = plain.len();
    let sealed = how
        .encrypt_in_place(passphrase.nfc().as_bytes(), der.as_mut_slice(), length)
        .map_err(|_| unusable())?;
    let info = OctetStringRef::new(sealed).map(|sealed| EncryptedPrivateKeyInfoRef {
        encryption_algorithm: how.into(),
        encrypted_data: sealed,
    });
    let der = info.and_then(|info| info.to_der()).map_err(|_| unusable())?;
    Ok(write_pem(ENCRYPTED, &der))
}

/// Extracts the seed from a PrivateKeyInfo. The algorithm must be Ed25519, and the public key, if
/// there is one, must belong to the seed.
fn seed_in(der: &[u8]) -> Result<Secret> {
    let info = Info::read(der).map_err(|_| not_pkcs8())?;
    let oid = info.algorithm.oid.to_string();
    match oid.as_str() {
        "1.3.101.112" if info.algorithm.parameters.is_none() => {}
        "1.3.101.110" => return Err(other_algorithm("X25519")),
        "1.3.101.111" => return Err(other_algorithm("X448")),
        "1.3.101.113" => return Err(other_algorithm("Ed448")),
        "1.2.840.113549.1.1.1" => return Err(other_algorithm("RSA")),
        "1.2.840.10045.2.1" => return Err(other_algorithm("EC")),
        "1.3.101.112" => return Err(not_pkcs8()),
        other => return Err(other_algorithm(other)),
    }
    let seed = info.private_key.strip_prefix(b"\x04\x20");
    let seed = seed.and_then(|seed| <&[u8; 32]>::try_from(seed).ok()).ok_or_else(not_pkcs8)?;
    let seed = Secret::new(seed);
    let own = SigningKey::from_seed(&seed).public();
    if info.public_key.is_some_and(|public| public != own) {
        let fact = "the public key in this file does not match the private key";
        return Err(Error::unable(
            Problem::Content,
            fact,
            "export the key again: this file was changed, or put together from two keys",
        ));
    }
    Ok(seed)
}

fn is_unknown(error: &DerError) -> bool {
    matches!(error.kind(), ErrorKind::OidUnknown { .. })
}

fn not_pkcs8() -> Error {
    no_key("its content is not PKCS#8")
        .hint("copy or export the key again: this file is damaged, or not in the standard form")
}

fn unknown_encryption() -> Error {
    let fact = "this private key uses an encryption that is too old or unknown";
    let hint = "encrypt it again: `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out FILE.pem`";
    Error::unable(Problem::Content, fact, hint)
}

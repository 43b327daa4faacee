//! Private Ed25519 keys from and for other programs: PKCS#8 (RFC 5958, RFC 8410) as PEM (RFC 7468),
//! in the open or under a passphrase (PBES2 of RFC 8018).

use ::pkcs8::der::{Decode, Encode, Error as DerError, ErrorKind, asn1::OctetStringRef};
use ::pkcs8::pkcs5::{EncryptionScheme, pbes2};
use ::pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::crypto::secret::{Passphrase, Secret};
use crate::crypto::sign::SigningKey;
use crate::error::{Error, Result};

mod pem;

use pem::{ENCRYPTED, PLAIN, no_key, other_algorithm, the_block, write_pem};

/// Longer files are not read: an encrypted Ed25519 key takes less than 1 KiB.
pub const PEM_CAP: usize = 16 * 1024;
/// Rounds of PBKDF2 that this program is willing to spend.
pub const ROUNDS_CAP: u64 = 10_000_000;
/// Bytes of memory that scrypt may take.
pub const MEMORY_CAP: u64 = 256 * 1024 * 1024;
/// Bytes of memory, times how often scrypt goes through them.
const WORK_CAP: u64 = 4 * MEMORY_CAP;
/// Rounds that are written.
const ROUNDS: u32 = 600_000;

/// DER of a version 1 PrivateKeyInfo for Ed25519 up to the seed. Without the public key, for
/// OpenSSL 3.0 does not read version 2.
const PREFIX: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const PKCS12: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01";

/// A private key as read. Parsing ends before any passphrase is worked on.
#[derive(Debug)]
pub struct PrivatePem(Inner);

#[derive(Debug)]
enum Inner {
    Plain(Secret),
    Encrypted { how: pbes2::Parameters, sealed: Vec<u8> },
}

impl PrivatePem {
    /// Reads the one private key in a PEM file.
    ///
    /// # Errors
    /// Exit 2: no private Ed25519 key, one under an unknown encryption, one that asks for more work
    /// than any honest one, or one whose public key is another's.
    pub fn parse(file: &[u8]) -> Result<Self> {
        if file.len() > PEM_CAP {
            return Err(no_key("it is longer than 16 KiB"));
        }
        let text = str::from_utf8(file).map_err(|_| {
            let hint = "write it as PEM: `openssl pkey -inform DER -in FILE -out FILE.pem`";
            no_key("it is no text").hint(hint)
        })?;
        let (label, der) = the_block(text)?;
        if label == PLAIN {
            return Ok(Self(Inner::Plain(seed_in(&der)?)));
        }
        let info = EncryptedPrivateKeyInfoRef::from_der(&der).map_err(|error| {
            // The encryptions of PKCS#12, 1.2.840.113549.1.12.1, are told only by their name.
            let is_old = der.windows(PKCS12.len()).take(16).any(|at| at == PKCS12);
            if is_unknown(&error) || is_old { unknown_encryption() } else { not_pkcs8() }
        })?;
        let EncryptionScheme::Pbes2(how) = info.encryption_algorithm else {
            return Err(unknown_encryption());
        };
        let read = Self(Inner::Encrypted { how, sealed: info.encrypted_data.as_bytes().to_vec() });
        read.expect_affordable()?;
        Ok(read)
    }

    /// Whether a passphrase must be asked for.
    pub fn needs_passphrase(&self) -> bool {
        matches!(self.0, Inner::Encrypted { .. })
    }

    /// What trying a passphrase takes: rounds of PBKDF2, bytes of memory for scrypt.
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

    fn expect_affordable(&self) -> Result<()> {
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
        let fact = "trying a passphrase on this key takes more work than any honest key asks for";
        Err(Error::unable(fact, "ask whoever made it to export it again with usual settings"))
    }

    /// The seed.
    ///
    /// # Errors
    /// Exit 2: a missing or wrong passphrase, or as [`PrivatePem::parse`].
    pub fn open(&self, passphrase: Option<&Passphrase>) -> Result<Secret> {
        let (how, sealed, passphrase) = match (&self.0, passphrase) {
            (Inner::Plain(seed), _) => return Ok(Secret::new(seed.expose())),
            (Inner::Encrypted { how, sealed }, Some(passphrase)) => (how, sealed, passphrase),
            (Inner::Encrypted { .. }, None) => {
                let fact = "this private key needs a passphrase";
                return Err(Error::unable(fact, "give --passphrase-file, or run on a terminal"));
            }
        };
        let mut buffer = Zeroizing::new(sealed.clone());
        // Nothing authenticates this encryption: a wrong passphrase may leave a right padding.
        let wrong = || {
            let fact = "the passphrase is wrong, or the file was changed";
            Error::unable(fact, "try again, or use the other one")
        };
        let der = how.decrypt_in_place(passphrase.expose(), &mut buffer).map_err(|_| wrong())?;
        if PrivateKeyInfoRef::from_der(der).is_err() {
            return Err(wrong());
        }
        seed_in(der)
    }
}

/// The text of a PEM file with the key of `seed`, to whoever knows the passphrase: PBKDF2 with
/// SHA-256 in 600000 rounds and AES-256-CBC, which every OpenSSL since 1.1 reads.
///
/// # Errors
/// Exit 2 when the passphrase cannot be used.
pub fn to_pem(
    seed: &Secret,
    passphrase: Option<&Passphrase>,
    rng: &mut impl CryptoRng,
) -> Result<Zeroizing<String>> {
    // As much as goes in and a block of padding: it never grows, and leaves no copy behind.
    let mut der = Zeroizing::new([0; 64]);
    for (to, from) in der.iter_mut().zip(PREFIX.iter().chain(seed.expose())) {
        *to = *from;
    }
    let (plain, _) = der.split_at(PREFIX.len().saturating_add(32));
    let Some(passphrase) = passphrase else { return Ok(write_pem(PLAIN, plain)) };
    let unusable = || Error::unable("the passphrase cannot be used", "choose a shorter one");
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut iv);
    let how = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv)
        .map_err(|_| unusable())?;
    let length = plain.len();
    let sealed = how
        .encrypt_in_place(passphrase.expose(), der.as_mut_slice(), length)
        .map_err(|_| unusable())?;
    let info = OctetStringRef::new(sealed).map(|sealed| EncryptedPrivateKeyInfoRef {
        encryption_algorithm: how.into(),
        encrypted_data: sealed,
    });
    let der = info.and_then(|info| info.to_der()).map_err(|_| unusable())?;
    Ok(write_pem(ENCRYPTED, &der))
}

/// The seed in a PrivateKeyInfo, when it is of Ed25519 and its public key, if any, belongs to it.
fn seed_in(der: &[u8]) -> Result<Secret> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| not_pkcs8())?;
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
    let seed = info.private_key.as_bytes().strip_prefix(b"\x04\x20");
    let seed = seed.and_then(|seed| <&[u8; 32]>::try_from(seed).ok()).ok_or_else(not_pkcs8)?;
    let seed = Secret::new(seed);
    let own = SigningKey::from_seed(&seed).public();
    if info.public_key.is_some_and(|public| public.as_bytes() != Some(own.as_slice())) {
        let fact = "the public key in this file does not belong to the private one";
        return Err(Error::unable(fact, "the file was changed or put together: export it again"));
    }
    Ok(seed)
}

fn is_unknown(error: &DerError) -> bool {
    matches!(error.kind(), ErrorKind::OidUnknown { .. })
}

fn not_pkcs8() -> Error {
    no_key("what stands in it is not PKCS#8")
}

fn unknown_encryption() -> Error {
    let fact = "this private key is encrypted in a way that is too old or unknown";
    let hint = "encrypt it anew: `openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out FILE.pem`";
    Error::unable(fact, hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha20Rng;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_string().into())
    }

    fn pem(label: &str, der: &[u8]) -> String {
        write_pem(label, der).to_string()
    }

    #[track_caller]
    fn refused(text: &str, says: &str) {
        let error = PrivatePem::parse(text.as_bytes()).unwrap_err();
        assert!(error.fact().contains(says), "{:?} should say {says:?}", error.fact());
        assert_eq!(error.exit_status(), 2);
    }

    #[test]
    fn what_is_written_is_read() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let seed = Secret::new(&[7; 32]);
        let plain = to_pem(&seed, None, &mut rng).unwrap();
        let read = PrivatePem::parse(plain.as_bytes()).unwrap();
        assert!(!read.needs_passphrase());
        assert_eq!(read.open(None).unwrap().expose(), &[7; 32]);
        let sealed = to_pem(&seed, Some(&passphrase("right")), &mut rng).unwrap();
        let read = PrivatePem::parse(sealed.as_bytes()).unwrap();
        assert!(read.needs_passphrase() && read.cost() == (600_000, 0));
        assert_eq!(read.open(Some(&passphrase("right"))).unwrap().expose(), &[7; 32]);
        assert!(read.open(Some(&passphrase("wrong"))).unwrap_err().fact().contains("wrong"));
        assert!(read.open(None).unwrap_err().fact().contains("needs a passphrase"));
        let around = format!("Bag\r\n{}\r\n", plain.replace('\n', "\r\n"));
        assert!(PrivatePem::parse(around.as_bytes()).is_ok());
        refused(&format!("{}{}", *plain, *sealed), "more than one");
        assert_eq!(
            format!("{:?}", PrivatePem::parse(plain.as_bytes()).unwrap()),
            "PrivatePem(Plain([redacted]))"
        );
    }

    #[test]
    fn a_public_key_must_be_its_own() {
        let own = SigningKey::from_seed(&Secret::new(&[7; 32])).public();
        let version_2 = |public: &[u8; 32]| {
            let mut der = [PREFIX.as_slice(), &[7; 32], b"\x81\x21\x00", public].concat();
            (der[1], der[4]) = (0x51, 1);
            pem(PLAIN, &der)
        };
        assert!(PrivatePem::parse(version_2(&own).as_bytes()).is_ok());
        refused(&version_2(&[7; 32]), "does not belong");
    }

    #[test]
    fn other_things_are_named() {
        let with = |at: usize, byte: u8| {
            let mut der = [PREFIX.as_slice(), &[7; 32]].concat();
            der[at] = byte;
            pem(PLAIN, &der)
        };
        refused(&with(11, 0x6e), "X25519");
        refused(&with(11, 0x71), "Ed448");
        refused(&with(11, 0x01), "1.3.101.1,");
        refused(&with(15, 0x1f), "not PKCS#8");
        refused(&with(0, 0x31), "not PKCS#8");
        for (label, says) in [
            ("RSA PRIVATE KEY", "RSA"),
            ("EC PRIVATE KEY", "EC"),
            ("OPENSSH PRIVATE KEY", "OpenSSH"),
            ("OLR KEY FILE", "olr"),
            ("PUBLIC KEY", "public"),
        ] {
            refused(&pem(label, b"x"), says);
        }
        refused("", "no line");
        refused("-----BEGIN PRIVATE KEY-----\nMC4C", "last line");
        refused("-----BEGIN PRIVATE KEY-----\nM-C\n-----END PRIVATE KEY-----", "base64");
        refused(&" ".repeat(PEM_CAP + 1), "16 KiB");
        assert!(PrivatePem::parse(b"\x30\xff").unwrap_err().next_step().contains("-inform DER"));
    }

    #[test]
    fn work_has_bounds() {
        let read = |kdf: pbes2::Kdf| {
            let encryption = pbes2::EncryptionScheme::Aes256Cbc { iv: [0; 16] };
            let info = EncryptedPrivateKeyInfoRef {
                encryption_algorithm: pbes2::Parameters { kdf, encryption }.into(),
                encrypted_data: OctetStringRef::new(&[0; 64]).unwrap(),
            };
            PrivatePem::parse(pem(ENCRYPTED, &info.to_der().unwrap()).as_bytes())
        };
        let pbkdf2 = |iteration_count| {
            let usual = pbes2::Pbkdf2Params::hmac_sha256(1, &[0; 16]).unwrap();
            read(pbes2::Pbkdf2Params { iteration_count, ..usual }.into())
        };
        assert!(pbkdf2(1).is_ok() && pbkdf2(10_000_000).is_ok());
        for rounds in [0, 10_000_001, u32::MAX] {
            assert!(pbkdf2(rounds).unwrap_err().fact().contains("more work"));
        }
        let scrypt = |cost_parameter, block_size, parallelization| {
            let salt = pbes2::Salt::new([0; 8]).unwrap();
            read(pbes2::Kdf::Scrypt(pbes2::ScryptParams {
                salt,
                cost_parameter,
                block_size,
                parallelization,
                key_length: None,
            }))
        };
        assert!(scrypt(16_384, 8, 1).is_ok() && scrypt(1 << 18, 8, 4).is_ok());
        for (n, r, p) in [
            (0, 8, 1),
            (1, 8, 1),
            (16_383, 8, 1),
            (16_384, 0, 1),
            (16_384, 8, 0),
            (1 << 19, 8, 1),
            (1 << 18, 8, 5),
            (1 << 63, u16::MAX, u16::MAX),
        ] {
            assert!(scrypt(n, r, p).unwrap_err().fact().contains("more work"), "{n} {r} {p}");
        }
        let usual = pbes2::Pbkdf2Params::hmac_sha256(1, &[0; 16]).unwrap();
        let old = pbes2::Pbkdf2Params { prf: pbes2::Pbkdf2Prf::HmacWithSha1, ..usual };
        assert!(read(old.into()).unwrap_err().next_step().contains("openssl pkcs8"));
        let short = pbes2::Pbkdf2Params { key_length: Some(16), ..usual };
        assert!(read(short.into()).is_err());
    }
}

//! Key files: a seed, encrypted with a passphrase or unencrypted. Implements `docs/format.md`,
//! section "Key file".

use rand::CryptoRng;

use crate::key::passphrase::{Cost, PROTECTED, PassphraseLock};
use crate::key::typed::Passphrase;
use olr_core::crypto::seal::SealingKey;
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::SigningKey;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result, under};
use olr_core::key::{Role, key_id};
use olr_core::wire::frame::{Header, Kind, wrong_kind};
use olr_core::wire::id::KeyId;
use olr_core::wire::reader::Reader;

/// A parsed key file. Parsing never runs the key derivation.
#[derive(Debug)]
pub struct KeyFile {
    /// Role of the key.
    pub role: Role,
    /// Id of the key.
    pub id: KeyId,
    /// Public half of the key.
    pub public: [u8; 32],
    protection: Protection,
    header: Vec<u8>,
}

#[derive(Debug)]
enum Protection {
    None(Secret),
    Passphrase { lock: PassphraseLock, commitment: [u8; 32], sealed: [u8; PROTECTED] },
}

const KDF_NONE: u8 = 0;
const KDF_ARGON2ID: u8 = 1;
const WHAT: &str = "key file";

impl KeyFile {
    /// Parses a binary key file.
    ///
    /// # Errors
    /// `malformed`, `unknown-version`, `wrong-kind`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(WHAT, bytes).ends_by(&["frame-6", "key-1"]);
        let kind = Header::read(&mut reader, bytes.len()).map_err(under("key-1"))?;
        if kind != Kind::KeyFile {
            return Err(wrong_kind(Kind::KeyFile, kind).rule("key-1"));
        }
        let role = reader.u8("role")?;
        let Some(role) = Role::from_number(role.into()).filter(|role| *role != Role::Install)
        else {
            let problem = format!("{role} is not a role of a key file");
            return Err(reader.malformed("role", &problem).rule("key-2"));
        };
        let id = KeyId(reader.array("key id")?);
        let public = reader.array("public key")?;
        if id != key_id(role, &public) {
            let problem = "it does not match the public key";
            return Err(reader.malformed("key id", problem).rule("key-3"));
        }
        let protection = match reader.u8("kdf")? {
            KDF_NONE => Protection::None(Secret::new(&reader.array("seed")?)),
            KDF_ARGON2ID => {
                let cost = Cost {
                    memory: reader.u32("memory")?,
                    passes: reader.u32("passes")?,
                    lanes: reader.u32("lanes")?,
                };
                if !cost.is_acceptable() {
                    return Err(reader.malformed("kdf", "its cost is out of range").rule("key-5"));
                }
                let lock = PassphraseLock {
                    cost,
                    salt: reader.array("salt")?,
                    nonce: reader.array("nonce")?,
                };
                let commitment = reader.array("commitment")?;
                Protection::Passphrase { lock, commitment, sealed: reader.array("sealed seed")? }
            }
            other => {
                let problem = format!("{other} is unknown");
                return Err(reader.malformed("kdf", &problem).rule("key-4"));
            }
        };
        reader.finish("key-6")?;
        let file = Self { role, id, public, header: Vec::new(), protection };
        let header = file.write_header();
        Ok(Self { header, ..file })
    }

    /// Creates a key file for `seed`. Without a passphrase the seed is stored unencrypted.
    ///
    /// # Errors
    /// Exit 2 when the cost is not acceptable, the passphrase is too long, or there is not enough
    /// memory.
    pub fn new(
        role: Role,
        seed: &Secret,
        passphrase: Option<(&Passphrase, Cost)>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self> {
        let public = public_of(role, seed);
        let id = key_id(role, &public);
        let plain = Protection::None(Secret::new(seed.expose()));
        let mut file = Self { role, id, public, header: Vec::new(), protection: plain };
        if let Some((passphrase, cost)) = passphrase {
            let lock = PassphraseLock::random(cost, rng);
            // Placeholders: the header does not contain them, and is needed to encrypt.
            let (commitment, sealed) = ([0; 32], [0; PROTECTED]);
            file.protection = Protection::Passphrase { lock, commitment, sealed };
            let (commitment, sealed) = lock.protect(seed, passphrase, &file.write_header())?;
            file.protection = Protection::Passphrase { lock, commitment, sealed };
        }
        file.header = file.write_header();
        Ok(file)
    }

    /// Serializes the key file to its binary form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.clone();
        match &self.protection {
            Protection::None(seed) => bytes.extend(seed.expose()),
            Protection::Passphrase { commitment, sealed, .. } => {
                bytes.extend(commitment);
                bytes.extend(sealed);
            }
        }
        bytes
    }

    /// Serializes everything before the commitment, or before the unencrypted seed. These bytes are
    /// the associated data of the encryption.
    fn write_header(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        Header::write(Kind::KeyFile, &mut bytes);
        bytes.push(u8::try_from(self.role.number()).unwrap_or(0));
        bytes.extend(self.id.0);
        bytes.extend(self.public);
        match &self.protection {
            Protection::None(_) => bytes.push(KDF_NONE),
            Protection::Passphrase { lock, .. } => {
                bytes.push(KDF_ARGON2ID);
                for number in [lock.cost.memory, lock.cost.passes, lock.cost.lanes] {
                    bytes.extend(number.to_le_bytes());
                }
                bytes.extend(lock.salt);
                bytes.extend(lock.nonce);
            }
        }
        bytes
    }

    /// True if a passphrase is needed to open the key.
    pub fn needs_passphrase(&self) -> bool {
        matches!(self.protection, Protection::Passphrase { .. })
    }

    /// Decrypts the seed, and checks that it yields the public key in the file.
    ///
    /// # Errors
    /// Exit 2: a missing or wrong passphrase, a modified file, or not enough memory. `malformed`:
    /// the public key does not belong to the seed.
    pub fn open_seed(&self, passphrase: Option<&Passphrase>) -> Result<Secret> {
        let seed = match (&self.protection, passphrase) {
            (Protection::None(seed), _) => Secret::new(seed.expose()),
            (Protection::Passphrase { lock, commitment, sealed }, Some(passphrase)) => {
                lock.unprotect(commitment, sealed, passphrase, &self.header)?
            }
            (Protection::Passphrase { .. }, None) => {
                let fact = format!("the {} key needs a passphrase", self.role);
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
        if public_of(self.role, &seed) != self.public {
            let fact = "key file: the public key does not match the seed";
            return Err(Error::refuse(Refusal::Malformed, fact)
                .hint("restore it from a backup")
                .rule("key-7"));
        }
        Ok(seed)
    }

    /// Opens a signing key of the role `role`.
    ///
    /// # Errors
    /// Exit 2: another role, a missing or wrong passphrase, a modified file, or not enough memory.
    /// `malformed`: the public key does not belong to the seed.
    pub fn open_signing(&self, role: Role, passphrase: Option<&Passphrase>) -> Result<SigningKey> {
        self.ensure_role(role)?;
        Ok(SigningKey::from_seed(&self.open_seed(passphrase)?))
    }

    /// Opens a sealing key.
    ///
    /// # Errors
    /// Same as [`KeyFile::open_signing`].
    pub fn open_sealing(&self, passphrase: Option<&Passphrase>) -> Result<SealingKey> {
        self.ensure_role(Role::Sealing)?;
        Ok(SealingKey::from_seed(&self.open_seed(passphrase)?))
    }

    /// Checks the role: a key is never used in two roles.
    ///
    /// # Errors
    /// Exit 2 for another role.
    pub fn ensure_role(&self, wanted: Role) -> Result<()> {
        if self.role == wanted {
            return Ok(());
        }
        let fact = format!("this key has the role {}, but the role {wanted} is needed", self.role);
        Err(Error::unable(Problem::WrongKey, fact, "name the right key file"))
    }
}

/// Derives the public key of a seed.
pub(crate) fn public_of(role: Role, seed: &Secret) -> [u8; 32] {
    match role {
        Role::Sealing => SealingKey::from_seed(seed).public(),
        Role::Root | Role::Issuer | Role::Install => SigningKey::from_seed(seed).public(),
    }
}

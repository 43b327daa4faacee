//! Keys that are not in any vendor's folder.

use olr_core::crypto::digest::sha256;
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::SigningKey;
use olr_core::key::Role;
use olr_core::key::install::InstallSecret;

/// Names of the signing keys that fixtures use besides those of the vendors, each with its role.
pub const STRAYS: [(&str, Role); 11] = [
    ("a former root", Role::Root),
    ("another server", Role::Install),
    ("new issuer", Role::Issuer),
    ("new root", Role::Root),
    ("other install", Role::Install),
    ("revoker", Role::Issuer),
    ("second issuer", Role::Issuer),
    ("second root", Role::Root),
    ("stray issuer", Role::Issuer),
    ("stray root", Role::Root),
    ("third root", Role::Root),
];

/// Names of further keys in any role, for fixtures that need many at once.
pub const SIGNERS: [&str; 17] = [
    "signer 1",
    "signer 2",
    "signer 3",
    "signer 4",
    "signer 5",
    "signer 6",
    "signer 7",
    "signer 8",
    "signer 9",
    "signer 10",
    "signer 11",
    "signer 12",
    "signer 13",
    "signer 14",
    "signer 15",
    "signer 16",
    "signer 17",
];

/// Names of the install secrets that fixtures use: the server's, and another server's.
pub const INSTALLS: [&str; 2] = ["install", "install elsewhere"];

/// Seed of a key: the SHA-256 of its name.
pub fn seed(name: &str) -> Secret {
    Secret::new(&sha256(name.as_bytes()))
}

/// A signing key that does not belong to any vendor.
pub fn stray_key(name: &str) -> SigningKey {
    let is_known = SIGNERS.contains(&name) || STRAYS.iter().any(|(known, _)| *known == name);
    assert!(is_known, "{name:?} is in no list");
    SigningKey::from_seed(&seed(name))
}

/// The install secret of a server.
pub fn install_secret(name: &str) -> InstallSecret {
    assert!(INSTALLS.contains(&name), "{name:?} is in no list");
    InstallSecret::from_secret(seed(name))
}

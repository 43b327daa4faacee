//! Keys by role, and their names. Obeys `docs/format.md`, section "Keys".

use crate::crypto::digest;
use crate::crypto::label::KEY_ID;
use crate::wire::codec::numbered;
use crate::wire::frame::SUITE;
use crate::wire::id::KeyId;

pub mod install;

numbered! {
    /// What a key is for. A key has one role for ever.
    pub enum Role {
        /// Signs trusts and delegations (Ed25519).
        1 Root "root",
        /// Signs licenses, revocations and times, as far as it is delegated (Ed25519).
        2 Issuer "issuer",
        /// Opens requests (X25519).
        3 Sealing "sealing",
        /// Signs the requests and receipts of one installation (Ed25519).
        4 Install "install",
    }
}

/// The name of a public key: it depends on the role and the suite too, so that no key can stand
/// in for one of another role.
pub fn key_id(role: Role, public: &[u8; 32]) -> KeyId {
    let role = role.number().to_le_bytes();
    KeyId(digest::tagged16(&[KEY_ID, &role, &[SUITE], public]))
}

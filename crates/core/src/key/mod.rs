//! Roles and ids of keys. Implements `docs/format.md`, section "Keys".

use crate::crypto::digest;
use crate::crypto::label::KEY_ID;
use crate::wire::codec::numbered;
use crate::wire::frame::SUITE;
use crate::wire::id::KeyId;

pub mod install;

numbered! {
    /// Purpose of a key. A key never changes its role.
    pub enum Role {
        /// Signs trusts and delegations (Ed25519).
        1 Root "root",
        /// Signs licenses, revocations and times within its delegation (Ed25519).
        2 Issuer "issuer",
        /// Opens requests (X25519).
        3 Sealing "sealing",
        /// Signs the requests and receipts of one installation (Ed25519).
        4 Install "install",
    }
}

/// Derives the id of a public key. It depends on the role and the suite, so that a key cannot be
/// used in another role.
pub fn key_id(role: Role, public: &[u8; 32]) -> KeyId {
    let role = role.number().to_le_bytes();
    KeyId(digest::tagged16(&[KEY_ID, &role, &[SUITE], public]))
}

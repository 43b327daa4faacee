//! The vendor's direction: what roots sign.

use crate::crypto::sign::SigningKey;
use crate::error::Result;
use crate::key::{Role, key_id};
use crate::wire::frame::{Signature, Unsigned};

/// Signs a trust or a delegation with these roots.
///
/// # Errors
/// Exit 2 when a cap is broken or this computer miscalculates.
pub fn sign_by_roots(unsigned: &Unsigned, roots: &[&SigningKey]) -> Result<Vec<u8>> {
    let message = unsigned.message();
    let sign = |root: &&SigningKey| {
        let key = key_id(Role::Root, &root.public());
        Ok(Signature { key, bytes: root.sign(&message)? })
    };
    unsigned.with_signatures(roots.iter().map(sign).collect::<Result<_>>()?)
}

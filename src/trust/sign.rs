//! The vendor's direction: what roots and issuers sign.

use crate::crypto::sign::{Signer, sign as sign_message};
use crate::error::Result;
use crate::key::{Role, key_id};
use crate::trust::Trust;
use crate::wire::frame::{Kind, Signature, Unsigned};

/// Signs a trust or a delegation with these roots.
///
/// # Errors
/// Exit 2 when a cap is broken or this computer miscalculates.
pub fn sign_by_roots(unsigned: &Unsigned, roots: &[&dyn Signer]) -> Result<Vec<u8>> {
    sign(unsigned, Role::Root, roots)
}

/// Signs a license or a time with these issuers and attaches their delegations.
///
/// # Errors
/// Exit 2 when a cap is broken or this computer miscalculates.
pub fn sign_by_issuers(
    kind: Kind,
    body: Vec<u8>,
    trust: &Trust,
    issuers: &[(&dyn Signer, &[u8])],
) -> Result<Vec<u8>> {
    let delegations = issuers.iter().map(|(_, delegation)| delegation.to_vec()).collect();
    let unsigned = Unsigned::new(kind, trust.vendor(), delegations, body)?;
    let keys: Vec<_> = issuers.iter().map(|(key, _)| *key).collect();
    sign(&unsigned, Role::Issuer, &keys)
}

fn sign(unsigned: &Unsigned, role: Role, keys: &[&dyn Signer]) -> Result<Vec<u8>> {
    let message = unsigned.message();
    let sign = |signer: &&dyn Signer| {
        let key = key_id(role, &signer.public());
        Ok(Signature { key, bytes: sign_message(*signer, &message)? })
    };
    unsigned.with_signatures(keys.iter().map(sign).collect::<Result<_>>()?)
}

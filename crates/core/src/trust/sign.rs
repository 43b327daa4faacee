//! The vendor's side: files that roots and issuers sign.

use crate::crypto::sign::{Signer, sign as sign_message};
use crate::error::Result;
use crate::key::{Role, key_id};
use crate::trust::Trust;
use crate::wire::frame::{Kind, Signature, Unsigned};

/// Signs a trust or a delegation with these roots.
///
/// # Errors
/// Exit 2 if a cap is exceeded, a key cannot be used, or a signature does not verify.
pub fn sign_by_roots(unsigned: &Unsigned, roots: &[&dyn Signer]) -> Result<Vec<u8>> {
    sign(unsigned, Role::Root, roots)
}

/// Signs a license, a time or revocations with these issuers, and attaches their delegations and
/// the files in `carried`.
///
/// # Errors
/// Exit 2 if a cap is exceeded, a key cannot be used, or a signature does not verify.
pub fn sign_by_issuers(
    kind: Kind,
    body: Vec<u8>,
    trust: &Trust,
    issuers: &[(&dyn Signer, &[u8])],
    carried: &[Vec<u8>],
) -> Result<Vec<u8>> {
    let delegations = issuers.iter().map(|(_, delegation)| delegation.to_vec());
    let attachments = delegations.chain(carried.iter().cloned()).collect();
    let unsigned = Unsigned::new(kind, trust.vendor(), attachments, body)?;
    let keys: Vec<_> = issuers.iter().map(|(key, _)| *key).collect();
    sign(&unsigned, Role::Issuer, &keys)
}

/// Signs with an issuer and attaches nothing, for a file that will be an attachment itself.
///
/// # Errors
/// Exit 2 if a cap is exceeded, the key cannot be used, or the signature does not verify.
pub fn sign_bare(kind: Kind, body: Vec<u8>, trust: &Trust, issuer: &dyn Signer) -> Result<Vec<u8>> {
    let unsigned = Unsigned::new(kind, trust.vendor(), Vec::new(), body)?;
    sign(&unsigned, Role::Issuer, &[issuer])
}

fn sign(unsigned: &Unsigned, role: Role, keys: &[&dyn Signer]) -> Result<Vec<u8>> {
    let message = unsigned.message();
    let sign = |signer: &&dyn Signer| {
        let key = key_id(role, &signer.public());
        Ok(Signature { key, bytes: sign_message(*signer, &message)? })
    };
    unsigned.with_signatures(keys.iter().map(sign).collect::<Result<_>>()?)
}

//! The vendor's side: signing revocations, for a file of their own or as an attachment.

use crate::crypto::sign::Signer;
use crate::error::Result;
use crate::revocation::{Revocations, RevocationsBody};
use crate::trust::{Trust, sign_by_issuers};
use crate::wire::codec::encode;
use crate::wire::frame::Kind;

/// Signs `body`, and attaches `trusts` and the delegation of the signing key. Before it returns the
/// list, verifies it as a server will.
///
/// # Errors
/// The errors of [`sign_by_issuers`] and of [`Revocations::verify`].
pub fn sign_revocations(
    body: &RevocationsBody,
    trust: &Trust,
    issuer: (&dyn Signer, &[u8]),
    trusts: &[Vec<u8>],
) -> Result<Vec<u8>> {
    let bytes = sign_by_issuers(Kind::Revocations, encode(body), trust, &[issuer], trusts)?;
    Revocations::verify(&bytes, trust)?;
    Ok(bytes)
}

/// Signs `body` and attaches nothing. The delegation of the signing key must be attached to the
/// same file as the list.
///
/// # Errors
/// Exit 2 if a cap is exceeded, the key cannot be used, or the signature does not verify.
pub fn sign_bare(body: &RevocationsBody, trust: &Trust, issuer: &dyn Signer) -> Result<Vec<u8>> {
    crate::trust::sign_bare(Kind::Revocations, encode(body), trust, issuer)
}

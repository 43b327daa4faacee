//! The vendor's direction: signing revocations, for attaching and as a file of their own.

use crate::crypto::sign::Signer;
use crate::error::Result;
use crate::revocation::{Revocations, RevocationsBody};
use crate::trust::{Trust, sign_by_issuers};
use crate::wire::codec::encode;
use crate::wire::frame::Kind;

/// Signs `body`, attaches the delegation of the key and `trusts`, and verifies the result as a
/// server will.
///
/// # Errors
/// What [`Revocations::verify`] refuses; exit 2 when a cap is broken.
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

/// Signs the same body with nothing attached: its delegation travels beside it.
///
/// # Errors
/// Exit 2 when a cap is broken.
pub fn sign_bare(body: &RevocationsBody, trust: &Trust, issuer: &dyn Signer) -> Result<Vec<u8>> {
    crate::trust::sign_bare(Kind::Revocations, encode(body), trust, issuer)
}

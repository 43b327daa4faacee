//! The vendor's side: signing a time.

use crate::crypto::sign::Signer;
use crate::error::Result;
use crate::timestamp::{Timestamp, TimestampBody};
use crate::trust::{Trust, sign_by_issuers};
use crate::wire::codec::encode;
use crate::wire::frame::Kind;

/// Signs `body` and attaches the delegation of the signing key. Before it returns the time,
/// verifies it as the server will.
///
/// # Errors
/// The errors of [`sign_by_issuers`], and the refusals of [`Timestamp::verify`].
pub fn sign_timestamp(
    body: &TimestampBody,
    trust: &Trust,
    issuer: (&dyn Signer, &[u8]),
) -> Result<Timestamp> {
    let bytes = sign_by_issuers(Kind::Timestamp, encode(body), trust, &[issuer], &[])?;
    Timestamp::verify(&bytes, trust)
}

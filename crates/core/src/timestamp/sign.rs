//! The vendor's direction: signing a time.

use crate::crypto::sign::Signer;
use crate::error::Result;
use crate::timestamp::{Timestamp, TimestampBody};
use crate::trust::{Trust, sign_by_issuers};
use crate::wire::codec::encode;
use crate::wire::frame::Kind;

/// Signs `body`, attaches the delegation of the key, and verifies the result as the server will.
///
/// # Errors
/// What [`Timestamp::verify`] refuses; exit 2 when a cap is broken.
pub fn sign_timestamp(
    body: &TimestampBody,
    trust: &Trust,
    issuer: (&dyn Signer, &[u8]),
) -> Result<Timestamp> {
    let bytes = sign_by_issuers(Kind::Timestamp, encode(body), trust, &[issuer], &[])?;
    Timestamp::verify(&bytes, trust)
}

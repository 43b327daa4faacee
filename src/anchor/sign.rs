//! The vendor's direction: signing a time.

use crate::anchor::{Anchor, AnchorBody};
use crate::crypto::sign::Signer;
use crate::error::Result;
use crate::trust::{Trust, sign_by_issuers};
use crate::wire::codec::encode;
use crate::wire::frame::Kind;

/// Signs `body`, attaches the delegation of the key, and verifies the result as the server will.
///
/// # Errors
/// What [`Anchor::verify`] refuses; exit 2 when a cap is broken.
pub fn sign_time(body: &AnchorBody, trust: &Trust, issuer: (&dyn Signer, &[u8])) -> Result<Anchor> {
    let bytes = sign_by_issuers(Kind::Time, encode(body), trust, &[issuer], &[])?;
    Anchor::verify(&bytes, trust)
}

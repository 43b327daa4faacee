//! The vendor's direction: signing a license.

use crate::crypto::sign::Signer;
use crate::error::Result;
use crate::license::{License, LicenseBody};
use crate::trust::{Trust, sign_by_issuers};
use crate::wire::codec::encode;
use crate::wire::frame::Kind;

/// Signs `body` with these issuers, attaches their delegations and what else is `carried` (trusts,
/// revocations and delegations), and verifies the result as the server will, before it hands it out.
///
/// # Errors
/// What [`License::verify`] refuses; exit 2 when a cap is broken.
pub fn sign_license(
    body: &LicenseBody,
    trust: &Trust,
    issuers: &[(&dyn Signer, &[u8])],
    carried: &[Vec<u8>],
) -> Result<License> {
    let bytes = sign_by_issuers(Kind::License, encode(body), trust, issuers, carried)?;
    License::verify(&bytes, trust)
}

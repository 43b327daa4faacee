//! The vendor's side: signing a license.

use crate::crypto::sign::Signer;
use crate::error::Result;
use crate::license::{License, LicenseBody};
use crate::trust::{Trust, sign_by_issuers};
use crate::wire::codec::encode;
use crate::wire::frame::Kind;

/// Signs `body` with these issuers, and attaches their delegations and the files in `carried`
/// (trusts, revocations and delegations). Before it returns the license, verifies it as the server
/// will.
///
/// # Errors
/// The errors of [`sign_by_issuers`], and the refusals of [`License::verify`].
pub fn sign_license(
    body: &LicenseBody,
    trust: &Trust,
    issuers: &[(&dyn Signer, &[u8])],
    carried: &[Vec<u8>],
) -> Result<License> {
    let bytes = sign_by_issuers(Kind::License, encode(body), trust, issuers, carried)?;
    License::verify(&bytes, trust)
}

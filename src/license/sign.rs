//! The vendor's direction: signing a license.

use crate::crypto::sign::SigningKey;
use crate::error::Result;
use crate::key::{Role, key_id};
use crate::license::{License, LicenseBody};
use crate::trust::Trust;
use crate::wire::codec::encode;
use crate::wire::frame::{Kind, Signature, Unsigned};

/// Signs `body` with these issuers, attaches their delegations, and verifies the result as the
/// server will, before it hands it out.
///
/// # Errors
/// What [`License::verify`] refuses; exit 2 when a cap is broken.
pub fn sign_license(
    body: &LicenseBody,
    trust: &Trust,
    issuers: &[(&SigningKey, &[u8])],
) -> Result<License> {
    let delegations = issuers.iter().map(|(_, delegation)| delegation.to_vec()).collect();
    let unsigned = Unsigned::new(Kind::License, trust.vendor(), delegations, encode(body))?;
    let message = unsigned.message();
    let sign = |(issuer, _): &(&SigningKey, &[u8])| {
        let key = key_id(Role::Issuer, &issuer.public());
        Ok(Signature { key, bytes: issuer.sign(&message)? })
    };
    let bytes = unsigned.with_signatures(issuers.iter().map(sign).collect::<Result<_>>()?)?;
    License::verify(&bytes, trust)
}

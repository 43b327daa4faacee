//! Report of a receipt.

use crate::key::{Role, key_id};
use crate::receipt::ReceiptBody;
use crate::report::request::earlier_text;
use crate::report::{EarlierReport, ExtensionReport, Row, extension, hex, present};
use crate::time::Instant;
use crate::wire::codec::Text;
use crate::wire::id::{KeyId, LicenseId};

/// Report of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ReceiptReport {
    /// Id of the license that was deactivated.
    pub license_id: LicenseId,
    /// SHA-256 of that license.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::hex"))]
    pub license_hash: [u8; 32],
    /// The product.
    pub product: Text,
    /// The slot.
    pub slot: Text,
    /// Id of the installation.
    pub install_id: KeyId,
    /// Number among the requests and deactivations of the installation.
    pub number: u64,
    /// Earlier requests.
    pub earlier: Vec<EarlierReport>,
    /// The server's clock.
    pub at: Instant,
    /// Extensions of the body.
    pub extensions: Vec<ExtensionReport>,
}

impl From<&ReceiptBody> for ReceiptReport {
    fn from(body: &ReceiptBody) -> Self {
        let ReceiptBody {
            install_key,
            product,
            slot,
            number,
            earlier,
            license,
            license_hash,
            at,
            extensions,
        } = body;
        Self {
            license_id: *license,
            license_hash: *license_hash,
            product: product.clone(),
            slot: slot.clone(),
            install_id: key_id(Role::Install, install_key),
            number: *number,
            earlier: earlier.iter().map(EarlierReport::from).collect(),
            at: *at,
            extensions: extension::reports(extensions),
        }
    }
}

impl ReceiptReport {
    /// Returns all rows.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = vec![
            ("deactivated license", self.license_id.to_string()),
            ("product", self.product.to_string()),
            ("slot", self.slot.to_string()),
            ("install id", self.install_id.to_string()),
            ("number", self.number.to_string()),
            ("server clock", self.at.to_string()),
        ];
        rows.extend(present([
            ("earlier requests", earlier_text(&self.earlier)),
            ("license hash", hex(&self.license_hash)),
        ]));
        rows.extend(extension::row(&self.extensions));
        rows
    }
}

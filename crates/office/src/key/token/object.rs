//! Attributes of a key on a token.

use cryptoki::error::Error as Failure;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectHandle};
use cryptoki::session::Session;

use olr_core::crypto::sign::PublicKey;
use olr_core::display::shown;

/// `CKA_EC_PARAMS` of Ed25519: the name of the curve, or one of its two object identifiers.
const CURVES: [&[u8]; 3] = [
    b"\x13\x0cedwards25519",
    b"\x06\x03\x2b\x65\x70",
    b"\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01",
];

/// A key object and the attributes needed here.
pub(super) struct Object {
    pub(super) handle: ObjectHandle,
    pub(super) label: String,
    pub(super) id: Vec<u8>,
    edwards: bool,
    curve: bool,
    pub(super) point: Option<PublicKey>,
}

impl Object {
    /// Reads the attributes from the token.
    pub(super) fn read(session: &Session, handle: ObjectHandle) -> Result<Self, Failure> {
        let wanted = [
            AttributeType::Label,
            AttributeType::Id,
            AttributeType::KeyType,
            AttributeType::EcParams,
            AttributeType::EcPoint,
        ];
        let (label, id) = (String::new(), Vec::new());
        let mut object = Self { handle, label, id, edwards: false, curve: false, point: None };
        for attribute in session.get_attributes(handle, &wanted)? {
            match attribute {
                Attribute::Label(label) => {
                    object.label = String::from_utf8_lossy(&label).into_owned();
                }
                Attribute::Id(id) => object.id = id,
                Attribute::KeyType(kind) => object.edwards = kind == KeyType::EC_EDWARDS,
                Attribute::EcParams(curve) => object.curve = CURVES.contains(&curve.as_slice()),
                Attribute::EcPoint(point) => object.point = point_of(&point),
                _ => {}
            }
        }
        Ok(object)
    }

    pub(super) fn is_ed25519(&self) -> bool {
        self.edwards && self.curve
    }

    /// Label, and id in the syntax of a URI, for messages.
    pub(super) fn describe(&self) -> String {
        let id: String = self.id.iter().take(20).map(|byte| format!("%{byte:02X}")).collect();
        format!("{:?} (id={id})", shown(&self.label))
    }
}

/// Decodes `CKA_EC_POINT`: the 32 bytes themselves, or a DER OCTET STRING with them.
fn point_of(bytes: &[u8]) -> Option<PublicKey> {
    bytes
        .strip_prefix(b"\x04\x20")
        .and_then(|point| point.try_into().ok())
        .or(bytes.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_32_bytes_bare_or_in_an_octet_string() {
        let der = [b"\x04\x20".as_slice(), &[7; 32]].concat();
        assert_eq!(point_of(&[7; 32]), Some([7; 32]));
        assert_eq!(point_of(&der), Some([7; 32]));
        let other = [b"\x03\x20".as_slice(), &[7; 32]].concat();
        for wrong in [&[7; 31][..], &[7; 33], &der[..33], &other, &[&der[..], &[0]].concat(), b""] {
            assert_eq!(point_of(wrong), None, "{wrong:?}");
        }
        // 32 bytes are a point, even if they begin like an OCTET STRING.
        assert!(point_of(&der[..32]).is_some());
    }
}

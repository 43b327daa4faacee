//! The PrivateKeyInfo of RFC 5208 and RFC 5958, also as older libraries wrote the public half: in
//! version 1, or inside a second BIT STRING (`a1 23 03 21 00`, ring to 0.16).

use ::pkcs8::AlgorithmIdentifierRef;
use ::pkcs8::der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use ::pkcs8::der::{Decode, Error, ErrorKind, Reader, Result, Tag, Tagged};

/// What a PrivateKeyInfo says, attributes left out.
pub struct Info<'a> {
    pub algorithm: AlgorithmIdentifierRef<'a>,
    pub private_key: &'a [u8],
    /// The bytes of the public half, where it is there. Nobody has compared it yet.
    pub public_key: Option<&'a [u8]>,
}

impl<'a> Info<'a> {
    /// Reads one, and nothing after it.
    pub fn read(der: &'a [u8]) -> Result<Self> {
        AnyRef::from_der(der)?.sequence(|reader| {
            let version = u8::decode(reader)?;
            let algorithm = AlgorithmIdentifierRef::decode(reader)?;
            let private_key = <&OctetStringRef>::decode(reader)?.as_bytes();
            let (mut public_key, mut last) = (None, None);
            while !reader.is_finished() {
                let field = AnyRef::decode(reader)?;
                let Tag::ContextSpecific { constructed, number } = field.tag() else {
                    return Err(wrong());
                };
                // Attributes are 0, the public key is 1; each once, in this order.
                if last.replace(number.value()).is_some_and(|last| last >= number.value()) {
                    return Err(wrong());
                }
                match (number.value(), constructed) {
                    (1, false) => public_key = Some(bits(field.value().split_first())?),
                    (1, true) => {
                        let inner = BitStringRef::from_der(field.value())?;
                        public_key = Some(inner.as_bytes().ok_or_else(wrong)?);
                    }
                    _ => {}
                }
            }
            match (version, public_key) {
                (0, _) | (1, Some(_)) => Ok(Self { algorithm, private_key, public_key }),
                _ => Err(wrong()),
            }
        })
    }
}

/// The content of a BIT STRING of whole bytes.
fn bits<'a>(parts: Option<(&'a u8, &'a [u8])>) -> Result<&'a [u8]> {
    match parts {
        Some((0, bytes)) => Ok(bytes),
        _ => Err(wrong()),
    }
}

fn wrong() -> Error {
    ErrorKind::Failed.into()
}

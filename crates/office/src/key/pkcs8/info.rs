//! PrivateKeyInfo of RFC 5208 and RFC 5958. Also accepts the public key where older libraries wrote
//! it: in version 1, or inside a second BIT STRING (`a1 23 03 21 00`, ring up to 0.16).

use ::pkcs8::AlgorithmIdentifierRef;
use ::pkcs8::der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use ::pkcs8::der::{Decode, Error, ErrorKind, Reader, Result, Tag, Tagged};

/// Fields of a PrivateKeyInfo, without its attributes.
pub struct Info<'a> {
    pub algorithm: AlgorithmIdentifierRef<'a>,
    pub private_key: &'a [u8],
    /// Public key, if included. Not yet compared with the private key.
    pub public_key: Option<&'a [u8]>,
}

impl<'a> Info<'a> {
    /// Parses a PrivateKeyInfo. Rejects trailing data.
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
                // Attributes have tag 0, the public key has tag 1; each at most once, in this
                // order.
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

/// Content of a BIT STRING whose length is a whole number of bytes.
fn bits<'a>(parts: Option<(&'a u8, &'a [u8])>) -> Result<&'a [u8]> {
    match parts {
        Some((0, bytes)) => Ok(bytes),
        _ => Err(wrong()),
    }
}

fn wrong() -> Error {
    ErrorKind::Failed.into()
}

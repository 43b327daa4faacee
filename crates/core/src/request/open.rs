//! The vendor's side: opening a request.

use crate::crypto::seal::SealingKey;
use crate::crypto::sign::VerifyingKey;
use crate::error::{Error, Refusal, Result, under};
use crate::machine::Factor;
use crate::request::{RequestBody, SealedRequest, seal_info, signed_message};
use crate::wire::codec::{BODY_CAP, decode};
use crate::wire::extension::refuse_critical;
use crate::wire::reader::Reader;

/// A decrypted request whose signature by its install key was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedRequest {
    body: RequestBody,
    hash: [u8; 32],
    code: String,
}

impl OpenedRequest {
    /// The claims of the server.
    pub fn body(&self) -> &RequestBody {
        &self.body
    }

    /// SHA-256 of the binary request.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The code that people compare on the phone.
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl SealedRequest<'_> {
    /// Decrypts the request with `key`, then verifies the signature with the install key inside.
    ///
    /// # Errors
    /// `undecryptable`, `malformed`, `unknown-version`, `wrong-signature`.
    pub fn open(&self, key: &SealingKey) -> Result<OpenedRequest> {
        let opened = key.open(&self.encapsulated, &seal_info(self.header), self.ciphertext);
        let Some(plaintext) = opened else {
            let fact =
                "cannot decrypt this request: it was damaged in transit, or sealed to another key";
            return Err(Error::refuse(Refusal::Undecryptable, fact).rule("request-6"));
        };
        let body: RequestBody =
            decode("request body", unpad(&plaintext)?, BODY_CAP).map_err(under("request-8"))?;
        let install_key = check(&body)?;
        refuse_critical("request body", &body.extensions)?;
        let message = signed_message(self.header, &self.encapsulated, self.ciphertext);
        if !install_key.verify(&message, &self.signature) {
            let fact = "the signature does not match the install key in this request";
            let error = Error::refuse(Refusal::WrongSignature, fact);
            return Err(error.rule("signature-3").rule("request-12"));
        }
        Ok(OpenedRequest { body, hash: self.hash(), code: self.code() })
    }
}

/// Returns the body in a padded plaintext. Only zeros may follow it, up to the next KiB.
fn unpad(plaintext: &[u8]) -> Result<&[u8]> {
    let mut reader = Reader::new("request plaintext", plaintext).ends_by(&["request-7"]);
    let body = reader.sized("body", plaintext.len(), "request-7")?;
    let padding = plaintext.len().saturating_sub(reader.offset());
    let zeros = reader.take("padding", padding)?;
    if padding >= super::PADDING || zeros.iter().any(|byte| *byte != 0) {
        return Err(reader
            .malformed("padding", "not zero bytes up to the next KiB")
            .rule("request-7"));
    }
    Ok(body)
}

/// Checks the rules that the types of a request body cannot express. Returns the install key.
fn check(body: &RequestBody) -> Result<VerifyingKey> {
    let refuse = |rule, problem: &str| {
        Err(Error::refuse(Refusal::Malformed, format!("request body: {problem}")).rule(rule))
    };
    let Some(install_key) = VerifyingKey::new(&body.install_key) else {
        return refuse("request-9", "the install key is weak");
    };
    if body.number == 0 {
        return refuse("request-10", "the number is 0, but requests are numbered from 1");
    }
    if body.earlier.iter().any(|earlier| earlier.number >= body.number) {
        return refuse("request-10", "an earlier request does not have a lower number");
    }
    if !body.found.iter().chain(body.enrolled.iter()).all(Factor::is_plausible) {
        return refuse("request-11", "a factor has a class that its kind cannot have");
    }
    Ok(install_key)
}

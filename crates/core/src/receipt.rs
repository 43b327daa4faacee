//! The receipt, in which a machine states that it stopped: `receipt.olr`. It does not prove that no
//! copy is running. Implements `docs/format.md`, section "Receipt".

use crate::crypto::sign::VerifyingKey;
use crate::error::{Error, Refusal, Result, under};
use crate::key::install::InstallSecret;
use crate::key::{Role, key_id};
use crate::request::Earlier;
use crate::time::Instant;
use crate::wire::codec::{BODY_CAP, Set, Text, decode, encode, record};
use crate::wire::extension::{Extensions, refuse_critical};
use crate::wire::frame::{Frame, Kind, Signature, Unsigned};
use crate::wire::id::{LicenseId, VendorId};

/// Next step for a receipt with the wrong signatures: an install key is in no list of keys.
const AGAIN: &str = "ask for the receipt again, from the server that was deactivated";

record! {
    /// The body of a receipt. All values are claims of the server: only possession of the install
    /// key is proved.
    pub struct ReceiptBody {
        /// Public key of the installation. It verifies the signature of this receipt.
        pub install_key: [u8; 32],
        /// The product.
        pub product: Text,
        /// The slot.
        pub slot: Text,
        /// Number among the requests and deactivations of this installation, from 1.
        pub number: u64,
        /// Earlier requests, at most 16.
        pub earlier: Set<Earlier, 16>,
        /// Id of the license that was deactivated.
        pub license: LicenseId,
        /// SHA-256 of that license.
        pub license_hash: [u8; 32],
        /// The server's clock.
        pub at: Instant,
        /// Room for later fields.
        pub extensions: Extensions,
    }
}

/// A receipt whose signature was verified with the install key inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    vendor: VendorId,
    body: ReceiptBody,
    bytes: Vec<u8>,
}

impl Receipt {
    /// Signs `body` with the install key.
    ///
    /// # Errors
    /// `malformed` if `body` breaks a rule; exit 2 if this computer miscalculates.
    pub fn sign(vendor: VendorId, body: &ReceiptBody, install: &InstallSecret) -> Result<Self> {
        let unsigned = Unsigned::new(Kind::Receipt, vendor, Vec::new(), encode(body))?;
        let signing = install.signing_key();
        let key = key_id(Role::Install, &signing.public());
        let signature = Signature { key, bytes: signing.sign(&unsigned.message())? };
        Self::verify(&unsigned.with_signatures(vec![signature])?)
    }

    /// Decodes the body, which contains the key, and verifies the signature. The vendor's records
    /// show whose install key it is.
    ///
    /// # Errors
    /// In this order: frame errors, `malformed`, `unknown-version`, `untrusted-signer`,
    /// `wrong-signature`.
    pub fn verify(bytes: &[u8]) -> Result<Self> {
        let frame = Frame::parse(Kind::Receipt, bytes)?;
        let body: ReceiptBody =
            decode("receipt body", frame.body, BODY_CAP).map_err(under("receipt-1"))?;
        let install_key = check(&frame, &body)?;
        refuse_critical("receipt body", &body.extensions)?;
        let own = key_id(Role::Install, &body.install_key);
        let [signature] = frame.signatures.as_slice() else {
            let fact = "this receipt is signed by keys other than its install key";
            return Err(Error::refuse(Refusal::UntrustedSigner, fact)
                .hint(AGAIN)
                .rule("receipt-5"));
        };
        if signature.key != own {
            let fact = format!("this receipt is signed by unknown key {}", signature.key);
            return Err(Error::refuse(Refusal::UntrustedSigner, fact)
                .hint(AGAIN)
                .rule("receipt-5"));
        }
        if !install_key.verify(&frame.message(), &signature.bytes) {
            let fact = "the signature does not match the install key in this receipt";
            let error = Error::refuse(Refusal::WrongSignature, fact);
            return Err(error.rule("signature-3").rule("receipt-6"));
        }
        Ok(Self { vendor: frame.vendor, body, bytes: bytes.to_vec() })
    }

    /// Like [`Receipt::verify`], but also checks that the receipt is addressed to `vendor`.
    ///
    /// # Errors
    /// Same as [`Receipt::verify`], and `wrong-vendor` after the frame errors.
    pub fn verify_for(vendor: VendorId, bytes: &[u8]) -> Result<Self> {
        Frame::parse(Kind::Receipt, bytes)?.ensure_vendor(vendor)?;
        Self::verify(bytes)
    }

    /// The vendor to which the receipt is addressed.
    pub fn vendor(&self) -> VendorId {
        self.vendor
    }

    /// Content of the receipt.
    pub fn body(&self) -> &ReceiptBody {
        &self.body
    }

    /// The receipt in its binary form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Checks the rules that the types of a receipt cannot express. Returns the install key.
fn check(frame: &Frame<'_>, body: &ReceiptBody) -> Result<VerifyingKey> {
    let refuse = |rule, problem: &str| {
        Err(Error::refuse(Refusal::Malformed, format!("receipt body: {problem}")).rule(rule))
    };
    if !frame.attachments.is_empty() {
        return refuse("receipt-2", "a receipt cannot have attachments");
    }
    let Some(install_key) = VerifyingKey::new(&body.install_key) else {
        return refuse("receipt-3", "the install key is weak");
    };
    if body.number == 0 {
        return refuse("receipt-4", "the number is 0, but deactivations are numbered from 1");
    }
    if body.earlier.iter().any(|earlier| earlier.number >= body.number) {
        return refuse("receipt-4", "an earlier request does not have a lower number");
    }
    Ok(install_key)
}

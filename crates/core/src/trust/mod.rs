//! The vendor's trust: its roots, and the keys, products and files that they vouch for.
//! Implements `docs/format.md`, section "Trust".

use crate::crypto::digest::{sha256, tagged16};
use crate::crypto::label::VENDOR_ID;
use crate::crypto::sign::{PublicKey, VerifyingKey};
use crate::display;
use crate::entitlement::Model;
use crate::error::{Error, Refusal, Result, under};
use crate::key::{Role, key_id};
use crate::wire::codec::{BODY_CAP, Limit, List, Set, Text, decode, record};
use crate::wire::extension::{Extensions, refuse_critical};
use crate::wire::frame::{Frame, Kind, SUITE, this};
use crate::wire::id::{KeyId, VendorId};

mod attached;
mod code;
mod delegation;
mod sign;

pub use code::VendorCode;
pub use delegation::{Act, Delegation, DelegationBody, ModuleMaximum};
pub use sign::{sign_bare, sign_by_issuers, sign_by_roots};

record! {
    /// The body of a trust.
    pub struct TrustBody {
        /// Number of this trust among the vendor's trusts, from 1.
        pub version: u32,
        /// Name of the vendor, for people.
        pub name: Text,
        /// Root keys, Ed25519.
        pub roots: Set<PublicKey, 8>,
        /// Number of roots that must sign.
        pub threshold: u8,
        /// Sealing keys, X25519. Requests are sealed to the first.
        pub sealing: List<[u8; 32], 8>,
        /// Accepted suites.
        pub suites: Set<u8>,
        /// Products. The first is the default.
        pub products: List<Product>,
        /// SHA-256 of delegation frames that former roots signed and that stay in effect.
        pub kept: Set<[u8; 32]>,
        /// Ids of revoked issuer keys.
        pub revoked: Set<KeyId, 4096>,
        /// Rules for licenses that need more than one signer.
        pub signer_rules: List<SignerRule>,
        /// True if everything under this trust is for tests only.
        pub test: bool,
        /// Room for later fields.
        pub extensions: Extensions,
    }
}

record! {
    /// A product, and the slots for its licenses on a server.
    pub struct Product {
        /// Id of the product.
        pub id: Text,
        /// Slots of the product. The first is the default.
        pub slots: List<Text>,
    }
}

record! {
    /// A class of licenses that need several signers.
    pub struct SignerRule {
        /// Model of these licenses, or *any*.
        pub model: Limit<Model>,
        /// Only licenses that make more of this module available than its maximum. `None` means all
        /// licenses of the model.
        pub above: Option<ModuleMaximum>,
        /// Number of distinct signers that they need.
        pub signers: u8,
    }
}

/// A trust whose signatures were verified, either by itself at first contact or under its
/// predecessor.
///
/// ```
/// # mod olr { pub use olr_core::{trust::Trust, error::Result}; }
/// use olr::{Result, Trust};
///
/// /// The code to read out on the telephone.
/// fn code(binary: &[u8]) -> Result<String> {
///     Ok(Trust::pin(binary)?.vendor_code())
/// }
///
/// assert!(code(b"not a trust").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    vendor: VendorId,
    body: TrustBody,
    /// The roots of the body, decoded once.
    roots: Vec<Permitted>,
    bytes: Vec<u8>,
}

impl Trust {
    /// Accepts a trust at first contact, if it is consistent in itself. The caller must make sure
    /// that it belongs to the right vendor: by the vendor code, or because it is compiled into the
    /// product.
    ///
    /// # Errors
    /// Frame errors, `malformed`, `unknown-version`, `untrusted-signer`, `wrong-signature`.
    pub fn pin(bytes: &[u8]) -> Result<Self> {
        let frame = Frame::parse(Kind::Trust, bytes).map_err(under("trust-1"))?;
        let (body, roots) = read(&frame)?;
        if body.version == 1 {
            check_signatures(&frame, &roots, body.threshold).map_err(under("trust-12"))?;
        } else {
            // Signatures of former roots can be verified only by a server that knows those roots.
            let known = |key| roots.iter().any(|root| root.id == key);
            let mut ours = frame.clone();
            ours.signatures.retain(|signature| known(signature.key));
            check_signatures(&ours, &roots, body.threshold).map_err(under("trust-12"))?;
        }
        Ok(Self { vendor: frame.vendor, body, roots, bytes: bytes.to_vec() })
    }

    /// Verifies the next trust. It must be signed by as many roots of this trust as this trust
    /// requires, and by as many of its own roots as it requires itself.
    ///
    /// # Errors
    /// Same as [`Trust::pin`], and `wrong-vendor`, `superseded` (not newer).
    pub fn successor(&self, bytes: &[u8]) -> Result<Self> {
        let frame = Frame::parse(Kind::Trust, bytes).map_err(under("trust-1"))?;
        frame.ensure_vendor(self.vendor).map_err(under("trust-1"))?;
        let (body, roots) = read(&frame)?;
        let both = [self.roots.as_slice(), &roots].concat();
        check_signatures(&frame, &both, 1).map_err(under("trust-14"))?;
        for (keys, threshold) in [(&self.roots, self.body.threshold), (&roots, body.threshold)] {
            let signed = |root: &&Permitted| frame.signatures.iter().any(|s| s.key == root.id);
            let distinct = keys.iter().filter(signed).count();
            ensure_threshold(distinct, threshold, "trust-15")?;
        }
        if body.version <= self.body.version {
            let fact =
                format!("trust {} is not newer than trust {}", body.version, self.body.version);
            return Err(Error::refuse(Refusal::Superseded, fact).rule("trust-16"));
        }
        Ok(Self { vendor: self.vendor, body, roots, bytes: bytes.to_vec() })
    }

    /// The vendor that the trust belongs to.
    pub fn vendor(&self) -> VendorId {
        self.vendor
    }

    /// Content of the trust.
    pub fn body(&self) -> &TrustBody {
        &self.body
    }

    /// The trust in its binary form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key to which requests are sealed, with its id.
    pub fn sealing_key(&self) -> Option<(KeyId, [u8; 32])> {
        let first = self.body.sealing.first()?;
        Some((key_id(Role::Sealing, first), *first))
    }

    /// Returns the product with this id, or the default one.
    ///
    /// # Errors
    /// `wrong-product`.
    pub fn product(&self, id: Option<&str>) -> Result<&Product> {
        let products = &self.body.products;
        let found = match id {
            None => products.first(),
            Some(id) => products.iter().find(|product| &*product.id == id),
        };
        found.ok_or_else(|| {
            let names: Vec<_> =
                products.iter().map(|product| display::shown(&product.id)).collect();
            let fact = format!("the vendor has no product {:?}", display::shown(id.unwrap_or("")));
            Error::refuse(Refusal::WrongProduct, fact)
                .hint(format!("name one of its products: {}", names.join(", ")))
        })
    }

    /// Returns the delegation in `frame`, if a threshold of the roots signed it or the trust keeps
    /// it in effect.
    ///
    /// # Errors
    /// `wrong-vendor`, `untrusted-signer`, `wrong-signature`, `malformed`, `unknown-version`.
    pub fn delegation(&self, frame: &Frame<'_>) -> Result<Delegation> {
        frame.ensure_vendor(self.vendor)?;
        if self.body.kept.get(&sha256(frame.bytes)).is_none() {
            check_signatures(frame, &self.roots, self.body.threshold)
                .map_err(under("delegation-1"))?;
        }
        Delegation::read(frame)
    }
}

/// A key that may sign a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Permitted {
    id: KeyId,
    /// `None` if the key is weak: it verifies nothing.
    key: Option<VerifyingKey>,
}

/// Checks that every signature is valid and made by one of `keys`, and that there are enough. A
/// frame contains each key at most once, so the number of signatures is the number of distinct
/// keys.
fn check_signatures(frame: &Frame<'_>, keys: &[Permitted], threshold: u8) -> Result<()> {
    let mut signers = Vec::new();
    for signature in &frame.signatures {
        let Some(permitted) = keys.iter().find(|key| key.id == signature.key) else {
            let fact = format!("{} is signed by unknown key {}", this(frame.kind), signature.key);
            return Err(Error::refuse(Refusal::UntrustedSigner, fact).rule("signature-1"));
        };
        signers.push((permitted, signature));
    }
    ensure_threshold(signers.len(), threshold, "signature-2")?;
    let message = frame.message();
    for (permitted, signature) in signers {
        let key = permitted.key.as_ref();
        if !key.is_some_and(|key| key.verify(&message, &signature.bytes)) {
            let (key, this) = (signature.key, this(frame.kind));
            let fact = format!("the signature of key {key} does not match {this}");
            return Err(Error::refuse(Refusal::WrongSignature, fact).rule("signature-3"));
        }
    }
    Ok(())
}

fn ensure_threshold(found: usize, threshold: u8, rule: &'static str) -> Result<()> {
    if found >= usize::from(threshold) && found > 0 {
        return Ok(());
    }
    let fact = match found {
        0 => "none of the required keys signed".to_string(),
        _ => format!("only {found} of the {threshold} required keys signed"),
    };
    Err(Error::refuse(Refusal::UntrustedSigner, fact).rule(rule))
}

/// Returns the roots of a trust with their key ids.
pub fn root_keys(body: &TrustBody) -> Vec<(KeyId, PublicKey)> {
    body.roots.iter().map(|key| (key_id(Role::Root, key), *key)).collect()
}

/// Decodes the body of a trust and checks the rules that its types cannot express. Does not verify
/// signatures.
///
/// # Errors
/// `malformed`, `unknown-version`.
pub fn read_body(frame: &Frame<'_>) -> Result<TrustBody> {
    read(frame).map(|(body, _)| body)
}

/// Like [`read_body`]. Returns the roots too, decoded.
fn read(frame: &Frame<'_>) -> Result<(TrustBody, Vec<Permitted>)> {
    let body: TrustBody = decode("trust body", frame.body, BODY_CAP).map_err(under("trust-2"))?;
    let malformed = |rule, problem: &str| {
        Err(Error::refuse(Refusal::Malformed, format!("trust body: {problem}")).rule(rule))
    };
    if !frame.attachments.is_empty() {
        return malformed("trust-3", "a trust cannot have attachments");
    }
    if body.version == 0 {
        return malformed("trust-4", "the version is 0, but versions are numbered from 1");
    }
    if body.version == 1 && VendorId(tagged16(&[VENDOR_ID, frame.body])) != frame.vendor {
        return malformed(
            "trust-5",
            "the vendor id does not match the content of this first trust",
        );
    }
    if body.version == 1 && !body.kept.is_empty() {
        return malformed("trust-6", "the first trust cannot keep delegations");
    }
    if body.threshold == 0 || usize::from(body.threshold) > body.roots.len() {
        return malformed("trust-7", "the threshold is not between 1 and the number of roots");
    }
    let root = |key| Permitted { id: key_id(Role::Root, key), key: VerifyingKey::new(key) };
    let roots: Vec<_> = body.roots.iter().map(root).collect();
    let is_strong = |key: &VerifyingKey| key.is_trustworthy();
    if !roots.iter().all(|root| root.key.as_ref().is_some_and(is_strong)) {
        return malformed("trust-8", "a root key is weak");
    }
    if body.sealing.is_empty() || has_double(&body.sealing) {
        return malformed("trust-9", "sealing keys: at least one, without duplicates");
    }
    if body.suites.get(&SUITE).is_none() {
        return malformed("trust-10", "suite 1 is not accepted");
    }
    let slots_are_right =
        |product: &Product| !product.slots.is_empty() && !has_double(&product.slots);
    let ids: Vec<_> = body.products.iter().map(|product| &product.id).collect();
    if ids.is_empty() || has_double(&ids) || !body.products.iter().all(slots_are_right) {
        return malformed("trust-11", "products and their slots: at least one, without duplicates");
    }
    refuse_critical("trust body", &body.extensions)?;
    Ok((body, roots))
}

fn has_double<T: PartialEq>(entries: &[T]) -> bool {
    entries
        .iter()
        .enumerate()
        .any(|(at, entry)| entries.iter().take(at).any(|other| other == entry))
}

/// Returns the vendor id for a first trust with this body.
pub fn vendor_id(first_body: &[u8]) -> VendorId {
    VendorId(tagged16(&[VENDOR_ID, first_body]))
}

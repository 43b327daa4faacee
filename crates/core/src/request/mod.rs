//! The request that a server seals to its vendor. Implements `docs/format.md`, section "Request".

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::crypto::digest::sha256;
use crate::crypto::label::{REQUEST, REQUEST_SEAL, pae};
use crate::crypto::seal::{ENCAPSULATED, TAG, seal};
use crate::display;
use crate::entitlement::Count;
use crate::error::{Error, Problem, Result, under};
use crate::key::install::InstallSecret;
use crate::machine::Factor;
use crate::time::Instant;
use crate::trust::Trust;
use crate::wire::codec::{Hidden, Keyed, List, Note, Set, Text, encode, record};
use crate::wire::extension::Extensions;
use crate::wire::frame::{FRAME_CAP, Header, Kind, SUITE, VERSION, wrong_kind};
use crate::wire::id::{KeyId, LicenseId, RequestId, VendorId};
use crate::wire::reader::Reader;

mod open;
pub use open::OpenedRequest;

/// Plaintexts are padded to a multiple of this many bytes.
const PADDING: usize = 1024;
/// Bytes outside the ciphertext: header, encapsulated key, signature.
const OVERHEAD: usize = 43 + ENCAPSULATED + 64;

record! {
    /// The body of a request. All values are claims of the server: only possession of the install
    /// key is proved.
    pub struct RequestBody {
        /// Id of this request.
        pub request: RequestId,
        /// Number among the requests and deactivations of this installation, from 1.
        pub number: u64,
        /// Earlier requests, at most 16.
        pub earlier: Set<Earlier, 16>,
        /// Public key of the installation. It verifies the signature of this request.
        pub install_key: [u8; 32],
        /// Key for the commitments in the answer.
        pub commitment_key: Hidden<[u8; 32]>,
        /// The product asked for.
        pub product: Text,
        /// Installed release. Empty if not stated.
        pub product_version: Text,
        /// The slot asked for.
        pub slot: Text,
        /// Name of the licensee, as on the sales receipt.
        pub licensee: Text,
        /// License key, as on the sales receipt.
        pub license_key: Hidden<Text>,
        /// Factors for which the installed license was issued. Empty if none is installed.
        pub enrolled: List<Factor>,
        /// Factors found now.
        pub found: List<Factor>,
        /// Local IP addresses.
        pub addresses: List<Text>,
        /// Facts about host and system.
        pub facts: List<Fact>,
        /// The server's clock.
        pub clock: Instant,
        /// Id of this boot of the system. Empty if unknown.
        pub boot: Text,
        /// License that the answer is to replace.
        pub renews: Option<LicenseId>,
        /// Modules in use, and how many of each.
        pub usage: Set<Count, 4096>,
        /// Modules wanted, and how many of each.
        pub wanted: Set<Count, 4096>,
        /// Message to the support staff.
        pub note: Note,
        /// Room for later fields.
        pub extensions: Extensions,
    }
}

record! {
    /// A request made earlier.
    pub struct Earlier {
        /// Number of the request.
        pub number: u64,
        /// SHA-256 of the request.
        pub hash: [u8; 32],
    }
}

impl Keyed for Earlier {
    type Key = u64;
    fn key(&self) -> &u64 {
        &self.number
    }
}

record! {
    /// A fact about the host, for people.
    pub struct Fact {
        /// Name of the fact: `os`.
        pub name: Text,
        /// Value of the fact.
        pub value: Text,
    }
}

/// Seals `body` to the first sealing key of `trust` and signs it with the install key.
///
/// # Errors
/// Exit 2 if the body is too long, the vendor's sealing key is missing or unusable, or this
/// computer miscalculates.
pub fn seal_request(
    body: &RequestBody,
    trust: &Trust,
    install: &InstallSecret,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>> {
    let encoded = Zeroizing::new(encode(body));
    let padded = Zeroizing::new(pad(&encoded)?);
    let Some((recipient, public)) = trust.sealing_key() else {
        let fact = "the vendor's trust names no sealing key";
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "ask the vendor for a corrected vendor.trust",
        ));
    };
    let header = write_header(trust.vendor(), recipient, padded.len().saturating_add(TAG));
    let mut rng = install.encapsulation_rng(body.number, &sha256(&encoded), rng);
    let sealed = seal(&public, &seal_info(&header), &padded, &mut rng)?;
    let message = signed_message(&header, &sealed.encapsulated, &sealed.ciphertext);
    let signature = install.signing_key().sign(&message)?;
    Ok([&header, sealed.encapsulated.as_slice(), &sealed.ciphertext, &signature].concat())
}

/// Prefixes the body with its length and pads it with zeros to a multiple of 1 KiB.
fn pad(encoded: &[u8]) -> Result<Vec<u8>> {
    let used = encoded.len().saturating_add(4);
    let padded = used.next_multiple_of(PADDING);
    if padded.saturating_add(TAG).saturating_add(OVERHEAD) > FRAME_CAP {
        let fact = "the request is too long";
        return Err(Error::unable(
            Problem::TooLarge,
            fact,
            "shorten the note, or ask for fewer modules at once",
        ));
    }
    let mut bytes = Vec::with_capacity(padded);
    bytes.extend(u32::try_from(encoded.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(encoded);
    bytes.resize(padded, 0);
    Ok(bytes)
}

fn write_header(vendor: VendorId, recipient: KeyId, ciphertext_len: usize) -> Vec<u8> {
    let mut header = Vec::new();
    Header::write(Kind::Request, &mut header);
    header.extend(vendor.0);
    header.extend(recipient.0);
    header.extend(u32::try_from(ciphertext_len).unwrap_or(u32::MAX).to_le_bytes());
    header
}

fn seal_info(header: &[u8]) -> Vec<u8> {
    pae(&[REQUEST_SEAL, &[VERSION], &[SUITE], header])
}

fn signed_message(header: &[u8], encapsulated: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    pae(&[REQUEST, &[VERSION], &[SUITE], header, encapsulated, ciphertext])
}

/// A well-formed request that has not been opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRequest<'a> {
    /// The vendor that it claims to be for.
    pub vendor: VendorId,
    /// The sealing key that it claims to be sealed to.
    pub recipient: KeyId,
    /// The encapsulated key.
    pub encapsulated: [u8; ENCAPSULATED],
    /// The ciphertext with its tag.
    pub ciphertext: &'a [u8],
    /// Signature by the install key, which is inside the ciphertext.
    pub signature: [u8; 64],
    header: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> SealedRequest<'a> {
    /// Parses a binary request.
    ///
    /// # Errors
    /// `malformed`, `unknown-version`, `wrong-kind`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new("request", bytes).ends_by(&["frame-6", "request-1"]);
        let kind = Header::read(&mut reader, bytes.len()).map_err(under("request-1"))?;
        if kind != Kind::Request {
            return Err(wrong_kind(Kind::Request, kind).rule("request-1"));
        }
        let vendor = VendorId(reader.array("vendor id")?);
        let recipient = KeyId(reader.array("recipient key id")?);
        let ciphertext_len =
            usize::try_from(reader.u32("ciphertext length")?).unwrap_or(usize::MAX);
        let plaintext_len = ciphertext_len.saturating_sub(TAG);
        if ciphertext_len > FRAME_CAP || plaintext_len == 0 || plaintext_len % PADDING != 0 {
            let problem = format!("{ciphertext_len} is not the length of a padded body");
            return Err(reader.malformed("ciphertext length", &problem).rule("request-2"));
        }
        let header = reader.since(0);
        let encapsulated = reader.array("encapsulated key")?;
        let ciphertext = reader.take("ciphertext", ciphertext_len)?;
        let signature = reader.array("signature")?;
        reader.finish("request-3")?;
        Ok(Self { vendor, recipient, encapsulated, ciphertext, signature, header, bytes })
    }

    /// SHA-256 of the binary request. The answer names the request by this hash.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.bytes)
    }

    /// Returns the code that people compare on the phone: twelve characters of base32.
    pub fn code(&self) -> String {
        display::code(&self.hash())
    }
}

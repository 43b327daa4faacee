//! The request: what a server seals to its vendor. Obeys `docs/format.md`, section "Request".

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

/// Plaintexts are a multiple of this many bytes.
const PADDING: usize = 1024;
/// Bytes outside the ciphertext: header, encapsulated key, signature.
const OVERHEAD: usize = 43 + ENCAPSULATED + 64;

record! {
    /// The body of a request. Every value is the server's word, proved by nothing but its install
    /// key: `claimed` in all but name.
    pub struct RequestBody {
        /// Names this request.
        pub request: RequestId,
        /// Counts the requests and deactivations of this installation, from 1.
        pub number: u64,
        /// Requests made before this one, at most 16.
        pub earlier: Set<Earlier, 16>,
        /// Verifies the signature of this request and names the installation.
        pub install_key: [u8; 32],
        /// The key of the commitments in the answer.
        pub commitment_key: Hidden<[u8; 32]>,
        /// The product asked for.
        pub product: Text,
        /// The release installed; empty when not said.
        pub product_version: Text,
        /// Where the key is to be installed.
        pub slot: Text,
        /// The licensee's name as on the receipt.
        pub licensee: Text,
        /// The license key as on the receipt.
        pub license_key: Hidden<Text>,
        /// The factors that the installed license was issued for; empty before the first.
        pub enrolled: List<Factor>,
        /// The factors found now.
        pub found: List<Factor>,
        /// Local IP addresses.
        pub addresses: List<Text>,
        /// Facts about host and system.
        pub facts: List<Fact>,
        /// The server's clock.
        pub clock: Instant,
        /// Names this boot of the system; empty when unknown.
        pub boot: Text,
        /// The license that the answer shall replace.
        pub renews: Option<LicenseId>,
        /// What is in use.
        pub usage: Set<Count, 4096>,
        /// What is wanted.
        pub wanted: Set<Count, 4096>,
        /// A word to the support staff.
        pub note: Note,
        /// How the body may grow.
        pub extensions: Extensions,
    }
}

record! {
    /// A request made before.
    pub struct Earlier {
        /// Its number.
        pub number: u64,
        /// Its hash.
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
        /// What it is: `os`.
        pub name: Text,
        /// Its value.
        pub value: Text,
    }
}

/// Seals `body` to the first sealing key of `trust` and signs it with the install key.
///
/// # Errors
/// Exit 2 when the body is too long or the vendor's sealing key is not usable.
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

/// Length, body, zeros to the next KiB.
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

/// A well-formed request that nobody has opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRequest<'a> {
    /// The vendor it says it is for.
    pub vendor: VendorId,
    /// The sealing key it says it is for.
    pub recipient: KeyId,
    /// The encapsulated key.
    pub encapsulated: [u8; ENCAPSULATED],
    /// The ciphertext with its tag.
    pub ciphertext: &'a [u8],
    /// The signature of the install key found inside.
    pub signature: [u8; 64],
    header: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> SealedRequest<'a> {
    /// Reads a whole binary request.
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
            let problem = format!("{ciphertext_len} is no length of a padded body");
            return Err(reader.malformed("ciphertext length", &problem).rule("request-2"));
        }
        let header = reader.since(0);
        let encapsulated = reader.array("encapsulated key")?;
        let ciphertext = reader.take("ciphertext", ciphertext_len)?;
        let signature = reader.array("signature")?;
        reader.finish("request-3")?;
        Ok(Self { vendor, recipient, encapsulated, ciphertext, signature, header, bytes })
    }

    /// SHA-256 of the whole binary request: what the answer names.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.bytes)
    }

    /// The code that people compare on the phone: twelve characters of base32.
    pub fn code(&self) -> String {
        display::code(&self.hash())
    }
}

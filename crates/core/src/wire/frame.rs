//! The header of every binary artefact, and the frame around every signed artefact except a
//! request. Implements `docs/format.md`, section "Frame".

use crate::error::{Error, NextStep, Problem, Refusal, Remedy, Result, under};
use crate::wire::codec::{BODY_CAP, numbered};
use crate::wire::id::{KeyId, VendorId};
use crate::wire::reader::Reader;

/// Maximum size of a file in bytes, armored or not.
pub const FILE_CAP: usize = 1024 * 1024;
/// Maximum size of a binary artefact in bytes.
pub const FRAME_CAP: usize = 256 * 1024;
/// Maximum number of attachments of a frame.
pub const ATTACHMENTS_CAP: usize = 16;
/// Maximum number of signatures of a frame.
pub const SIGNATURES_CAP: usize = 16;
/// First four bytes of every binary artefact.
pub const MAGIC: [u8; 4] = *b"\x89OLR";
/// The only format version so far.
pub const VERSION: u8 = 1;
/// The only suite so far: Ed25519, X25519 HPKE with AES-256-GCM, SHA-2, Argon2id.
pub const SUITE: u8 = 1;

numbered! {
    /// Kind of a file.
    pub enum Kind {
        /// A request, `req.olr`.
        1 Request "request",
        /// A license, `license.olr`.
        2 License "license",
        /// A receipt of a deactivation, `receipt.olr`.
        3 Receipt "receipt",
        /// The trust of a vendor, `vendor.trust`.
        4 Trust "trust",
        /// A list of revocations, `revoked.olr`.
        5 Revocations "revocations",
        /// A time from the vendor, `time.olr`.
        6 Timestamp "time",
        /// A private key of the vendor.
        7 KeyFile "key file",
        /// The memory of a server.
        8 State "state",
        /// A delegation, which limits what an issuer key may sign.
        9 Delegation "delegation",
        /// A file on its way between several signers.
        10 Proposal "proposal",
        /// A statement of usage. Its body is not specified yet.
        11 Usage "usage statement",
    }
}

/// The first seven bytes of every binary artefact: magic, version, suite, kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header;

impl Header {
    /// Reads the header, and refuses a file that this version cannot read.
    ///
    /// # Errors
    /// `malformed` (size, magic), `unknown-version` (version, suite), `wrong-kind` (not in the
    /// table).
    pub fn read(reader: &mut Reader<'_>, len: usize) -> Result<Kind> {
        if len == 0 {
            return Err(reader.malformed("file", "it is empty").rule("frame-1"));
        }
        if len > FRAME_CAP {
            let problem = format!("{len} bytes, more than {FRAME_CAP}");
            return Err(reader.malformed("file", &problem).rule("frame-1"));
        }
        if reader.array("magic").ok() != Some(MAGIC) {
            let error = Reader::new("file", &[]).malformed("magic", "this is not an olr file");
            return Err(error.rule("frame-2"));
        }
        let unknown = |what: &str, number: u8| {
            let fact = format!("{what} {number}, but this program knows only {what} 1");
            Err(Error::refuse(Refusal::UnknownVersion, fact)
                .hint("update olr: this file needs a newer version")
                .rule("frame-3"))
        };
        let version = reader.u8("version")?;
        let mut ahead = reader.clone();
        let kind = ahead.u8("suite").and_then(|_| ahead.u8("kind")).ok().map(u16::from);
        if version != VERSION && kind == Some(Kind::State.number()) {
            let fact = format!(
                "this is the state of a home (state version {version}), a server's own record: it is not a file to send"
            );
            let hint = NextStep::new(
                "name the file that the vendor or the server sent; a home is named separately",
                &[Remedy::NameHome],
            );
            return Err(Error::refuse(Refusal::UnknownVersion, fact).hint(hint).rule("frame-3"));
        }
        if version != VERSION {
            return unknown("format version", version);
        }
        let suite = reader.u8("suite")?;
        if suite != SUITE {
            return unknown("suite", suite);
        }
        let number = reader.u8("kind")?;
        Kind::from_number(number.into()).ok_or_else(|| {
            let fact = format!("kind {number} is not known to this program");
            Error::refuse(Refusal::WrongKind, fact).rule("frame-4")
        })
    }

    /// Appends the header.
    pub fn write(kind: Kind, into: &mut Vec<u8>) {
        into.extend(MAGIC);
        into.extend([VERSION, SUITE, u8::try_from(kind.number()).unwrap_or(0)]);
    }

    /// Returns the kind that a binary file claims to be.
    ///
    /// # Errors
    /// Same as [`Header::read`].
    pub fn peek(bytes: &[u8]) -> Result<Kind> {
        Self::read(&mut Reader::new("file", bytes), bytes.len())
    }
}

/// Returns the refusal for a file of the wrong kind.
pub fn wrong_kind(wanted: Kind, found: Kind) -> Error {
    let fact =
        format!("this is {}, but {} was expected", with_article(found), with_article(wanted));
    Error::refuse(Refusal::WrongKind, fact).rule("frame-5")
}

/// Returns the kind with its article, for messages: `a license`, `a list of revocations`.
pub(crate) fn with_article(kind: Kind) -> String {
    match kind {
        Kind::Revocations => "a list of revocations".to_string(),
        kind => format!("a {kind}"),
    }
}

/// Names a file of this kind in messages: `this license`, `this list of revocations`.
pub(crate) fn this(kind: Kind) -> String {
    match kind {
        Kind::Revocations => "this list of revocations".to_string(),
        kind => format!("this {kind}"),
    }
}

/// One signature, not verified yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Key that is claimed to have signed.
    pub key: KeyId,
    /// R and S of RFC 8032.
    pub bytes: [u8; 64],
}

/// A well-formed frame whose signatures have not been verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Kind of its content.
    pub kind: Kind,
    /// Vendor that it claims to belong to.
    pub vendor: VendorId,
    /// Attached frames. They have no attachments of their own.
    pub attachments: Vec<Frame<'a>>,
    /// The bytes from the attachment count to the last attachment, which signatures cover.
    pub attachment_section: &'a [u8],
    /// The body, not yet decoded.
    pub body: &'a [u8],
    /// 1 to 16 signatures in ascending order of their key ids. A proposal may have none.
    pub signatures: Vec<Signature>,
    /// The whole frame.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Parses a binary file of the kind `wanted`.
    ///
    /// # Errors
    /// `malformed`, `unknown-version` or `wrong-kind`, for the first field that breaks a rule.
    pub fn parse(wanted: Kind, bytes: &'a [u8]) -> Result<Self> {
        Self::read(Some(wanted), wanted.word(), bytes, true)
    }

    fn read(
        wanted: Option<Kind>,
        what: &'static str,
        bytes: &'a [u8],
        attachments_allowed: bool,
    ) -> Result<Self> {
        let mut reader = Reader::new(what, bytes);
        let kind = Header::read(&mut reader, bytes.len())?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != kind) {
            return Err(wrong_kind(wanted, kind));
        }
        if let Kind::Request | Kind::KeyFile | Kind::State = kind {
            // Only reached for attachments: files of these kinds are read elsewhere.
            return Err(reader.malformed("kind", &format!("a {kind} has no frame")));
        }
        let vendor = VendorId(reader.array("vendor id")?);
        let section_start = reader.offset();
        let cap = if attachments_allowed { ATTACHMENTS_CAP } else { 0 };
        let attachments = Self::read_attachments(&mut reader, vendor, cap)?;
        let attachment_section = reader.since(section_start);
        let body = reader.sized("body", BODY_CAP, "frame-11")?;
        // Only a proposal may have no signature yet, and only outside of an attachment.
        let least = usize::from(kind != Kind::Proposal || !attachments_allowed);
        let signatures = read_signatures(&mut reader, least)?;
        reader.finish("frame-14")?;
        Ok(Self { kind, vendor, attachments, attachment_section, body, signatures, bytes })
    }

    fn read_attachments(
        reader: &mut Reader<'a>,
        vendor: VendorId,
        cap: usize,
    ) -> Result<Vec<Self>> {
        let count = usize::from(reader.u8("attachment count")?);
        if count > cap {
            let problem = format!("{count} is too many");
            return Err(reader.malformed("attachment count", &problem).rule("frame-7"));
        }
        let mut attachments: Vec<Frame<'a>> = Vec::with_capacity(count);
        for _ in 0..count {
            let attached = reader.sized("attachment", FRAME_CAP, "frame-8")?;
            let attached =
                Self::read(None, "attachment", attached, false).map_err(under("frame-8"))?;
            if attached.vendor != vendor {
                let problem = "it belongs to another vendor";
                return Err(reader.malformed("attachment", problem).rule("frame-9"));
            }
            if attachments.last().is_some_and(|last| last.order() >= attached.order()) {
                let problem = "not in ascending order without duplicates";
                return Err(reader.malformed("attachment", problem).rule("frame-10"));
            }
            attachments.push(attached);
        }
        Ok(attachments)
    }

    /// Returns the frame that `section` and `body` would make with these signatures. Its `bytes`
    /// are empty.
    ///
    /// # Errors
    /// `malformed`, `unknown-version` or `wrong-kind`, if the attachments break a rule.
    pub fn proposed(
        kind: Kind,
        vendor: VendorId,
        section: &'a [u8],
        body: &'a [u8],
        signatures: Vec<Signature>,
    ) -> Result<Self> {
        let mut reader = Reader::new("attachments", section);
        let attachments = Self::read_attachments(&mut reader, vendor, ATTACHMENTS_CAP)?;
        reader.finish("proposal-4")?;
        let attachment_section = section;
        Ok(Self { kind, vendor, attachments, attachment_section, body, signatures, bytes: &[] })
    }

    /// Sort key of attachments: the kind, then the bytes.
    fn order(&self) -> (u16, &[u8]) {
        (self.kind.number(), self.bytes)
    }

    /// Refuses a frame of another vendor.
    ///
    /// # Errors
    /// `wrong-vendor`.
    pub fn ensure_vendor(&self, vendor: VendorId) -> Result<()> {
        if self.vendor == vendor {
            return Ok(());
        }
        let (this, found) = (this(self.kind), self.vendor);
        let fact = format!("{this} belongs to vendor {found}, not to vendor {vendor}");
        Err(Error::refuse(Refusal::WrongVendor, fact).rule("frame-15"))
    }
}

fn read_signatures(reader: &mut Reader<'_>, least: usize) -> Result<Vec<Signature>> {
    let count = usize::from(reader.u8("signature count")?);
    if count < least || count > SIGNATURES_CAP {
        let problem = format!("{count}, but {least} to {SIGNATURES_CAP} are allowed");
        return Err(reader.malformed("signature count", &problem).rule("frame-12"));
    }
    let mut signatures: Vec<Signature> = Vec::with_capacity(count);
    for _ in 0..count {
        let key = KeyId(reader.array("signature key id")?);
        if signatures.last().is_some_and(|last| last.key >= key) {
            let problem = "not in ascending order without duplicates";
            return Err(reader.malformed("signature key id", problem).rule("frame-13"));
        }
        signatures.push(Signature { key, bytes: reader.array("signature")? });
    }
    Ok(signatures)
}

/// The parts of a frame before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// Kind of its content.
    pub kind: Kind,
    /// Vendor that it belongs to.
    pub vendor: VendorId,
    /// The attachment section: the count, then the length and bytes of each frame.
    pub attachment_section: Vec<u8>,
    /// The encoded body.
    pub body: Vec<u8>,
}

impl Unsigned {
    /// Creates the parts of a frame. Sorts the attachments, which are binary frames, and removes
    /// duplicates.
    ///
    /// # Errors
    /// Exit 2 if there are more than 16.
    pub fn new(
        kind: Kind,
        vendor: VendorId,
        mut attachments: Vec<Vec<u8>>,
        body: Vec<u8>,
    ) -> Result<Self> {
        attachments.sort_by_key(|bytes| (bytes.get(6).copied(), bytes.clone()));
        attachments.dedup();
        let Some(count) = u8::try_from(attachments.len())
            .ok()
            .filter(|count| usize::from(*count) <= ATTACHMENTS_CAP)
        else {
            let fact = format!("{} attachments, but at most 16 are allowed", attachments.len());
            return Err(Error::unable(Problem::TooLarge, fact, "attach fewer files"));
        };
        let mut attachment_section = vec![count];
        for attached in attachments {
            write_sized(&attached, &mut attachment_section);
        }
        Ok(Self { kind, vendor, attachment_section, body })
    }

    /// Returns the frame with these signatures, which it sorts.
    ///
    /// # Errors
    /// Exit 2 if the result would exceed a cap.
    pub fn with_signatures(&self, mut signatures: Vec<Signature>) -> Result<Vec<u8>> {
        signatures.sort_by_key(|signature| signature.key);
        let mut bytes = Vec::new();
        Header::write(self.kind, &mut bytes);
        bytes.extend(self.vendor.0);
        bytes.extend(&self.attachment_section);
        write_sized(&self.body, &mut bytes);
        bytes.push(u8::try_from(signatures.len()).unwrap_or(0));
        for signature in signatures {
            bytes.extend(signature.key.0);
            bytes.extend(signature.bytes);
        }
        match Frame::parse(self.kind, &bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(Error::unable(
                Problem::TooLarge,
                format!("{} cannot be written: {}", this(self.kind), error.fact()),
                "make it smaller: fewer modules, attachments or signatures",
            )),
        }
    }
}

fn write_sized(bytes: &[u8], into: &mut Vec<u8>) {
    into.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    into.extend(bytes);
}

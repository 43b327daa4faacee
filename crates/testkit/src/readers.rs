//! Every reader of an artefact with all its checks, and the fixtures that it accepts.

use olr_core::armor::dearmor;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::{Role, key_id};
use olr_core::license::License;
use olr_core::proposal::Proposal;
use olr_core::receipt::Receipt;
use olr_core::request::SealedRequest;
use olr_core::revocation::Revocations;
use olr_core::state::State;
use olr_core::timestamp::Timestamp;
use olr_core::trust::Trust;
use olr_core::wire::frame::{Frame, Kind};
use olr_office::catalog::Catalog;
use olr_office::issue::GrantFile;
use olr_office::key::file::KeyFile;
use olr_office::key::typed::Passphrase;

use std::ops::Range;

use crate::WORLD;
use crate::scenario::committed;

/// A reader of an artefact, in one situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The vendor opens a request.
    Request,
    /// A server verifies a license under the trust of `keys/snakeoil`.
    License,
    /// A server pins a trust at first contact.
    FirstContact,
    /// A server that has the trust of `keys/snakeoil` verifies a newer one.
    Successor,
    /// A server verifies a delegation under the trust of `keys/snakeoil`.
    Delegation,
    /// The vendor opens its key with this role, with the passphrase of the fixtures if it has one.
    KeyFile(Role),
    /// The vendor verifies a receipt.
    Receipt,
    /// A custodian verifies a proposal with at least one signature under the trust of
    /// `keys/snakeoil`. (An unsigned proposal may contain anything.)
    Proposal,
    /// A server verifies a timestamp under the trust of `keys/snakeoil`.
    Time,
    /// A server verifies revocations under the trust of `keys/snakeoil`.
    Revocations,
    /// A server reads its own state.
    State,
}

impl Reader {
    pub const ALL: [Self; 13] = [
        Self::Request,
        Self::License,
        Self::FirstContact,
        Self::Successor,
        Self::Delegation,
        Self::KeyFile(Role::Root),
        Self::KeyFile(Role::Issuer),
        Self::KeyFile(Role::Sealing),
        Self::Receipt,
        Self::Proposal,
        Self::Time,
        Self::Revocations,
        Self::State,
    ];

    /// Kind of artefact that it reads.
    pub fn kind(self) -> Kind {
        match self {
            Self::Request => Kind::Request,
            Self::License => Kind::License,
            Self::FirstContact | Self::Successor => Kind::Trust,
            Self::Delegation => Kind::Delegation,
            Self::KeyFile(_) => Kind::KeyFile,
            Self::Receipt => Kind::Receipt,
            Self::Proposal => Kind::Proposal,
            Self::Time => Kind::Timestamp,
            Self::Revocations => Kind::Revocations,
            Self::State => Kind::State,
        }
    }

    /// True if it accepts a binary artefact.
    pub fn accepts(self, bytes: &[u8]) -> bool {
        self.read(bytes).is_ok()
    }

    fn read(self, bytes: &[u8]) -> Result<()> {
        let vendor = &WORLD.vendor;
        match self {
            Self::Request => SealedRequest::parse(bytes)?.open(&vendor.sealing).map(drop),
            Self::License => License::verify(bytes, &vendor.trust).map(drop),
            Self::FirstContact => Trust::pin(bytes).map(drop),
            Self::Successor => vendor.trust.successor(bytes).map(drop),
            Self::Delegation => {
                vendor.trust.delegation(&Frame::parse(Kind::Delegation, bytes)?)?.check_key()
            }
            Self::KeyFile(role) => open(role, &KeyFile::parse(bytes)?),
            Self::Receipt => Receipt::verify_for(vendor.trust.vendor(), bytes).map(drop),
            Self::Proposal => match Proposal::verify(bytes, &vendor.trust)?.signed_by().len() {
                0 => Err(Error::unable(Problem::Fault, "nobody signed it", "sign it")),
                _ => Ok(()),
            },
            Self::Time => Timestamp::verify(bytes, &vendor.trust).map(drop),
            Self::Revocations => Revocations::verify(bytes, &vendor.trust).map(drop),
            Self::State => State::parse(bytes).map(drop),
        }
    }
}

fn open(role: Role, file: &KeyFile) -> Result<()> {
    let passphrase = Passphrase::new("snake oil".to_string().into());
    match role {
        Role::Sealing => file.open_sealing(Some(&passphrase)).map(drop),
        role => file.open_signing(role, Some(&passphrase)).map(drop),
    }
}

/// A fixture that its reader accepts.
pub struct Good {
    pub name: String,
    pub reader: Reader,
    pub bytes: Vec<u8>,
}

impl Good {
    /// True if opening it needs an Argon2id derivation.
    pub fn is_slow(&self) -> bool {
        matches!(self.reader, Reader::KeyFile(_))
            && KeyFile::parse(&self.bytes).unwrap().needs_passphrase()
    }

    /// True if a rule of the format lets the reader accept `changed` instead. There is one such
    /// rule:
    ///
    /// trust-12: at first contact with a trust of version 2 or later, signatures by keys that are
    /// not among its own roots are ignored, because a newcomer cannot verify them. Their bytes may
    /// be anything that keeps the frame well-formed; the content of the trust is still signed by
    /// its own roots.
    pub fn by_rule(&self, changed: &[u8]) -> bool {
        let pairs = || self.bytes.iter().zip(changed);
        let mut differing = pairs().enumerate().filter(|(_, (a, b))| a != b);
        let aside = self.left_aside();
        self.bytes.len() == changed.len()
            && differing.all(|(at, _)| aside.iter().any(|range| range.contains(&at)))
    }

    /// Byte ranges of the signatures that are ignored.
    fn left_aside(&self) -> Vec<Range<usize>> {
        if self.reader != Reader::FirstContact {
            return Vec::new();
        }
        let frame = Frame::parse(Kind::Trust, &self.bytes).unwrap();
        let body = Trust::pin(&self.bytes).unwrap().body().clone();
        let own: Vec<_> = body.roots.iter().map(|root| key_id(Role::Root, root)).collect();
        let start = |at: usize| self.bytes.len() - 80 * (frame.signatures.len() - at);
        let signatures = frame.signatures.iter().enumerate();
        let foreign = signatures.filter(|(_, signature)| !own.contains(&signature.key));
        foreign.map(|(at, _)| start(at)..start(at) + 80).collect()
    }
}

/// Minimum number of good fixtures.
const AT_LEAST: usize = 60;

/// Every fixture with every reader that accepts it, without duplicates. Leaves out
/// `key-file/staff`, which takes seconds to open and tests nothing more than the key file with the
/// lowest cost; the key files at the limits of the cost; the fixtures of `judge/`, which to a
/// reader are the same as those of `state/`; and those of `cap/`, which are long.
pub fn good() -> Vec<Good> {
    let mut good: Vec<Good> = Vec::new();
    let starts = ["cap/", "judge/", "key-file/cost-"];
    let left_out =
        |name: &str| name == "key-file/staff" || starts.iter().any(|start| name.starts_with(start));
    for fixture in committed().into_iter().filter(|fixture| !left_out(&fixture.name)) {
        for reader in Reader::ALL.into_iter().filter(|r| fixture.kind() == Some(r.kind())) {
            let known = |good: &Good| good.reader == reader && good.bytes == fixture.bytes;
            if !good.iter().any(known) && reader.accepts(&fixture.bytes) {
                let (name, bytes) = (fixture.name.clone(), fixture.bytes.clone());
                good.push(Good { name, reader, bytes });
            }
        }
    }
    for reader in Reader::ALL {
        assert!(good.iter().any(|good| good.reader == reader), "no good fixture for {reader:?}");
    }
    assert!(good.len() >= AT_LEAST, "only {} good fixtures", good.len());
    good
}

/// A parser that must accept or refuse any bytes without a panic.
pub type Parser = fn(&[u8]);

/// The parsers of artefacts, states, grants and catalogs, by name. Accepted artefacts are verified
/// too, but no key is derived from a passphrase, because a file may demand 1 GiB of memory.
pub const PARSERS: [(&str, Parser); 15] = [
    ("armor, any kind", |file| drop(dearmor(None, file))),
    ("armor, each kind", |file| Kind::ALL.iter().for_each(|kind| drop(dearmor(Some(*kind), file)))),
    ("frame", |file| Kind::ALL.iter().for_each(|kind| drop(Frame::parse(*kind, file)))),
    ("request", |file| drop(Reader::Request.read(file))),
    ("license", |file| drop(Reader::License.read(file))),
    ("trust", |file| drop(Reader::FirstContact.read(file))),
    ("trust, a successor", |file| drop(Reader::Successor.read(file))),
    ("delegation", |file| drop(Reader::Delegation.read(file))),
    ("key file", |file| drop(KeyFile::parse(file))),
    ("receipt", |file| drop(Reader::Receipt.read(file))),
    ("proposal", |file| drop(Reader::Proposal.read(file))),
    ("time", |file| drop(Reader::Time.read(file))),
    ("revocations", |file| drop(Reader::Revocations.read(file))),
    ("state", |file| drop(Reader::State.read(file))),
    ("grant and catalog", |file| {
        if let Ok(text) = str::from_utf8(file) {
            drop(GrantFile::parse(text));
            drop(Catalog::parse(text));
        }
    }),
];

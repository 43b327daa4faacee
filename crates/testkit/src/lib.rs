//! Shared by tests and fuzz targets: the world from which the fixtures are minted, with fixed keys,
//! clock and machines; scenarios described by fixtures; hostile files; and properties of every
//! parser.

use olr_core::armor::dearmor;
use olr_core::crypto::digest::sha256;
use olr_core::crypto::seal::SealingKey;
use olr_core::crypto::sign::SigningKey;
use olr_core::key::Role;
use olr_core::key::install::InstallSecret;
use olr_core::license::LicenseBody;
use olr_core::request::{OpenedRequest, RequestBody, SealedRequest};
use olr_core::state::{Ask, Asked, State};
use olr_core::time::Instant;
use olr_core::trust::{DelegationBody, Trust, TrustBody};
use olr_core::wire::codec::{BODY_CAP, Hidden, List, Text, decode, encode};
use olr_core::wire::frame::{Frame, Kind};
use olr_core::wire::id::LicenseId;
use olr_office::catalog::Catalog;
use olr_office::folder::{Folder, Init};
use olr_office::issue::{GrantFile, Stamp, draft};
use olr_office::key::file::KeyFile;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use std::path::Path;
use std::sync::LazyLock;

use raw::Raw;
pub use strays::{install_secret, stray_key};

pub mod elsewhere;
pub mod files;
pub mod forge;
pub mod keys;
pub mod machine;
pub mod operations;
pub mod properties;
pub mod raw;
pub mod readers;
pub mod scenario;
pub mod strays;

/// The world from which the fixtures were minted.
pub static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// Default clock of server and vendor.
pub const NOW: &str = "2027-11-23T09:00:00Z";

const CATALOG: &str = include_str!("../../../keys/snakeoil/catalog.toml");
/// The grant for the server.
pub const GRANT: &str = include_str!("../../../keys/snakeoil/grant.toml");

/// Random generator for one purpose. Each purpose has its own, so that a new fixture changes no
/// other.
pub fn rng(purpose: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(sha256(purpose.as_bytes()))
}

/// Builds a text. Panics if it is too long.
pub fn text<const CAP: usize>(text: &str) -> Text<CAP> {
    Text::new(text).unwrap()
}

/// A vendor with all its keys.
pub struct Vendor {
    /// The vendor's first trust.
    pub trust: Trust,
    /// Private root key.
    pub root: SigningKey,
    /// Private issuer key.
    pub issuer: SigningKey,
    /// Private sealing key.
    pub sealing: SealingKey,
    /// Delegation of the issuer, without limits.
    pub delegation: Vec<u8>,
    /// Files of the vendor's folder, as pairs of name and text.
    pub files: Vec<(String, String)>,
}

impl Vendor {
    /// Creates a vendor. The name determines its keys.
    pub fn new(name: &str) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("vendor");
        let init = Init {
            name,
            catalog: Some(CATALOG),
            passphrases: None,
            test: true,
            roots: Default::default(),
        };
        let (_, trust) = Folder::init(&path, &init, &mut rng(name)).unwrap();
        let binary = |file: &str| {
            let text = std::fs::read(path.join(file)).unwrap();
            dearmor(None, &text).unwrap().into_owned()
        };
        let key = |role: Role| KeyFile::parse(&binary(&format!("keys/{role}.key"))).unwrap();
        Self {
            trust,
            root: key(Role::Root).open_signing(Role::Root, None).unwrap(),
            issuer: key(Role::Issuer).open_signing(Role::Issuer, None).unwrap(),
            sealing: key(Role::Sealing).open_sealing(None).unwrap(),
            delegation: binary("delegations/issuer.olr"),
            files: files_of(&path),
        }
    }

    /// Writes the vendor's folder, without any issued license.
    pub fn write(&self, folder: &Path) {
        for sub in ["keys", "delegations"] {
            std::fs::create_dir(folder.join(sub)).unwrap();
        }
        for (name, text) in &self.files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        std::fs::write(folder.join("catalog.toml"), CATALOG).unwrap();
        Folder::at(folder).create_ledger().unwrap();
    }

    /// Body of the first trust, for modification.
    pub fn trust_body(&self) -> TrustBody {
        self.trust.body().clone()
    }

    /// A trust of version 2 or later with this body, signed by these roots.
    pub fn signed_trust(&self, body: &TrustBody, roots: &[&SigningKey]) -> Vec<u8> {
        let mut frame = Raw::new(Kind::Trust, self.trust.vendor(), encode(body));
        roots.iter().for_each(|root| frame.sign(Role::Root, root));
        frame.bytes()
    }

    /// The second trust: the first one with version 2, changed by `change` and signed by the root.
    pub fn second_trust(&self, change: impl FnOnce(&mut TrustBody)) -> Vec<u8> {
        let mut body = TrustBody { version: 2, ..self.trust_body() };
        change(&mut body);
        self.signed_trust(&body, &[&self.root])
    }

    /// Body of the delegation, for modification.
    pub fn delegation_body(&self) -> DelegationBody {
        let frame = Frame::parse(Kind::Delegation, &self.delegation).unwrap();
        decode("delegation", frame.body, BODY_CAP).unwrap()
    }

    /// The vendor's delegation, changed by `change` and signed by the root.
    pub fn delegate(&self, change: impl FnOnce(&mut DelegationBody)) -> Vec<u8> {
        let mut body = self.delegation_body();
        change(&mut body);
        let mut frame = Raw::new(Kind::Delegation, self.trust.vendor(), encode(&body));
        frame.sign(Role::Root, &self.root);
        frame.bytes()
    }

    /// An unsigned license frame with this body, with the delegation attached.
    pub fn frame(&self, body: Vec<u8>) -> Raw {
        let mut frame = Raw::new(Kind::License, self.trust.vendor(), body);
        frame.attachments.push(self.delegation.clone());
        frame
    }

    /// A license with arbitrary bytes as its body, signed by the issuer.
    pub fn license(&self, body: Vec<u8>) -> Vec<u8> {
        let mut frame = self.frame(body);
        frame.sign(Role::Issuer, &self.issuer);
        frame.bytes()
    }
}

fn files_of(folder: &Path) -> Vec<(String, String)> {
    let names = [
        "vendor.trust",
        "keys/root.key",
        "keys/issuer.key",
        "keys/sealing.key",
        "delegations/issuer.olr",
    ];
    names.map(|name| (name.to_string(), std::fs::read_to_string(folder.join(name)).unwrap())).into()
}

/// Everything that the generators of fixtures need.
pub struct World {
    /// The vendor of `keys/snakeoil`.
    pub vendor: Vendor,
    /// An unrelated vendor.
    pub other: Vendor,
    /// The server's first request.
    pub request: Vec<u8>,
    /// Plaintext body of `request`.
    pub request_body: RequestBody,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Builds the world. Deterministic.
    pub fn new() -> Self {
        let vendor = Vendor::new("Snake Oil (test)");
        let mut state = State::new(install(), vendor.trust.clone()).unwrap();
        let (request_body, request) = ask(&mut state, "backup", "first request");
        Self { vendor, other: Vendor::new("Other Oil (test)"), request, request_body }
    }

    /// State of the server before its first request.
    pub fn fresh(&self) -> State {
        State::new(install(), self.vendor.trust.clone()).unwrap()
    }

    /// State of the server after its first request.
    pub fn asked(&self) -> State {
        let mut state = self.fresh();
        ask(&mut state, "backup", "first request");
        state
    }

    /// The first request, opened.
    pub fn opened(&self) -> OpenedRequest {
        SealedRequest::parse(&self.request).unwrap().open(&self.vendor.sealing).unwrap()
    }

    /// Body of the license that answers the first request.
    pub fn body(&self) -> LicenseBody {
        let (grant, catalog) = (GrantFile::parse(GRANT).unwrap(), Catalog::parse(CATALOG).unwrap());
        let issued = NOW.parse::<Instant>().unwrap();
        let stamp = Stamp { license: LicenseId([0x11; 16]), answer: 1, issued };
        draft(&self.opened(), &grant, &catalog, &self.vendor.trust, stamp).unwrap()
    }

    /// The license that answers the first request, changed by `change` and signed by the issuer.
    pub fn license(&self, change: impl FnOnce(&mut LicenseBody)) -> Vec<u8> {
        let mut body = self.body();
        change(&mut body);
        self.vendor.license(encode(&body))
    }

    /// State of the server after it imported [`World::license`] with this change at `now`.
    pub fn installed(&self, now: &str, change: impl FnOnce(&mut LicenseBody)) -> State {
        let bytes = self.license(change);
        let license = olr_core::license::License::verify(&bytes, &self.vendor.trust).unwrap();
        let mut state = self.asked();
        state.accept(&license, now.parse::<Instant>().unwrap()).unwrap();
        state
    }
}

/// The install secret of the server.
pub fn install() -> InstallSecret {
    install_secret("install")
}

/// Makes a request on the server. `purpose` seeds its randomness. Returns the body of the request,
/// and the sealed file.
pub fn ask(state: &mut State, slot: &str, purpose: &str) -> (RequestBody, Vec<u8>) {
    let asked = Asked {
        licensee: text("ACME Ltd"),
        license_key: Hidden(text("AbCd-1234")),
        product: text("example"),
        product_version: text("9.1"),
        slot: text(slot),
        pins: List::default(),
    };
    let around = machine::around("server", NOW.parse::<Instant>().unwrap());
    state.request(asked, Ask::default(), &around, &mut rng(purpose)).unwrap()
}

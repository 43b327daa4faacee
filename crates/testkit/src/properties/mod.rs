//! Properties of every parser for any input, used by fuzz targets and by ordinary tests.
//!
//! No parser may panic, and whatever a binary parser accepts must encode to the same bytes.

use olr_core::armor::dearmor;
use olr_core::crypto::digest::sha256;
use olr_core::crypto::seal::SealingKey;
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::SigningKey;
use olr_core::key::Role;
use olr_core::key::install::InstallSecret;
use olr_core::trust::{Trust, sign_by_roots};
use olr_core::wire::codec::{BODY_CAP, Record, decode, encode};
use olr_core::wire::frame::{Frame, Kind, Unsigned};
use olr_core::wire::id::VendorId;
use olr_office::key::file::KeyFile;
use std::sync::LazyLock;
use value::{Source, Value};

mod artefacts;
mod courier;
mod edits;
mod elsewhere;
mod event;
mod judgement;
mod keys;
mod records;
mod second_decoder;
mod texts;
pub mod value;
mod values;

pub use artefacts::{
    armor, delegation, frame, key_file, license, proposal, receipt, request_body, request_outer,
    request_plaintext, revocations, state, time, trust,
};
pub use courier::courier;
pub use edits::edits;
pub use elsewhere::{agent, token_uri};
pub use event::event;
pub use judgement::judgement;
pub use keys::{paper, pkcs8};
pub use second_decoder::second_decoder;
pub use texts::{catalog, grant};
pub use values::values;

/// Checks one property. Panics if it does not hold.
pub type Property = fn(&[u8]);

/// All properties, by the names of their fuzz targets.
pub const ALL: [(&str, Property); 26] = [
    ("agent", agent),
    ("armor", armor),
    ("catalog", catalog),
    ("courier", courier),
    ("delegation", delegation),
    ("edits", edits),
    ("event", event),
    ("frame", frame),
    ("grant", grant),
    ("judgement", judgement),
    ("key_file", key_file),
    ("license", license),
    ("paper", paper),
    ("proposal", proposal),
    ("pkcs8", pkcs8),
    ("receipt", receipt),
    ("request_body", request_body),
    ("request_outer", request_outer),
    ("request_plaintext", request_plaintext),
    ("revocations", revocations),
    ("second_decoder", second_decoder),
    ("state", state),
    ("time", time),
    ("token_uri", token_uri),
    ("trust", trust),
    ("values", values),
];

/// A body that decodes must encode to the same bytes. The lenient [`Value::read`] must read it as
/// the same value: if it has to correct a cap, a number or the order of a set, the decoder was not
/// strict.
fn body<T: Record + Value>(bytes: &[u8], cap: usize) -> Option<T> {
    let body = decode("body", bytes, cap).ok()?;
    assert_eq!(encode::<T>(&body), bytes);
    assert_eq!(T::read(&mut Source(bytes)), body, "the decoder was not strict");
    Some(body)
}

/// Checks the body of a frame, whether or not it is signed.
fn inner<T: Record + Value>(kind: Kind, bytes: &[u8]) {
    if let Ok(frame) = Frame::parse(kind, bytes) {
        body::<T>(frame.body, BODY_CAP);
    }
}

/// A frame signed by the root of `keys/snakeoil`. `None` if the library refuses to write it.
fn signed(kind: Kind, vendor: VendorId, body: &[u8]) -> Option<Vec<u8>> {
    let unsigned = Unsigned::new(kind, vendor, Vec::new(), body.to_vec()).ok()?;
    sign_by_roots(&unsigned, &[&SNAKEOIL.root]).ok()
}

/// The vendor of `keys/snakeoil`.
struct Snakeoil {
    trust: Trust,
    root: SigningKey,
    issuer: SigningKey,
    sealing: SealingKey,
    delegation: Vec<u8>,
    /// Secret of the server of the fixtures.
    install: InstallSecret,
}

static SNAKEOIL: LazyLock<Snakeoil> = LazyLock::new(|| {
    let binary = |text: &str| dearmor(None, text.as_bytes()).unwrap().into_owned();
    let key = |text: &str| KeyFile::parse(&binary(text)).unwrap();
    macro_rules! file {
        ($name:literal) => {
            include_str!(concat!("../../../../keys/snakeoil/", $name))
        };
    }
    Snakeoil {
        trust: Trust::pin(&binary(file!("vendor.trust"))).unwrap(),
        root: key(file!("keys/root.key")).open_signing(Role::Root, None).unwrap(),
        issuer: key(file!("keys/issuer.key")).open_signing(Role::Issuer, None).unwrap(),
        sealing: key(file!("keys/sealing.key")).open_sealing(None).unwrap(),
        delegation: binary(file!("delegations/issuer.olr")),
        install: InstallSecret::from_secret(Secret::new(&sha256(b"install"))),
    }
});

//! A home on the machine that runs the tests, with its real clock.

use olr::Home;
use olr::probe;
use olr_core::license::{License, LicenseBody};
use olr_core::machine::Factor;
use olr_core::request::SealedRequest;
use olr_core::state::{Ask, Asked, State, Surroundings};
use olr_core::time::Instant;
use olr_core::wire::codec::{Hidden, List, encode};
use olr_core::wire::id::LicenseId;
use olr_office::catalog::Catalog;
use olr_office::issue::{GrantFile, Stamp, draft};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::server::WORLD;
use crate::world::{install, rng, text};

/// Machine policy in which only pins have weight, so that the tests give the same results on every
/// machine.
const PINNED: &str = "[policy.server]
share = 50
minimum = 2
hardware = false

[policy.server.weights]
pin = 2
";

pub fn now() -> Instant {
    Instant::new(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

/// Returns the state after a license was issued and installed at `issued`.
pub fn installed(issued: Instant, change: impl FnOnce(&State, &mut LicenseBody)) -> State {
    let pins = [Factor::pin("rack=B12").unwrap(), Factor::pin("asset=4711").unwrap()];
    let asked = Asked {
        licensee: text("ACME Ltd"),
        license_key: Hidden(text("AbCd-1234")),
        product: text("example"),
        product_version: text("9.1"),
        slot: text("backup"),
        pins: List::new(pins.to_vec()).unwrap(),
    };
    let around = Surroundings::of(&probe(false), issued);
    let vendor = &WORLD.vendor;
    let mut state = State::new(install(), vendor.trust.clone()).unwrap();
    let (_, request) = state.request(asked, Ask::default(), &around, &mut rng("here")).unwrap();
    let opened = SealedRequest::parse(&request).unwrap().open(&vendor.sealing).unwrap();
    let catalog = include_str!("../../keys/snakeoil/catalog.toml");
    let catalog = [catalog.split("[policy.server]").next().unwrap(), PINNED].concat();
    let catalog = Catalog::parse(&catalog).unwrap();
    let grant = GrantFile::parse(include_str!("../../keys/snakeoil/grant.toml")).unwrap();
    let stamp = Stamp { license: LicenseId([1; 16]), answer: 1, issued };
    let mut body = draft(&opened, &grant, &catalog, &vendor.trust, stamp).unwrap();
    change(&state, &mut body);
    let license = License::verify(&vendor.license(encode(&body)), &vendor.trust).unwrap();
    state.accept(&license, issued.max(body.starts.begins())).unwrap();
    state
}

pub fn write(folder: &Path, state: &State) {
    std::fs::create_dir_all(folder).unwrap();
    for file in Home::at(folder).state_files() {
        std::fs::write(file, &*state.to_bytes()).unwrap();
    }
}

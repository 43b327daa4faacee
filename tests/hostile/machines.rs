//! A license is accepted on its own machine under its own root, and nowhere else.

use olr::{Home, Import};
use olr_core::crypto::digest::sha256;
use olr_core::crypto::secret::Secret;
use olr_core::judge::assess;
use olr_core::key::install::InstallSecret;
use olr_core::license::License;
use olr_core::machine::Factor;
use olr_core::request::SealedRequest;
use olr_core::state::{Ask, Asked, State, Surroundings};
use olr_core::time::Instant;
use olr_core::wire::codec::{Hidden, List, encode};
use olr_core::wire::id::LicenseId;
use olr_office::catalog::Catalog;
use olr_office::issue::{GrantFile, Stamp, draft};

use crate::world::{NOW, Vendor, rng, text};

const MACHINES: usize = 20;
const ROOTS: usize = 5;

const CATALOG: &str = include_str!("../../keys/snakeoil/catalog.toml");
const GRANT: &str = include_str!("../../keys/snakeoil/grant.toml");

/// A machine that shares only its processor with the others.
fn around(machine: usize) -> Surroundings {
    let mut around = crate::world::machine::around("server", NOW.parse::<Instant>().unwrap());
    for factor in around.factors.iter_mut().filter(|factor| factor.counts()) {
        let Factor { value, .. } = factor;
        *value = text(&format!("{}-{machine}", &**value));
    }
    around
}

/// State of a machine after its first request to a vendor, and the request.
fn asked(machine: usize, vendor: &Vendor) -> (State, Vec<u8>) {
    let secret = Secret::new(&sha256(format!("machine {machine}").as_bytes()));
    let mut state = State::new(InstallSecret::from_secret(secret), vendor.trust.clone()).unwrap();
    let asked = Asked {
        licensee: text("ACME Ltd"),
        license_key: Hidden(text("AbCd-1234")),
        product: text("example"),
        product_version: text(""),
        slot: text("backup"),
        pins: List::default(),
    };
    let mut rng = rng(&format!("request of machine {machine}"));
    let request = state.request(asked, Ask::default(), &around(machine), &mut rng).unwrap().1;
    (state, request)
}

/// Signs the answer to a request.
fn license(vendor: &Vendor, request: &[u8]) -> Vec<u8> {
    let opened = SealedRequest::parse(request).unwrap().open(&vendor.sealing).unwrap();
    let (grant, catalog) = (GrantFile::parse(GRANT).unwrap(), Catalog::parse(CATALOG).unwrap());
    let issued = NOW.parse::<Instant>().unwrap();
    let stamp = Stamp { license: LicenseId([0x11; 16]), answer: 1, issued };
    vendor.license(encode(&draft(&opened, &grant, &catalog, &vendor.trust, stamp).unwrap()))
}

/// Five vendors, and one license for each machine, from one of them.
fn world() -> (Vec<Vendor>, Vec<Vec<u8>>) {
    let vendors: Vec<_> = (0..ROOTS).map(|n| Vendor::new(&format!("Root {n} (test)"))).collect();
    let license = |machine| {
        let vendor = &vendors[machine % ROOTS];
        license(vendor, &asked(machine, vendor).1)
    };
    let licenses = (0..MACHINES).map(license).collect();
    (vendors, licenses)
}

/// A home with this state.
fn home(state: &State) -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    std::fs::write(&home.state_files()[0], &*state.to_bytes()).unwrap();
    (folder, home)
}

#[test]
fn a_license_passes_on_its_machine_under_its_root() {
    let (vendors, licenses) = world();
    let (mut tried, mut verified, mut here, mut matched) = (0, 0, 0, 0);
    let mut imported = Vec::new();
    for machine in 0..MACHINES {
        let around = around(machine);
        for (root, vendor) in vendors.iter().enumerate() {
            let (state, _) = asked(machine, vendor);
            let (_folder, home) = home(&state);
            for (number, bytes) in licenses.iter().enumerate() {
                tried += 1;
                if home
                    .import(bytes, &around, Import { dry_run: true, ..Import::default() })
                    .is_ok()
                {
                    imported.push((machine, number, root));
                }
                // Count what each check alone accepts: the root, the installation, the hardware.
                let Ok(license) = License::verify(bytes, &vendor.trust) else { continue };
                verified += 1;
                here += usize::from(
                    license.ensure_here("example", "backup", &state.install_key()).is_ok(),
                );
                let machine = assess(&license, &state, around.here(&around.factors));
                matched += usize::from(machine.matches());
            }
        }
    }
    println!(
        "{tried} tried, {} imported; {verified} verified, of these {here} for this installation \
         and {matched} for this hardware",
        imported.len()
    );
    let own: Vec<_> = (0..MACHINES).map(|n| (n, n, n % ROOTS)).collect();
    assert_eq!(imported, own);
    assert_eq!((tried, verified), (2000, MACHINES * MACHINES), "each root verifies its licenses");
    assert_eq!((here, matched), (MACHINES, MACHINES), "each check alone tells the machines apart");
}

#[test]
fn a_copied_home_passes_on_its_machine() {
    let (vendors, licenses) = world();
    let (mut tried, mut passed) = (0, Vec::new());
    for (owner, license) in licenses.iter().enumerate() {
        let (state, _) = asked(owner, &vendors[owner % ROOTS]);
        let (_folder, home) = home(&state);
        home.import(license, &around(owner), Default::default()).unwrap();
        for machine in 0..MACHINES {
            tried += 1;
            let (_, decision) = home.decide(None, None, &around(machine)).unwrap();
            if decision.refusal().is_none() {
                passed.push((owner, machine));
            }
        }
    }
    println!("{tried} homes on machines, {} licensed", passed.len());
    assert_eq!(tried, MACHINES * MACHINES);
    assert_eq!(passed, (0..MACHINES).map(|n| (n, n)).collect::<Vec<_>>());
}

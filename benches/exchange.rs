//! Benchmarks of each step of an exchange: `cargo bench --bench exchange`.

use divan::{Bencher, black_box};
use olr::probe;
use olr::{Home, RequestParams};
use olr_core::armor::dearmor;
use olr_core::crypto::seal::SealingKey;
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::{Signer, SigningKey};
use olr_core::error::{Error, Problem, Result};
use olr_core::import::Imported;
use olr_core::judge::decide;
use olr_core::key::Role;
use olr_core::key::install::InstallSecret;
use olr_core::license::{License, sign_license};
use olr_core::machine::Factor;
use olr_core::request::{RequestBody, SealedRequest, seal_request};
use olr_core::state::{State, Surroundings};
use olr_core::time::Instant;
use olr_core::trust::{Act, Trust};
use olr_core::wire::codec::{Hidden, Text};
use olr_core::wire::frame::Kind;
use olr_office::folder::{Folder, Init, Issue};
use olr_office::issue::{GrantFile, STARTER_GRANT};
use olr_office::key::file::KeyFile;
use rand::{SeedableRng, rngs::ChaCha20Rng};
use std::process::Command;
use std::sync::LazyLock;

/// 2026-11-23T12:00:00Z
const NOW: Instant = Instant::new(1_795_435_200);

/// A vendor and a server that have completed one exchange of files.
struct World {
    folder: tempfile::TempDir,
    trust: Trust,
    issuer: SigningKey,
    delegation: Vec<u8>,
    sealing: SealingKey,
    install: InstallSecret,
    body: RequestBody,
    request: Vec<u8>,
    license: License,
    state: State,
    around: Surroundings,
}

static WORLD: LazyLock<World> = LazyLock::new(|| world().expect("an exchange without a refusal"));

fn world() -> Result<World> {
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let temporary = |_| Error::unable(Problem::Fault, "no temporary folder", "set TMPDIR");
    let folder = tempfile::tempdir().map_err(temporary)?;
    let init = Init {
        name: "Bench",
        catalog: None,
        passphrases: None,
        test: true,
        roots: Default::default(),
    };
    let (vendor, trust) = Folder::init(&folder.path().join("vendor"), &init, &mut rng)?;

    let clock = NOW;
    let around = Surroundings { factors: probe(false).factors, clock, ..Surroundings::default() };
    let order = RequestParams {
        trust: Some(trust.bytes().to_vec()),
        licensee: Some(Text::new("ACME Ltd")?),
        license_key: Some(Hidden(Text::new("AbCd-1234")?)),
        pins: vec![Factor::pin("rack=B12")?, Factor::pin("asset=4711")?],
        ..RequestParams::default()
    };
    let home = Home::at(folder.path().join("home"));
    let requested = home.request(&order, &around, &mut rng)?;

    let mut ask = |_: &_| Err(Error::unable(Problem::Fault, "no key here has a passphrase", ""));
    let opened = vendor.open_request(&requested.bytes, None, &trust, &mut ask)?;
    let grant = GrantFile::parse(STARTER_GRANT)?;
    let request = requested.bytes.as_slice();
    let issue = Issue::new(request, &grant, NOW);
    let issued = vendor.issue(&opened, &issue, &trust, &mut ask, &mut rng)?.outcome;
    let nothing = || Error::unable(Problem::Fault, "nothing was issued", "");
    let license = issued.license().ok_or_else(nothing)?.clone();
    match home.import(license.bytes(), &around, Default::default())? {
        Imported::License { .. } => {}
        Imported::Trust { .. } | Imported::Time { .. } | Imported::Revocations { .. } => {
            return Err(Error::unable(Problem::Fault, "something else was imported", ""));
        }
    }

    let (_, delegation) = vendor.issuer_for(Act::License, NOW, &trust, &mut ask)?;
    let issuer = std::fs::read(vendor.path().join("keys/issuer.key")).unwrap();
    let issuer = dearmor(Some(Kind::KeyFile), &issuer)?;
    let issuer = KeyFile::parse(&issuer)?.open_signing(Role::Issuer, None)?;
    let sealing = SealedRequest::parse(&requested.bytes)?.recipient;
    let sealing = vendor.sealing_key(sealing, &mut ask)?;
    let install = InstallSecret::from_secret(Secret::random(&mut rng));
    let state = home.require_state()?;
    let (body, request) = (requested.body, requested.bytes);
    Ok(World {
        folder,
        trust,
        issuer,
        delegation,
        sealing,
        install,
        body,
        request,
        license,
        state,
        around,
    })
}

/// On the server: from a request body to sealed and signed bytes.
#[divan::bench]
fn seal(bencher: Bencher) {
    let (world, mut rng) = (&*WORLD, ChaCha20Rng::from_seed([8; 32]));
    bencher.bench_local(|| {
        seal_request(black_box(&world.body), &world.trust, &world.install, &mut rng).unwrap()
    });
}

/// At the vendor: from bytes to an opened and verified request.
#[divan::bench]
fn open(bencher: Bencher) {
    let world = &*WORLD;
    bencher.bench(|| {
        SealedRequest::parse(black_box(&world.request)).unwrap().open(&world.sealing).unwrap()
    });
}

/// At the vendor: from a license body to signed bytes, verified before they are returned.
#[divan::bench]
fn issue(bencher: Bencher) {
    let world = &*WORLD;
    let issuers = [(&world.issuer as &dyn Signer, world.delegation.as_slice())];
    bencher.bench_local(|| {
        sign_license(black_box(world.license.body()), &world.trust, &issuers, &[]).unwrap()
    });
}

/// In the product: from bytes to a verified license.
#[divan::bench]
fn verify(bencher: Bencher) {
    let world = &*WORLD;
    bencher.bench(|| License::verify(black_box(world.license.bytes()), &world.trust).unwrap());
}

/// In the product: from a state in memory to a decision. The license is verified only the first
/// time.
#[divan::bench]
fn judge(bencher: Bencher) {
    let world = &*WORLD;
    let slot = world.state.slot(None, None).unwrap();
    let mut found = world.around.factors.clone();
    found.extend(world.state.memory().asked.iter().flat_map(|asked| asked.pins.to_vec()));
    bencher.bench(|| {
        let decision = decide(NOW, black_box(world.around.here(&found)), &world.state, slot);
        assert_eq!(decision.state(), "licensed", "{:?}", decision.refusal());
    });
}

/// In the product: from a home on disk to a decision. Verifies the chain of trusts and the license
/// again.
#[divan::bench]
fn judge_from_disk(bencher: Bencher) {
    let world = &*WORLD;
    let home = Home::at(world.folder.path().join("home"));
    bencher.bench(|| {
        let (_, decision) = home.decide(None, None, black_box(&world.around)).unwrap();
        assert_eq!(decision.state(), "licensed", "{:?}", decision.refusal());
    });
}

/// Reads the factors of this machine, without and with those that only root can read. Budget: 1 ms.
#[divan::bench(args = [false, true])]
fn machine(privileged: bool) {
    black_box(probe(privileged));
}

/// Runs the whole program `olr machine`. Budget: 5 ms.
#[divan::bench(sample_count = 20)]
fn olr_machine(bencher: Bencher) {
    match option_env!("CARGO_BIN_EXE_olr") {
        Some(program) => bencher.bench(|| {
            let output = Command::new(program).args(["machine", "--json"]).output().unwrap();
            assert!(output.status.success());
        }),
        None => eprintln!("olr machine: skipped, the tool was not built"),
    }
}

/// Runs the whole program `olr verify`, from start to exit status.
#[divan::bench(sample_count = 20)]
fn olr_verify(bencher: Bencher) {
    let home = WORLD.folder.path().join("home");
    let run = |program| {
        let mut command = Command::new(program);
        let output = command.args(["verify", "--json", "--home"]).arg(&home).output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("\"licensed\""))
    };
    match option_env!("CARGO_BIN_EXE_olr") {
        Some(program) if run(program) => bencher.bench(|| assert!(run(program))),
        Some(_) => eprintln!("olr verify: skipped, it does not say that this home is licensed"),
        None => eprintln!("olr verify: skipped, the tool was not built"),
    }
}

fn main() {
    divan::main();
}

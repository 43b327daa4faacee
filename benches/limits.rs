//! Benchmarks of each piece of work against its limit, the part that it cannot do without, mostly
//! cryptography: `cargo bench --bench limits`, or `cargo bench --bench limits -- "WORDS"` for the
//! rows whose work contains these words.
//!
//! Work and limit are timed in turn, in the same run, so that a busy or slow machine changes both
//! but not their ratio. The table shows the median time of each, the median ratio, and the highest
//! ratio that we accept.

use std::hint::black_box;
use std::time::{Duration, Instant as Timer};

use ed25519_dalek::{Signature, VerifyingKey};
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable, OpModeR, OpModeS};
use olr_core::armor::{armor, dearmor};
use olr_core::crypto::digest::sha256;
use olr_core::crypto::sign::SigningKey;
use olr_core::entitlement::Grant;
use olr_core::judge::decide;
use olr_core::license::{License, LicenseBody};
use olr_core::request::{SealedRequest, seal_request};
use olr_core::state::State;
use olr_core::time::Instant;
use olr_core::trust::Trust;
use olr_core::wire::codec::{Set, Text};
use olr_core::wire::frame::{Frame, Kind};

#[path = "../tests/world/mod.rs"]
mod world;

use world::{NOW, WORLD, machine};

/// Rounds in which a piece of work and its limit are timed. The table shows the medians.
const ROUNDS: usize = 1001;
/// Rounds for work that takes longer than [`ROUND`].
const FEW: usize = 101;
/// How long the work, or its limit, runs in each round: shorter than the time that a scheduler
/// gives to another program.
const ROUND: Duration = Duration::from_micros(200);

/// One row of the table: a piece of work, what bounds it, and the highest ratio that we accept.
struct Row<'a> {
    work: &'static str,
    limit: &'static str,
    bar: f64,
    run: Box<dyn FnMut() + 'a>,
    bound: Box<dyn FnMut() + 'a>,
}

/// Returns how often `run` runs in one round.
fn count(run: &mut dyn FnMut()) -> u32 {
    let (start, mut count) = (Timer::now(), 0);
    while start.elapsed() < ROUND {
        run();
        count += 1;
    }
    count.max(1)
}

/// Returns the mean time of one run in nanoseconds, over `count` runs.
fn time(run: &mut dyn FnMut(), count: u32) -> f64 {
    let start = Timer::now();
    (0..count).for_each(|_| run());
    start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Row<'_> {
    /// Prints the row: microseconds of the work and of its limit, their ratio, and the highest
    /// ratio that we accept. Prints nothing if the command line selects other rows.
    fn print(mut self) {
        let mut wanted = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
        if wanted.next().is_some_and(|words| !self.work.contains(&words)) {
            return;
        }
        let counts = (count(&mut self.run), count(&mut self.bound));
        let round = |_| (time(&mut self.run, counts.0), time(&mut self.bound, counts.1));
        let number = if counts == (1, 1) { FEW } else { ROUNDS };
        let rounds: Vec<_> = (0..number).map(round).collect();
        let work = median(rounds.iter().map(|round| round.0).collect());
        let limit = median(rounds.iter().map(|round| round.1).collect());
        let ratio = median(rounds.iter().map(|round| round.0 / round.1).collect());
        let Self { work: name, limit: bound, bar, .. } = self;
        let (work, limit) = (work / 1000.0, limit / 1000.0);
        println!("{name:<34} {work:>8.2} {limit:>8.2} {ratio:>6.2} {bar:>5.2}  {bound}");
    }
}

/// Returns a change to a license body, after which the license grants `modules` modules, each in a
/// pool of its own.
fn granting(modules: usize) -> impl Fn(&mut LicenseBody) {
    move |body| {
        let one = body.grants[0].clone();
        let grant = |number: usize| {
            let module = Text::new(&format!("m{number:04}")).unwrap();
            Grant { module: module.clone(), pool: module, ..one.clone() }
        };
        body.grants = Set::new((0..modules).map(grant).collect()).unwrap();
    }
}

/// A signature with what its verification needs.
struct Signed {
    key: [u8; 32],
    message: Vec<u8>,
    signature: Signature,
}

impl Signed {
    /// Parses the key and verifies the signature.
    fn check(&self) {
        let key = VerifyingKey::from_bytes(black_box(&self.key)).unwrap();
        key.verify_strict(black_box(&self.message), &self.signature).unwrap();
    }

    /// Verifies the signature with the parsed key.
    fn check_parsed(&self, key: &VerifyingKey) {
        key.verify_strict(black_box(&self.message), &self.signature).unwrap();
    }
}

/// Returns the two signatures of a license: the issuer's, and that of the root on its delegation.
fn signatures(bytes: &[u8], trust: &Trust) -> [Signed; 2] {
    let frame = Frame::parse(Kind::License, bytes).unwrap();
    let attached = frame.attachments.iter().find(|one| one.kind == Kind::Delegation).unwrap();
    let issuer = trust.delegation(attached).unwrap().body().issuer;
    let signed = |frame: &Frame<'_>, key| Signed {
        key,
        message: frame.message(),
        signature: Signature::from_bytes(&frame.signatures[0].bytes),
    };
    [signed(&frame, issuer), signed(attached, trust.body().roots[0])]
}

fn main() {
    // `cargo test --benches` builds and starts this program too, without `--bench`.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    println!("{:<34} {:>8} {:>8} {:>6} {:>5}  limit", "work", "µs", "limit", "ratio", "bar");
    licenses();
    decisions();
    requests();
    large();
}

fn licenses() {
    let trust = &WORLD.vendor.trust;
    let bytes = WORLD.license(granting(15));
    let [license, delegation] = signatures(&bytes, trust);
    let limit = || {
        license.check();
        delegation.check();
    };
    Row {
        work: "verify a license",
        limit: "2 verify_strict, 2 keys parsed",
        bar: 1.10,
        run: Box::new(|| drop(License::verify(black_box(&bytes), trust).unwrap())),
        bound: Box::new(limit),
    }
    .print();
    let kept = WORLD.vendor.second_trust(|body| {
        body.kept = Set::new(vec![sha256(&WORLD.vendor.delegation)]).unwrap();
    });
    let kept = trust.successor(&kept).unwrap();
    Row {
        work: "verify, delegation known",
        limit: "1 verify_strict, 1 key parsed",
        bar: 1.25,
        run: Box::new(|| drop(License::verify(black_box(&bytes), &kept).unwrap())),
        bound: Box::new(|| license.check()),
    }
    .print();
    audited(trust);
    let text = armor(Kind::License, &bytes);
    let base64: String = text.lines().filter(|line| !line.contains("---")).collect();
    Row {
        work: "read the text form of a license",
        limit: "base64 of as many bytes",
        bar: f64::INFINITY,
        run: Box::new(|| drop(dearmor(Some(Kind::License), black_box(text.as_bytes())).unwrap())),
        bound: Box::new(|| {
            use base64::Engine as _;
            let engine = base64::engine::general_purpose::STANDARD;
            drop(black_box(engine.decode(black_box(&base64[..bytes.len() / 3 * 4]))));
        }),
    }
    .print();
}

/// Compares the audit of many licenses with verifying the issuer's signature of each.
fn audited(trust: &Trust) {
    let licenses: Vec<_> = (1..=1024)
        .map(|answer| {
            WORLD.license(|body| {
                granting(15)(body);
                body.answer = answer;
            })
        })
        .collect();
    let signed: Vec<_> = licenses.iter().map(|bytes| signatures(bytes, trust)).collect();
    let key = VerifyingKey::from_bytes(&signed[0][0].key).unwrap();
    Row {
        work: "audit 1 024 licenses",
        limit: "1 024 verify_strict",
        bar: 0.5,
        run: Box::new(|| {
            assert!(olr_office::audit::audit(black_box(&licenses), trust).is_empty());
        }),
        bound: Box::new(|| signed.iter().for_each(|[license, _]| license.check_parsed(&key))),
    }
    .print();
}

fn decisions() {
    let now = NOW.parse::<Instant>().unwrap();
    let state = WORLD.installed(NOW, granting(15));
    let around = machine::around("server", now);
    let slot = state.slot(None, None).unwrap();
    let bytes = state.to_bytes();
    let license = WORLD.license(granting(15));
    let [license, delegation] = signatures(&license, &WORLD.vendor.trust);
    let (key, root) = (VerifyingKey::from_bytes(&license.key).unwrap(), &WORLD.vendor.trust);
    let judged = |state: &State| {
        let decision = decide(now, black_box(around.here(&around.factors)), state, slot);
        assert_eq!(decision.refusal(), None);
    };
    Row {
        work: "judge a verified license",
        limit: "1 verify_strict",
        bar: 0.12,
        run: Box::new(|| judged(&state)),
        bound: Box::new(|| license.check_parsed(&key)),
    }
    .print();
    Row {
        work: "read a state",
        limit: "1 verify_strict, 1 key parsed",
        bar: 1.10,
        run: Box::new(|| drop(State::parse(black_box(&bytes)).unwrap())),
        bound: Box::new(|| delegation.check()),
    }
    .print();
    let file = WORLD.license(granting(15));
    Row {
        work: "read a state and decide",
        limit: "read, derive, verify, judge",
        bar: 1.05,
        run: Box::new(|| judged(&State::parse(black_box(&bytes)).unwrap())),
        bound: Box::new(|| {
            // A decision also needs the key of the installation, derived from its secret.
            black_box(State::parse(black_box(&bytes)).unwrap().install_key());
            drop(License::verify(black_box(&file), root).unwrap());
            judged(&state);
        }),
    }
    .print();
}

fn requests() {
    let trust = &WORLD.vendor.trust;
    let mut state = WORLD.asked();
    let (body, request) = world::ask(&mut state, "main", "limits");
    let install = world::install();
    let (_, recipient) = trust.sealing_key().unwrap();
    let sealed = SealedRequest::parse(&request).unwrap();
    let plain = vec![0; sealed.ciphertext.len() - 16];
    let signer: &SigningKey = install.signing_key();
    let message = request[..request.len() - 64].to_vec();
    let mut rng = world::rng("limits");
    let mut other = world::rng("limits, too");
    Row {
        work: "seal a request",
        limit: "HPKE seal, sign, verify",
        bar: 1.05,
        run: Box::new(|| {
            drop(seal_request(black_box(&body), trust, &install, &mut rng).unwrap());
        }),
        bound: Box::new(|| {
            let key = <Kem as hpke::Kem>::PublicKey::from_bytes(&recipient).unwrap();
            drop(black_box(
                hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Kem>(
                    &OpModeS::Base,
                    &key,
                    b"info",
                    black_box(&plain),
                    b"",
                    &mut other,
                )
                .unwrap(),
            ));
            black_box(signer.sign(black_box(&message)).unwrap());
        }),
    }
    .print();
    opened(&request, &plain, &message, signer);
}

fn opened(request: &[u8], plain: &[u8], message: &[u8], signer: &SigningKey) {
    let sealing = &WORLD.vendor.sealing;
    let (private, public) = {
        use hpke::Kem as _;
        Kem::gen_keypair_with_rng(&mut world::rng("limits, a key"))
    };
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Kem>(
        &OpModeS::Base,
        &public,
        b"info",
        plain,
        b"",
        &mut world::rng("limits, a seal"),
    )
    .unwrap();
    let signature = Signature::from_bytes(&signer.sign(message).unwrap());
    let signed = Signed { key: signer.public(), message: message.to_vec(), signature };
    Row {
        work: "open a request",
        limit: "HPKE open, verify_strict, 1 key",
        bar: 1.16,
        run: Box::new(|| {
            let request = SealedRequest::parse(black_box(request)).unwrap();
            drop(request.open(sealing).unwrap());
        }),
        bound: Box::new(|| {
            drop(black_box(
                hpke::single_shot_open::<AesGcm256, HkdfSha256, Kem>(
                    &OpModeR::Base,
                    &private,
                    &encapsulated,
                    b"info",
                    black_box(&ciphertext),
                    b"",
                )
                .unwrap(),
            ));
            signed.check();
        }),
    }
    .print();
}

/// Compares parsing the largest license with parsing ten licenses that have a tenth of its modules
/// each, to show that the time grows linearly.
fn large() {
    let [small, large] = [409, 4096].map(|modules| {
        let bytes = WORLD.license(granting(modules));
        Frame::parse(Kind::License, &bytes).unwrap().body.to_vec()
    });
    let read = |body: &[u8]| drop(olr_core::license::read_body(black_box(body)).unwrap());
    Row {
        work: "parse 4 096 modules",
        limit: "10 x 409 modules",
        bar: 1.10,
        run: Box::new(|| read(&large)),
        bound: Box::new(|| (0..10).for_each(|_| read(&small))),
    }
    .print();
}

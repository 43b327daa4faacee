//! Benchmarks of the parsers on inputs of growing size: `cargo bench --bench hostile`.
//!
//! First prints a table: nanoseconds per byte, and their ratio to those at half the size, which
//! stays near 1 for a parser that runs in linear time. Then runs the same inputs under divan.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use olr_core::armor::{armor, dearmor};
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::SigningKey;
use olr_core::key::install::InstallSecret;
use olr_core::request::SealedRequest;
use olr_core::state::State;
use olr_core::trust::{Trust, sign_by_roots, vendor_id};
use olr_core::wire::codec::{Set, encode};
use olr_core::wire::frame::{Frame, Kind, Unsigned};
use olr_core::wire::id::KeyId;
use olr_office::folder::{Folder, Init};
use rand::{SeedableRng, rngs::ChaCha20Rng};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const KIB: usize = 1024;
/// Sizes from 1 KiB to 1 MiB, the largest text in which olr looks for an artefact.
const TEXTS: [usize; 11] = doublings();
/// Sizes from 1 KiB to 64 KiB: a trust of this size revokes as many keys as a trust can.
const FRAMES: [usize; 7] = doublings();

const fn doublings<const N: usize>() -> [usize; N] {
    let mut sizes = [KIB; N];
    let mut at = 1;
    while at < N {
        sizes[at] = sizes[at - 1] * 2;
        at += 1;
    }
    sizes
}

/// A vendor's first trust, from which [`trust`] makes larger ones, and the root key that signs
/// those.
static VENDOR: LazyLock<(Trust, SigningKey)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let init = Init {
        name: "Bench",
        catalog: None,
        passphrases: None,
        test: true,
        roots: Default::default(),
    };
    let path = folder.path().join("vendor");
    let (_, trust) = Folder::init(&path, &init, &mut ChaCha20Rng::from_seed([7; 32])).unwrap();
    (trust, SigningKey::from_seed(&Secret::new(&[7; 32])))
});

/// Plain text without an armor block.
fn prose(size: usize) -> Vec<u8> {
    b"The quick brown fox - of 1 & 2 <i>tails</i> &mdash; jumps. ".repeat(size / 59 + 1)[..size]
        .into()
}

/// An armored license of at most the maximum size, padded with prose up to `size`.
fn armored(size: usize) -> Vec<u8> {
    let mut text = armor(Kind::License, &vec![7; (size / 2).min(256 * KIB)]).into_bytes();
    text.extend(prose(size.saturating_sub(text.len())));
    text
}

/// UTF-16 text whose characters never occur in armor.
fn utf_16(size: usize) -> Vec<u8> {
    [b"\xff\xfe", &*[0x00, 0x4e].repeat(size / 2 - 1)].concat()
}

/// A trust that revokes as many keys as `size` allows.
fn trust(size: usize) -> Vec<u8> {
    let (first, root) = &*VENDOR;
    let key = |n: u32| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        KeyId(id)
    };
    let mut body = first.body().clone();
    body.roots = Set::new(vec![root.public()]).unwrap();
    body.revoked = Set::new((0..(size / 16).min(4096) as u32).map(key).collect()).unwrap();
    let body = encode(&body);
    let unsigned = Unsigned::new(Kind::Trust, vendor_id(&body), Vec::new(), body).unwrap();
    sign_by_roots(&unsigned, &[root]).unwrap()
}

/// A state that pins a trust of this size.
fn state(size: usize) -> Vec<u8> {
    let install = InstallSecret::from_secret(Secret::new(&[7; 32]));
    State::new(install, Trust::pin(&trust(size)).unwrap()).unwrap().to_bytes().to_vec()
}

/// A request whose ciphertext has this size and cannot be decrypted.
fn request(size: usize) -> Vec<u8> {
    let mut bytes = b"\x89OLR\x01\x01\x01".to_vec();
    bytes.extend([7; 32]);
    bytes.extend((size as u32 + 16).to_le_bytes());
    bytes.extend(vec![7; 32 + size + 16 + 64]);
    bytes
}

fn read_any(file: &[u8]) {
    drop(black_box(dearmor(None, file)));
}

fn read_frame(file: &[u8]) {
    drop(black_box(Frame::parse(Kind::Trust, file)));
}

fn read_trust(file: &[u8]) {
    drop(black_box(Trust::pin(file)));
}

fn read_state(file: &[u8]) {
    drop(black_box(State::parse(file)));
}

fn read_request(file: &[u8]) {
    drop(black_box(SealedRequest::parse(file).map(|request| request.hash())));
}

fn bench(bencher: Bencher, file: Vec<u8>, read: fn(&[u8])) {
    bencher.counter(BytesCount::new(file.len())).bench(|| read(black_box(&file)));
}

#[divan::bench(args = TEXTS)]
fn text_without_armor(bencher: Bencher, size: usize) {
    bench(bencher, prose(size), read_any);
}

#[divan::bench(args = TEXTS)]
fn text_with_armor(bencher: Bencher, size: usize) {
    bench(bencher, armored(size), read_any);
}

#[divan::bench(args = TEXTS)]
fn text_in_utf_16(bencher: Bencher, size: usize) {
    bench(bencher, utf_16(size), read_any);
}

#[divan::bench(args = FRAMES)]
fn frame_of_a_trust(bencher: Bencher, size: usize) {
    bench(bencher, trust(size), read_frame);
}

#[divan::bench(args = FRAMES)]
fn trust_pinned(bencher: Bencher, size: usize) {
    bench(bencher, trust(size), read_trust);
}

#[divan::bench(args = FRAMES)]
fn state_read(bencher: Bencher, size: usize) {
    bench(bencher, state(size), read_state);
}

#[divan::bench(args = FRAMES)]
fn request_hashed(bencher: Bencher, size: usize) {
    bench(bencher, request(size), read_request);
}

/// Returns the fastest of several runs, in nanoseconds.
fn best(file: &[u8], read: fn(&[u8])) -> f64 {
    let (begin, mut best) = (Instant::now(), Duration::MAX);
    while begin.elapsed() < Duration::from_millis(300) {
        let start = Instant::now();
        read(black_box(file));
        best = best.min(start.elapsed());
    }
    best.as_nanos() as f64
}

/// Prints nanoseconds per byte at each size, and their ratio to those at half the size.
fn table(name: &str, sizes: &[usize], file: fn(usize) -> Vec<u8>, read: fn(&[u8])) {
    println!("{name}");
    let mut before = None;
    for size in sizes {
        let file = file(*size);
        let each = best(&file, read) / file.len() as f64;
        let ratio = before.map(|before: f64| format!("{:.2}", each / before)).unwrap_or_default();
        println!("  {:8} bytes {each:8.2} ns a byte {ratio:>6}", file.len());
        before = Some(each);
    }
}

fn main() {
    if !std::env::args().any(|argument| argument == "--test") {
        table("text without armor", &TEXTS, prose, read_any);
        table("text with armor", &TEXTS, armored, read_any);
        table("text in UTF-16", &TEXTS, utf_16, read_any);
        table("trust, pinned", &FRAMES, trust, read_trust);
        table("state", &FRAMES, state, read_state);
        table("request, hashed", &FRAMES, request, read_request);
    }
    divan::main();
}

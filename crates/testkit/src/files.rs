//! Hostile files: mutants of fixtures, other file formats, and floods of one byte.

use rand::rngs::ChaCha20Rng;
use rand::{Rng, RngExt};

use olr_core::armor::armor;
use olr_core::wire::frame::{FILE_CAP, Header};

use crate::rng;
use crate::scenario::committed;

/// Maximum size of a fixture to mutate. Mutants of larger fixtures are slow, and much alike.
const SEED_CAP: usize = 16 * 1024;

/// Beginnings of files in other formats.
const HEADERS: [(&str, &[u8]); 30] = [
    ("ELF", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0"),
    ("PE", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0PE\0\0"),
    ("Mach-O", b"\xcf\xfa\xed\xfe\x07\0\0\x01"),
    ("class file", b"\xca\xfe\xba\xbe\0\0\0\x41"),
    ("WebAssembly", b"\0asm\x01\0\0\0"),
    ("ZIP", b"PK\x03\x04\x14\0\0\0\x08\0"),
    ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
    ("xz", b"\xfd7zXZ\0\0\x04"),
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("bzip2", b"BZh91AY&SY"),
    ("7z", b"7z\xbc\xaf\x27\x1c"),
    ("tar", b"license.olr\0\0\0\0\0 644\0ustar\0 0"),
    ("PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<"),
    ("PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ("JPEG", b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
    ("GIF", b"GIF89a\x01\0\x01\0"),
    ("sqlite", b"SQLite format 3\0\x10\0\x01\x01"),
    ("XML", b"<?xml version=\"1.0\"?>\n<!DOCTYPE x [<!ENTITY a \"&b;&b;\">]><x>&a;"),
    ("HTML", b"<!DOCTYPE html><html><body><p>&nbsp;&#x2d;"),
    ("JSON", b"{\"kind\": [[[[[[[[[[[[[["),
    ("TOML", b"[modules]\nOBM = \"\"\"\n"),
    ("certificate", b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n"),
    ("PEM of many", b"-----BEGIN OLR LICENSE-----\n-----BEGIN CERTIFICATE-----\n"),
    ("PGP", b"-----BEGIN PGP MESSAGE-----\n\nhQIMA\n"),
    ("age", b"age-encryption.org/v1\n-> X25519 "),
    ("OpenSSH key", b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n"),
    ("UTF-16", b"\xff\xfe-\0-\0-\0B\0E\0G\0I\0N\0 \0O\0L\0R\0"),
    ("mail", b"From: a@example.com\r\nContent-Type: text/html; charset=utf-7\r\n\r\n+ADw-"),
    ("olr, next version", b"\x89OLR\x02\x01\x02"),
    ("olr, no kind", b"\x89OLR\x01\x01\xff"),
];

/// Generates `count` files: mutants of all fixtures up to 16 KiB, binary and armored. Every
/// hundredth file is in another format instead. Deterministic.
pub fn files(count: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut seeds: Vec<_> = committed().into_iter().map(|fixture| fixture.bytes).collect();
    seeds.retain(|seed| seed.len() <= SEED_CAP);
    let texts: Vec<_> = seeds
        .iter()
        .filter_map(|seed| Some(armor(Header::peek(seed).ok()?, seed).into_bytes()))
        .collect();
    seeds.extend(texts);
    assert!(seeds.len() >= 500, "only {} seeds", seeds.len());
    let mut rng = rng("hostile files");
    (0..count).map(move |n| match n % 100 {
        0 => other_format(n / 100, &mut rng),
        _ => mutant(&seeds, n, &mut rng),
    })
}

/// The header of another format and up to 8 KiB of noise, which is printable text for every other
/// `n`.
fn other_format(n: usize, rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut tail = vec![0; rng.random_range(0..8 * 1024)];
    rng.fill_bytes(&mut tail);
    if n.is_multiple_of(2) {
        tail.iter_mut().for_each(|byte| *byte = b' ' + *byte % 95);
    }
    [HEADERS[n % HEADERS.len()].1, &tail].concat()
}

/// A seed after one to four random changes.
fn mutant(seeds: &[Vec<u8>], n: usize, rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut file = seeds[n % seeds.len()].clone();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..=file.len());
        let len = rng.random_range(0..=(file.len() - at).min(64));
        match rng.random_range(0..7) {
            0 | 1 if at < file.len() => file[at] ^= 1 << rng.random_range(0..8),
            2 if at < file.len() => file[at] = rng.random(),
            3 => file.truncate(at),
            4 => drop(file.drain(at..at + len)),
            5 => {
                let mut noise = vec![0; len];
                rng.fill_bytes(&mut noise);
                file.splice(at..at, noise);
            }
            _ => {
                let other = &seeds[rng.random_range(0..seeds.len())];
                let from = rng.random_range(0..=other.len());
                file.truncate(at);
                file.extend(&other[from..]);
            }
        }
    }
    file
}

/// A file of the maximum size, in which every byte is `byte`.
pub fn flood(byte: u8) -> Vec<u8> {
    vec![byte; FILE_CAP]
}

//! Runs every property of the test kit over the fixtures and the seeds of the fuzz targets.
//!
//! `OLR_MINT=1 cargo test --test format corpus` recreates the seeds from the fixtures, and from the
//! inputs in `keys` and `elsewhere` of the test kit.
#![cfg(all(feature = "smtp", feature = "vendor"))]

use crate::world::alerts::alerts;
use crate::world::properties::{self, Property};
use crate::world::{elsewhere, keys};

use olr_core::armor::armor;
use olr_core::crypto::digest::sha256;
use olr_core::wire::frame::{Frame, Header, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::world::scenario::{Scenario, committed, root};

/// Minimum number of seeds for each target.
const AT_LEAST: usize = 8;
/// Maximum size of a seed: larger fixtures would only make the fuzzer copy zeros.
const SEED_CAP: usize = 8 * 1024;

/// Every property, in the order of the names of the fuzz targets.
fn targets() -> [(&'static str, Property); 27] {
    let mut all = [("alerts", alerts as Property); 27];
    all[1..].copy_from_slice(&properties::ALL);
    all.sort_by_key(|(name, _)| *name);
    all
}

fn folder(target: &str) -> PathBuf {
    root().join("fuzz/corpus").join(target)
}

/// The seeds that a fixture yields, each with its target.
fn seeds(scenario: &Scenario) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = &scenario.bytes;
    let body = |kind| Frame::parse(kind, bytes).map(|frame| frame.body.to_vec());
    let mut seeds = match scenario.expect("artefact") {
        "request" => vec![("request_outer", bytes.clone())],
        "license" => vec![("license", bytes.clone()), ("frame", bytes.clone())],
        "trust" => vec![("trust", bytes.clone()), ("frame", bytes.clone())],
        "delegation" => vec![("delegation", bytes.clone()), ("frame", bytes.clone())],
        "receipt" => vec![("receipt", bytes.clone()), ("frame", bytes.clone())],
        "time" => vec![("time", bytes.clone()), ("frame", bytes.clone())],
        "revocations" => vec![("revocations", bytes.clone()), ("frame", bytes.clone())],
        "proposal" => vec![("proposal", bytes.clone()), ("frame", bytes.clone())],
        "usage statement" => vec![("frame", bytes.clone())],
        "key file" => vec![("key_file", bytes.clone())],
        "state" => vec![("state", bytes.clone())],
        "armor" => vec![("armor", bytes.clone())],
        "grant" => vec![("grant", bytes.clone())],
        "catalog" => vec![("catalog", bytes.clone())],
        other => panic!("{}: artefact {other:?}", scenario.name),
    };
    for (kind, target) in [
        (Kind::License, "license"),
        (Kind::Trust, "trust"),
        (Kind::Delegation, "delegation"),
        (Kind::Receipt, "receipt"),
        (Kind::Timestamp, "time"),
        (Kind::Revocations, "revocations"),
        (Kind::Proposal, "proposal"),
    ] {
        seeds.extend(body(kind).map(|body| (target, body)));
    }
    if let Some(plaintext) = plaintext(scenario) {
        seeds.push(("request_body", plaintext[4..].to_vec()));
        seeds.push(("request_plaintext", plaintext));
    }
    if let ("ok", Ok(kind)) = (scenario.expect("expect"), Header::peek(bytes)) {
        seeds.push(("armor", armor(kind, bytes).into_bytes()));
        seeds.push(("courier", [[0; 13].as_slice(), bytes].concat()));
    }
    if let Some((record, body)) = body_of(scenario) {
        let rule = scenario.get("rule").unwrap_or_default();
        if scenario.expect("expect") == "ok" {
            // The record itself, and one with edits that have no effect.
            seeds.push(("values", [&[record], body.as_slice()].concat()));
            seeds.push(("edits", [&[record], [0; 16].as_slice(), &body].concat()));
            // One pseudo-random edit at each stage: of the body, of its surroundings, and after
            // signing.
            for stage in [0, 128, 192] {
                let [act, rest @ ..] = sha256(&[&[stage], body.as_slice()].concat());
                let edit = [&[record, stage | (act % 64)], &rest[..3], &[0; 12]].concat();
                seeds.push(("edits", [edit, body.clone()].concat()));
            }
            if record == 0 {
                // 21 in use from the first second on, and 5 more wanted. The pairs of instants
                // include one whose second instant is far ahead of the memory, and one with both
                // far ahead.
                let days = |first: u64, second: u64| (86_400 * first, 86_400 * second);
                let near = [(60, 90_000), days(360, 375)];
                for (first, second) in
                    near.into_iter().chain([days(380, 9_000), days(8_000, 9_000)])
                {
                    let usage = [&[1, 3], b"OBM".as_slice(), &[21]].concat();
                    let instants = [0, first, second, 5].map(properties::value::varint).concat();
                    seeds.push(("judgement", [body.as_slice(), &usage, &instants].concat()));
                }
                // The same under a delegation without limits.
                let any = Scenario::read("delegation/good").bytes;
                let any = Frame::parse(Kind::Delegation, &any).unwrap().body.to_vec();
                seeds.push(("edits", [&[130], [0; 16].as_slice(), &body, &any].concat()));
            }
            seeds.push(("second_decoder", body));
        } else if rule.contains("body-") || rule.contains("extension-") {
            seeds.push(("second_decoder", body));
        }
    }
    seeds.retain(|(_, bytes)| bytes.len() <= SEED_CAP);
    seeds
}

/// The body of an artefact, and its record number for `values` and `edits`.
fn body_of(scenario: &Scenario) -> Option<(u8, Vec<u8>)> {
    let bytes = &scenario.bytes;
    let body = |kind| Frame::parse(kind, bytes).map(|frame| frame.body.to_vec());
    match scenario.kind()? {
        Kind::License => Some((0, body(Kind::License).ok()?)),
        Kind::Request => Some((1, plaintext(scenario)?.split_off(4))),
        Kind::Trust => Some((2, body(Kind::Trust).ok()?)),
        Kind::Delegation => Some((3, body(Kind::Delegation).ok()?)),
        // The body lies after header, secret and length, and before the digest.
        Kind::State => Some((4, bytes.get(43..bytes.len().checked_sub(32)?)?.to_vec())),
        _ => None,
    }
}

/// The plaintext of a request that can be decrypted: length and body.
fn plaintext(scenario: &Scenario) -> Option<Vec<u8>> {
    let folder = olr_office::folder::Folder::at(root().join("keys/snakeoil"));
    if scenario.kind() != Some(Kind::Request) {
        return None;
    }
    let trust = folder.trust().unwrap();
    let no_passphrase = &mut |_: &olr_office::folder::Locked| unreachable!("they have none");
    let opened = folder.open_request(&scenario.bytes, None, &trust, no_passphrase).ok()?;
    let body = olr_core::wire::codec::encode(opened.body());
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    Some([length.as_slice(), &body].concat())
}

/// The seeds of all fixtures, and some inputs that are not artefacts: target and file name, then
/// content. The name is derived from the content.
fn minted() -> BTreeMap<(&'static str, String), Vec<u8>> {
    let named = |(target, bytes): (&'static str, Vec<u8>)| {
        let name = data_encoding::HEXLOWER.encode(&sha256(&bytes)[..8]);
        ((target, name), bytes)
    };
    let others = keys::seeds().into_iter().chain(elsewhere::seeds());
    committed().iter().flat_map(seeds).chain(others).map(named).collect()
}

#[test]
fn the_seeds_are_those_of_the_fixtures() {
    let minted = minted();
    if std::env::var_os("OLR_MINT").is_some() {
        mint(&minted);
    }
    for (target, _) in targets() {
        let of_target = |(seed, _): &&(&str, String)| *seed == target;
        let seeds: BTreeSet<_> =
            minted.keys().filter(of_target).map(|(_, name)| name.clone()).collect();
        assert!(seeds.len() >= AT_LEAST, "{target} has {} seeds", seeds.len());
        let found = seeds_in(target);
        assert_eq!(found, seeds, "{target}: a seed is missing, or belongs to no fixture");
    }
    for ((target, name), bytes) in &minted {
        assert_eq!(std::fs::read(folder(target).join(name)).unwrap(), *bytes, "{target} {name}");
    }
}

fn mint(seeds: &BTreeMap<(&'static str, String), Vec<u8>>) {
    for (target, _) in targets() {
        std::fs::create_dir_all(folder(target)).unwrap();
        for name in seeds_in(target) {
            std::fs::remove_file(folder(target).join(name)).unwrap();
        }
    }
    for ((target, name), bytes) in seeds {
        std::fs::write(folder(target).join(name), bytes).unwrap();
    }
}

/// Minted seeds in a target's folder. Files that a fuzzer found have longer names.
fn seeds_in(target: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder(target)).expect("each target has a folder of seeds");
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.len() == 16).collect()
}

#[test]
fn every_property_holds_of_every_fixture() {
    let fixtures = committed();
    assert!(fixtures.len() >= 1000, "only {} fixtures", fixtures.len());
    for scenario in &fixtures {
        for (_, property) in targets() {
            property(&scenario.bytes);
        }
    }
}

#[test]
fn every_property_holds_of_the_committed_corpus() {
    for (target, property) in targets() {
        let files = std::fs::read_dir(folder(target)).expect("each target has a folder of seeds");
        let files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= AT_LEAST, "{target} has {} files", files.len());
        files.iter().for_each(|file| property(&std::fs::read(file).unwrap()));
    }
}

#[test]
fn every_property_has_a_target() {
    let files = std::fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let names = files.iter().map(|path| path.file_stem().unwrap().to_str().unwrap());
    assert!(names.eq(targets().map(|(name, _)| name)), "{files:?}");
}

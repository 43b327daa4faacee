//! HPKE against the vectors of RFC 9180, and `olr_core::crypto::seal` against HPKE.
//!
//! The vectors condense a thousand encryptions into one digest: additional data and plaintexts are
//! drawn from SHAKE128 of the empty string, each preceded by one length byte; the ciphertexts are
//! fed into a second SHAKE128, and the file holds the first 16 bytes of its output.

use hpke::aead::{AeadCtxR, AeadCtxS, AesGcm256};
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use olr_core::crypto::seal::{SealingKey, seal};
use olr_core::crypto::secret::Secret;
use rand::{TryCryptoRng, TryRng};
use serde_json::Value;
use shake::Shake128;
use shake::digest::{ExtendableOutput, Update, XofReader};
use std::convert::Infallible;

use crate::hex;

const VECTORS: &str = include_str!("../../fixtures/kat/hpke/rfc9180-base.json");

/// The only suite that the format permits: KEM, KDF, AEAD.
const SUITE: (u64, u64, u64) = (0x0020, 0x0001, 0x0002);

type Sender = AeadCtxS<AesGcm256, HkdfSha256, X25519HkdfSha256>;
type Receiver = AeadCtxR<AesGcm256, HkdfSha256, X25519HkdfSha256>;

/// A random number generator that returns the bytes of the vector, once.
struct Given(Option<Vec<u8>>);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("keys are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("keys are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        into.copy_from_slice(&self.0.take().expect("a second key was drawn"));
        Ok(())
    }
}

impl TryCryptoRng for Given {}

/// One test vector.
struct Vector(Value);

impl Vector {
    fn bytes(&self, field: &str) -> Vec<u8> {
        hex(self.0[field].as_str().unwrap())
    }

    fn suite(&self) -> (u64, u64, u64) {
        let id = |field: &str| self.0[field].as_u64().unwrap();
        (id("kem_id"), id("kdf_id"), id("aead_id"))
    }

    fn sender(&self) -> Sender {
        let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&self.bytes("pkRm")).unwrap();
        let (encapsulated, sender): (_, Sender) = hpke::setup_sender_with_rng(
            &OpModeS::Base,
            &public,
            &self.bytes("info"),
            &mut Given(Some(self.bytes("ikmE"))),
        )
        .unwrap();
        assert_eq!(encapsulated.to_bytes().to_vec(), self.bytes("enc"));
        sender
    }

    fn receiver(&self) -> Receiver {
        let (private, public) = X25519HkdfSha256::derive_keypair(&self.bytes("ikmR"));
        assert_eq!(public.to_bytes().to_vec(), self.bytes("pkRm"));
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&self.bytes("enc"));
        let info = self.bytes("info");
        hpke::setup_receiver(&OpModeR::Base, &private, &encapsulated.unwrap(), &info).unwrap()
    }
}

fn vectors() -> Vec<Vector> {
    let all: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(all.len(), 24);
    let all = all.into_iter().map(Vector);
    let ours: Vec<_> = all.filter(|vector| vector.suite() == SUITE).collect();
    assert_eq!(ours.len(), 1);
    ours
}

/// Draws one byte as a length, then that many bytes.
fn draw(source: &mut impl XofReader) -> Vec<u8> {
    let mut length = [0];
    source.read(&mut length);
    let mut bytes = vec![0; length[0].into()];
    source.read(&mut bytes);
    bytes
}

#[test]
fn rfc_9180_a_thousand_encryptions() {
    let mut seen = 0;
    for vector in vectors() {
        let (mut sender, mut receiver) = (vector.sender(), vector.receiver());
        let (mut source, mut sink) = (Shake128::default().finalize_xof(), Shake128::default());
        for _ in 0..1000 {
            let (aad, plaintext) = (draw(&mut source), draw(&mut source));
            let ciphertext = sender.seal(&plaintext, &aad).unwrap();
            sink.update(&ciphertext);
            assert_eq!(receiver.open(&ciphertext, &aad).unwrap(), plaintext);
            seen += 1;
        }
        let mut accumulated = [0; 16];
        sink.finalize_xof().read(&mut accumulated);
        assert_eq!(accumulated.to_vec(), vector.bytes("encryptions_accumulated"));
    }
    assert_eq!(seen, 1000);
}

/// Uses the keys of the vector: checks DeriveKeyPair, the encapsulation, and sequence number 0.
#[test]
fn ours_is_the_first_message_of_hpke() {
    for vector in vectors() {
        let seed = vector.bytes("ikmR").try_into().unwrap();
        let key = SealingKey::from_seed(&Secret::new(&seed));
        assert_eq!(key.public().to_vec(), vector.bytes("pkRm"));
        let info = vector.bytes("info");
        for length in [0, 1, 16, 1024, 4096] {
            let plaintext = vec![0x5a; length];
            let mut given = Given(Some(vector.bytes("ikmE")));
            let sealed = seal(&key.public(), &info, &plaintext, &mut given).unwrap();
            assert_eq!(sealed.encapsulated.to_vec(), vector.bytes("enc"));
            assert_eq!(sealed.ciphertext, vector.sender().seal(&plaintext, b"").unwrap());
            let opened = key.open(&sealed.encapsulated, &info, &sealed.ciphertext).unwrap();
            assert_eq!(*opened, plaintext);
            assert_eq!(vector.receiver().open(&sealed.ciphertext, b"").unwrap(), plaintext);
        }
    }
}

//! Sealing a request and opening it, beside age.

use age::x25519::Identity;
use olr_core::request::{SealedRequest, seal_request};
use rand::{SeedableRng, rngs::ChaCha20Rng};

use crate::document;
use crate::forge::Signer;
use crate::measure::Contestant;
use crate::world::World;

/// Bytes of a sealed request that are not plaintext: header, encapsulated key, tag, signature.
const OVERHEAD: usize = 43 + 32 + 16 + 64;

/// Place of the baseline among the contestants: one strict verification of as many bytes.
pub const BASELINE: usize = 0;

/// Sealing and opening, and the baseline.
pub fn contestants(world: &'static World) -> Vec<Contestant> {
    let plaintext = vec![b'x'; world.request.len() - OVERHEAD];
    let identity = Identity::generate();
    let recipient = identity.to_public();
    let encrypted = age::encrypt(&recipient, &plaintext).expect("encrypted");
    let mut rng = ChaCha20Rng::from_seed([8; 32]);
    let (to_seal, to_open) = (world.request.len(), encrypted.len());
    let sealed = plaintext.clone();
    let contestant = |name, bytes, signatures, work| {
        let checks = String::new();
        Contestant { name, bytes, signatures, checks, work }
    };
    let strict = document::strict(Signer::Genuine, &plaintext);
    vec![
        contestant("ed25519-dalek verify_strict", strict.bytes, 1, strict.verify),
        contestant(
            "olr seal a request",
            to_seal,
            1,
            Box::new(move || {
                seal_request(&world.body, &world.trust, &world.install, &mut rng).is_ok()
            }),
        ),
        contestant(
            "age encrypt",
            to_open,
            0,
            Box::new(move || age::encrypt(&recipient, &plaintext).is_ok()),
        ),
        contestant(
            "olr open a request",
            to_seal,
            1,
            Box::new(|| {
                let request = SealedRequest::parse(&world.request);
                request.is_ok_and(|request| request.open(&world.sealing).is_ok())
            }),
        ),
        contestant(
            "age decrypt",
            to_open,
            0,
            Box::new(move || age::decrypt(&identity, &encrypted).is_ok_and(|text| text == sealed)),
        ),
    ]
}

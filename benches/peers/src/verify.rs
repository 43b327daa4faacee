//! Verifying a license, beside documents of other kinds.

use olr_core::license::License;
use olr_core::wire::codec::encode;

use crate::content::Content;
use crate::document::*;
use crate::forge::{Signer, checks};
use crate::measure::Contestant;
use crate::world::World;

/// Place of the baseline among the contestants: one strict verification.
pub const BASELINE: usize = 0;

/// Every verifier, with a valid document.
pub fn contestants(world: &'static World) -> Vec<Contestant> {
    let body = world.license.body();
    let content = Content::of(body);
    let payload = content.json(0);
    assert_eq!(payload.len(), encode(body).len(), "content of the same length");

    let mut all = Vec::new();
    let mut add = |name, signatures, document: Document, build: Build| {
        let accepts = |signer, number| (build(signer, &content.json(number)).verify)();
        let checks = checks(name, &accepts);
        let Document { bytes, verify } = document;
        all.push(Contestant { name, bytes, signatures, checks, work: verify });
    };
    let of = |build: Build| build(Signer::Genuine, &payload);
    add("ed25519-dalek verify_strict", 1, of(strict), strict);
    add("ed25519-dalek strict, key too", 1, of(strict_and_key), strict_and_key);
    add("ed25519-dalek verify", 1, of(lax), lax);
    add("ring", 1, of(ring), ring);
    add("aws-lc-rs", 1, of(aws_lc), aws_lc);
    add("olr license", 2, license(world), olr_signature);
    add("jsonwebtoken EdDSA", 1, of(jwt), jwt);
    add("pasetors v4.public", 1, of(paseto), paseto);
    add("biscuit-auth", 1, of(biscuit), biscuit);
    add("biscuit-auth, sealed", 2, sealed_biscuit(&content), biscuit);
    add("minisign-verify", 2, of(minisign), minisign);
    add("keygen-rs signed key", 1, of(keygen), keygen);
    all
}

/// The license of olr. Verification also decodes it.
fn license(world: &'static World) -> Document {
    let bytes = world.license.bytes();
    let verify = || License::verify(bytes, &world.trust).is_ok();
    Document { bytes: bytes.len(), verify: Box::new(verify) }
}

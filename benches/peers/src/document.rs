//! What the peers verify: the same content, in each peer's own form. The forms are built by hand,
//! so that forged signatures fit into them too.

use aws_lc_rs::signature as aws_lc;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use blake2::{Blake2b512, Digest};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use keygen_rs::config::KeygenConfig;
use keygen_rs::license::SchemeCode;
use pasetors::claims::ClaimsValidationRules;
use pasetors::keys::AsymmetricPublicKey;
use pasetors::token::UntrustedToken;
use pasetors::{Public, version4::V4};
use ring::signature as ring_signature;

use crate::content::Content;
use crate::forge::Signer;

/// A signed document, ready to be verified.
pub struct Document {
    /// Length of the document, with its signatures.
    pub bytes: usize,
    /// Verifies it. True if it is valid.
    pub verify: Box<dyn Fn() -> bool>,
}

/// Signs a payload and returns the document.
pub type Build = fn(Signer, &[u8]) -> Document;

fn bare(
    signer: Signer,
    payload: &[u8],
    verify: impl Fn(&[u8], &[u8; 64]) -> bool + 'static,
) -> Document {
    let (payload, signature) = (payload.to_vec(), signer.sign(payload));
    let bytes = payload.len() + signature.len();
    Document { bytes, verify: Box::new(move || verify(&payload, &signature)) }
}

/// ed25519-dalek, strict, with a key that was decoded before: the baseline.
pub fn strict(signer: Signer, payload: &[u8]) -> Document {
    let key = VerifyingKey::from_bytes(&signer.key()).expect("a key");
    bare(signer, payload, move |payload, signature| {
        key.verify_strict(payload, &Signature::from_bytes(signature)).is_ok()
    })
}

/// Like [`strict`], but decodes the key each time.
pub fn strict_and_key(signer: Signer, payload: &[u8]) -> Document {
    let key = signer.key();
    bare(signer, payload, move |payload, signature| {
        let key = VerifyingKey::from_bytes(&key).expect("a key");
        key.verify_strict(payload, &Signature::from_bytes(signature)).is_ok()
    })
}

/// ed25519-dalek, not strict (`verify`), with a key that was decoded before.
pub fn lax(signer: Signer, payload: &[u8]) -> Document {
    let key = VerifyingKey::from_bytes(&signer.key()).expect("a key");
    bare(signer, payload, move |payload, signature| {
        key.verify(payload, &Signature::from_bytes(signature)).is_ok()
    })
}

/// ring, which always decodes the key.
pub fn ring(signer: Signer, payload: &[u8]) -> Document {
    let key = ring_signature::UnparsedPublicKey::new(&ring_signature::ED25519, signer.key());
    bare(signer, payload, move |payload, signature| key.verify(payload, signature).is_ok())
}

/// aws-lc-rs. Decodes the key each time.
pub fn aws_lc(signer: Signer, payload: &[u8]) -> Document {
    let key = aws_lc::UnparsedPublicKey::new(&aws_lc::ED25519, signer.key());
    bare(signer, payload, move |payload, signature| key.verify(payload, signature).is_ok())
}

/// The function that olr calls for each signature. Decodes the key each time.
pub fn olr_signature(signer: Signer, payload: &[u8]) -> Document {
    let key = signer.key();
    bare(signer, payload, move |payload, signature| {
        olr_core::crypto::sign::verify(&key, payload, signature)
    })
}

/// A JSON Web Token. Verification also decodes the claims.
pub fn jwt(signer: Signer, payload: &[u8]) -> Document {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"EdDSA"}"#);
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signer.sign(message.as_bytes())));
    let key = DecodingKey::from_ed_der(&signer.key());
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.required_spec_claims.clear(); // dates are not checked by the others either
    rules.validate_exp = false;
    let bytes = token.len();
    let verify = move || decode::<Content>(&token, &key, &rules).is_ok();
    Document { bytes, verify: Box::new(verify) }
}

/// A PASETO, version 4, public. Verification also decodes the claims.
pub fn paseto(signer: Signer, payload: &[u8]) -> Document {
    const HEADER: &str = "v4.public.";
    let mut message = 4_u64.to_le_bytes().to_vec();
    for piece in [HEADER.as_bytes(), payload, b"", b""] {
        message.extend((piece.len() as u64).to_le_bytes());
        message.extend(piece);
    }
    let signed = [payload, &signer.sign(&message)].concat();
    let token = format!("{HEADER}{}", URL_SAFE_NO_PAD.encode(signed));
    let key = AsymmetricPublicKey::<V4>::from(&signer.key()).expect("a key");
    let mut rules = ClaimsValidationRules::new();
    rules.disable_valid_at();
    rules.allow_non_expiring();
    let bytes = token.len();
    let verify = move || {
        let token = UntrustedToken::<Public, V4>::try_from(&token).expect("a token");
        pasetors::public::verify(&key, &token, &rules, None, None).is_ok()
    };
    Document { bytes, verify: Box::new(verify) }
}

/// A detached signature of minisign, over the BLAKE2b of the payload, and one over its comment.
pub fn minisign(signer: Signer, payload: &[u8]) -> Document {
    const ID: &[u8] = b"12345678";
    let signature = signer.sign(&Blake2b512::digest(payload));
    let comment = "timestamp:1795435200";
    let global = signer.sign(&[&signature, comment.as_bytes()].concat());
    let file = format!(
        "untrusted comment: signature\n{}\ntrusted comment: {comment}\n{}\n",
        STANDARD.encode([b"ED", ID, &signature].concat()),
        STANDARD.encode(global),
    );
    let key = STANDARD.encode([b"Ed", ID, &signer.key()].concat());
    let key = minisign_verify::PublicKey::from_base64(&key).expect("a key");
    let payload = payload.to_vec();
    let bytes = payload.len() + file.len();
    let verify = move || {
        let signature = minisign_verify::Signature::decode(&file).expect("a signature file");
        key.verify(&payload, &signature, false).is_ok()
    };
    Document { bytes, verify: Box::new(verify) }
}

/// A signed license key of Keygen, which is verified without a network. Verification does not parse
/// the payload.
pub fn keygen(signer: Signer, payload: &[u8]) -> Document {
    let message = format!("key/{}", URL_SAFE.encode(payload));
    let key = format!("{message}.{}", URL_SAFE.encode(signer.sign(message.as_bytes())));
    let public_key = Some(data_encoding::HEXLOWER.encode(&signer.key()));
    let config = KeygenConfig { public_key, ..KeygenConfig::default() };
    let bytes = key.len();
    let verify =
        move || keygen_rs::verify_with_config(&config, SchemeCode::Ed25519Sign, &key).is_ok();
    Document { bytes, verify: Box::new(verify) }
}

/// A biscuit that can be attenuated: it ends with a secret key instead of a second signature.
/// Verification also decodes the facts.
pub fn biscuit(signer: Signer, payload: &[u8]) -> Document {
    let content: Content = serde_json::from_slice(payload).expect("the content");
    let token = biscuit_of(&content, &biscuit_auth::KeyPair::new());
    let authority = &token.container().authority;
    assert_eq!(authority.version, 0, "how the message is put together");
    let (mut token, genuine) = (token.to_vec().expect("bytes"), authority.signature.to_bytes());
    let at = token.windows(64).position(|part| part == genuine).expect("its signature");
    // Before the signature and its tag: the next public key. At the start: tag and length of the
    // signed block, then tag, length and bytes of the content.
    let next_key = token[at - 34..at - 2].to_vec();
    let start = 1 + varint(&token[1..]).1 + 1;
    let (len, used) = varint(&token[start..]);
    let data = &token[start + used..start + used + len];
    let message = [data, &[0; 4], &next_key].concat(); // four bytes for the algorithm
    token[at..at + 64].copy_from_slice(&signer.sign(&message));
    let root = biscuit_auth::PublicKey::from_bytes(&signer.key(), biscuit_auth::Algorithm::Ed25519);
    biscuit_document(token, root.expect("a key"))
}

/// A biscuit that cannot be attenuated: it has a second signature.
pub fn sealed_biscuit(content: &Content) -> Document {
    let root = biscuit_auth::KeyPair::new();
    let token = biscuit_of(content, &root).seal().expect("a sealed token");
    biscuit_document(token.to_vec().expect("bytes"), root.public())
}

fn biscuit_of(content: &Content, root: &biscuit_auth::KeyPair) -> biscuit_auth::Biscuit {
    let builder = biscuit_auth::Biscuit::builder().code(content.facts()).expect("facts");
    builder.build(root).expect("a token")
}

fn biscuit_document(token: Vec<u8>, root: biscuit_auth::PublicKey) -> Document {
    let bytes = token.len();
    let verify = move || biscuit_auth::Biscuit::from(&token, root).is_ok();
    Document { bytes, verify: Box::new(verify) }
}

/// The varint (of Protocol Buffers) at the start of `bytes`, and its length in bytes.
fn varint(bytes: &[u8]) -> (usize, usize) {
    let used = bytes.iter().position(|byte| byte & 0x80 == 0).expect("a last byte") + 1;
    let add = |number, byte: &u8| number << 7 | usize::from(byte & 0x7f);
    (bytes[..used].iter().rev().fold(0, add), used)
}

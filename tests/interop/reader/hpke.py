"""Implements `docs/format.md`, section "Sealing": HPKE base mode, single shot, with suite 1 (RFC 9180)."""

from __future__ import annotations

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_VERSION = b"HPKE-v1"
_KEM = b"KEM\x00\x20"
_HPKE = b"HPKE\x00\x20\x00\x01\x00\x02"


def extract(salt: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), ikm, "sha256")


def expand(prk: bytes, info: bytes, size: int) -> bytes:
    out, block, counter = b"", b"", 1
    while len(out) < size:
        block = hmac.digest(prk, block + info + bytes((counter,)), "sha256")
        out += block
        counter += 1
    return out[:size]


def hkdf(ikm: bytes, info: bytes, size: int = 32) -> bytes:
    return expand(extract(b"", ikm), info, size)


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return extract(salt, _VERSION + suite + label + ikm)


def _labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, size: int) -> bytes:
    return expand(prk, size.to_bytes(2, "big") + _VERSION + suite + label + info, size)


def derive_key_pair(seed: bytes) -> X25519PrivateKey:
    """Implements DeriveKeyPair (RFC 9180, section 7.1.3)."""
    prk = _labeled_extract(_KEM, b"", b"dkp_prk", seed)
    return X25519PrivateKey.from_private_bytes(_labeled_expand(_KEM, prk, b"sk", b"", 32))


def public_bytes(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _key_and_nonce(private: X25519PrivateKey, other: bytes, enc: bytes, recipient: bytes, info: bytes) -> tuple[bytes, bytes] | None:
    try:
        dh = private.exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError:  # OpenSSL refuses an all-zero shared secret
        return None
    if dh == bytes(32):  # RFC 9180, section 7.1.4
        return None
    prk = _labeled_extract(_KEM, b"", b"eae_prk", dh)
    shared = _labeled_expand(_KEM, prk, b"shared_secret", enc + recipient, 32)
    context = b"\x00" + _labeled_extract(_HPKE, b"", b"psk_id_hash", b"") + _labeled_extract(_HPKE, b"", b"info_hash", info)
    secret = _labeled_extract(_HPKE, shared, b"secret", b"")
    # Sequence number 0: the nonce is the base nonce.
    return _labeled_expand(_HPKE, secret, b"key", context, 32), _labeled_expand(_HPKE, secret, b"base_nonce", context, 12)


def open_sealed(private: X25519PrivateKey, public: bytes, enc: bytes, info: bytes, ciphertext: bytes) -> bytes | None:
    """Returns the plaintext, or None if decryption fails."""
    pair = _key_and_nonce(private, enc, enc, public, info)
    if pair is None:
        return None
    try:
        return AESGCM(pair[0]).decrypt(pair[1], ciphertext, None)
    except InvalidTag:
        return None


def seal(recipient: bytes, info: bytes, plaintext: bytes) -> tuple[bytes, bytes]:
    """Returns enc and ciphertext. The ephemeral key is fresh from the generator of the operating system."""
    ephemeral = X25519PrivateKey.generate()
    enc = public_bytes(ephemeral)
    pair = _key_and_nonce(ephemeral, recipient, enc, recipient, info)
    if pair is None:
        raise ValueError("the sealing key is of small order")
    return enc, AESGCM(pair[0]).encrypt(pair[1], plaintext, None)

"""Implements `docs/format.md`, section "Key file": a private key in a file."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from . import ed25519, hpke
from .digest import key_id, pae
from .frame import read_kind
from .outcome import CouldNotTell, malformed
from .tables import INSTALL, KEY_FILE, ROLES, SEALING
from .wire import Cursor


@dataclass(slots=True, frozen=True)
class Argon2:
    memory: int
    passes: int
    lanes: int
    salt: bytes
    nonce: bytes
    commitment: bytes


@dataclass(slots=True, frozen=True)
class KeyFile:
    role: int
    key_id: bytes
    public: bytes
    kdf: Argon2 | None
    seed: bytes  # encrypted if there is a kdf
    head: bytes  # bytes 0 to 96


def parse(data: bytes) -> KeyFile:
    """Checks key-1 to key-6."""
    cursor = Cursor(data)
    read_kind(cursor, KEY_FILE)  # key-1
    role = cursor.byte()
    if role not in ROLES or role == INSTALL:
        raise malformed("key-2: the role is not root, issuer or sealing")
    named, public = cursor.raw(16), cursor.raw(32)
    if named != key_id(role, public):
        raise malformed("key-3: the key id is not that of role and public key")
    protection = cursor.byte()
    if protection > 1:
        raise malformed("key-4: the kdf is 0 or 1")
    kdf = _argon2(cursor) if protection else None
    seed = cursor.raw(48 if kdf else 32)
    cursor.finish("key-6")
    return KeyFile(role, named, public, kdf, seed, data[:97])


def _argon2(cursor: Cursor) -> Argon2:
    memory, passes, lanes = cursor.fixed32(), cursor.fixed32(), cursor.fixed32()
    if not (8192 <= memory <= 1_048_576 and 1 <= passes <= 16 and 1 <= lanes <= 16 and memory * passes <= 4_194_304):
        raise malformed("key-5: a cost is out of bounds")
    return Argon2(memory, passes, lanes, cursor.raw(16), cursor.raw(12), cursor.raw(32))


def open_key(file: KeyFile, passphrase: str | None) -> bytes:
    """Checks key-7, and returns the seed."""
    seed = file.seed
    if file.kdf is not None:
        if passphrase is None:
            raise CouldNotTell("the key file needs a passphrase")
        seed = _unseal(file, file.kdf, passphrase)
    if public_of(file.role, seed) != file.public:
        raise malformed("key-7: the public key is not that of the seed")
    return seed


def _unseal(file: KeyFile, kdf: Argon2, passphrase: str) -> bytes:
    both = _stretch(normalize("NFC", passphrase).encode("utf-8"), kdf.salt, kdf.memory, kdf.passes, kdf.lanes)
    if not hmac.compare_digest(both[32:], kdf.commitment):
        raise CouldNotTell("the passphrase is wrong")
    try:
        return AESGCM(both[:32]).decrypt(kdf.nonce, file.seed, pae(b"olr/v1/key-file", file.head, kdf.commitment))
    except InvalidTag:
        raise CouldNotTell("the key file was changed") from None


@lru_cache(maxsize=64)
def _stretch(passphrase: bytes, salt: bytes, memory: int, passes: int, lanes: int) -> bytes:
    kdf = Argon2id(salt=salt, length=64, iterations=passes, lanes=lanes, memory_cost=memory)
    try:
        return kdf.derive(passphrase)
    except MemoryError:
        raise CouldNotTell("there is not enough memory for the cost in the key file") from None


def public_of(role: int, seed: bytes) -> bytes:
    if role == SEALING:
        return hpke.public_bytes(hpke.derive_key_pair(seed))
    return ed25519.public_of(seed)

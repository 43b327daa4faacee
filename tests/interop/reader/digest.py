"""Implements `docs/format.md`, sections "PAE", "Labels" and "Keys": hashes, ids and codes."""

from __future__ import annotations

import base64
import hashlib
import re

from .outcome import CouldNotTell

VERSION = b"\x01"
SUITE = b"\x01"

_BASE32 = re.compile(r"[A-Z2-7]{12}")
_WHOLE = re.compile(r"[A-Z2-7]{52}")
WHITE_SPACE = frozenset(
    [*map(chr, range(0x09, 0x0E)), " ", "\u0085", "\u00a0", "\u1680", *map(chr, range(0x2000, 0x200B))]
    + ["\u2028", "\u2029", "\u202f", "\u205f", "\u3000"]
)
_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212")


def u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def pae(*pieces: bytes) -> bytes:
    out = [u64(len(pieces))]
    for piece in pieces:
        out.append(u64(len(piece)))
        out.append(piece)
    return b"".join(out)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def key_id(role: int, public: bytes) -> bytes:
    return sha256(pae(b"olr/v1/key-id", u16(role), SUITE, public))[:16]


def vendor_id(first_body: bytes) -> bytes:
    return sha256(pae(b"olr/v1/vendor-id", first_body))[:16]


def vendor_codes(threshold: int, roots: list[bytes]) -> tuple[str, str]:
    """Returns the short code for people, and the complete one for programs."""
    digest = sha256(pae(b"olr/v1/vendor-code", bytes([threshold]), *roots))
    return code(digest), base64.b32encode(digest).decode("ascii").rstrip("=")


def code(digest: bytes) -> str:
    symbols = base64.b32encode(digest[:10]).decode("ascii")[:12]
    return "-".join((symbols[:4], symbols[4:8], symbols[8:]))


def typed_code(text: str) -> str:
    """Normalizes a typed code to the form of `code`. Any other text is a typing error, which has no refusal word."""
    symbols = _typed(text)
    if not _BASE32.fullmatch(symbols):
        raise CouldNotTell("this is not a code: a code has twelve letters and digits of base32")
    return "-".join((symbols[:4], symbols[4:8], symbols[8:]))


def typed_vendor_code(text: str) -> str:
    """Normalizes a typed vendor code to one of the forms of `vendor_codes`."""
    symbols = _typed(text)
    return symbols if _WHOLE.fullmatch(symbols) else typed_code(text)


def _typed(text: str) -> str:
    kept = [c for c in text if c not in _DASHES and c not in WHITE_SPACE]
    return "".join(c.upper() if c.isascii() else c for c in kept)

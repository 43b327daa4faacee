"""Implements `docs/format.md`, sections "Signatures" (signature-3) and "Keys" (weak and trustworthy keys)."""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
_SQRT_M1 = pow(2, (P - 1) // 4, P)
_MASK = 2**255 - 1

Point = tuple[int, int, int, int]
_IDENTITY: Point = (0, 1, 1, 0)


def decode(public: bytes) -> Point | None:
    """Decodes a point, even from a non-canonical encoding. Returns None if there is no such point."""
    number = int.from_bytes(public, "little")
    y = (number & _MASK) % P
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * _SQRT_M1 % P
        if v * x * x % P != u:
            return None
    if x & 1 != number >> 255:
        x = -x % P
    return (x, y, 1, x * y % P)


def add(a: Point, b: Point) -> Point:
    k = (a[1] - a[0]) * (b[1] - b[0]) % P
    m = (a[1] + a[0]) * (b[1] + b[0]) % P
    t = 2 * D * a[3] * b[3] % P
    z = 2 * a[2] * b[2] % P
    e, f, g, h = m - k, z - t, z + t, m + k
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar: int, point: Point) -> Point:
    total = _IDENTITY
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def is_identity(point: Point) -> bool:
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0


def encode(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _small_order_ys() -> frozenset[int]:
    """The y of the eight points whose order divides 8. A point is of small order exactly if its y is here."""
    y = 3
    while True:
        point = decode(y.to_bytes(32, "little"))
        if point is not None:
            torsion = multiply(L, point)
            if not is_identity(multiply(4, torsion)):
                break
        y += 1
    ys, each = set(), _IDENTITY
    for _ in range(8):
        ys.add(each[1] * pow(each[2], P - 2, P) % P)
        each = add(each, torsion)
    return frozenset(ys)


SMALL_ORDER_YS = _small_order_ys()


def _is_small(encoding: bytes) -> bool:
    return (int.from_bytes(encoding, "little") & _MASK) % P in SMALL_ORDER_YS


@lru_cache(maxsize=4096)
def is_weak(public: bytes) -> bool:
    return _is_small(public) or decode(public) is None


@lru_cache(maxsize=4096)
def is_trustworthy(public: bytes) -> bool:
    point = decode(public)
    if point is None or _is_small(public):
        return False
    return encode(point) == public and is_identity(multiply(L, point))


@lru_cache(maxsize=1024)
def _openssl_key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


@lru_cache(maxsize=256)
def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Checks signature-3. OpenSSL refuses an A that is not a point, and compares the encoding of [S]B - [k]A with
    the bytes of R, without cofactor, so R must be canonical. It does not refuse points of small order: this
    function does."""
    if _is_small(public) or _is_small(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= L:
        return False
    try:
        _openssl_key(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def public_of(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)

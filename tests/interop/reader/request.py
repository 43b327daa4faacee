"""Implements `docs/format.md`, section "Request" (request-1 to request-12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from . import ed25519, factor, hpke
from .digest import SUITE, VERSION, code, pae, sha256, typed_code
from .factor import Factor
from .frame import read_kind
from .outcome import CouldNotTell, Refused, malformed
from .tables import REQUEST
from .wire import Body, Cursor, Extension, refuse_critical

HEADER_SIZE = 43
TAG_SIZE = 16
BLOCK = 1024
MAX_CIPHERTEXT = 262_144


class SealingKey(NamedTuple):
    private: X25519PrivateKey
    public: bytes


class Earlier(NamedTuple):
    number: int
    hash: bytes


@dataclass(slots=True, frozen=True)
class RequestBody:
    request: bytes
    number: int
    earlier: list[Earlier]
    install_key: bytes
    commitment_key: bytes
    product: str
    product_version: str
    slot: str
    licensee: str
    license_key: str
    enrolled: list[Factor]
    found: list[Factor]
    addresses: list[str]
    facts: list[tuple[str, str]]
    clock: int
    boot: str
    renews: bytes | None
    usage: list[tuple[str, int]]
    wanted: list[tuple[str, int]]
    note: str
    extensions: list[Extension]


@dataclass(frozen=True)
class Sealed:
    raw: bytes
    vendor: bytes
    recipient: bytes
    enc: bytes
    ciphertext: bytes
    signature: bytes

    @property
    def header(self) -> bytes:
        return self.raw[:HEADER_SIZE]

    @cached_property
    def hash(self) -> bytes:
        return sha256(self.raw)

    @property
    def code(self) -> str:
        return code(self.hash)


def seal_info(header: bytes) -> bytes:
    return pae(b"olr/v1/request-seal", VERSION, SUITE, header)


def message(header: bytes, enc: bytes, ciphertext: bytes) -> bytes:
    return pae(b"olr/v1/request", VERSION, SUITE, header, enc, ciphertext)


def parse(data: bytes) -> Sealed:
    """Checks request-1 to request-3."""
    cursor = Cursor(data)
    read_kind(cursor, REQUEST)  # request-1
    vendor, recipient, length = cursor.raw(16), cursor.raw(16), cursor.fixed32()
    padded = length - TAG_SIZE
    if length > MAX_CIPHERTEXT or padded < BLOCK or padded % BLOCK:
        raise malformed("request-2: the ciphertext has a wrong length")
    enc, ciphertext, signature = cursor.raw(32), cursor.raw(length), cursor.raw(64)
    cursor.finish("request-3")
    return Sealed(data, vendor, recipient, enc, ciphertext, signature)


def open_request(sealed: Sealed, vendor: bytes, keys: Mapping[bytes, SealingKey], told: str | None = None) -> RequestBody:
    """Checks request-4 to request-12."""
    if sealed.vendor != vendor:
        raise Refused("wrong-vendor", "request-4: it is for another vendor")
    if told is not None and typed_code(told) != sealed.code:
        raise Refused("wrong-request", "request-5: the code is that of another request")
    key = keys.get(sealed.recipient)
    if key is None:
        raise CouldNotTell("request-6: the sealing key is not available")
    plaintext = hpke.open_sealed(key.private, key.public, sealed.enc, seal_info(sealed.header), sealed.ciphertext)
    if plaintext is None:
        raise Refused("undecryptable", "request-6: the request cannot be decrypted")
    body = read_body(unpad(plaintext))  # request-7, request-8
    if ed25519.is_weak(body.install_key):
        raise malformed("request-9: the install key is weak")
    if body.number == 0 or any(earlier.number >= body.number for earlier in body.earlier):
        raise malformed("request-10: the number is 0, or an earlier one is not below it")
    if not all(each.class_fits for each in (*body.enrolled, *body.found)):
        raise malformed("request-11: a factor of a class that its kind does not have")
    refuse_critical(body.extensions)
    if not ed25519.verify(body.install_key, sealed.signature, message(sealed.header, sealed.enc, sealed.ciphertext)):
        raise Refused("wrong-signature", "request-12: the install key did not sign it")
    return body


def unpad(plaintext: bytes) -> bytes:
    """Checks request-7."""
    cursor = Cursor(plaintext)
    length = cursor.fixed32()
    if length > len(plaintext) - cursor.at:
        raise malformed("request-7: the body does not fit the plaintext")
    body = cursor.raw(length)
    rest = plaintext[cursor.at :]
    if len(rest) >= BLOCK or any(rest):
        raise malformed("request-7: the padding is not zeros to the next KiB")
    return body


def read_body(data: bytes) -> RequestBody:
    """Checks request-8."""
    body = Body(data)
    request = RequestBody(
        request=body.raw16(),
        number=body.u64(),
        earlier=read_earlier(body),
        install_key=body.raw32(),
        commitment_key=body.raw32(),
        product=body.text(),
        product_version=body.text(),
        slot=body.text(),
        licensee=body.text(),
        license_key=body.text(),
        enrolled=factor.read_list(body),
        found=factor.read_list(body),
        addresses=body.list_of(body.text),
        facts=body.list_of(lambda: (body.text(), body.text())),
        clock=body.u64(),
        boot=body.text(),
        renews=body.option(body.raw16),
        usage=_counts(body),
        wanted=_counts(body),
        note=body.text(2048),
        extensions=body.extensions(),
    )
    body.finish("body-10")
    return request


def read_earlier(body: Body) -> list[Earlier]:
    return body.set_of(lambda: Earlier(body.u64(), body.raw32()), lambda entry: entry.number, 16)


def _counts(body: Body) -> list[tuple[str, int]]:
    return body.set_of(lambda: (body.text(), body.u64()), lambda entry: entry[0], 4096)

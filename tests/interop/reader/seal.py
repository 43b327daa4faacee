"""Implements `docs/format.md`, sections "Request", "Sealing" and "Install keys": writes a request as a server does."""

from __future__ import annotations

import base64
import os
from functools import lru_cache
from typing import Any

from . import armor, ed25519, factor, hpke, request as requests, trust as trusts
from .digest import key_id
from .factor import Factor
from .request import BLOCK, TAG_SIZE
from .state import commitment_key, signing_seed
from .tables import CLASSES, FACTORS, MAGIC, REQUEST, SEALING, TRUST
from .trust import Trust
from .wire import Writer

_KINDS = {word: number for number, word in FACTORS.items()}
_CLASSES = {word: number for number, word in CLASSES.items()}

Fields = dict[str, Any]


@lru_cache(maxsize=16)
def _trust(file: str) -> Trust:
    return trusts.pin(armor.unwrap(base64.b64decode(file), TRUST))


def write_body(fields: Fields, secret: bytes, request_id: bytes) -> bytes:
    writer = Writer()
    writer.raw(request_id)
    writer.number(fields["number"])
    earlier = sorted(fields.get("earlier") or [], key=lambda entry: entry["number"])
    writer.list_of(earlier, lambda entry: (writer.number(entry["number"]), writer.raw(bytes.fromhex(entry["hash"]))))
    writer.raw(ed25519.public_of(signing_seed(secret)))
    writer.raw(commitment_key(secret, request_id))
    for name in ("product", "product_version", "slot", "licensee", "license_key"):
        writer.text(fields.get(name) or "")
    writer.list_of([], writer.raw)  # enrolled: none, because nothing is installed
    writer.list_of(fields.get("found") or [], lambda entry: factor.write(writer, _factor(entry)))
    writer.list_of(fields.get("addresses") or [], writer.text)
    writer.list_of(fields.get("facts") or [], lambda entry: (writer.text(entry["name"]), writer.text(entry["value"])))
    writer.number(fields.get("clock") or 0)
    writer.text(fields.get("boot") or "")
    writer.number(0)  # renews: none
    writer.list_of([], writer.raw)  # usage: empty in this version
    wanted = sorted((fields.get("wanted") or {}).items(), key=lambda entry: entry[0].encode("utf-8"))
    writer.list_of(wanted, lambda entry: (writer.text(entry[0]), writer.number(entry[1])))
    writer.text(fields.get("note") or "")
    writer.list_of([], writer.raw)  # extensions
    return bytes(writer.out)


def _factor(entry: Fields) -> Factor:
    kind, factor_class = _KINDS[entry["kind"]], _CLASSES[entry["class"]]
    return Factor(kind, factor_class, entry.get("name") or "", entry.get("value") or "", entry.get("ignored") or "")


def seal(fields: Fields) -> bytes:
    trust = _trust(fields["trust"])
    secret = bytes.fromhex(fields["install_secret"])
    recipient = trust.body.sealing[0]
    body = write_body(fields, secret, os.urandom(16))
    requests.read_body(body)  # no reader would accept an invalid body
    plaintext = len(body).to_bytes(4, "little") + body
    plaintext += bytes(-len(plaintext) % BLOCK)
    header = MAGIC + bytes((1, 1, REQUEST)) + trust.vendor + key_id(SEALING, recipient)
    header += (len(plaintext) + TAG_SIZE).to_bytes(4, "little")
    enc, ciphertext = hpke.seal(recipient, requests.seal_info(header), plaintext)
    signature = ed25519.sign(signing_seed(secret), requests.message(header, enc, ciphertext))
    sealed = header + enc + ciphertext + signature
    requests.parse(sealed)
    return sealed

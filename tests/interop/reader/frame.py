"""Implements `docs/format.md`, sections "Frame" and "Signatures" (signature-1 to signature-3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import ed25519
from .digest import SUITE, VERSION, pae, sha512
from .outcome import Refused, malformed
from .tables import KEY_FILE, KINDS, MAGIC, MAX_ARTEFACT, PROPOSAL, REQUEST, SIGNATURE_LABELS, STATE
from .wire import Cursor

MAX_ATTACHMENTS = 16
MAX_SIGNATURES = 16


@dataclass(slots=True, frozen=True)
class Frame:
    raw: bytes
    kind: int
    vendor: bytes
    attachments: list[Frame]
    attachment_section: bytes
    body: bytes
    signatures: list[tuple[bytes, bytes]]

    @property
    def message(self) -> bytes:
        label = SIGNATURE_LABELS[self.kind]
        return pae(label, VERSION, SUITE, self.vendor, sha512(self.attachment_section), sha512(self.body))

    @property
    def signers(self) -> list[bytes]:
        return [key_id for key_id, _ in self.signatures]


def read_header(cursor: Cursor) -> int:
    """Reads the first seven bytes of a binary artefact, and returns its kind."""
    if not 1 <= cursor.end <= MAX_ARTEFACT:
        raise malformed("frame-1: an artefact has 1 to 262144 bytes")
    if not cursor.data.startswith(MAGIC):
        raise malformed("frame-2: no magic")
    cursor.at = len(MAGIC)
    if cursor.byte() != 1:
        raise Refused("unknown-version", "frame-3: an unknown version")
    if cursor.byte() != 1:
        raise Refused("unknown-version", "frame-3: an unknown suite")
    kind = cursor.byte()
    if kind not in KINDS:
        raise Refused("wrong-kind", "frame-4: a kind that is not in the table")
    return kind


def read_kind(cursor: Cursor, wanted: int) -> None:
    if read_header(cursor) != wanted:
        raise Refused("wrong-kind", f"frame-5: it is not a {KINDS[wanted]}")


def parse(data: bytes, wanted: int, vendor: bytes | None = None) -> Frame:
    """Checks frame-1 to frame-14, and frame-15 if the vendor of a trust is given."""
    cursor = Cursor(data)
    read_kind(cursor, wanted)
    frame = _rest(cursor, wanted, None)
    if vendor is not None:
        check_vendor(frame, vendor)
    return frame


def check_vendor(frame: Frame, vendor: bytes) -> None:
    if frame.vendor != vendor:
        raise Refused("wrong-vendor", "frame-15: it is another vendor's")


def _rest(cursor: Cursor, kind: int, around: bytes | None) -> Frame:
    """Reads what follows the header. `around` is the vendor id of the frame to which this one is attached."""
    vendor = cursor.raw(16)
    if around is not None and vendor != around:
        raise malformed("frame-9: an attachment of another vendor")
    start = cursor.at
    attachments = _attachments(cursor, vendor, 0 if around is not None else MAX_ATTACHMENTS)
    section = cursor.data[start : cursor.at]
    length = cursor.fixed32()
    if length > MAX_ARTEFACT:
        raise malformed("frame-11: the body is too long")
    body = cursor.raw(length)
    # A proposal that is a file of its own may have no signatures yet.
    signatures = _signatures(cursor, 0 if kind == PROPOSAL and around is None else 1)
    cursor.finish("frame-14")
    return Frame(cursor.data, kind, vendor, attachments, section, body, signatures)


def read_attachments(section: bytes, vendor: bytes) -> list[Frame]:
    """Reads an attachment section that is not part of a frame."""
    cursor = Cursor(section)
    attachments = _attachments(cursor, vendor, MAX_ATTACHMENTS)
    cursor.finish("proposal-4")
    return attachments


def _attachments(cursor: Cursor, vendor: bytes, cap: int) -> list[Frame]:
    count = cursor.byte()
    if count > cap:
        raise malformed("frame-7: too many attachments")
    attachments: list[Frame] = []
    for _ in range(count):
        attachment = _attachment(cursor, vendor)
        if attachments:
            before = attachments[-1]
            if not (before.kind, before.raw) < (attachment.kind, attachment.raw):
                raise malformed("frame-10: attachments do not ascend")
        attachments.append(attachment)
    return attachments


def _attachment(cursor: Cursor, vendor: bytes) -> Frame:
    length = cursor.fixed32()
    if length > MAX_ARTEFACT:
        raise malformed("frame-8: an attachment is too long")
    inside = Cursor(cursor.raw(length))
    kind = read_header(inside)
    if kind in (REQUEST, KEY_FILE, STATE):
        raise malformed("frame-8: an attachment without a frame")
    return _rest(inside, kind, vendor)


def _signatures(cursor: Cursor, least: int) -> list[tuple[bytes, bytes]]:
    count = cursor.byte()
    if not least <= count <= MAX_SIGNATURES:
        raise malformed("frame-12: there are 1 to 16 signatures")
    signatures: list[tuple[bytes, bytes]] = []
    before = b""
    for _ in range(count):
        key_id = cursor.raw(16)
        if not before < key_id:
            raise malformed("frame-13: the key ids do not ascend")
        before = key_id
        signatures.append((key_id, cursor.raw(64)))
    return signatures


def check_signers(frame: Frame, keys: Mapping[bytes, bytes]) -> None:
    """Checks signature-1."""
    for key_id, _ in frame.signatures:
        if key_id not in keys:
            raise Refused("untrusted-signer", "signature-1: a signature by a key that may not sign")


def check_threshold(signed: int, threshold: int, rule: str = "signature-2") -> None:
    """Checks signature-2, or the threshold that `rule` demands instead."""
    if signed < max(threshold, 1):
        raise Refused("untrusted-signer", f"{rule}: too few signatures")


def check_strictly(frame: Frame, keys: Mapping[bytes, bytes]) -> None:
    """Checks signature-3, for the signatures by one of the keys."""
    message = frame.message
    for key_id, signature in frame.signatures:
        public = keys.get(key_id)
        if public is not None and not ed25519.verify(public, signature, message):
            raise Refused("wrong-signature", "signature-3: a signature does not verify")


def check_signatures(frame: Frame, keys: Mapping[bytes, bytes], threshold: int) -> None:
    check_signers(frame, keys)
    check_threshold(len(frame.signatures), threshold)
    check_strictly(frame, keys)

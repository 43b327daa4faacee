"""Implements `docs/format.md`, section "Receipt" (receipt-1 to receipt-6): proof that a server stopped."""

from __future__ import annotations

from dataclasses import dataclass

from . import ed25519
from .digest import key_id
from .frame import Frame, check_strictly
from .outcome import Refused, malformed
from .request import Earlier, read_earlier
from .tables import INSTALL
from .wire import Body, Extension, refuse_critical


@dataclass(slots=True, frozen=True)
class ReceiptBody:
    install_key: bytes
    product: str
    slot: str
    number: int
    earlier: list[Earlier]
    license: bytes
    license_hash: bytes
    at: int
    extensions: list[Extension]


def read_body(data: bytes) -> ReceiptBody:
    """Checks receipt-1."""
    body = Body(data)
    receipt = ReceiptBody(
        install_key=body.raw32(),
        product=body.text(),
        slot=body.text(),
        number=body.u64(),
        earlier=read_earlier(body),
        license=body.raw16(),
        license_hash=body.raw32(),
        at=body.u64(),
        extensions=body.extensions(),
    )
    body.finish("body-10")
    return receipt


def verify_frame(frame: Frame) -> ReceiptBody:
    """Checks the rules after those of the frame."""
    body = read_body(frame.body)
    if frame.attachments:
        raise malformed("receipt-2: a receipt has no attachments")
    if ed25519.is_weak(body.install_key):
        raise malformed("receipt-3: the install key is weak")
    if body.number == 0 or any(each.number >= body.number for each in body.earlier):
        raise malformed("receipt-4: the numbers do not ascend from 1")
    refuse_critical(body.extensions)
    own = key_id(INSTALL, body.install_key)
    if frame.signers != [own]:
        raise Refused("untrusted-signer", "receipt-5: it is not signed by its install key alone")
    check_strictly(frame, {own: body.install_key})  # receipt-6
    return body

"""Implements `docs/format.md`, section "Trust" (trust-1 to trust-16): first contact and successors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from . import ed25519
from .digest import key_id, typed_vendor_code, vendor_codes, vendor_id
from .frame import Frame, check_signatures, check_signers, check_strictly, check_threshold, parse
from .outcome import Refused, malformed
from .tables import MODELS, ROOT, TRUST
from .wire import ANY, Body, Extension, refuse_critical


class Product(NamedTuple):
    id: str
    slots: list[str]


class ModuleMaximum(NamedTuple):
    module: str
    maximum: Any  # a number, or ANY


class SignerRule(NamedTuple):
    model: Any  # a number of MODELS, or ANY
    above: ModuleMaximum | None
    signers: int


@dataclass(slots=True, frozen=True)
class TrustBody:
    version: int
    name: str
    roots: list[bytes]
    threshold: int
    sealing: list[bytes]
    suites: list[int]
    products: list[Product]
    kept: list[bytes]
    revoked: list[bytes]
    signer_rules: list[SignerRule]
    test: bool
    extensions: list[Extension]


@dataclass(frozen=True)
class Trust:
    frame: Frame
    body: TrustBody
    root_keys: dict[bytes, bytes]
    kept: frozenset[bytes]
    revoked: frozenset[bytes]

    @property
    def vendor(self) -> bytes:
        return self.frame.vendor

    @property
    def codes(self) -> tuple[str, str]:
        return vendor_codes(self.body.threshold, self.body.roots)

    @property
    def code(self) -> str:
        return self.codes[0]

    def product(self, name: str) -> Product | None:
        return next((product for product in self.body.products if product.id == name), None)


def read_maximum(body: Body) -> ModuleMaximum:
    return ModuleMaximum(body.text(), body.limit(body.u64))


def read_body(data: bytes) -> TrustBody:
    body = Body(data)
    text_list: Callable[[], list[str]] = lambda: body.list_of(body.text)
    trust = TrustBody(
        version=body.u32(),
        name=body.text(),
        roots=body.set_of(body.raw32, cap=8),
        threshold=body.byte(),
        sealing=body.list_of(body.raw32, 8),
        suites=body.set_of(body.byte),
        products=body.list_of(lambda: Product(body.text(), text_list())),
        kept=body.set_of(body.raw32),
        revoked=body.set_of(body.raw16, cap=4096),
        signer_rules=body.list_of(
            lambda: SignerRule(
                body.limit(lambda: body.table(MODELS)), body.option(lambda: read_maximum(body)), body.byte()
            )
        ),
        test=body.boolean(),
        extensions=body.extensions(),
    )
    body.finish("body-10")
    return trust


def examine(frame: Frame) -> Trust:
    """Checks trust-2 to trust-11 and extension-1, of a frame that passed trust-1."""
    body = read_body(frame.body)  # trust-2
    if frame.attachments:
        raise malformed("trust-3: a trust has no attachments")
    if body.version == 0:
        raise malformed("trust-4: trusts are numbered from 1")
    if body.version == 1 and frame.vendor != vendor_id(frame.body):
        raise malformed("trust-5: the vendor id does not fit the body")
    if body.version == 1 and body.kept:
        raise malformed("trust-6: a first trust keeps no delegations")
    if not 1 <= body.threshold <= len(body.roots):
        raise malformed("trust-7: the threshold is 0 or above the number of roots")
    if not all(map(ed25519.is_trustworthy, body.roots)):
        raise malformed("trust-8: a root is not trustworthy")
    if not body.sealing or _doubled(body.sealing):
        raise malformed("trust-9: no sealing key, or one twice")
    if 1 not in body.suites:
        raise malformed("trust-10: suite 1 is not accepted")
    if not body.products or _doubled([product.id for product in body.products]):
        raise malformed("trust-11: no product, or one twice")
    if any(not product.slots or _doubled(product.slots) for product in body.products):
        raise malformed("trust-11: a product without a slot, or with one twice")
    refuse_critical(body.extensions)
    root_keys = {key_id(ROOT, root): root for root in body.roots}
    return Trust(frame, body, root_keys, frozenset(body.kept), frozenset(body.revoked))


def _doubled(values: list[Any]) -> bool:
    return len(set(values)) != len(values)


def check_first_contact(trust: Trust) -> None:
    """Checks trust-12."""
    if trust.body.version == 1:
        check_signatures(trust.frame, trust.root_keys, trust.body.threshold)
        return
    own = sum(signer in trust.root_keys for signer in trust.frame.signers)
    check_threshold(own, trust.body.threshold, "trust-12, signature-2")
    check_strictly(trust.frame, trust.root_keys)


def pin(data: bytes, told: str | None = None) -> Trust:
    """Checks trust-1 to trust-13."""
    trust = examine(parse(data, TRUST))
    check_first_contact(trust)
    if told is not None and typed_vendor_code(told) not in trust.codes:
        raise Refused("wrong-vendor", "trust-13: the vendor code is that of another vendor")
    return trust


def follow(old: Trust, data: bytes) -> Trust:
    """Returns the trust in effect after reading `data`: the old one for the same bytes, otherwise a successor."""
    return old if data == old.frame.raw else succeed(old, data)


def succeed(old: Trust, data: bytes) -> Trust:
    """Checks trust-1 to trust-11 and trust-14 to trust-16."""
    trust = examine(parse(data, TRUST, old.vendor))
    both = old.root_keys | trust.root_keys
    check_signers(trust.frame, both)  # trust-14
    check_strictly(trust.frame, both)
    for each in (old, trust):
        signed = sum(signer in each.root_keys for signer in trust.frame.signers)
        check_threshold(signed, each.body.threshold, "trust-15")
    if trust.body.version <= old.body.version:
        raise Refused("superseded", "trust-16: it is not newer than the trust in effect")
    return trust


def follow_attached(trust: Trust, frame: Frame) -> Trust:
    """Returns the newest trust after processing the attached ones of this vendor: section "Attached trusts"."""
    attached = [examine(each) for each in frame.attachments if each.kind == TRUST]
    for each in sorted(attached, key=lambda each: each.body.version):
        if each.body.version > trust.body.version:
            trust = succeed(trust, each.frame.raw)
        else:
            check_first_contact(each)
    return trust


@lru_cache(maxsize=32)
def chain(trusts: tuple[bytes, ...]) -> Trust:
    """Returns the last of a pinned trust and its successors (state-4). Refusals are passed on unchanged."""
    if len(trusts) == 1:
        return pin(trusts[0])
    return succeed(chain(trusts[:-1]), trusts[-1])

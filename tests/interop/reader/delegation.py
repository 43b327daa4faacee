"""A delegation under a trust, its limits, and what carries it: sections "Delegation" and "Attachments" (license-1, -2, -12)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from . import ed25519
from .digest import key_id, sha256
from .frame import Frame, check_signatures, parse
from .outcome import Refused, malformed
from .tables import ACT_LICENSE, ACTS, DELEGATION, ISSUER, LICENSE, REVOCATIONS, TRUST
from .trust import ModuleMaximum, Trust, read_maximum
from .wire import ANY, Body, Extension, refuse_critical

if TYPE_CHECKING:
    from .license import LicenseBody


@dataclass(slots=True, frozen=True)
class DelegationBody:
    issuer: bytes
    acts: list[int]
    products: Any  # each a list, a number, or ANY
    slots: Any
    types: Any
    modules: Any
    longest_term: Any
    from_: Any
    until: Any
    extensions: list[Extension]

    @property
    def issuer_id(self) -> bytes:
        return key_id(ISSUER, self.issuer)


@lru_cache(maxsize=256)
def read_body(data: bytes) -> DelegationBody:
    body = Body(data)

    def texts() -> list[str]:
        return body.set_of(body.text)

    def maxima() -> list[ModuleMaximum]:
        return body.set_of(lambda: read_maximum(body), lambda entry: entry.module, 4096)

    delegation = DelegationBody(
        issuer=body.raw32(),
        acts=body.set_of(lambda: body.table(ACTS)),
        products=body.limit(texts),
        slots=body.limit(texts),
        types=body.limit(texts),
        modules=body.limit(maxima),
        longest_term=body.limit(body.u32),
        from_=body.limit(body.u64),
        until=body.limit(body.u64),
        extensions=body.extensions(),
    )
    body.finish("body-10")
    return delegation


def verify(frame: Frame, trust: Trust) -> DelegationBody:
    """delegation-1, delegation-2 and delegation-4."""
    if sha256(frame.raw) not in trust.kept:
        check_signatures(frame, trust.root_keys, trust.body.threshold)  # delegation-1
    return examine(frame)


def examine(frame: Frame) -> DelegationBody:
    """delegation-2 and delegation-4."""
    body = read_body(frame.body)  # delegation-2
    refuse_critical(body.extensions)
    if frame.attachments:
        raise malformed("delegation-4: a delegation has no attachments")
    return body


def check_issuer(body: DelegationBody) -> None:
    """delegation-3."""
    if not ed25519.is_trustworthy(body.issuer):
        raise malformed("delegation-3: the issuer key is not trustworthy")


def verify_file(data: bytes, trust: Trust) -> DelegationBody:
    """A delegation that stands alone."""
    body = verify(parse(data, DELEGATION, trust.vendor), trust)
    check_issuer(body)
    return body


def read_signers(frame: Frame, trust: Trust) -> list[DelegationBody]:
    """license-1 to license-2 of whatever issuers sign: the delegations of its signers."""
    places = {TRUST, DELEGATION, REVOCATIONS} if frame.kind == LICENSE else {TRUST, DELEGATION}
    delegations = signers_among(frame, frame.attachments, trust, places)
    check_one_for_each(frame)
    return delegations


def check_one_for_each(frame: Frame) -> None:
    """license-12 and license-2."""
    lists = [each for each in frame.attachments if each.kind == REVOCATIONS]
    if len(lists) > 1:
        raise malformed("license-12: revocations twice")
    signers = set(frame.signers).union(*(each.signers for each in lists))
    if sum(each.kind == DELEGATION for each in frame.attachments) != len(signers):
        raise malformed("license-2: not as many delegations as signers")


def signers_among(frame: Frame, attachments: list[Frame], trust: Trust, places: set[int]) -> list[DelegationBody]:
    """license-1, and signature-1 to signature-3, for a frame whose delegations stand among these attachments."""
    delegations = without_signatures(frame, attachments, trust, places)
    check_signatures(frame, {each.issuer_id: each.issuer for each in delegations}, 1)
    return delegations


def without_signatures(
    frame: Frame, attachments: list[Frame], trust: Trust, places: set[int]
) -> list[DelegationBody]:
    """license-1 (`places` are the kinds that have one) and the delegations of a frame's signers."""
    delegations: list[DelegationBody] = []
    lists = any(each.kind == REVOCATIONS for each in attachments)
    left_aside: Refused | None = None
    for attachment in attachments:
        if attachment.kind not in places:
            raise Refused("unknown-version", "license-1: an attachment that has no place here")
        if attachment.kind != DELEGATION:
            continue
        try:
            delegations.append(verify(attachment, trust))
        except Refused as refusal:
            if not lists:
                raise
            left_aside = left_aside or refusal
    if lists:
        delegations = [each for each in delegations if each.issuer_id in frame.signers]
    if left_aside and set(frame.signers) - {each.issuer_id for each in delegations}:
        raise left_aside
    return delegations


def is_in_time(body: DelegationBody, instant: int) -> bool:
    """Whether what is signed states an instant at which the issuer may sign."""
    return (body.from_ is ANY or body.from_ <= instant) and (body.until is ANY or instant <= body.until)


def is_above(quota: Any, maximum: Any) -> bool:
    """Whether a quota is above a maximum; either may be ANY (limit-4)."""
    return maximum is not ANY and (quota is ANY or quota > maximum)


def _excess(rule: str) -> Refused:
    return Refused("not-delegated", f"{rule}: the issuer may not sign this")


def check_limits(body: DelegationBody, license: LicenseBody) -> None:
    """limit-1 to limit-5."""
    if ACT_LICENSE not in body.acts:
        raise _excess("limit-1")
    if not is_in_time(body, license.issued):
        raise _excess("limit-2")
    for limit, value in ((body.products, license.product), (body.slots, license.slot), (body.types, license.type_id)):
        if limit is not ANY and value not in limit:
            raise _excess("limit-3")
    if body.modules is not ANY:
        maxima = dict(body.modules)
        for grant in license.grants:
            if is_above(grant.quota, maxima.get(grant.module, 0)):
                raise _excess("limit-4")
    if body.longest_term is not ANY:
        if license.expires is None or license.expires - license.starts > body.longest_term:
            raise _excess("limit-5")

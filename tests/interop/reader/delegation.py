"""Implements `docs/format.md`, sections "Delegation", "Limits" and "Attachments" (license-1, -2, -3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from . import ed25519, quota
from .digest import key_id, sha256
from .frame import Frame, check_signatures, parse
from .outcome import Refused, malformed
from .tables import ACT_LICENSE, ACTS, BLOCK, CONFLICT, DELEGATION, EDITIONS, EXPIRED, ISSUER, LICENSE, MODELS
from .tables import POOLED, REVOCATIONS, REVOKED, TRUST, UPDATE_LICENSE, WARN
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
    models: Any
    editions: Any
    modules: Any
    longest_term: Any
    ahead: Any
    longest_grace: Any
    longest_maintenance: Any
    afterwards: Any
    weak_machine: bool
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
        models=body.limit(lambda: body.set_of(lambda: body.table(MODELS))),
        editions=body.limit(lambda: body.set_of(lambda: body.table(EDITIONS))),
        modules=body.limit(maxima),
        longest_term=body.limit(body.u32),
        ahead=body.limit(body.u32),
        longest_grace=body.limit(body.u64),
        longest_maintenance=body.limit(body.u32),
        afterwards=body.limit(lambda: body.set_of(body.word)),
        weak_machine=body.boolean(),
        from_=body.limit(body.u64),
        until=body.limit(body.u64),
        extensions=body.extensions(),
    )
    body.finish("body-10")
    return delegation


def verify(frame: Frame, trust: Trust) -> DelegationBody:
    """Checks delegation-1, delegation-2 and delegation-3."""
    if sha256(frame.raw) not in trust.kept:
        check_signatures(frame, trust.root_keys, trust.body.threshold)  # delegation-1
    return examine(frame)


def examine(frame: Frame) -> DelegationBody:
    """Checks delegation-2 and delegation-3."""
    body = read_body(frame.body)  # delegation-2
    refuse_critical(body.extensions)
    if frame.attachments:
        raise malformed("delegation-3: a delegation has no attachments")
    return body


def check_issuer(body: DelegationBody) -> None:
    """Checks delegation-4."""
    if not ed25519.is_trustworthy(body.issuer):
        raise malformed("delegation-4: the issuer key is not trustworthy")


def verify_file(data: bytes, trust: Trust) -> DelegationBody:
    """Verifies a delegation that is a file of its own."""
    body = verify(parse(data, DELEGATION, trust.vendor), trust)
    check_issuer(body)
    return body


def read_signers(frame: Frame, trust: Trust) -> list[DelegationBody]:
    """Checks license-1 to license-3, and signature-1 to signature-3, of a frame that issuers sign. Returns the
    delegations of the signers."""
    places = {TRUST, DELEGATION, REVOCATIONS} if frame.kind == LICENSE else {TRUST, DELEGATION}
    delegations = signers_among(frame, frame.attachments, trust, places)
    check_one_for_each(frame)
    return delegations


def check_one_for_each(frame: Frame) -> None:
    """Checks license-2 and license-3."""
    lists = [each for each in frame.attachments if each.kind == REVOCATIONS]
    if len(lists) > 1:
        raise malformed("license-2: two lists of revocations")
    signers = set(frame.signers).union(*(each.signers for each in lists))
    if sum(each.kind == DELEGATION for each in frame.attachments) != len(signers):
        raise malformed("license-3: there are not exactly as many delegations as signers")


def signers_among(frame: Frame, attachments: list[Frame], trust: Trust, places: set[int]) -> list[DelegationBody]:
    """Checks license-1, and signature-1 to signature-3, of a frame whose delegations are among `attachments`."""
    delegations = without_signatures(frame, attachments, trust, places)
    check_signatures(frame, {each.issuer_id: each.issuer for each in delegations}, 1)
    return delegations


def without_signatures(
    frame: Frame, attachments: list[Frame], trust: Trust, places: set[int]
) -> list[DelegationBody]:
    """Checks license-1 (`places` are the permitted kinds), and returns the delegations of a frame's signers."""
    delegations: list[DelegationBody] = []
    lists = any(each.kind == REVOCATIONS for each in attachments)
    left_aside: Refused | None = None
    for attachment in attachments:
        if attachment.kind not in places:
            raise Refused("unknown-version", "license-1: an attachment of a kind that is not allowed here")
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
    """Whether the issuer may sign at the instant that the signed body states."""
    return (body.from_ is ANY or body.from_ <= instant) and (body.until is ANY or instant <= body.until)


def is_above(quota: Any, maximum: Any) -> bool:
    """Whether a quota exceeds a maximum. Either may be ANY (limit-5)."""
    return maximum is not ANY and (quota is ANY or quota > maximum)


def _excess(rule: str) -> Refused:
    return Refused("not-delegated", f"{rule}: the issuer may not sign this")


def opened(license: LicenseBody, module: str) -> Any:
    """Returns how much of a module the license could allow a server to use, or ANY."""
    grant = quota.grant_of(license, module)
    if grant is not None:
        return quota.granted(license, grant)
    return ANY if quota.is_included(license, module) else 0


def _left(license: LicenseBody, cause: int) -> set[str]:
    """Returns the operations that stay allowed after a cause, except update-license."""
    blocked = dict(license.enforcement)
    left = set(license.always)
    if cause in blocked:
        left |= license.known() - set(blocked[cause])
    return left - {UPDATE_LICENSE}


def _bounded(license: LicenseBody) -> list[int]:
    """Returns the causes to which limit-9 and limit-10 apply."""
    return [CONFLICT, REVOKED, POOLED, *([EXPIRED] if license.expires is not None else [])]


def check_limits(body: DelegationBody, license: LicenseBody) -> None:
    """Checks limit-1 to limit-11."""
    day_of_issue = license.issued // 86400
    bounded = _bounded(license)
    if ACT_LICENSE not in body.acts:
        raise _excess("limit-1")
    if not is_in_time(body, license.issued):
        raise _excess("limit-2")
    for limit, value in ((body.products, license.product), (body.slots, license.slot), (body.types, license.type_id)):
        if limit is not ANY and value not in limit:
            raise _excess("limit-3")
    for limit, number in ((body.models, license.model), (body.editions, license.edition)):
        if limit is not ANY and number not in limit:
            raise _excess("limit-4")
    if body.modules is not ANY:
        maxima = dict(body.modules)
        modules = {grant.module for grant in license.grants}.union(*(grant.includes for grant in license.grants))
        if any(is_above(opened(license, module), maxima.get(module, 0)) for module in modules):
            raise _excess("limit-5")
    if body.longest_term is not ANY:
        if license.expires is None or license.expires - license.starts > body.longest_term:
            raise _excess("limit-6")
    if is_above(license.starts - day_of_issue, body.ahead):
        raise _excess("limit-7")
    if body.longest_maintenance is not ANY:
        until = license.maintenance
        if until is None or until - max(license.starts, day_of_issue) > body.longest_maintenance:
            raise _excess("limit-8")
    if body.longest_grace is not ANY:
        for rule in license.grace:
            if rule.cause in bounded and (rule.outcome == WARN or rule.seconds > body.longest_grace):
                raise _excess("limit-9")
    if body.afterwards is not ANY:
        blocking = [rule.cause for rule in license.grace if rule.outcome == BLOCK and rule.cause in bounded]
        left = set(license.always).union(*(_left(license, cause) for cause in blocking))
        if left - {UPDATE_LICENSE} - set(body.afterwards):
            raise _excess("limit-10")
    if not body.weak_machine and not license.policy.hardware:
        raise _excess("limit-11")

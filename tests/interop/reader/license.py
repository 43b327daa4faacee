"""Implements `docs/format.md`, sections "License" (license-4 to -13) and "Machine policy", and limit-12."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from . import delegation, factor
from .delegation import DelegationBody, is_above
from .factor import Factor
from .frame import Frame, parse
from .outcome import Refused, malformed
from .revocations import RevocationsBody
from .tables import BLOCK, CAUSES, CAUSES_OF_LICENSES, CLASSES, CLASSES_OF_FACTOR, COMMON, EDITIONS, FACTORS, HARDWARE, LICENSE
from .tables import MODELS
from .tables import BUILT_IN, MAX_OPERATIONS, OUTCOMES
from .trust import Trust
from .wire import ANY, Body, Extension, refuse_critical

MAX_TOLERANCE = 2_592_000


class Grant(NamedTuple):
    module: str
    name: str
    group: str
    unit: str
    quota: Any  # a number, or ANY
    account_cap: Any
    admin_cap: Any
    pool: str
    requires: list[str]
    includes: list[str]
    minimum_version: str


class GraceRule(NamedTuple):
    cause: int
    seconds: int
    outcome: int


class EnforcementRule(NamedTuple):
    cause: int
    blocked: list[str]


class Enrolled(NamedTuple):
    kind: int
    factor_class: int
    weight: int
    commitment: bytes


class Policy(NamedTuple):
    name: str
    threshold: int
    hardware: bool
    enrolled: list[Enrolled]


@dataclass(slots=True, frozen=True)
class LicenseBody:
    license: bytes
    request: bytes
    request_hash: bytes
    number: int
    answer: int
    install_key: bytes
    licensee: str
    product: str
    slot: str
    type_id: str
    model: int
    edition: int
    grants: list[Grant]
    languages: list[str]
    issued: int
    starts: int
    expires: int | None
    maintenance: int | None
    tolerance: int
    policy: Policy
    grace: list[GraceRule]
    enforcement: list[EnforcementRule]
    always: list[str]
    operations: list[str]
    replaces: bytes | None
    note: str
    extensions: list[Extension]

    def known(self) -> frozenset[str]:
        """Returns the operations that the license knows: its own and the built-in ones."""
        return BUILT_IN.union(self.operations)


class License(NamedTuple):
    frame: Frame
    body: LicenseBody
    delegations: list[DelegationBody]


def read_body(data: bytes) -> LicenseBody:
    """Checks license-4."""
    body = Body(data)

    def texts() -> list[str]:
        return body.set_of(body.text)

    def grant() -> Grant:
        return Grant(
            body.text(), body.text(), body.text(), body.text(), body.limit(body.u64), body.limit(body.u64),
            body.limit(body.u64), body.text(), texts(), texts(), body.text(),
        )  # fmt: skip

    def operations() -> list[str]:
        return body.set_of(body.word)

    def grace() -> GraceRule:
        return GraceRule(body.table(CAUSES), body.u64(), body.table(OUTCOMES))

    def enforcement() -> EnforcementRule:
        return EnforcementRule(body.table(CAUSES), operations())

    def enrolled() -> Enrolled:
        return Enrolled(body.table(FACTORS), body.table(CLASSES), body.u16(), body.raw32())

    def policy() -> Policy:
        return Policy(body.text(), body.u32(), body.boolean(), body.set_of(enrolled, lambda entry: entry.commitment))

    license = LicenseBody(
        license=body.raw16(),
        request=body.raw16(),
        request_hash=body.raw32(),
        number=body.u64(),
        answer=body.u32(),
        install_key=body.raw32(),
        licensee=body.text(),
        product=body.text(),
        slot=body.text(),
        type_id=body.text(),
        model=body.table(MODELS),
        edition=body.table(EDITIONS),
        grants=body.set_of(grant, lambda entry: entry.module, 4096),
        languages=texts(),
        issued=body.u64(),
        starts=body.u32(),
        expires=body.option(body.u32),
        maintenance=body.option(body.u32),
        tolerance=body.u32(),
        policy=policy(),
        grace=body.set_of(grace, lambda entry: entry.cause),
        enforcement=body.set_of(enforcement, lambda entry: entry.cause),
        always=operations(),
        operations=body.set_of(body.word, cap=MAX_OPERATIONS),
        replaces=body.option(body.raw16),
        note=body.text(2048),
        extensions=body.extensions(),
    )
    body.finish("body-10")
    return license


def verify(data: bytes, trust: Trust) -> License:
    """Checks all rules of section "License" up to license-12."""
    return verify_frame(parse(data, LICENSE, trust.vendor), trust)


def verify_frame(frame: Frame, trust: Trust) -> License:
    """Checks the rules after frame-15, up to license-12."""
    license = verify_even_revoked(frame, trust)
    check_unrevoked(license, trust, None)
    return license


def check_unrevoked(license: License, trust: Trust, revocations: RevocationsBody | None) -> None:
    """Checks license-12 and license-13."""
    if any(signer in trust.revoked for signer in license.frame.signers):
        raise Refused("revoked", "license-12: a signer was revoked")
    if revocations and revocations.cause_of(license.body.license) is not None:
        raise Refused("revoked", "license-13: the license was revoked")


def verify_even_revoked(frame: Frame, trust: Trust) -> License:
    """Checks the rules after frame-15 without license-12."""
    delegations = delegation.read_signers(frame, trust)
    body = examine(frame.body)
    check_delegated(body, delegations, trust)
    return License(frame, body, delegations)


def examine(data: bytes) -> LicenseBody:
    """Checks license-4 to license-11 and the rules between them."""
    body = read_body(data)  # license-4
    if body.number == 0 or body.answer == 0:
        raise malformed("license-5: requests and answers are numbered from 1")
    if body.expires is not None and body.expires < body.starts:
        raise malformed("license-6: it ends before it starts")
    if body.tolerance > MAX_TOLERANCE:
        raise malformed("license-7: the tolerance is more than 30 days")
    if any(rule.cause not in CAUSES_OF_LICENSES for rule in body.grace):
        raise malformed("license-8: a cause that only events have")
    if not BUILT_IN.isdisjoint(body.operations):
        raise malformed("license-9: a built-in operation is listed")
    if not body.known().issuperset(frozenset(body.always).union(*(rule.blocked for rule in body.enforcement))):
        raise malformed("license-10: a rule names an operation that the license does not know")
    check_policy(body.policy)
    refuse_critical(body.extensions)
    blocking = [rule.cause for rule in body.grace if rule.outcome == BLOCK]
    if blocking != [rule.cause for rule in body.enforcement]:
        raise malformed("license-11: enforcement does not list exactly the causes that block")
    return body


def check_delegated(body: LicenseBody, delegations: list[DelegationBody], trust: Trust) -> None:
    """Checks all rules of "Limits"."""
    for each in delegations:
        delegation.check_limits(each, body)
    _check_signer_rules(delegations, body, trust)


def check_policy(policy: Policy) -> None:
    """Checks policy-1 to policy-5."""
    enrolled = policy.enrolled
    if not 1 <= policy.threshold <= sum(entry.weight for entry in enrolled):
        raise malformed("policy-1: the threshold is 0 or above the sum of the weights")
    if any(entry.factor_class == COMMON for entry in enrolled):
        raise malformed("policy-2: a common factor is enrolled")
    if policy.hardware and not any(entry.factor_class == HARDWARE for entry in enrolled):
        raise malformed("policy-3: hardware is required, but none is enrolled")
    if any(entry.weight == 0 for entry in enrolled):
        raise malformed("policy-4: an enrolled factor has weight 0")
    if any(entry.factor_class not in CLASSES_OF_FACTOR[entry.kind] for entry in enrolled):
        raise malformed("policy-5: a factor of a class that its kind does not have")


def check_machine(policy: Policy, commitment_key: bytes, found: Iterable[Factor]) -> None:
    """Checks policy-6."""
    present = factor.commitments(commitment_key, found)
    matching = [entry for entry in policy.enrolled if entry.commitment in present]
    if sum(entry.weight for entry in matching) < policy.threshold:
        raise Refused("wrong-machine", "policy-6: the machine does not match")
    if policy.hardware and not any(entry.factor_class == HARDWARE for entry in matching):
        raise Refused("wrong-machine", "policy-6: no hardware factor matches")


def _check_signer_rules(delegations: list[DelegationBody], body: LicenseBody, trust: Trust) -> None:
    """Checks limit-12."""
    signers = len({each.issuer_id for each in delegations})
    for rule in trust.body.signer_rules:
        applies = rule.model is ANY or any(each.models is ANY or rule.model in each.models for each in delegations)
        if applies and rule.above is not None:
            module, maximum = rule.above
            applies = is_above(delegation.opened(body, module), maximum)
        if applies and signers < rule.signers:
            raise Refused("not-delegated", "limit-12: too few signers")

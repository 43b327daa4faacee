"""Implements `docs/judgement.md`, section "Judgement": whether a server may run, and what is blocked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from . import clock, dates, frame, license as licenses, overuse, quota
from .clock import Reading
from .factor import Factor
from .held import may_be_held, revocations_that_count
from .license import GraceRule, License, LicenseBody
from .outcome import Refused
from .revocations import RevocationsBody
from .state import Held, Slot, SlotName, State, commitment_key
from .tables import BLOCK, CONFLICT, EXPIRED, LICENSE, OVER_QUOTA, POOLED, REVOKED, UPDATE_LICENSE
from .tables import WARN
from .wire import ANY

STOPPED = frozenset({UPDATE_LICENSE})


class Broken(NamedTuple):
    """A rule that does not hold and is not tolerated, with the operations that stay allowed. All others are blocked."""

    refusal: Refused
    left: frozenset[str]


class Judgement(NamedTuple):
    broken: list[Broken]
    body: LicenseBody | None = None  # of the license in effect
    usage: quota.Usage = {}
    license: License | None = None

    def check(self) -> None:
        """Raises the refusal of the judgement, if there is one."""
        for each in self.broken:
            raise each.refusal


def judge(state: State, seen: Reading, machine: list[Factor], name: SlotName) -> Judgement:
    state = clock.observe(state, seen)
    listed = revocations_that_count(state)
    slot = state.slots.get(name)
    if slot is None or not (slot.installed or slot.next or slot.receipt):
        raise Refused("not-activated", "judgement-1: the slot holds no license")
    try:
        license = _in_force(state, slot, listed)
    except Refused as refusal:
        return Judgement([Broken(refusal, STOPPED)])
    body = license.body
    broken = []
    for refusal in _faults(state, slot, license, listed, seen.clock, machine):
        left = _left_by(refusal, state, slot, license, listed, seen.clock)
        if left is not None:
            broken.append(Broken(refusal, left))
    return Judgement(broken, body, slot.usage, license)


def _in_force(state: State, slot: Slot, listed: RevocationsBody | None) -> License:
    if not (slot.installed or slot.next):
        raise Refused("deactivated", "judgement-2: the slot was deactivated")
    if slot.next is not None:  # took_over is meaningless if no license waits
        license = _next_that_counts(state, slot, listed)
        if license is not None:
            return license
    assert slot.installed is not None
    return _verify(state, slot.installed, slot.name)


def _next_that_counts(state: State, slot: Slot, listed: RevocationsBody | None) -> License | None:
    """Returns the next license once it takes over, or None while the installed one is in effect."""
    assert slot.next is not None
    alone = slot.installed is None or slot.took_over
    try:
        license = _verify(state, slot.next, slot.name)
        if not alone:
            licenses.check_unrevoked(license, state.trust, listed)
    except Refused:
        if alone:
            raise
        return None
    begun = state.mark >= dates.begins(license.body.starts)
    return license if begun or alone else None


def _verify(state: State, held: Held, name: SlotName) -> License:
    license = licenses.verify_even_revoked(frame.parse(held.license, LICENSE, state.trust.vendor), state.trust)
    may_be_held(state, license.body, {name})
    return license


def _faults(
    state: State, slot: Slot, license: License, listed: RevocationsBody | None, now: int, machine: list[Factor]
) -> Iterator[Refused]:
    """Yields the breaches of judgement-3 to judgement-8, in this order."""
    try:
        licenses.check_unrevoked(license, state.trust, listed)
    except Refused as refusal:
        yield refusal
    yield from faults_now(state, license.body, now, machine)
    try:
        quota.check(license.body, slot.usage)
    except Refused as refusal:
        yield refusal


def faults_now(state: State, body: LicenseBody, now: int, machine: list[Factor]) -> Iterator[Refused]:
    """Yields the breaches of judgement-4 to judgement-7."""
    if now + body.tolerance < state.mark:
        yield Refused("clock-rolled-back", "judgement-4: the clock is behind the mark")
    key = commitment_key(state.install_secret, body.request)
    try:
        licenses.check_machine(body.policy, key, [*machine, *state.pins])  # judgement-5
    except Refused as refusal:
        yield refusal
    at = clock.judged_at(state, now)
    if state.mark < dates.begins(body.starts):
        yield Refused("not-yet-valid", "judgement-6: it has not begun")
    if body.expires is not None and at >= dates.ends(body.expires):
        yield Refused("expired", "judgement-7: it has ended")


class Terms(NamedTuple):
    """The terms of a license for each cause."""

    grace: dict[int, GraceRule]
    enforcement: dict[int, list[str]]
    always: list[str]


def _terms(refusal: Refused, state: State, license: License) -> Terms:
    """Returns the terms in effect. If the signing key was revoked, a thief may have written the license: its terms are
    then void as far as the delegation of that key does not limit them."""
    body = license.body
    grace, enforcement, always = {rule.cause: rule for rule in body.grace}, dict(body.enforcement), body.always
    if refusal.word == "revoked":
        stolen = [each for each in license.delegations if each.issuer_id in state.trust.revoked]
        if any(each.longest_grace is ANY for each in stolen):
            grace = {}
        if any(each.afterwards is ANY for each in stolen):
            enforcement, always = {}, []
    return Terms(grace, enforcement, always)


def _left_by(
    refusal: Refused, state: State, slot: Slot, license: License, listed: RevocationsBody | None, now: int
) -> frozenset[str] | None:
    """Returns the operations that stay allowed after a breach, or None if it is tolerated."""
    terms = _terms(refusal, state, license)
    stopped = STOPPED | frozenset(terms.always)
    cause = _cause(refusal, state, license, listed)
    if cause is None:
        return stopped
    rule = terms.grace.get(cause)
    if rule is None:
        return None if cause == OVER_QUOTA else stopped
    at, began = clock.judged_at(state, now), _since(cause, state, slot, license, now)
    if rule.outcome == WARN or at < min(began + rule.seconds, quota.MOST):
        return None
    if rule.outcome == BLOCK and cause in terms.enforcement:
        return (license.body.known() - frozenset(terms.enforcement[cause])) | frozenset(terms.always)
    return stopped


def _cause(refusal: Refused, state: State, license: License, listed: RevocationsBody | None) -> int | None:
    match refusal.word:
        case "revoked":
            by_key = any(signer in state.trust.revoked for signer in license.frame.signers)
            pooled = listed is not None and listed.cause_of(license.body.license) == POOLED
            return POOLED if pooled and not by_key else REVOKED
        case "wrong-machine":
            return CONFLICT
        case "expired":
            return EXPIRED
        case "quota-exceeded":
            return overuse.cause_of(license.body)
    return None


def _since(cause: int, state: State, slot: Slot, license: License, now: int) -> int:
    body = license.body
    if cause == CONFLICT:
        return slot.matched
    if cause == EXPIRED and body.expires is not None:
        return dates.ends(body.expires)
    if cause in (REVOKED, POOLED):
        return state.mark if slot.revoked is None else clock.since(slot.revoked, state, now)
    over = overuse.started(slot, _installed(state, slot), body, state.mark)
    noted = next((spent.since for spent in over.spent if spent.cause == cause), None)
    return dates.begins(body.starts) if noted is None else clock.since(noted, state, now)


def _installed(state: State, slot: Slot) -> LicenseBody | None:
    try:
        return None if slot.installed is None else _verify(state, slot.installed, slot.name).body
    except Refused:
        return None

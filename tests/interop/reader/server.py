"""What a server takes in and whether it may run: "Order of answers", "Attachments", "Judgement", license-8 to license-10,
time-4 to time-6, revocations-6."""

from __future__ import annotations

from dataclasses import replace

from . import clock, dates, delegation, frame, license as licenses, revocations, times
from . import trust as trusts
from .clock import Reading
from .digest import sha256
from .factor import Factor
from .frame import Frame
from .license import License, LicenseBody
from .outcome import CouldNotTell, Refused
from .revocations import RevocationsBody
from .state import Held, Kept, Slot, SlotName, State, commitment_key
from .tables import CONFLICT, DELEGATION, LICENSE, REVOCATIONS, REVOKED, TIME, WARN


def _known(state: State) -> set[SlotName]:
    """What was asked for here, and the slots that are here."""
    return set(state.slots) | {(sent.product, sent.slot) for sent in state.requests}


def may_be_held(state: State, body: LicenseBody, known: set[SlotName]) -> None:
    """license-8 to license-10; `known` is the one slot that is judged, or all that may take in a license."""
    if body.product not in {product for product, _ in known}:
        raise Refused("wrong-product", "license-8: the product was not asked for here")
    if (body.product, body.slot) not in known:
        raise Refused("wrong-slot", "license-9: the slot was not asked for here")
    if body.install_key != state.install_key:
        raise Refused("wrong-machine", "license-10: it is for another installation")


def take_up(state: State, file: Frame) -> State:
    """What is known once the attachments of a file were taken up."""
    state = replace(state, trust=trusts.follow_attached(state.trust, file))
    if file.kind != LICENSE:
        return state
    for attached in file.attachments:
        if attached.kind != REVOCATIONS:
            continue
        listed = revocations.verify_attached(attached, file.attachments, state.trust)
        if state.kept is None or listed.body.order > state.kept.body.order:
            signers = attached.signers
            beside = [
                each
                for each in file.attachments
                if each.kind == DELEGATION and _issuer_of(each, state) in signers
            ]
            state = _keep(state, attached, beside, listed)
    return state


def _issuer_of(file: Frame, state: State) -> bytes | None:
    """Whose delegation it is, if it counts."""
    try:
        return delegation.verify(file, state.trust).issuer_id
    except Refused:
        return None


def _keep(state: State, file: Frame, beside: list[Frame], listed: revocations.Revocations) -> State:
    for each in listed.delegations:
        delegation.check_issuer(each)  # delegation-3
    return replace(state, kept=Kept(file, beside, listed.body))


def revocations_that_count(state: State) -> RevocationsBody | None:
    kept = state.kept
    if kept is None:
        return None
    try:
        for each in (kept.frame, *kept.delegations):
            frame.check_vendor(each, state.trust.vendor)
        if kept.delegations:
            attachments = [*kept.delegations, kept.frame]
            return revocations.verify_attached(kept.frame, attachments, state.trust).body
        return revocations.verify_file(kept.frame, state.trust).body
    except (Refused, CouldNotTell):
        return None


def take_revocations(state: State, data: bytes) -> None:
    """revocations-6, of a file that obeys the rules before."""
    file = frame.parse(data, REVOCATIONS, state.trust.vendor)
    state = take_up(state, file)
    listed = revocations.verify_file(file, state.trust)
    if state.kept is None or listed.body.order > state.kept.body.order:
        _keep(state, file, [], listed)
    elif listed.body != state.kept.body:
        raise Refused("superseded", "revocations-6: newer ones are here")


def take_in(state: State, data: bytes, seen: Reading, machine: list[Factor]) -> None:
    """Whether a license is imported: answer-1 to answer-4."""
    file = frame.parse(data, LICENSE, state.trust.vendor)
    state = take_up(state, file)
    license = licenses.verify_even_revoked(file, state.trust)
    licenses.check_unrevoked(license, state.trust, revocations_that_count(state))
    body = license.body
    may_be_held(state, body, _known(state))
    slot = state.slots.get((body.product, body.slot))
    if any(data == held.license for each in state.slots.values() for held in (each.installed, each.next) if held):
        return
    sent = next((sent for sent in state.requests if sent.hash == body.request_hash), None)
    if sent is None:
        raise Refused("wrong-request", "answer-1: it answers no request of the last ones")
    if (sent.request, sent.number, sent.product, sent.slot) != (body.request, body.number, body.product, body.slot):
        raise Refused("wrong-request", "answer-1: hash and id name different requests")
    if slot is not None:
        if body.number < slot.floor:
            raise Refused("replayed", "answer-2: an answer from before a deactivation")
        if (body.number, body.answer) <= slot.highest:
            raise Refused("superseded", "answer-3: a later answer was accepted")
    for each in license.delegations:
        delegation.check_issuer(each)  # delegation-3
    risen = clock.observe(replace(state, mark=max(state.mark, body.issued)), seen)
    try:
        _judge_license(risen, body, seen.clock, machine, None)  # answer-4
    except Refused as refusal:
        if refusal.word != "not-yet-valid":
            raise


def take_time(state: State, data: bytes) -> None:
    """time-4 to time-6, of a time that obeys the rules before."""
    file = frame.parse(data, TIME, state.trust.vendor)
    state = take_up(state, file)
    body = times.verify_frame(file, state.trust)
    if body.install_key != state.install_key:
        raise Refused("wrong-machine", "time-4: it is for another installation")
    if state.anchored and state.anchored.hash == sha256(data):
        return
    sent = next((sent for sent in state.requests if sent.hash == body.request_hash), None)
    if sent is None or (sent.request, sent.number) != (body.request, body.number):
        raise Refused("wrong-request", "time-5: it answers no request of the last ones")
    if state.anchored and body.number <= state.anchored.number:
        raise Refused("superseded", "time-6: that request, or a later one, was answered")


def judge(state: State, seen: Reading, machine: list[Factor], name: SlotName) -> None:
    """judgement-1 to judgement-7 for the license that counts in a slot."""
    state = clock.observe(state, seen)
    slot = state.slots.get(name)
    if slot is None or not (slot.installed or slot.next or slot.receipt):
        raise Refused("not-activated", "judgement-1: the slot holds no license")
    if not (slot.installed or slot.next):
        raise Refused("deactivated", "judgement-6: the slot was deactivated")
    listed = revocations_that_count(state)
    license = None
    if slot.next is not None:
        license = _next_that_counts(state, slot, listed, seen.clock)
    if license is None:
        assert slot.installed is not None
        license = _verify(state, slot.installed, name)
    try:
        licenses.check_unrevoked(license, state.trust, listed)
    except Refused:
        if not _is_tolerated(state, license.body, slot, seen.clock):
            raise  # judgement-7
    _judge_license(state, license.body, seen.clock, machine, slot.matched)


def _is_tolerated(state: State, body: LicenseBody, slot: Slot, now: int) -> bool:
    """Whether a license that is revoked says itself that it still counts."""
    since = state.mark if slot.revoked is None else slot.revoked
    for cause, seconds, outcome in body.grace:
        if cause == REVOKED:
            return outcome == WARN or clock.judged_at(state, now) < since + seconds
    return False


def _next_that_counts(state: State, slot: Slot, listed: RevocationsBody | None, now: int) -> License | None:
    """The next license once it takes over; None while the installed one counts."""
    assert slot.next is not None
    alone = slot.installed is None
    try:
        license = _verify(state, slot.next, slot.name)
        if not alone:
            licenses.check_unrevoked(license, state.trust, listed)
    except Refused:
        if alone:
            raise
        return None
    begun = clock.judged_at(state, now) >= dates.begins(license.body.starts)
    return license if begun or alone else None


def _verify(state: State, held: Held, name: SlotName) -> License:
    license = licenses.verify_even_revoked(frame.parse(held.license, LICENSE, state.trust.vendor), state.trust)
    may_be_held(state, license.body, {name})
    return license


def _judge_license(state: State, body: LicenseBody, now: int, machine: list[Factor], matched: int | None) -> None:
    """judgement-2 to judgement-5; `matched` is known of a license that is installed or waits."""
    if now + body.tolerance < state.mark:
        raise Refused("clock-rolled-back", "judgement-2: the clock is behind the mark")
    at = clock.judged_at(state, now)
    key = commitment_key(state.install_secret, body.request)
    try:
        licenses.check_machine(body.policy, key, [*machine, *state.pins])  # judgement-3
    except Refused:
        grace = [seconds for cause, seconds, _ in body.grace if cause == CONFLICT]
        if matched is None or not grace or at >= matched + grace[0]:
            raise
    if at < dates.begins(body.starts):
        raise Refused("not-yet-valid", "judgement-4: it has not begun")
    if body.expires is not None and at >= dates.ends(body.expires):
        raise Refused("expired", "judgement-5: it has ended")

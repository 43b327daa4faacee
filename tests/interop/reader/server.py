"""Implements `docs/judgement.md`, section "Order of answers" (with time-4 to -6 and revocations-6), and `docs/format.md`, section
"Attachments"."""

from __future__ import annotations

from dataclasses import replace

from . import clock, delegation, frame, judgement, license as licenses, quota, revocations, times
from . import trust as trusts
from .clock import Reading
from .digest import sha256
from .factor import Factor
from .frame import Frame
from .license import License
from .held import may_be_held, revocations_that_count
from .outcome import Refused
from .state import Kept, SlotName, State
from .tables import DELEGATION, LICENSE, REVOCATIONS, TIME


def _known(state: State) -> set[SlotName]:
    """Returns the slots of the state and those that were requested."""
    return set(state.slots) | {(sent.product, sent.slot) for sent in state.requests}


def take_up(state: State, file: Frame, now: int) -> State:
    """Returns the state after the attachments of a file were processed."""
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
            if state.mark:
                state = clock.rise(state, min(listed.body.issued, now))
    return state


def _issuer_of(file: Frame, state: State) -> bytes | None:
    """Returns the issuer of a delegation, or None if it does not verify."""
    try:
        return delegation.verify(file, state.trust).issuer_id
    except Refused:
        return None


def _keep(state: State, file: Frame, beside: list[Frame], listed: revocations.Revocations) -> State:
    for each in listed.delegations:
        delegation.check_issuer(each)  # delegation-4
    return replace(state, kept=Kept(file, beside, listed.body))


def take_revocations(state: State, data: bytes, now: int) -> None:
    """Checks a file of revocations, up to revocations-6."""
    file = frame.parse(data, REVOCATIONS, state.trust.vendor)
    state = take_up(state, file, now)
    listed = revocations.verify_file(file, state.trust)
    if state.kept is None or listed.body.order > state.kept.body.order:
        _keep(state, file, [], listed)
    elif listed.body != state.kept.body:
        raise Refused("superseded", "revocations-6: the state has a newer list")


def take_in(state: State, data: bytes, seen: Reading, machine: list[Factor], accepted: frozenset[str]) -> License:
    """Imports a license: checks the rules up to answer-5. `accepted` names what the operator accepts."""
    state = clock.observe(state, seen)
    file = frame.parse(data, LICENSE, state.trust.vendor)
    state = take_up(state, file, seen.clock)
    license = licenses.verify_even_revoked(file, state.trust)
    licenses.check_unrevoked(license, state.trust, revocations_that_count(state))
    body = license.body
    may_be_held(state, body, _known(state))
    slot = state.slots.get((body.product, body.slot))
    if any(data == held.license for each in state.slots.values() for held in (each.installed, each.next) if held):
        return license
    sent = next((sent for sent in state.requests if sent.hash == body.request_hash), None)
    if sent is None:
        raise Refused("wrong-request", "answer-1: it answers none of the last requests")
    if (sent.request, sent.number, sent.product, sent.slot) != (body.request, body.number, body.product, body.slot):
        raise Refused("wrong-request", "answer-1: hash and id name different requests")
    if slot is not None:
        if body.number < slot.floor:
            raise Refused("replayed", "answer-2: an answer from before a deactivation")
        if (body.number, body.answer) <= slot.highest:
            raise Refused("superseded", "answer-3: a later answer was accepted")
    for each in license.delegations:
        delegation.check_issuer(each)  # delegation-4
    risen = clock.observe(clock.rise(state, body.issued), seen)
    for refusal in judgement.faults_now(risen, body, clock.believed(risen, seen.clock), machine):  # answer-4
        if refusal.word != "not-yet-valid":
            raise refusal
    if slot is not None and "over-quota" not in accepted:
        quota.check(body, slot.usage)  # answer-5
    return license


def take_time(state: State, data: bytes, now: int) -> None:
    """Checks a timestamp, up to time-6."""
    file = frame.parse(data, TIME, state.trust.vendor)
    state = take_up(state, file, now)
    body = times.verify_frame(file, state.trust)
    if body.install_key != state.install_key:
        raise Refused("wrong-machine", "time-4: it is for another installation")
    if state.anchored and state.anchored.hash == sha256(data):
        return
    sent = next((sent for sent in state.requests if sent.hash == body.request_hash), None)
    if sent is None or (sent.request, sent.number) != (body.request, body.number):
        raise Refused("wrong-request", "time-5: it answers none of the last requests")
    if state.anchored and body.number <= state.anchored.number:
        raise Refused("superseded", "time-6: that request, or a later one, was answered")
    for each in delegation.read_signers(file, state.trust):
        delegation.check_issuer(each)  # delegation-4

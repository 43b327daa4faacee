"""Implements `docs/format.md`, section "Time" (time-1 to time-3): a vendor's timestamp for one server."""

from __future__ import annotations

from dataclasses import dataclass

from .delegation import is_in_time, read_signers
from .frame import Frame
from .outcome import Refused
from .tables import ACT_TIME
from .trust import Trust
from .wire import Body, Extension, refuse_critical


@dataclass(slots=True, frozen=True)
class TimeBody:
    request: bytes
    request_hash: bytes
    number: int
    install_key: bytes
    time: int
    extensions: list[Extension]


def read_body(data: bytes) -> TimeBody:
    body = Body(data)
    time = TimeBody(body.raw16(), body.raw32(), body.u64(), body.raw32(), body.u64(), body.extensions())
    body.finish("body-10")
    return time


def verify_frame(frame: Frame, trust: Trust) -> TimeBody:
    """Checks the rules after frame-15."""
    delegations = read_signers(frame, trust)
    body = read_body(frame.body)  # time-1
    refuse_critical(body.extensions)
    for each in delegations:
        if ACT_TIME not in each.acts or not is_in_time(each, body.time):
            raise Refused("not-delegated", "time-2: the issuer may not sign times, or not at this instant")
    if any(signer in trust.revoked for signer in frame.signers):
        raise Refused("revoked", "time-3: a signer was revoked")
    return body

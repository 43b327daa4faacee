"""What a server remembers of time: section "Clock"."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from .state import Pending, State

FAR = 34_560_000
CONFIRMED = 604_800


class Reading(NamedTuple):
    clock: int
    boot: str
    uptime: int


def is_far(clock: int, mark: int) -> bool:
    return clock - mark > FAR


def observe(state: State, seen: Reading) -> State:
    mark, pending = state.mark, state.pending
    if mark == 0:
        return state
    if pending and is_far(seen.clock, mark) and _confirms(seen, pending):
        mark, pending = min(pending.clock, seen.clock), None
    if not is_far(seen.clock, mark):
        return replace(state, mark=max(mark, seen.clock), pending=None)
    if pending is None:
        pending = Pending(*seen)
    return replace(state, mark=mark, pending=pending._replace(clock=min(pending.clock, seen.clock)))


def _confirms(seen: Reading, pending: Pending) -> bool:
    if seen.boot and pending.boot:
        if seen.boot != pending.boot or seen.uptime - pending.uptime >= CONFIRMED:
            return True
    return seen.clock - pending.clock >= CONFIRMED


def judged_at(state: State, clock: int) -> int:
    if state.pending and is_far(clock, state.mark):
        return state.mark
    return max(clock, state.mark)

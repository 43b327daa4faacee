"""Implements `docs/judgement.md`, section "Clock": a server's memory of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from . import overuse
from .state import Noted, Pending, Spent, State

FAR = 34_560_000
UPTIME = 604_800
BY_ITSELF = 2_592_000


class Reading(NamedTuple):
    clock: int
    boot: str
    uptime: int


def is_far(state: State, clock: int) -> bool:
    return state.mark != 0 and clock - state.mark > FAR


def believed(state: State, clock: int) -> int:
    return state.mark if is_far(state, clock) else clock


def observe(state: State, seen: Reading) -> State:
    if state.mark == 0:
        return state
    if is_far(state, seen.clock) and state.pending and _confirms(seen, state.pending):
        state = _confirm(state, seen.clock, state.mark)
    if not is_far(state, seen.clock):
        state = replace(_rise_to(state, seen.clock), pending=None)
        state = _change_notes(state, lambda noted: noted._replace(far=None))
        return _change_spent(state, lambda spent: overuse.forget_far(spent, state.mark))
    state = replace(state, pending=_claim(state.pending, seen))
    return _change_notes(state, lambda noted: noted._replace(far=noted.far and min(noted.far, seen.clock)))


def rise(state: State, to: int) -> State:
    """Raises the mark to an instant that has certainly passed."""
    before = state.mark
    state = _rise_to(state, to)
    if state.pending and not is_far(state, state.pending.earliest):
        return _confirm(state, to, before)
    return state


def _rise_to(state: State, to: int) -> State:
    mark = max(state.mark, to)
    jump = mark - state.mark - overuse.DAY
    return _change_spent(replace(state, mark=mark), lambda spent: overuse.jump(spent, jump, mark))


def judged_at(state: State, clock: int) -> int:
    return max(clock, state.mark)


def since(noted: Noted, state: State, clock: int) -> int:
    return _by(noted, clock, state.mark) if is_far(state, clock) else noted.mark


def _by(noted: Noted, clock: int, mark: int) -> int:
    """Returns the noted instant, measured by a far clock. Time that passed by the mark has passed by that clock too."""
    if noted.far is None:
        return noted.mark
    return min(noted.far, max(clock - max(mark - noted.mark, 0), 0))


def _claim(pending: Pending | None, seen: Reading) -> Pending:
    if pending is None:
        return Pending(seen.clock, seen.clock, seen.boot, seen.uptime)
    earliest, latest = min(pending.earliest, seen.clock), max(pending.latest, seen.clock)
    if pending.boot == seen.boot:
        return pending._replace(earliest=earliest, latest=latest)
    return Pending(earliest, latest, seen.boot, seen.uptime)


def _confirms(seen: Reading, pending: Pending) -> bool:
    if not seen.boot:
        return seen.clock - pending.earliest >= BY_ITSELF
    if seen.boot == pending.boot:
        return pending.uptime > 0 and seen.uptime - pending.uptime >= UPTIME
    return bool(pending.boot) and seen.uptime > 0 and seen.clock - seen.uptime >= pending.latest


def _confirm(state: State, clock: int, before: int) -> State:
    assert state.pending is not None
    state = replace(state, mark=max(state.mark, state.pending.earliest), pending=None)
    state = replace(state, mark=max(state.mark, believed(state, clock)))
    state = _change_notes(state, lambda noted: Noted(_by(noted, state.mark, before), None))
    return _change_spent(state, lambda spent: overuse.confirm(spent, state.mark))


def _change_notes(state: State, change: Callable[[Noted], Noted]) -> State:
    """Changes the noted instants. Then limits all instants of the slots to the mark."""

    def changed(noted: Noted | None) -> Noted | None:
        if noted is None:
            return None
        noted = change(noted)
        return noted._replace(mark=min(noted.mark, state.mark))

    def limited(spent: Spent) -> Spent:
        first, solved = min(spent.first, state.mark), min(spent.solved, state.mark)
        return spent._replace(since=changed(spent.since), first=first, solved=solved)

    slots = {
        name: slot._replace(matched=min(slot.matched, state.mark), revoked=changed(slot.revoked))
        for name, slot in state.slots.items()
    }
    return _change_spent(replace(state, slots=slots), limited)


def _change_spent(state: State, change: Callable[[Spent], Spent]) -> State:
    slots = {
        name: slot._replace(over=slot.over._replace(spent=[change(spent) for spent in slot.over.spent]))
        for name, slot in state.slots.items()
    }
    return replace(state, slots=slots)

"""Implements `docs/judgement.md`, section "Over the quota": time during which usage exceeded the quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import dates, quota
from .outcome import Refused
from .state import Noted, Overuse, Slot, Spent
from .tables import OVER_QUOTA, UPGRADED
from .wire import ANY

if TYPE_CHECKING:
    from .license import LicenseBody

WEEK, DAY, HOUR = 604_800, 86_400, 3_600


def cause_of(body: LicenseBody) -> int:
    rules = {rule.cause for rule in body.grace}
    return UPGRADED if UPGRADED in rules and OVER_QUOTA not in rules else OVER_QUOTA


def started(slot: Slot, installed: LicenseBody | None, body: LicenseBody, mark: int) -> Overuse:
    """Returns the record after `body`, which is in effect, has taken over at its start."""
    over = slot.over
    if over.license == body.license:
        return over
    began = [min(each.since.mark + each.seconds, quota.MOST) for each in over.spent if each.since]
    at = min(max([dates.begins(body.starts), *began]), mark)
    cause = cause_of(body)
    changes = installed is not None and cause_of(installed) != cause and _grants_more(body, installed)
    if changes or not _exceeds(body, over.most):
        over = over._replace(most={}, spent=[])
    over = over._replace(license=body.license, spent=[_end(spent, at) for spent in over.spent])
    return _hold(over, body, slot.usage, at)


def confirm(spent: Spent, mark: int) -> Spent:
    eased = None if spent.eased is None else min(spent.eased, mark)
    return spent._replace(seconds=min(spent.seconds + spent.far, quota.MOST), far=0, solved=mark, eased=eased)


def jump(spent: Spent, seconds: int, mark: int) -> Spent:
    """Excludes `seconds`, by which the mark jumped beyond one day, from the time within the quota."""
    if seconds <= 0 or spent.since is not None:
        return spent
    return spent._replace(solved=min(spent.solved + seconds, mark))


def forget_far(spent: Spent, mark: int) -> Spent:
    eased = None if spent.eased is None or spent.eased > mark else spent.eased
    return spent._replace(far=0, eased=eased)


def _hold(over: Overuse, body: LicenseBody, usage: quota.Usage, at: int) -> Overuse:
    """Updates a record whose open periods `_end` has closed."""
    spent, most, cause = over.spent, over.most, cause_of(body)
    if _exceeds(body, usage):
        length = next((rule.seconds for rule in body.grace if rule.cause == cause), 0)
        spent = [each for each in spent if each.cause != cause or at - each.solved < max(WEEK, length)]
        most = most if spent else {}
        if all(each.cause != cause for each in spent):
            spent = [*spent, Spent(cause, at, None, at, 0, 0, None)]
        spent = [_begin(each, length, at) if each.cause == cause else each for each in spent]
    return over._replace(most=_most(most, usage) if spent else {}, spent=spent)


def _most(before: quota.Usage, now: quota.Usage) -> quota.Usage:
    most = {module: max(before.get(module, 0), now.get(module, 0)) for module in [*before, *now]}
    return dict([(module, count) for module, count in most.items() if count][:4096])


def _begin(spent: Spent, length: int, at: int) -> Spent:
    """Starts a period at the mark. The record must not note a far clock."""
    enough = max(length - HOUR, 0)
    if spent.seconds + spent.far > enough and (spent.eased is None or at - spent.eased >= DAY):
        seconds = min(spent.seconds, enough)
        spent = spent._replace(seconds=seconds, far=min(spent.far, enough - seconds), eased=at)
    return spent._replace(since=Noted(max(at - spent.seconds, 0), None))


def _end(spent: Spent, at: int) -> Spent:
    if spent.since is None:
        return spent
    return spent._replace(since=None, seconds=max(at - spent.since.mark, 0), far=0, solved=at)


def _exceeds(body: LicenseBody, usage: quota.Usage) -> bool:
    try:
        quota.check(body, usage)
    except Refused:
        return True
    return False


def _grants_more(new: LicenseBody, old: LicenseBody) -> bool:
    def quota_of(body: LicenseBody, module: str) -> float:
        grant = quota.grant_of(body, module)
        if grant is None:
            return 0
        return float("inf") if grant.quota is ANY else grant.quota

    modules = {grant.module for body in (old, new) for grant in body.grants}
    pairs = [(quota_of(new, module), quota_of(old, module)) for module in modules]
    return all(new >= old for new, old in pairs) and any(new > old for new, old in pairs)

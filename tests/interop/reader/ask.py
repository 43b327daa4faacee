"""Implements `docs/judgement.md`, section "Questions": what a product asks before it acts."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import quota
from .judgement import Judgement
from .license import Grant, LicenseBody
from .outcome import Refused
from .wire import ANY

NUMBERS = 8


class Question(NamedTuple):
    operation: str
    adds: list[tuple[str, int]] = []
    account: list[tuple[str, int]] = []
    version: str = ""
    release: int | None = None  # its release day


def ask(judgement: Judgement, question: Question) -> None:
    _check_blocked(judgement, question.operation)
    body = judgement.body
    if body is None:
        return
    for module, _ in question.adds:
        _check_added(body, judgement.usage, module, question)
    for module, count in question.account:
        grant = quota.grant_of(body, module)
        if grant and _is_above(count, grant.account_cap):
            raise Refused("quota-exceeded", f"question-6: too many of {module!r} for one account")
    if question.release is not None and body.maintenance is not None and question.release > body.maintenance:
        raise Refused("maintenance-ended", "question-7: the release came out after maintenance ended")


def _check_blocked(judgement: Judgement, operation: str) -> None:
    """Checks question-1 and question-2."""
    for broken in judgement.broken:
        if operation not in broken.left:
            raise broken.refusal
    if judgement.body is not None and operation not in judgement.body.known():
        raise Refused("not-entitled", f"question-2: the license knows no operation {operation!r}")


def _check_added(body: LicenseBody, usage: quota.Usage, module: str, question: Question) -> None:
    grant = quota.grant_of(body, module)
    if grant is None:
        if quota.is_included(body, module):
            return
        raise Refused("not-entitled", f"question-3: {module!r} is not granted")
    if is_before(question.version, grant.minimum_version):
        raise Refused("not-entitled", f"question-4: {module!r} is granted only to later releases")
    added = _added_with(body, grant, question)
    if added and not quota.fits(body, grant, quota.total([quota.used(body, grant, usage), added])):
        raise Refused("quota-exceeded", f"question-5: {module!r} would exceed its quota")


def _added_with(body: LicenseBody, grant: Grant, question: Question) -> int:
    """Returns what the question adds to all modules that share a quota with this grant."""
    shared = {each.module for each in quota.sharing(body, grant)}
    return quota.total(count for module, count in question.adds if module in shared)


def is_before(version: str, minimum: str) -> bool:
    return bool(version) and bool(minimum) and _numbers(version) < _numbers(minimum)


def _numbers(version: str) -> list[int]:
    runs = [min(int(run), quota.MOST) for run in re.findall("[0-9]+", version)[:NUMBERS]]
    return runs + [0] * (NUMBERS - len(runs))


def check_limit(judgement: Judgement, operation: str, module: str, uses: int, limit: int) -> None:
    """Checks question-1, question-2, question-8 and question-9."""
    _check_blocked(judgement, operation)
    grant = quota.grant_of(judgement.body, module) if judgement.body else None
    if grant is None:
        raise Refused("not-entitled", f"question-8: {module!r} is not granted")
    if not quota.fits(judgement.body, grant, limit) or _is_above(limit, grant.admin_cap) or limit < uses:
        raise Refused("quota-exceeded", f"question-9: this limit is not allowed for {module!r}")


def _is_above(count: int, cap: object) -> bool:
    return cap is not ANY and count > cap

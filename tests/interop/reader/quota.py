"""Implements `docs/format.md`, section "Quotas": how much of each module is granted and in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .outcome import Refused
from .wire import ANY

if TYPE_CHECKING:
    from .license import Grant, LicenseBody

MOST = 2**64 - 1

Usage = dict[str, int]


def grant_of(body: LicenseBody, module: str) -> Grant | None:
    return next((grant for grant in body.grants if grant.module == module), None)


def sharing(body: LicenseBody, grant: Grant) -> list[Grant]:
    """Returns the grants that share a quota with this one."""
    return [each for each in body.grants if each.pool == grant.pool] if grant.pool else [grant]


def granted(body: LicenseBody, grant: Grant) -> Any:
    """Returns the total quota: a number, or ANY."""
    quotas = [each.quota for each in sharing(body, grant)]
    return ANY if ANY in quotas else total(quotas)


def used(body: LicenseBody, grant: Grant, usage: Usage) -> int:
    """Returns the usage of the modules in the grant's pool, or of its own module without a pool."""
    return total(usage.get(each.module, 0) for each in sharing(body, grant))


def total(numbers: Any) -> int:
    return min(sum(numbers), MOST)


def is_included(body: LicenseBody, module: str) -> bool:
    return any(grant.quota != 0 and module in grant.includes for grant in body.grants)


def fits(body: LicenseBody, grant: Grant, count: int) -> bool:
    """Whether `count` is within the total quota."""
    most = granted(body, grant)
    return most is ANY or count <= most


def check(body: LicenseBody, usage: Usage) -> None:
    """Checks judgement-8 and answer-5."""
    for module, count in usage.items():
        grant = grant_of(body, module)
        if count == 0 or (grant is None and is_included(body, module)):
            continue
        if grant is None or not fits(body, grant, used(body, grant, usage)):
            raise Refused("quota-exceeded", f"more of {module!r} is in use than granted")

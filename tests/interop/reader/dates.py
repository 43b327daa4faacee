"""Implements `docs/format.md`, section "Days and instants"; their spelling is that of `docs/reports.md`."""

from __future__ import annotations

import datetime

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def begins(day: int) -> int:
    return max(0, 86_400 * day - 50_400)


def ends(day: int) -> int:
    return 86_400 * (day + 1) + 43_200


def instant_text(instant: int) -> str:
    if instant > 253_402_300_799:
        return f"second {instant}"
    return (_EPOCH + datetime.timedelta(seconds=instant)).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_text(day: int) -> str:
    if day > 2_932_896:
        return f"day {day}"
    return (_EPOCH + datetime.timedelta(days=day)).strftime("%Y-%m-%d")

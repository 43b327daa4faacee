"""Implements `docs/format.md`, section "Days and instants"; their spelling is that of `docs/reports.md`."""

from __future__ import annotations

import datetime
import re

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z")


def begins(day: int) -> int:
    return max(0, 86_400 * day - 50_400)


def ends(day: int) -> int:
    return 86_400 * (day + 1) + 43_200


def parse_instant(text: str) -> int:
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"not an instant: {text}")
    year, month, day, hour, minute, second = map(int, match.groups())
    at = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc)
    return int((at - _EPOCH).total_seconds())


def parse_day(text: str) -> int:
    return (datetime.date.fromisoformat(text) - _EPOCH.date()).days


def instant_text(instant: int) -> str:
    if instant > 253_402_300_799:
        return f"second {instant}"
    return (_EPOCH + datetime.timedelta(seconds=instant)).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_text(day: int) -> str:
    if day > 2_932_896:
        return f"day {day}"
    return (_EPOCH + datetime.timedelta(days=day)).strftime("%Y-%m-%d")

"""Implements `docs/format.md`, sections "Bodies" and "Extensions", and the fixed-width fields of "Conventions"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from .outcome import Refused, malformed
from .tables import MAX_ARTEFACT

T = TypeVar("T")
WORD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class _Any:
    """The value *any* of a limit."""

    def __repr__(self) -> str:
        return "any"


ANY = _Any()

# The widths of a varint by its first byte, and the least value that needs it (body-2).
_WIDE = {0xFB: (2, 251), 0xFC: (4, 0x1_0000), 0xFD: (8, 0x1_0000_0000)}


class Cursor:
    """Reads an artefact from left to right. No field extends beyond the end (frame-6, body-9)."""

    __slots__ = ("data", "at", "end")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at
        self.end = len(data)

    def raw(self, size: int) -> bytes:
        start = self.at
        stop = start + size
        if stop > self.end:
            raise malformed("frame-6, body-9: a field runs past the end")
        self.at = stop
        return self.data[start:stop]

    def byte(self) -> int:
        at = self.at
        if at >= self.end:
            raise malformed("frame-6, body-9: a field runs past the end")
        self.at = at + 1
        return self.data[at]

    def fixed32(self) -> int:
        return int.from_bytes(self.raw(4), "little")

    def finish(self, rule: str) -> None:
        if self.at != self.end:
            raise malformed(f"{rule}: something follows the last field")


class Body(Cursor):
    """Reads a body. Every value has exactly one encoding."""

    __slots__ = ()

    def __init__(self, data: bytes, cap: int = MAX_ARTEFACT) -> None:
        if len(data) > cap:
            raise malformed("body-1: the body is too long")
        super().__init__(data)

    def u64(self) -> int:
        first = self.byte()
        if first <= 250:
            return first
        wide = _WIDE.get(first)
        if wide is None:
            raise malformed("body-2: fe and ff begin no number")
        value = int.from_bytes(self.raw(wide[0]), "little")
        if value < wide[1]:
            raise malformed("body-2: a number is not in its shortest form")
        return value

    def u32(self) -> int:
        value = self.u64()
        if value > 0xFFFF_FFFF:
            raise malformed("body-3: a number does not fit its field")
        return value

    def u16(self) -> int:
        value = self.u64()
        if value > 0xFFFF:
            raise malformed("body-3: a number does not fit its field")
        return value

    def boolean(self) -> bool:
        value = self.byte()
        if value > 1:
            raise malformed("body-4: a bool or tag is 0 or 1")
        return value == 1

    def raw16(self) -> bytes:
        return self.raw(16)

    def raw32(self) -> bytes:
        return self.raw(32)

    def count(self, cap: int) -> int:
        value = self.u64()
        if value > cap:
            raise malformed("body-6: a length or count is above its cap")
        return value

    def blob(self, cap: int) -> bytes:
        return self.raw(self.count(cap))

    def text(self, cap: int = 256) -> str:
        try:
            return self.raw(self.count(cap)).decode("utf-8")
        except UnicodeDecodeError:
            raise malformed("body-5: a text is not UTF-8") from None

    def word(self) -> str:
        text = self.text(32)
        if not text or not set(text) <= WORD:
            raise malformed("body-11: a word is 1 to 32 of a to z, 0 to 9 and -")
        return text

    def table(self, table: dict[int, str]) -> int:
        value = self.u16()
        if value not in table:
            raise malformed("body-8: a number is not in its table")
        return value

    def list_of(self, read: Callable[[], T], cap: int = 64) -> list[T]:
        return [read() for _ in range(self.count(cap))]

    def set_of(self, read: Callable[[], T], key: Callable[[T], Any] | None = None, cap: int = 64) -> list[T]:
        entries: list[T] = []
        before: Any = None
        for _ in range(self.count(cap)):
            entry = read()
            this = key(entry) if key else entry
            if before is not None and not before < this:
                raise malformed("body-7: the keys of a set do not ascend")
            before = this
            entries.append(entry)
        return entries

    def option(self, read: Callable[[], T]) -> T | None:
        return read() if self.boolean() else None

    def limit(self, read: Callable[[], T]) -> T | _Any:
        return ANY if self.boolean() else read()

    def extensions(self) -> list[Extension]:
        return self.set_of(self._extension, _number)

    def _extension(self) -> Extension:
        return Extension(self.u16(), self.boolean(), self.blob(4096))


class Extension(NamedTuple):
    number: int
    critical: bool
    content: bytes


def _number(extension: Extension) -> int:
    return extension.number


def refuse_critical(extensions: list[Extension]) -> None:
    """Checks extension-1: this version knows no extension."""
    if any(extension.critical for extension in extensions):
        raise Refused("unknown-version", "extension-1: a critical extension that is not known")


class Writer:
    """Writes a body."""

    def __init__(self) -> None:
        self.out = bytearray()

    def number(self, value: int) -> None:
        if value <= 250:
            self.out.append(value)
            return
        for first, size in ((0xFB, 2), (0xFC, 4), (0xFD, 8)):
            if value < 1 << (8 * size):
                self.out.append(first)
                self.out += value.to_bytes(size, "little")
                return
        raise ValueError("a number does not fit 64 bits")

    def raw(self, value: bytes) -> None:
        self.out += value

    def text(self, value: str) -> None:
        spelled = value.encode("utf-8")
        self.number(len(spelled))
        self.out += spelled

    def list_of(self, values: list[T], write: Callable[[T], None]) -> None:
        self.number(len(values))
        for value in values:
            write(value)

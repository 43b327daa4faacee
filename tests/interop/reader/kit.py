"""Reads the test kit in `fixtures/`: the index, the keys and the machines, and the files that they name."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from . import hpke, trust as trusts
from .clock import Reading
from .factor import Factor
from .request import SealingKey
from .tables import CLASSES, FACTORS
from .vendor import Vendor

Entry = dict[str, Any]

_KIND_OF_FACTOR = {name: kind for kind, name in FACTORS.items()}
_CLASS = {name: number for number, name in CLASSES.items()}


class Machine(NamedTuple):
    boot: str
    uptime: int
    factors: list[Factor]

    def at(self, clock: int) -> Reading:
        return Reading(clock, self.boot, self.uptime)


class Kit:
    """The fixtures in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[str, Entry] = {entry["name"]: entry for entry in self._list("index.json", "fixtures")}
        self.file = lru_cache(maxsize=256)(self._file)

    def entries(self) -> Iterable[Entry]:
        """Returns the fixtures, except grants and catalogs, which only the vendor's tool reads."""
        return (entry for entry in self._entries.values() if entry["reader"] != "tool")

    def _file(self, name: str) -> bytes:
        entry = self._entries[name]
        return decode(entry, (self._folder / entry["file"]).read_bytes())

    def _list(self, file: str, name: str) -> list[Entry]:
        return json.loads((self._folder / file).read_text("utf-8"))[name]

    @cached_property
    def machines(self) -> dict[str, Machine]:
        return {entry["name"]: _machine(entry) for entry in self._list("machines.json", "machines")}

    @cached_property
    def keys(self) -> list[Entry]:
        return self._list("keys.json", "keys")

    @cached_property
    def installations(self) -> list[Entry]:
        return self._list("keys.json", "installations")

    @cached_property
    def vendor(self) -> Vendor:
        """Returns the first vendor, whose keys and trust every question may use."""
        vendor = self._list("keys.json", "vendors")[0]
        keys = [key for key in self.keys if key.get("vendor") == vendor["name"] and key["role"] == "sealing"]
        sealing = {bytes.fromhex(key["key_id"]): _sealing(key) for key in keys}
        return Vendor(trusts.pin(self.file(vendor["trust"])), sealing)


def decode(entry: Entry, file: bytes) -> bytes:
    """Returns the artefact in a fixture's file."""
    _, text = file.split(b"\n\n", 1)
    if entry["encoding"] == "armor":
        text = base64.b64decode(b"".join(text.splitlines()[1:-1]))
    elif entry["encoding"] == "hex":
        text = bytes.fromhex(text.decode("ascii"))
    for fill in entry.get("fills", []):
        run = bytes((fill["byte"],)) * fill["count"]
        text = text[: fill["at"]] + run + text[fill["at"] :]
    return text


def _machine(entry: Entry) -> Machine:
    factors = [
        Factor(_KIND_OF_FACTOR[each["kind"]], _CLASS[each["class"]], each["name"], each["value"], each["ignored"])
        for each in entry["factors"]
    ]
    return Machine(entry["boot"], entry["uptime"], factors)


def _sealing(key: Entry) -> SealingKey:
    return SealingKey(hpke.derive_key_pair(bytes.fromhex(key["seed"])), bytes.fromhex(key["public_key"]))

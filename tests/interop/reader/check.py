"""Answers every question of the test kit, and compares word, rules and report with its index."""

from __future__ import annotations

from typing import Any

from . import armor
from .digest import key_id, sha256
from .keyfile import public_of
from .kit import Entry, Kit
from .question import Asker
from .report import inspect
from .state import signing_seed
from .tables import ROLES


def differences(kit: Kit) -> tuple[int, list[str]]:
    """Returns the number of fixtures, and a line for each difference."""
    asker, count, differ = Asker(kit), 0, _keys(kit)
    for entry in kit.entries():
        count += 1
        differ += [f"{entry['name']}: {found}" for found in _compare(asker, kit, entry)]
    return count, differ


def _keys(kit: Kit) -> list[str]:
    """Returns a line for each key of `keys.json` that its seed or install secret does not yield."""
    derived = [(key, key["role"], bytes.fromhex(key["seed"]), key["key_id"]) for key in kit.keys if "seed" in key]
    for each in kit.installations:
        seed = signing_seed(bytes.fromhex(each["secret"]))
        derived.append((each, "install", seed, each["install_id"]))
    differ = []
    for key, name, seed, named in derived:
        role = next(role for role, word in ROLES.items() if word == name)
        public = public_of(role, seed)
        if (public.hex(), key_id(role, public).hex()) != (key["public_key"], named):
            differ.append(f"keys.json: {key['name']} ({name}) is another key")
    return differ


def _compare(asker: Asker, kit: Kit, entry: Entry) -> list[str]:
    file = kit.file(entry["name"])
    if (len(file), sha256(file).hex()) != (entry["length"], entry["sha256"]):
        return ["it decodes to other bytes"]
    differ = []
    said = asker.ask(entry["artefact"], entry["question"], file)
    if said["answer"] != entry["expect"]:
        differ.append(f"{said}, expected {entry['expect']}")
    # A field that ends early breaks a rule of frames and one of bodies; either may be named.
    elif said.get("rules") and not set(said["rules"]) & set(entry["rules"]):
        differ.append(f"{said}, expected {entry['rules']}")
    found = _report(kit, file, entry)
    differ += [f"report: {name} is {found.get(name)}, expected {value}"
               for name, value in entry.get("report", {}).items() if found.get(name) != value]  # fmt: skip
    return differ


def _report(kit: Kit, file: bytes, entry: Entry) -> dict[str, Any]:
    report = inspect(file, kit.vendor)
    if entry["artefact"] == "armor" and "report" in entry:
        report["sha256"] = sha256(armor.unwrap(file, None)).hex()
    return report

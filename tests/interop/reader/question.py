"""Answers the questions of fixtures/README.md with a word of `docs/format.md`, section "Refusal words"."""

from __future__ import annotations

import base64
import re
import tomllib
from dataclasses import replace
from functools import lru_cache
from typing import Any

from . import armor, delegation, frame, keyfile, license as licenses, partial, receipt, request as requests, revocations
from . import ask, judgement, server, times
from . import trust as trusts
from . import state as states
from .clock import Reading
from .ask import Question
from .dates import parse_day, parse_instant
from .expected import Expected
from .factor import MACHINES
from .frame import Frame
from .outcome import CouldNotTell, Refused, Skipped
from .report import inspect
from .state import SlotName, State
from .tables import DELEGATION, KEY_FILE, KIND_NUMBERS, LICENSE, PARTIAL, RECEIPT, REQUEST
from .tables import REVOCATIONS, STATE, TIME, TRUST, USAGE
from .trust import Trust
from .vendor import Answered, Vendor, issue
from .wire import Cursor

_RULE = re.compile(r"\b[a-z]+-[0-9]+\b")

DEFAULT_CLOCK = "2027-11-23T09:00:00Z"

Fields = dict[str, Any]


class Asker:
    """Answers questions, with or without a vendor."""

    def __init__(self, vendor: Vendor | None) -> None:
        self.vendor = vendor

    def answer(self, fields: Fields) -> Fields:
        file = base64.b64decode(fields["file"])
        said = self._word(fields, file)
        if fields.get("report"):
            said["report"] = inspect(file, self.vendor)
        return said

    def _word(self, fields: Fields, file: bytes) -> Fields:
        """Returns the answer. For a refusal, adds the rules named at the beginning of its fact."""
        try:
            self._ask(fields, file)
        except Refused as refusal:
            return {"answer": refusal.word, "rules": _RULE.findall(refusal.fact)}
        except CouldNotTell:
            return {"answer": "unable"}
        except Skipped:
            return {"answer": "skipped"}
        return {"answer": "ok"}

    def _ask(self, fields: Fields, file: bytes) -> None:
        artefact = fields["artefact"]
        question, _, instant = fields["question"].partition(" at ")
        if artefact in ("grant", "catalog"):
            raise Skipped("not on the page")
        if question == "import":
            self._import(fields, file, instant or DEFAULT_CLOCK)
            return
        if artefact == "armor":
            if question != "read":
                raise Skipped("armor is only read")
            armor.unwrap(file, KIND_NUMBERS[fields["wanted"]] if fields.get("wanted") else None)
            return
        kind = KIND_NUMBERS[artefact]
        if kind == STATE:
            self._state(fields, file, question, instant or DEFAULT_CLOCK)
            return
        data = armor.unwrap(file, kind)
        if question == "parse":
            _parse(kind, data)
        elif question == "look" and kind == USAGE:
            frame.parse(data, kind)
        elif (kind, question) in _QUESTIONS:
            _QUESTIONS[kind, question](self, fields, data)
        else:
            raise Skipped("no question for such an artefact")

    def _state(self, fields: Fields, file: bytes, question: str, instant: str) -> None:
        copy = _file(fields, "copy")
        state = states.parse(file) if copy is None else states.read_both(file, copy)
        if question == "parse":
            return
        judged = judgement.judge(state, _seen(instant), _machine(fields), _slot_name(fields, state))
        _expected(fields).check(state, judged.license)
        verb, _, operation = question.partition(" ")
        if question == "judge":
            judged.check()
        elif verb == "ask":
            ask.ask(judged, _question(fields, operation))
        elif verb == "limit":
            ask.check_limit(judged, operation, fields["module"], int(fields["uses"]), int(fields["limit"]))
        else:
            raise Skipped("no question for a state")

    def _import(self, fields: Fields, file: bytes, instant: str) -> None:
        data = armor.unwrap_answer(file)
        home = _home(fields)
        if home is None:
            raise CouldNotTell("this home trusts nobody yet")
        found = frame.read_header(Cursor(data))
        expected = _expected(fields)
        if found == TRUST:
            trust = trusts.follow(home.trust, data)
            expected.check(replace(home, trust=trust, trusts=[*home.trusts, data]), None)
        elif found == TIME:
            server.take_time(home, data, parse_instant(instant))
        elif found == REVOCATIONS:
            server.take_revocations(home, data, parse_instant(instant))
        elif found != LICENSE:
            raise Refused("wrong-kind", "frame-5: a server imports a license, a trust, a time or revocations")
        else:
            license = server.take_in(home, data, _seen(instant), _machine(fields), frozenset(_listed(fields, "accept")))
            newer = [each.raw for each in license.frame.attachments if each.kind == TRUST and _is_newer(home, each)]
            expected.check(replace(home, trusts=[*home.trusts, *newer]), license)

    def _newest(self, fields: Fields) -> Trust | None:
        """Returns the vendor's trust, or the named one that follows it."""
        if self.vendor is None:
            return None
        if fields.get("trust") is None:
            return self.vendor.trust
        return _follow(self.vendor.trust.frame.raw, fields["trust"])

    def _verify_license(self, fields: Fields, data: bytes) -> None:
        licenses.verify(data, self._trust_for(fields, data, LICENSE))

    def _verify_delegation(self, fields: Fields, data: bytes) -> None:
        delegation.verify_file(data, self._trust_for(fields, data, DELEGATION))

    def _verify_time(self, fields: Fields, data: bytes) -> None:
        trust = self._trust_for(fields, data, TIME)
        times.verify_frame(frame.parse(data, TIME, trust.vendor), trust)

    def _verify_revocations(self, fields: Fields, data: bytes) -> None:
        trust = self._trust_for(fields, data, REVOCATIONS)
        revocations.verify_file(frame.parse(data, REVOCATIONS, trust.vendor), trust)

    def _verify_partial(self, fields: Fields, data: bytes) -> None:
        partial.verify(data, self._trust_for(fields, data, PARTIAL))

    def _read_partial(self, fields: Fields, data: bytes) -> None:
        partial.verify(data, None)

    def _verify_receipt(self, fields: Fields, data: bytes) -> None:
        trust = self._newest(fields)
        receipt.verify_frame(frame.parse(data, RECEIPT, trust.vendor if trust else None))

    def _trust_for(self, fields: Fields, data: bytes, kind: int) -> Trust:
        trust = self._newest(fields)
        if trust is None:
            frame.parse(data, kind)
            raise CouldNotTell("there is no trust at hand")
        return trust

    def _pin(self, fields: Fields, data: bytes) -> None:
        trusts.pin(data, fields.get("code"))

    def _follow(self, fields: Fields, data: bytes) -> None:
        trusts.follow(self._trust_for(fields, data, TRUST), data)

    def _open_request(self, fields: Fields, data: bytes) -> None:
        sealed = requests.parse(data)
        self._vendor().open_request(sealed, fields.get("code"))

    def _open_key(self, fields: Fields, data: bytes) -> None:
        keyfile.open_key(keyfile.parse(data), fields.get("passphrase"))

    def _issue(self, fields: Fields, data: bytes) -> None:
        sealed = requests.parse(data)
        vendor = self._vendor()
        grant = _grant(fields["grant"]) if fields.get("grant") is not None else vendor.grant
        before, answer, ended = (_file(fields, name) for name in ("after", "answer", "receipt"))
        answered = None if before is None else Answered(before, answer)
        issue(vendor, sealed, grant, answered, ended, fields.get("transfer"))

    def _vendor(self) -> Vendor:
        if self.vendor is None:
            raise CouldNotTell("there is no vendor at hand")
        return self.vendor


_QUESTIONS = {
    (LICENSE, "verify"): Asker._verify_license,
    (DELEGATION, "verify"): Asker._verify_delegation,
    (TIME, "verify"): Asker._verify_time,
    (REVOCATIONS, "verify"): Asker._verify_revocations,
    (RECEIPT, "verify"): Asker._verify_receipt,
    (PARTIAL, "verify"): Asker._verify_partial,
    (PARTIAL, "read"): Asker._read_partial,
    (TRUST, "pin"): Asker._pin,
    (TRUST, "follow"): Asker._follow,
    (REQUEST, "open"): Asker._open_request,
    (REQUEST, "issue"): Asker._issue,
    (KEY_FILE, "open"): Asker._open_key,
}


def _expected(fields: Fields) -> Expected:
    anchor = _file(fields, "anchor")
    trust = trusts.pin(armor.unwrap(anchor, TRUST)) if anchor is not None else None
    return Expected(trust, fields.get("code"))


def _parse(kind: int, data: bytes) -> None:
    if kind == REQUEST:
        requests.parse(data)
    elif kind == KEY_FILE:
        keyfile.parse(data)
    elif kind in (LICENSE, TRUST, DELEGATION):
        frame.parse(data, kind)
    else:
        raise Skipped("a kind without a form")


def _is_newer(home: State, attached: Frame) -> bool:
    return trusts.examine(attached).body.version > home.trust.body.version


def _file(fields: Fields, name: str) -> bytes | None:
    return base64.b64decode(fields[name]) if fields.get(name) is not None else None


def _seen(instant: str) -> Reading:
    """Returns the clock reading of a machine of fixtures/README.md."""
    return Reading(parse_instant(instant), "first boot", 3600)


def _machine(fields: Fields) -> list:
    return MACHINES[fields.get("machine") or "server"]


def _listed(fields: Fields, name: str) -> list[str]:
    return [entry.strip() for entry in fields.get(name, "").split(",") if entry.strip()]


def _counts(fields: Fields, name: str) -> list[tuple[str, int]]:
    """Parses a list like `OBM=5, ACB=2`, keeping its order."""
    pairs = (entry.rpartition("=") for entry in _listed(fields, name))
    return [(module, int(count)) for module, _, count in pairs]


def _question(fields: Fields, operation: str) -> Question:
    return Question(
        operation=operation,
        adds=_counts(fields, "adds"),
        account=_counts(fields, "account"),
        version=fields.get("version", ""),
        release=parse_day(fields["release"]) if fields.get("release") else None,
    )


def _slot_name(fields: Fields, state: State) -> SlotName:
    """Returns the slot to judge: the only matching one of the state, otherwise the first one of the trust."""
    product, slot = fields.get("product"), fields.get("slot")
    there = [
        each for each in state.slots.values() if product in (None, each.name[0]) and slot in (None, each.name[1])
    ]
    if len(there) > 1:
        raise CouldNotTell("the state has several slots: product and slot must be named")
    if there:
        return there[0].name
    product = product or state.trust.body.products[0].id
    sold = state.trust.product(product)
    return product, slot or (sold.slots[0] if sold else "")


@lru_cache(maxsize=64)
def _follow(first: bytes, successor: str) -> Trust:
    return trusts.succeed(trusts.chain((first,)), armor.unwrap(base64.b64decode(successor), TRUST))


@lru_cache(maxsize=16)
def _read_home(home: str) -> State | Refused | CouldNotTell:
    try:
        return states.parse(base64.b64decode(home))
    except (Refused, CouldNotTell) as outcome:
        return outcome


def _home(fields: Fields) -> State | None:
    if fields.get("home") is None:
        return None
    home = _read_home(fields["home"])
    if isinstance(home, State):
        return home
    raise home.with_traceback(None)


@lru_cache(maxsize=16)
def _grant(file: str) -> dict:
    try:
        return tomllib.loads(base64.b64decode(file).decode("utf-8"))
    except ValueError:
        raise Skipped("a grant that is no TOML") from None

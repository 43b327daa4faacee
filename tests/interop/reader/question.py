"""Answers the questions of fixtures/README.md with a word of `docs/format.md`, section "Refusal words"."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from . import armor, delegation, frame, keyfile, license as licenses, proposal as proposals, receipt, request as requests, revocations
from . import ask, judgement, server, times
from . import trust as trusts
from . import state as states
from .ask import Question
from .expected import Expected
from .frame import Frame
from .kit import Kit
from .outcome import CouldNotTell, Refused, Skipped
from .report import inspect
from .state import SlotName, State
from .tables import DELEGATION, KEY_FILE, KIND_NUMBERS, LICENSE, PROPOSAL, RECEIPT, REQUEST
from .tables import REVOCATIONS, STATE, TIME, TRUST, USAGE
from .trust import Trust
from .vendor import Answered, issue
from .wire import Cursor

_RULE = re.compile(r"\b[a-z]+-[0-9]+\b")

Fields = dict[str, Any]


class Asker:
    """Answers questions about files, with the vendor, the machines and the other files of the test kit."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.vendor = kit.vendor

    def answer(self, fields: Fields) -> Fields:
        file = base64.b64decode(fields["file"])
        said = self.ask(fields["artefact"], fields["question"], file)
        if fields.get("report"):
            said["report"] = inspect(file, self.vendor)
        return said

    def ask(self, artefact: str, question: Fields, file: bytes) -> Fields:
        """Returns the answer. For a refusal, adds the rules named at the beginning of its fact."""
        try:
            self._ask(artefact, question, file)
        except Refused as refusal:
            return {"answer": refusal.word, "rules": _RULE.findall(refusal.fact)}
        except CouldNotTell:
            return {"answer": "unable"}
        except Skipped:
            return {"answer": "skipped"}
        return {"answer": "ok"}

    def _ask(self, artefact: str, question: Fields, file: bytes) -> None:
        verb = question["verb"]
        if verb == "import":
            self._import(question, file)
            return
        if artefact == "armor":
            if verb != "read":
                raise Skipped("armor is only read")
            armor.unwrap(file, KIND_NUMBERS[question["wanted"]] if "wanted" in question else None)
            return
        kind = KIND_NUMBERS[artefact]
        if kind == STATE:
            self._state(question, file)
            return
        data = armor.unwrap(file, kind)
        if verb == "parse":
            _parse(kind, data)
        elif verb == "look" and kind == USAGE:
            frame.parse(data, kind)
        elif (kind, verb) in _QUESTIONS:
            _QUESTIONS[kind, verb](self, question, data)
        else:
            raise Skipped("no question for such an artefact")

    def _state(self, question: Fields, file: bytes) -> None:
        verb, copy = question["verb"], self._file(question, "copy")
        state = states.parse(file) if copy is None else states.read_both(file, copy)
        if verb == "parse":
            return
        machine = self.kit.machines[question["machine"]]
        clock = machine.at(question["at_seconds"])
        judged = judgement.judge(state, clock, machine.factors, _slot_name(question, state))
        self._expected(question).check(state, judged.license)
        if verb == "judge":
            judged.check()
        elif verb == "ask":
            ask.ask(judged, _question(question))
        elif verb == "limit":
            asked = (question["operation"], question["module"], question["uses"], question["limit"])
            ask.check_limit(judged, *asked)
        else:
            raise Skipped("no question for a state")

    def _import(self, question: Fields, file: bytes) -> None:
        data = armor.unwrap_answer(file)
        if "home" not in question:
            raise CouldNotTell("this home trusts no vendor yet")
        home = _read_home(self.kit.file(question["home"]))
        if not isinstance(home, State):
            raise home.with_traceback(None)
        found = frame.read_header(Cursor(data))
        expected = self._expected(question)
        machine, clock = self.kit.machines[question["machine"]], question["at_seconds"]
        if found == TRUST:
            trust = trusts.follow(home.trust, data)
            expected.check(replace(home, trust=trust, trusts=[*home.trusts, data]), None)
        elif found == TIME:
            server.take_time(home, data, clock)
        elif found == REVOCATIONS:
            server.take_revocations(home, data, clock)
        elif found != LICENSE:
            raise Refused("wrong-kind", "frame-5: a server imports a license, a trust, a time or revocations")
        else:
            accepted = frozenset([question["accept"]] if "accept" in question else [])
            license = server.take_in(home, data, machine.at(clock), machine.factors, accepted)
            newer = [each.raw for each in license.frame.attachments if each.kind == TRUST and _is_newer(home, each)]
            expected.check(replace(home, trusts=[*home.trusts, *newer]), license)

    def _file(self, question: Fields, name: str) -> bytes | None:
        """Returns the fixture that an argument names."""
        return self.kit.file(question[name]) if name in question else None

    def _expected(self, question: Fields) -> Expected:
        anchor = self._file(question, "anchor")
        trust = trusts.pin(armor.unwrap(anchor, TRUST)) if anchor is not None else None
        return Expected(trust, question.get("code"))

    def _trust(self, question: Fields) -> Trust:
        """Returns the vendor's trust, or the named one that follows it."""
        successor = self._file(question, "trust")
        return self.vendor.trust if successor is None else _follow(self.vendor.trust.frame.raw, successor)

    def _followed(self, question: Fields, data: bytes, kind: int) -> tuple[Frame, Trust]:
        """Returns the parsed file, and the newest trust after the trusts attached to the file are processed."""
        trust = self._trust(question)
        file = frame.parse(data, kind, trust.vendor)
        return file, trusts.follow_attached(trust, file)

    def _verify_license(self, question: Fields, data: bytes) -> None:
        licenses.verify_frame(*self._followed(question, data, LICENSE))

    def _verify_delegation(self, question: Fields, data: bytes) -> None:
        delegation.verify_file(data, self._trust(question))

    def _verify_time(self, question: Fields, data: bytes) -> None:
        times.verify_frame(*self._followed(question, data, TIME))

    def _verify_revocations(self, question: Fields, data: bytes) -> None:
        revocations.verify_file(*self._followed(question, data, REVOCATIONS))

    def _verify_proposal(self, question: Fields, data: bytes) -> None:
        proposals.verify(data, self._trust(question))

    def _read_proposal(self, question: Fields, data: bytes) -> None:
        proposals.verify(data, None)

    def _verify_receipt(self, question: Fields, data: bytes) -> None:
        receipt.verify_frame(frame.parse(data, RECEIPT, self._trust(question).vendor))

    def _pin(self, question: Fields, data: bytes) -> None:
        trusts.pin(data, question.get("code"))

    def _follow(self, question: Fields, data: bytes) -> None:
        trusts.follow(self._trust(question), data)

    def _open_request(self, question: Fields, data: bytes) -> None:
        self.vendor.open_request(requests.parse(data), question.get("code"))

    def _open_key(self, question: Fields, data: bytes) -> None:
        keyfile.open_key(keyfile.parse(data), question.get("passphrase"))

    def _issue(self, question: Fields, data: bytes) -> None:
        sealed = requests.parse(data)
        before, answer, ended = (self._file(question, name) for name in ("after", "answer", "receipt"))
        answered = None if before is None else Answered(before, answer)
        issue(self.vendor, sealed, question["purchase"], answered, ended, question.get("transfer"))


_QUESTIONS = {
    (LICENSE, "verify"): Asker._verify_license,
    (DELEGATION, "verify"): Asker._verify_delegation,
    (TIME, "verify"): Asker._verify_time,
    (REVOCATIONS, "verify"): Asker._verify_revocations,
    (RECEIPT, "verify"): Asker._verify_receipt,
    (PROPOSAL, "verify"): Asker._verify_proposal,
    (PROPOSAL, "read"): Asker._read_proposal,
    (TRUST, "pin"): Asker._pin,
    (TRUST, "follow"): Asker._follow,
    (REQUEST, "open"): Asker._open_request,
    (REQUEST, "issue"): Asker._issue,
    (KEY_FILE, "open"): Asker._open_key,
}


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


def _question(question: Fields) -> Question:
    return Question(
        operation=question["operation"],
        adds=_counts(question, "adds"),
        account=_counts(question, "account"),
        version=question.get("version", ""),
        release=question.get("release_days"),
    )


def _counts(question: Fields, name: str) -> list[tuple[str, int]]:
    return [(each["module"], each["count"]) for each in question.get(name, [])]


def _slot_name(question: Fields, state: State) -> SlotName:
    """Returns the slot to judge: the only matching one of the state, otherwise the first one of the trust."""
    product, slot = question.get("product"), question.get("slot")
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
def _follow(first: bytes, successor: bytes) -> Trust:
    return trusts.succeed(trusts.chain((first,)), armor.unwrap(successor, TRUST))


@lru_cache(maxsize=16)
def _read_home(home: bytes) -> State | Refused | CouldNotTell:
    try:
        return states.parse(home)
    except (Refused, CouldNotTell) as outcome:
        return outcome

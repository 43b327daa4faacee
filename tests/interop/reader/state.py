"""Implements `docs/judgement.md`, section "State" (state-1 to state-7), and `docs/format.md`, section "Install keys"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from . import ed25519, factor, revocations, trust as trusts
from .digest import pae, sha256
from .factor import Factor
from .frame import Frame, parse as parse_frame
from .hpke import hkdf
from .outcome import CouldNotTell, Refused
from .revocations import RevocationsBody
from .tables import CAUSES, DELEGATION, LISTENERS, MAGIC, MAX_ARTEFACT, MAX_STATE_BODY, PIN, REVOCATIONS, STAGES, STATE
from .trust import Trust
from .wire import Body, Cursor, Extension

MAX_STATE = 4_194_304

SlotName = tuple[str, str]


class Sent(NamedTuple):
    number: int
    request: bytes
    hash: bytes
    product: str
    slot: str
    mark: int
    found: list[Factor]


class Held(NamedTuple):
    license: bytes
    enrolled: list[Factor]


class Announced(NamedTuple):
    cause: int
    stage: int
    since: int


class Noted(NamedTuple):
    mark: int
    far: int | None


class Spent(NamedTuple):
    cause: int
    first: int
    since: Noted | None
    solved: int
    seconds: int
    far: int
    eased: int | None


class Overuse(NamedTuple):
    license: bytes
    most: dict[str, int]
    spent: list[Spent]


class Slot(NamedTuple):
    name: SlotName
    installed: Held | None
    next: Held | None
    took_over: bool
    highest: tuple[int, int]
    floor: int
    matched: int
    revoked: Noted | None
    usage: dict[str, int]
    over: Overuse
    announced: list[Announced]
    receipt: bytes | None


class Pending(NamedTuple):
    earliest: int
    latest: int
    boot: str
    uptime: int


class Anchored(NamedTuple):
    number: int
    hash: bytes


class Listed(NamedTuple):
    list: bytes
    delegations: list[bytes]


class Event(NamedTuple):
    id: bytes
    slot: SlotName
    license: bytes
    cause: int
    stage: int
    at: int
    until: int | None
    fact: str
    heard: list[int]


class Kept(NamedTuple):
    """The parsed revocations of a state."""

    frame: Frame
    delegations: list[Frame]
    body: RevocationsBody


class Asked(NamedTuple):
    licensee: str
    license_key: str
    product: str
    product_version: str
    slot: str
    pins: list[Factor]


@dataclass(frozen=True)
class State:
    install_secret: bytes
    counter: int
    trusts: list[bytes]
    number: int
    requests: list[Sent]
    slots: dict[SlotName, Slot]
    asked: Asked | None
    mark: int
    pending: Pending | None
    anchored: Anchored | None
    revocations: Listed | None
    events: list[Event]
    chain: bytes
    extensions: list[Extension]
    trust: Trust  # the last one, which is in effect
    kept: Kept | None

    @property
    def install_key(self) -> bytes:
        return ed25519.public_of(signing_seed(self.install_secret))

    @property
    def pins(self) -> list[Factor]:
        return self.asked.pins if self.asked else []


def signing_seed(install_secret: bytes) -> bytes:
    return hkdf(install_secret, pae(b"olr/v1/install-sign"))


def commitment_key(install_secret: bytes, request: bytes) -> bytes:
    return hkdf(install_secret, pae(b"olr/v1/commitment-key", request))


def damaged(fact: str) -> Refused:
    return Refused("damaged-state", fact)


def parse(data: bytes) -> State:
    """Checks state-1 to state-6."""
    if not 1 <= len(data) <= MAX_STATE:
        raise damaged("state-1: the file has a wrong size")
    if not data.startswith(MAGIC) or len(data) < 7 or data[6] != STATE:
        raise damaged("state-1: no magic, or another kind")
    if data[4:6] != b"\x06\x01":
        raise CouldNotTell("the state is of another version or suite: another program wrote it")
    try:
        cursor = Cursor(data, 7)
        install_secret = cursor.raw(32)
        body = cursor.raw(cursor.fixed32())
        digest_at = cursor.at
        digest = cursor.raw(32)
        cursor.finish("state-1")
    except Refused as refusal:
        raise damaged(f"state-1: {refusal.fact}") from None
    if digest != sha256(pae(b"olr/v1/state", data[:digest_at])):
        raise damaged("state-2: the digest does not match")
    try:
        fields = _read_body(body)
    except Refused as refusal:
        raise damaged(f"state-3: {refusal.fact}") from None
    if any(extension.critical for extension in fields["extensions"]):
        raise CouldNotTell("the state has a critical extension: a newer program wrote it")
    trust = _check_trusts(fields["trusts"])
    state = State(install_secret=install_secret, trust=trust, kept=None, **fields)
    if not all(pin.kind == PIN and pin.class_fits for pin in state.pins):
        raise damaged("state-5: a stored pin is not a pin, or has a wrong class")
    return state if state.revocations is None else replace(state, kept=_read_listed(state.revocations))


def read_both(first: bytes, second: bytes) -> State:
    """Returns the state that is in effect, of two files: state-7."""
    right: list[State] = []
    refusals: list[Refused] = []
    for file in (first, second):
        try:
            right.append(parse(file))
        except Refused as refusal:
            refusals.append(refusal)
    if not right:
        raise refusals[0]
    if len(right) == 1:
        return right[0]
    one, other = right
    if one.install_secret != other.install_secret:
        raise damaged("state-7: the two files are of different installations")
    if one.counter == other.counter and first != second:
        raise damaged("state-7: the two files differ, with the same counter")
    return max(right, key=lambda state: state.counter)


def _read_listed(listed: Listed) -> Kept:
    """Checks state-6."""
    try:
        delegations = [parse_frame(each, DELEGATION) for each in listed.delegations]
        frame = parse_frame(listed.list, REVOCATIONS)
        return Kept(frame, delegations, revocations.read_body(frame.body))
    except Refused as refusal:
        if refusal.word == "unknown-version":
            raise CouldNotTell("revocations of a newer version: a newer program wrote the state") from None
        raise damaged(f"state-6: {refusal.fact}") from None


def _check_trusts(pinned: list[bytes]) -> Trust:
    """Checks state-4."""
    if not pinned:
        raise damaged("state-4: there is no trust")
    try:
        return trusts.chain(tuple(pinned))
    except Refused as refusal:
        if refusal.word == "unknown-version":
            raise CouldNotTell("a trust of a newer version: a newer program wrote the state") from None
        raise damaged(f"state-4: {refusal.fact}") from None


def _read_body(data: bytes) -> dict:
    """Checks state-3."""
    body = Body(data, MAX_STATE_BODY)

    def sent() -> Sent:
        return Sent(
            body.u64(), body.raw16(), body.raw32(), body.text(), body.text(), body.u64(), factor.read_list(body)
        )

    def held() -> Held:
        return Held(body.blob(MAX_ARTEFACT), factor.read_list(body))

    def usage() -> dict[str, int]:
        return dict(body.set_of(lambda: (body.text(), body.u64()), lambda entry: entry[0], 4096))

    def announced() -> Announced:
        return Announced(body.table(CAUSES), body.table(STAGES), body.u64())

    def noted() -> Noted:
        return Noted(body.u64(), body.option(body.u64))

    def spent() -> Spent:
        return Spent(
            body.table(CAUSES), body.u64(), body.option(noted), body.u64(), body.u64(), body.u64(),
            body.option(body.u64),
        )  # fmt: skip

    def overuse() -> Overuse:
        return Overuse(body.raw16(), usage(), body.set_of(spent, lambda entry: entry.cause))

    def slot() -> Slot:
        name = (body.text(), body.text())
        return Slot(
            name, body.option(held), body.option(held), body.boolean(), (body.u64(), body.u32()), body.u64(), body.u64(),
            body.option(noted), usage(), overuse(),
            body.set_of(announced, lambda entry: entry.cause), body.option(lambda: body.blob(MAX_ARTEFACT)),
        )  # fmt: skip

    def pending() -> Pending:
        return Pending(body.u64(), body.u64(), body.text(), body.u64())

    def anchored() -> Anchored:
        return Anchored(body.u64(), body.raw32())

    def listed() -> Listed:
        return Listed(body.blob(MAX_ARTEFACT), body.list_of(lambda: body.blob(MAX_ARTEFACT), 16))

    def event() -> Event:
        return Event(
            body.raw16(), (body.text(), body.text()), body.raw16(), body.table(CAUSES), body.table(STAGES),
            body.u64(), body.option(body.u64), body.text(2048), body.set_of(lambda: body.table(LISTENERS)),
        )  # fmt: skip

    def asked() -> Asked:
        return Asked(body.text(), body.text(), body.text(), body.text(), body.text(), factor.read_list(body))

    fields = {
        "counter": body.u64(),
        "trusts": body.list_of(lambda: body.blob(MAX_ARTEFACT), 16),
        "number": body.u64(),
        "requests": body.list_of(sent, 16),
        "slots": {slot.name: slot for slot in body.set_of(slot, lambda entry: entry.name)},
        "asked": body.option(asked),
        "mark": body.u64(),
        "pending": body.option(pending),
        "anchored": body.option(anchored),
        "revocations": body.option(listed),
        "events": body.list_of(event),
        "chain": body.raw32(),
        "extensions": body.extensions(),
    }
    body.finish("body-10")
    return fields

"""Implements `docs/format.md`, section "Factors", and the commitments of "Machine policy"."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import NamedTuple

from .digest import pae, u16
from .tables import CLASSES, CLASSES_OF_FACTOR, COMMON, FACTORS
from .wire import Body, Writer


class Factor(NamedTuple):
    kind: int
    factor_class: int
    name: str
    value: str
    ignored: str

    @property
    def class_fits(self) -> bool:
        """Whether the class is one of the kind's classes, or common (request-11, state-5)."""
        return self.factor_class == COMMON or self.factor_class in CLASSES_OF_FACTOR[self.kind]


def read(body: Body) -> Factor:
    return Factor(body.table(FACTORS), body.table(CLASSES), body.text(), body.text(), body.text())


def read_list(body: Body) -> list[Factor]:
    return body.list_of(lambda: read(body))


def write(writer: Writer, factor: Factor) -> None:
    writer.number(factor.kind)
    writer.number(factor.factor_class)
    for text in (factor.name, factor.value, factor.ignored):
        writer.text(text)


def commitment(key: bytes, kind: int, value: str) -> bytes:
    return hmac.digest(key, pae(b"olr/v1/factor", u16(kind), value.encode("utf-8")), "sha256")


def commitments(key: bytes, found: Iterable[Factor]) -> set[bytes]:
    """Returns the commitments to all factors that can match. Common ones never do (policy-6)."""
    return {commitment(key, factor.kind, factor.value) for factor in found if factor.factor_class != COMMON}

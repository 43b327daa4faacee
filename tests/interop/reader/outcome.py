"""Implements `docs/format.md`, sections "Conventions" and "Refusal words": how a failed check ends."""

from __future__ import annotations

WORDS = (
    "malformed", "unknown-version", "wrong-kind", "wrong-vendor", "wrong-request", "undecryptable",
    "wrong-signature", "wrong-product", "wrong-slot", "wrong-licensee", "offline-not-allowed",
    "replayed", "already-activated", "untrusted-signer", "not-delegated", "revoked", "wrong-machine",
    "superseded", "damaged-state", "not-activated", "deactivated", "clock-rolled-back",
    "not-yet-valid", "expired", "not-entitled", "quota-exceeded", "maintenance-ended",
)


class Refused(Exception):
    """A broken rule. `word` is the refusal word; `fact` names rule and reason for people."""

    def __init__(self, word: str, fact: str) -> None:
        super().__init__(word, fact)
        self.word = word
        self.fact = fact


class CouldNotTell(Exception):
    """A check needs something that is not available. There is no refusal word."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


class Skipped(Exception):
    """The question depends on something that the specification does not define."""


def malformed(fact: str) -> Refused:
    return Refused("malformed", fact)

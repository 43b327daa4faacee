"""How a check ends when it does not hold: section "Conventions" and its "Refusal words"."""

from __future__ import annotations

WORDS = (
    "malformed", "unknown-version", "wrong-kind", "wrong-vendor", "wrong-request", "undecryptable",
    "wrong-signature", "wrong-product", "wrong-slot", "wrong-licensee", "offline-not-allowed",
    "replayed", "already-activated", "untrusted-signer", "not-delegated", "revoked", "wrong-machine",
    "superseded", "damaged-state", "not-activated", "deactivated", "clock-rolled-back",
    "not-yet-valid", "expired", "not-entitled", "quota-exceeded", "maintenance-ended",
)


class Refused(Exception):
    """A rule is broken; `word` is the refusal, `fact` says which rule and why, for people."""

    def __init__(self, word: str, fact: str) -> None:
        super().__init__(word, fact)
        self.word = word
        self.fact = fact


class CouldNotTell(Exception):
    """A check needs what is not at hand. No word."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


class Skipped(Exception):
    """The question needs what docs/format.md does not say."""


def malformed(fact: str) -> Refused:
    return Refused("malformed", fact)

"""Implements `docs/judgement.md`, section "Expected vendor": the vendor that a caller expects."""

from __future__ import annotations

from dataclasses import dataclass

from . import frame, license as licenses, trust as trusts
from .digest import typed_vendor_code
from .frame import Frame
from .license import License
from .outcome import Refused
from .state import State
from .tables import LICENSE, TRUST
from .trust import Trust


@dataclass(frozen=True)
class Expected:
    trust: Trust | None
    code: str | None

    def check(self, state: State, license: License | None) -> None:
        """Checks expected-1 to expected-3, of a license or of the trust in the state."""
        if self.code is not None:
            told = typed_vendor_code(self.code)
            if not any(told in trusts.examine(frame.parse(each, TRUST)).codes for each in state.trusts):
                raise Refused("wrong-vendor", "expected-1: no trust of the state has this code")
        if self.trust is None:
            return
        reached = _leads_to(self.trust, state)
        if license is not None:
            self._check_license(state, license, reached)
        elif self.trust.vendor != state.trust.vendor:
            raise Refused("wrong-vendor", "expected-3: the state trusts another vendor")
        elif reached.body != state.trust.body and not _follows(state.trust, self.trust):
            raise Refused("untrusted-signer", "expected-3: neither trust leads to the other")

    def _check_license(self, state: State, license: License, reached: Trust) -> None:
        try:
            file = frame.parse(license.frame.raw, LICENSE, reached.vendor)
            anew = licenses.verify_even_revoked(file, reached)
            news = reached.revoked
            if reached.body == state.trust.body or self._begins(state):
                news = news - state.trust.revoked
            if any(signer in news for signer in anew.frame.signers):
                raise Refused("revoked", "license-12: the expected trust revokes a signer")
        except Refused as refusal:
            raise Refused(refusal.word, f"expected-2, {refusal.fact}") from None

    def _begins(self, state: State) -> bool:
        """Whether the state begins with the vendor's first trust, whose id cannot be forged."""
        assert self.trust is not None
        first = trusts.examine(frame.parse(state.trusts[0], TRUST))
        return bool(first.body.version == 1 and state.trust.vendor == self.trust.vendor)


def _leads_to(anchor: Trust, state: State) -> Trust:
    """Returns the newest trust to which the expected one leads."""
    found: list[Trust] = []
    for each in [*state.trusts, *(each.raw for each in _attached(state))]:
        try:
            found.append(trusts.examine(frame.parse(each, TRUST)))
        except Refused:
            pass
    for each in sorted(found, key=lambda each: each.body.version):
        if _follows(anchor, each):
            anchor = each
    return anchor


def _attached(state: State) -> list[Frame]:
    held = [held for slot in state.slots.values() for held in (slot.installed, slot.next) if held]
    files: list[Frame] = []
    for each in held:
        try:
            files.append(frame.parse(each.license, LICENSE))
        except Refused:
            pass
    return [attached for file in files for attached in file.attachments if attached.kind == TRUST]


def _follows(old: Trust, new: Trust) -> bool:
    try:
        trusts.succeed(old, new.frame.raw)
    except Refused:
        return False
    return True

"""Implements license-14 to license-16, and the rules of "Revocations" for lists in a state (`docs/format.md`)."""

from __future__ import annotations

from . import frame, revocations
from .license import LicenseBody
from .outcome import CouldNotTell, Refused
from .revocations import RevocationsBody
from .state import SlotName, State


def may_be_held(state: State, body: LicenseBody, known: set[SlotName]) -> None:
    """Checks license-14 to license-16. `known` is the judged slot, or all slots that may import a license."""
    if body.product not in {product for product, _ in known}:
        raise Refused("wrong-product", "license-14: no remembered request or slot has the product")
    if (body.product, body.slot) not in known:
        raise Refused("wrong-slot", "license-15: no remembered request or slot has the slot")
    if body.install_key != state.install_key:
        raise Refused("wrong-machine", "license-16: it is for another installation")


def revocations_that_count(state: State) -> RevocationsBody | None:
    kept = state.kept
    if kept is None:
        return None
    try:
        for each in (kept.frame, *kept.delegations):
            frame.check_vendor(each, state.trust.vendor)
        if kept.delegations:
            attachments = [*kept.delegations, kept.frame]
            return revocations.verify_attached(kept.frame, attachments, state.trust).body
        return revocations.verify_file(kept.frame, state.trust).body
    except (Refused, CouldNotTell):
        return None

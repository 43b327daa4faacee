"""Implements request-13 to request-18, receipt-7 and receipt-8: whether a vendor answers a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from . import armor, frame, license as licenses, receipt as receipts, request as requests
from .digest import sha256
from .factor import Factor
from .outcome import CouldNotTell, Refused
from .request import RequestBody, Sealed, SealingKey
from .tables import COMMON, FACTORS, LICENSE, RECEIPT, REQUEST
from .trust import Trust


@dataclass(frozen=True)
class Vendor:
    trust: Trust
    sealing: dict[bytes, SealingKey]

    def open_request(self, sealed: Sealed, told: str | None = None) -> RequestBody:
        return requests.open_request(sealed, self.trust.vendor, self.sealing, told)


class Answered(NamedTuple):
    """A request in the vendor's records and the license that answered it, as files. A lost license is None."""

    request: bytes
    license: bytes | None


Purchase = dict[str, Any]


def issue(
    vendor: Vendor, sealed: Sealed, bought: Purchase, before: Answered | None, receipt: bytes | None, reason: str | None
) -> None:
    """Checks whether the vendor answers. `before` was answered earlier; a receipt or a reason lets the key move."""
    body = vendor.open_request(sealed)
    product = vendor.trust.product(body.product)
    if body.product != bought["product"] or product is None:
        raise Refused("wrong-product", "request-13: the product differs from the purchase")
    if body.slot != bought["slot"] or body.slot not in product.slots:
        raise Refused("wrong-slot", "request-14: the slot differs from the purchase")
    if body.licensee != bought["licensee"] or body.license_key != bought["key"]:
        raise Refused("wrong-licensee", "request-15: the licensee or the license key differs from the purchase")
    if not bought["offline"]:
        raise Refused("offline-not-allowed", "request-16: this type is activated online only")
    if not _can_be_met(bought, body.found):
        raise CouldNotTell("the vendor's policy cannot be met by this machine")
    if before is None:
        return
    answered = requests.parse(armor.unwrap(before.request, REQUEST))
    holder = vendor.open_request(answered)
    if holder.request == body.request and answered.raw != sealed.raw:
        raise Refused("replayed", "request-17: another request with this id was answered")
    same_key = (holder.license_key, holder.product, holder.slot) == (body.license_key, body.product, body.slot)
    if same_key and holder.install_key != body.install_key and reason is None:
        if receipt is None:
            raise Refused("already-activated", "request-18: another installation has the key")
        _check_freed(vendor, body, holder, before.license, receipt)


def _check_freed(
    vendor: Vendor, asked: RequestBody, holder: RequestBody, answer: bytes | None, receipt: bytes
) -> None:
    """Checks a receipt, up to receipt-8."""
    ended = receipts.verify_frame(frame.parse(armor.unwrap(receipt, RECEIPT), RECEIPT, vendor.trust.vendor))
    if ended.product != asked.product:
        raise Refused("wrong-product", "receipt-7: the receipt is for another product")
    if ended.slot != asked.slot:
        raise Refused("wrong-slot", "receipt-7: the receipt is for another slot")
    if ended.install_key != holder.install_key:
        raise Refused("wrong-machine", "receipt-7: the receipt is from another installation")
    if answer is None:
        raise CouldNotTell("the answer is not among the records")
    raw = armor.unwrap(answer, LICENSE)
    given = licenses.verify(raw, vendor.trust)
    if (ended.license, ended.license_hash) != (given.body.license, sha256(raw)) or ended.number <= holder.number:
        raise Refused("already-activated", "receipt-8: the receipt does not end the license that was issued")


def _can_be_met(bought: Purchase, found: list[Factor]) -> bool:
    """Whether at least two weighted factors reach the minimum of a policy: a rule of the vendor's tool, not of the
    specification."""
    weights = {(f.kind, f.value): bought["weights"].get(FACTORS[f.kind], 0) for f in found if f.factor_class != COMMON}
    weights = {factor: weight for factor, weight in weights.items() if weight > 0}
    return len(weights) >= 2 and sum(weights.values()) >= max(bought["minimum"], 1)

"""A vendor's folder, and whether it answers a request: request-12 to request-16 of section "Request"."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from . import armor, hpke, keyfile, request as requests, trust as trusts
from .factor import Factor
from .outcome import CouldNotTell, Refused, Skipped
from .request import RequestBody, Sealed, SealingKey
from .tables import COMMON, FACTORS, KEY_FILE, REQUEST, SEALING, TRUST
from .trust import Trust


@dataclass(frozen=True)
class Vendor:
    trust: Trust
    sealing: dict[bytes, SealingKey] = field(default_factory=dict)
    catalog: dict = field(default_factory=dict)
    grant: dict = field(default_factory=dict)

    def open_request(self, sealed: Sealed, told: str | None = None) -> RequestBody:
        return requests.open_request(sealed, self.trust.vendor, self.sealing, told)


def load(folder: Path) -> Vendor:
    trust = trusts.pin(armor.unwrap((folder / "vendor.trust").read_bytes(), TRUST))
    sealing: dict[bytes, SealingKey] = {}
    for path in sorted((folder / "keys").glob("*.key")):
        file = keyfile.parse(armor.unwrap(path.read_bytes(), KEY_FILE))
        if file.role == SEALING:
            try:
                private = hpke.derive_key_pair(keyfile.open_key(file, None))
            except CouldNotTell:
                continue
            sealing[file.key_id] = SealingKey(private, file.public)
    return Vendor(trust, sealing, _toml(folder / "catalog.toml"), _toml(folder / "grant.toml"))


def _toml(path: Path) -> dict:
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def issue(vendor: Vendor, sealed: Sealed, grant: dict, before: bytes | None) -> None:
    """Whether the vendor answers; `before` is a request file that was answered already."""
    body = vendor.open_request(sealed)
    try:
        bought = {name: grant[name] for name in ("licensee", "key", "product", "slot", "type")}
        offline = vendor.catalog["type"][bought["type"]]["offline"]
    except KeyError as error:
        raise Skipped(f"grant or catalog without {error}") from None
    product = vendor.trust.product(body.product)
    if body.product != bought["product"] or product is None:
        raise Refused("wrong-product", "request-12: another product was bought")
    if body.slot != bought["slot"] or body.slot not in product.slots:
        raise Refused("wrong-slot", "request-13: another slot was bought")
    if body.licensee != bought["licensee"] or body.license_key != bought["key"]:
        raise Refused("wrong-licensee", "request-14: licensee or license key is not that of the purchase")
    if not offline:
        raise Refused("offline-not-allowed", "request-15: this type is activated online only")
    if not _can_be_met(vendor.catalog["policy"]["server"], body.found):
        raise CouldNotTell("the policy of the vendor's catalog cannot be met by this machine")
    if before is not None:
        answered = requests.parse(armor.unwrap(before, REQUEST))
        if vendor.open_request(answered).request == body.request and answered.raw != sealed.raw:
            raise Refused("replayed", "request-16: another request with this id was answered")


def _can_be_met(policy: dict, found: list[Factor]) -> bool:
    """Whether two factors reach the minimum of a policy: the vendor's own rule, beyond docs/format.md."""
    weights = {
        (f.kind, f.value): policy["weights"].get(FACTORS[f.kind], 0) for f in found if f.factor_class != COMMON
    }
    weights = {factor: weight for factor, weight in weights.items() if weight > 0}
    return len(weights) >= 2 and sum(weights.values()) >= max(policy.get("minimum", 1), 1)

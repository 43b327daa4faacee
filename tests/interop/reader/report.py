"""Implements `docs/reports.md`: the description of an artefact in JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import armor, delegation, keyfile, license as licenses, proposal as proposals, receipt as receipts, request as requests
from . import revocations
from . import times, trust as trusts
from .dates import day_text, instant_text
from .delegation import DelegationBody
from .digest import code, key_id
from .factor import Factor
from .frame import Frame, check_vendor, parse, read_header
from .license import LicenseBody, Policy
from .outcome import CouldNotTell, Refused
from .request import Earlier, RequestBody
from .tables import ACTS, CAUSES, CLASSES, DELEGATION, EDITIONS, FACTORS, INSTALL, KEY_FILE, KINDS, LICENSE, MAGIC, MODELS, OUTCOMES, REQUEST
from .tables import PROPOSAL, RECEIPT, REVOCATIONS, ROLES, ROOT, SEALING, STATE, TIME, TRUST
from .trust import ModuleMaximum, SignerRule, Trust
from .vendor import Vendor
from .wire import ANY, Cursor, Extension

Report = dict[str, Any]

YES, NO, NOT_CHECKED = "yes", "no", "not checked"


def inspect(file: bytes, vendor: Vendor | None) -> Report:
    try:
        data = armor.unwrap(file, None)
        if data.startswith(MAGIC) and len(data) >= 7 and data[6] == STATE:
            raise CouldNotTell("this is the state of a server")
        kind = read_header(Cursor(data))
        report: Report = {"kind": KINDS[kind], "size": len(data)}
        if kind not in _LOOKS:
            return report | _frame(parse(data, kind)) | _unchecked(vendor, "a kind without a body here")
        return report | _LOOKS[kind](data, vendor)
    except Refused as refusal:
        return _refusal(refusal)
    except CouldNotTell as unknown:
        return _unknown(unknown.fact)


def exit_status(report: Report) -> int:
    return {"refused": 1, "unknown": 2}.get(report.get("state", ""), 0)


def _refusal(refusal: Refused) -> Report:
    return {"state": "refused", "refusal": refusal.word, "fact": refusal.fact, "hint": ""}


def _unknown(fact: str) -> Report:
    return {"state": "unknown", "fact": fact, "hint": ""}


def _unchecked(vendor: Vendor | None, fact: str) -> Report:
    """Reports that a check was not possible, with the reason if a vendor was named."""
    return {"verified": NOT_CHECKED} | ({} if vendor is None else _unknown(fact))


def _no(refusal: Refused) -> Report:
    return {"verified": NO} | _refusal(refusal)


def _yes(trust: Trust | None) -> Report:
    """Reports a verified artefact, with or without a trust."""
    return {"verified": YES, "vendor_code": None if trust is None else trust.code}


def _request(data: bytes, vendor: Vendor | None) -> Report:
    sealed = requests.parse(data)
    report: Report = {
        "vendor_id": sealed.vendor.hex(), "vendor_code": None, "recipient": sealed.recipient.hex(), "code": sealed.code,
    }  # fmt: skip
    if vendor is None:
        return report | {"verified": NOT_CHECKED}
    try:
        body = vendor.open_request(sealed)
    except Refused as refusal:
        return report | _no(refusal)
    except CouldNotTell as unknown:
        return report | _unchecked(vendor, unknown.fact)
    return report | _yes(vendor.trust) | {"request": _request_body(body)}


def _request_body(body: RequestBody) -> Report:
    key = body.license_key
    return {
        "request": body.request.hex(),
        "number": body.number,
        "earlier": _earlier(body.earlier),
        "install_id": key_id(INSTALL, body.install_key).hex(),
        "product": body.product,
        "product_version": body.product_version,
        "slot": body.slot,
        "licensee": body.licensee,
        "license_key": "…" + key[-4:] if len(key) > 8 else "****",
        "enrolled": _factors(body.enrolled),
        "found": _factors(body.found),
        "addresses": body.addresses,
        "facts": dict(body.facts),
        "clock": instant_text(body.clock),
        "boot": body.boot,
        "renews": body.renews.hex() if body.renews is not None else None,
        "used": dict(body.usage),
        "wanted": dict(body.wanted),
        "note": body.note,
        "extensions": _extensions(body.extensions),
    }


def _extensions(extensions: list[Extension]) -> list[Report]:
    return [{"number": e.number, "critical": e.critical, "bytes": e.content.hex()} for e in extensions]


def _earlier(earlier: list[Earlier]) -> list[Report]:
    return [{"number": each.number, "code": code(each.hash)} for each in earlier]


def _factors(factors: list[Factor]) -> list[Report]:
    return [
        {"kind": FACTORS[f.kind], "class": CLASSES[f.factor_class], "name": f.name, "value": f.value, "ignored": f.ignored}
        for f in factors
    ]  # fmt: skip


def _frame(frame: Frame) -> Report:
    return {
        "vendor_id": frame.vendor.hex(),
        "vendor_code": None,
        "signed_by": [signer.hex() for signer in frame.signers],
        "attached": [KINDS[attachment.kind] for attachment in frame.attachments],
    }


def _license(data: bytes, vendor: Vendor | None) -> Report:
    frame = parse(data, LICENSE)
    try:
        body = licenses.read_body(frame.body)
        fields = _license_body(body)
    except Refused:
        if vendor is None:
            raise
        fields = {}
    report = _frame(frame) | fields
    if vendor is None:
        return report | {"verified": NOT_CHECKED}
    try:
        check_vendor(frame, vendor.trust.vendor)
        trust = trusts.follow_attached(vendor.trust, frame)
        licenses.verify_frame(frame, trust)
    except Refused as refusal:
        return report | _no(refusal)
    return report | _yes(trust)


def _license_body(body: LicenseBody) -> Report:
    return {
        "license_id": body.license.hex(),
        "product": body.product,
        "slot": body.slot,
        "type": body.type_id,
        "model": MODELS[body.model],
        "edition": EDITIONS[body.edition],
        "licensee": body.licensee,
        "issued": instant_text(body.issued),
        "starts": day_text(body.starts),
        "expires": "never" if body.expires is None else day_text(body.expires),
        "maintenance": "never" if body.maintenance is None else day_text(body.maintenance),
        "languages": body.languages,
        "operations": body.operations,
        "note": body.note,
        "grace": None,
        "modules": {
            grant.module: {
                "quota": _quota(grant.quota),
                "used": None,
                "available": None,
                "unit": grant.unit,
                "group": grant.group,
                "name": grant.name,
                "account_cap": _quota(grant.account_cap),
                "admin_cap": _quota(grant.admin_cap),
                "pool": grant.pool,
                "requires": grant.requires,
                "includes": grant.includes,
                "minimum_version": grant.minimum_version,
            }
            for grant in body.grants
        },
        "grace_rules": [
            {"cause": CAUSES[rule.cause], "seconds": rule.seconds, "outcome": OUTCOMES[rule.outcome]}
            for rule in body.grace
        ],
        "enforcement": [{"cause": CAUSES[rule.cause], "blocked": rule.blocked} for rule in body.enforcement],
        "always": body.always,
        "replaces": body.replaces.hex() if body.replaces is not None else None,
        "policy": _policy(body.policy),
        "tolerance": body.tolerance,
        "request": body.request.hex(),
        "code": code(body.request_hash),
        "number": body.number,
        "answer": body.answer,
        "install_id": key_id(INSTALL, body.install_key).hex(),
        "extensions": _extensions(body.extensions),
    }


def _quota(quota: Any) -> Any:
    return "unlimited" if quota is ANY else quota


def _policy(policy: Policy) -> Report:
    return {
        "name": policy.name,
        "threshold": policy.threshold,
        "total": sum(factor.weight for factor in policy.enrolled),
        "hardware": policy.hardware,
        "factors": [
            {"kind": FACTORS[each.kind], "class": CLASSES[each.factor_class], "weight": each.weight}
            for each in policy.enrolled
        ],
    }


def _trust(data: bytes, vendor: Vendor | None) -> Report:
    frame = parse(data, TRUST)
    report = _frame(frame)
    try:
        trust = trusts.examine(frame)
        trusts.check_first_contact(trust)
    except Refused as refusal:
        return report | _no(refusal)
    body = trust.body
    return report | {
        "verified": YES,
        "vendor": body.name,
        "vendor_code": trust.code,
        "whole_vendor_code": trust.codes[1],
        "version": body.version,
        "threshold": body.threshold,
        "roots": len(body.roots),
        "test": body.test,
        "root_keys": [key_id(ROOT, key).hex() for key in body.roots],
        "sealing": [key_id(SEALING, key).hex() for key in body.sealing],
        "suites": body.suites,
        "products": [{"id": product.id, "slots": product.slots} for product in body.products],
        "kept": [digest.hex() for digest in body.kept],
        "revoked": [key.hex() for key in body.revoked],
        "rules": [_signer_rule(rule) for rule in body.signer_rules],
        "extensions": _extensions(body.extensions),
    }


def _signer_rule(rule: SignerRule) -> Report:
    above = rule.above
    return {
        "model": "any" if rule.model is ANY else MODELS[rule.model],
        "above": None if above is None else {"module": above.module, "maximum": _quota(above.maximum)},
        "signers": rule.signers,
    }


def _delegation(data: bytes, vendor: Vendor | None) -> Report:
    frame = parse(data, DELEGATION)
    report = _frame(frame)
    try:
        body = delegation.read_body(frame.body)
        report |= {"issuer": body.issuer_id.hex(), "acts": [ACTS[act] for act in body.acts], "limits": _limits(body)}
        report["extensions"] = _extensions(body.extensions)
    except Refused:
        if vendor is None:
            raise
    if vendor is None:
        return report | {"verified": NOT_CHECKED}
    try:
        check_vendor(frame, vendor.trust.vendor)
        delegation.check_issuer(delegation.verify(frame, vendor.trust))
    except Refused as refusal:
        return report | _no(refusal)
    return report | _yes(vendor.trust)


def _limits(body: DelegationBody) -> Report:
    def limit(value: Any, only: Callable[[Any], Any] = lambda value: value) -> Any:
        return "any" if value is ANY else only(value)

    def words(table: dict[int, str]) -> Callable[[list[int]], list[str]]:
        return lambda numbers: [table[number] for number in numbers]

    def maxima(entries: list[ModuleMaximum]) -> Report:
        return {entry.module: _quota(entry.maximum) for entry in entries}

    return {
        "products": limit(body.products),
        "slots": limit(body.slots),
        "types": limit(body.types),
        "models": limit(body.models, words(MODELS)),
        "editions": limit(body.editions, words(EDITIONS)),
        "modules": limit(body.modules, maxima),
        "longest_term": limit(body.longest_term),
        "ahead": limit(body.ahead),
        "longest_grace": limit(body.longest_grace),
        "longest_maintenance": limit(body.longest_maintenance),
        "afterwards": limit(body.afterwards),
        "weak_machine": body.weak_machine,
        "from": limit(body.from_, instant_text),
        "until": limit(body.until, instant_text),
    }


def _receipt(data: bytes, vendor: Vendor | None) -> Report:
    """Reports a receipt. Its own install key verifies it; only the vendor knows whose key that is."""
    frame = parse(data, RECEIPT)
    report = _frame(frame)
    try:
        body = receipts.read_body(frame.body)
        report |= {
            "license_id": body.license.hex(), "license_hash": body.license_hash.hex(), "product": body.product,
            "slot": body.slot, "install_id": key_id(INSTALL, body.install_key).hex(), "number": body.number,
            "earlier": _earlier(body.earlier), "at": instant_text(body.at),
            "extensions": _extensions(body.extensions),
        }  # fmt: skip
    except Refused:
        pass
    try:
        if vendor is not None:
            check_vendor(frame, vendor.trust.vendor)
        receipts.verify_frame(frame)
    except Refused as refusal:
        return report | _no(refusal)
    # The vendor of these questions has issued nothing.
    return report | _yes(vendor.trust if vendor else None) | ({} if vendor is None else {"issued": None})


def _time(data: bytes, vendor: Vendor | None) -> Report:
    frame = parse(data, TIME)
    report = _frame(frame)
    try:
        body = times.read_body(frame.body)
        report |= {
            "request": body.request.hex(), "code": code(body.request_hash), "number": body.number,
            "install_id": key_id(INSTALL, body.install_key).hex(), "time": instant_text(body.time),
            "extensions": _extensions(body.extensions),
        }  # fmt: skip
    except Refused:
        if vendor is None:
            raise
    if vendor is None:
        return report | {"verified": NOT_CHECKED}
    try:
        check_vendor(frame, vendor.trust.vendor)
        trust = trusts.follow_attached(vendor.trust, frame)
        times.verify_frame(frame, trust)
    except Refused as refusal:
        return report | _no(refusal)
    return report | _yes(trust)


def _revocations(data: bytes, vendor: Vendor | None) -> Report:
    frame = parse(data, REVOCATIONS)
    checked = vendor is not None and bool(frame.attachments)
    report = _frame(frame)
    try:
        body = revocations.read_body(frame.body)
        report |= {
            "version": body.version, "sequence": body.sequence, "issued": instant_text(body.issued),
            "licenses": [{"license": each.license.hex(), "cause": CAUSES[each.cause]} for each in body.licenses],
            "extensions": _extensions(body.extensions),
        }  # fmt: skip
    except Refused:
        if not checked:
            raise
    if vendor is None or not checked:
        return report | {"verified": NOT_CHECKED}
    try:
        check_vendor(frame, vendor.trust.vendor)
        trust = trusts.follow_attached(vendor.trust, frame)
        revocations.verify_file(frame, trust)
    except Refused as refusal:
        return report | _no(refusal)
    except CouldNotTell as unknown:
        return report | _unchecked(vendor, unknown.fact)
    return report | _yes(trust)


def _proposal(data: bytes, vendor: Vendor | None) -> Report:
    frame = parse(data, PROPOSAL)
    report = _frame(frame)
    trust = vendor.trust if vendor else None
    try:
        proposal = proposals.examine(frame)
        known = trust if trust and trust.vendor == frame.vendor else None
        report |= {
            "proposes": KINDS[proposal.kind],
            "missing": proposals.missing(proposal, known),
            "signers": [signer.hex() for signer in proposal.body.signers],
            "carries": [KINDS[attachment.kind] for attachment in proposal.target.attachments],
            "extensions": _extensions(proposal.body.extensions),
        }
        if proposal.kind == LICENSE:
            report["content"] = _license_body(licenses.read_body(proposal.target.body))
        else:
            report["content"] = {}  # text for people, whose wording is free
    except Refused:
        if trust is None:
            raise
    try:
        proposals.verify(data, trust)
    except Refused as refusal:
        return report | _no(refusal)
    except CouldNotTell:
        return report | {"verified": NOT_CHECKED}
    return report | _yes(trust)


def _key_file(data: bytes, vendor: Vendor | None) -> Report:
    file = keyfile.parse(data)
    return {
        "role": ROLES[file.role], "key_id": file.key_id.hex(), "passphrase": file.kdf is not None,
        "verified": NOT_CHECKED,
    }  # fmt: skip


_LOOKS = {
    REQUEST: _request, LICENSE: _license, RECEIPT: _receipt, TRUST: _trust, REVOCATIONS: _revocations, TIME: _time,
    DELEGATION: _delegation, KEY_FILE: _key_file, PROPOSAL: _proposal,
}  # fmt: skip

"""Implements `docs/format.md`, section "Proposal" (proposal-1 to proposal-9)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import delegation, license as licenses, trust as trusts
from .frame import Frame, check_strictly, parse, read_attachments
from .outcome import CouldNotTell, Refused, malformed
from .tables import DELEGATION, KINDS, LICENSE, MAX_ARTEFACT, PROPOSAL, REVOCATIONS, TRUST
from .trust import Trust
from .wire import Body, Extension, refuse_critical


@dataclass(slots=True, frozen=True)
class ProposalBody:
    kind: int
    signers: list[bytes]
    attachments: bytes
    body: bytes
    extensions: list[Extension]


@dataclass(slots=True, frozen=True)
class Proposal:
    body: ProposalBody
    target: Frame  # with the signatures so far

    @property
    def kind(self) -> int:
        return self.target.kind


# The keys that may sign, and how many of them must.
Quorum = tuple[dict[bytes, bytes], int]


def read_body(data: bytes) -> ProposalBody:
    """Checks proposal-1."""
    body = Body(data)
    proposal = ProposalBody(
        kind=body.table(KINDS),
        signers=body.set_of(body.raw16, cap=16),
        attachments=body.blob(MAX_ARTEFACT),
        body=body.blob(MAX_ARTEFACT),
        extensions=body.extensions(),
    )
    body.finish("body-10")
    return proposal


def examine(frame: Frame) -> Proposal:
    """Checks proposal-1 to proposal-5."""
    body = read_body(frame.body)
    if frame.attachments:
        raise malformed("proposal-2: a proposal has no attachments itself")
    if body.kind not in (LICENSE, TRUST, DELEGATION):
        raise malformed("proposal-3: a kind that cannot be signed in parts")
    if bool(body.signers) != (body.kind == LICENSE):
        raise malformed("proposal-3: a license names no signers, or another artefact names some")
    refuse_critical(body.extensions)
    attachments = read_attachments(body.attachments, frame.vendor)  # proposal-4
    target = Frame(b"", body.kind, frame.vendor, attachments, body.attachments, body.body, frame.signatures)
    if body.kind == TRUST:  # proposal-5
        trusts.examine(target)
    elif body.kind == DELEGATION:
        delegation.check_issuer(delegation.examine(target))
    else:
        licenses.examine(body.body)
    return Proposal(body, target)


def _signers(proposal: Proposal, trust: Trust) -> list[delegation.DelegationBody]:
    """Returns the delegations of a license as if exactly the named signers had signed it."""
    wanted = proposal.body.signers
    as_if = replace(proposal.target, signatures=[(signer, b"") for signer in wanted])
    delegations = delegation.without_signatures(as_if, as_if.attachments, trust, {TRUST, DELEGATION, REVOCATIONS})
    if set(wanted) - {each.issuer_id for each in delegations}:
        raise Refused("untrusted-signer", "proposal-7: a signer without a delegation")
    delegation.check_one_for_each(as_if)
    return delegations


def quorums(proposal: Proposal, trust: Trust | None) -> list[Quorum]:
    """Returns who must sign. The roots of a proposed trust are known even without another trust."""
    if proposal.kind == TRUST:
        own = trusts.examine(proposal.target)
        each = [own] if trust is None else [trust, own]
        return [(one.root_keys, one.body.threshold) for one in each]
    if trust is None:
        raise CouldNotTell("without a trust, nobody knows who may sign it")
    if proposal.kind == DELEGATION:
        return [(trust.root_keys, trust.body.threshold)]
    delegations = _signers(proposal, trust)
    keys = {each.issuer_id: each.issuer for each in delegations}
    return [(keys, len(keys))]


def missing(proposal: Proposal, trust: Trust | None) -> list[int] | None:
    """Returns the number of missing signatures per quorum, or None if it cannot be determined."""
    try:
        each = quorums(proposal, trust)
    except (Refused, CouldNotTell):
        return None
    signed = proposal.target.signers
    return [max(0, threshold - sum(signer in keys for signer in signed)) for keys, threshold in each]


def check(proposal: Proposal, trust: Trust | None) -> None:
    """Checks proposal-6 to proposal-9."""
    target = proposal.target
    version = trusts.examine(target).body.version if proposal.kind == TRUST else 0
    if trust is not None:
        if proposal.kind == TRUST and version <= trust.body.version:
            raise Refused("superseded", "proposal-6: it is not newer than the known trust")
        if proposal.kind == LICENSE:  # proposal-7
            delegations = _signers(proposal, trust)
            licenses.check_delegated(licenses.read_body(target.body), delegations, trust)
            if any(signer in trust.revoked for signer in proposal.body.signers):
                raise Refused("revoked", "license-12: a signer was revoked")
    known: dict[bytes, bytes] = {}
    for keys, _ in quorums(proposal, trust):
        known |= keys
    aside = proposal.kind == TRUST and trust is None and version > 1
    if not aside and any(signer not in known for signer in target.signers):
        raise Refused("untrusted-signer", "proposal-8: a signature by a key that may not sign")
    check_strictly(target, known)  # proposal-9


def verify(data: bytes, trust: Trust | None) -> Proposal:
    """Checks all rules of the section that can be checked with or without a trust."""
    proposal = examine(parse(data, PROPOSAL, trust.vendor if trust else None))
    check(proposal, trust)
    return proposal

"""Implements `docs/format.md`, section "Revocations" (revocations-1 to revocations-5): revoked licenses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .delegation import DelegationBody, is_in_time, read_signers, signers_among
from .digest import pae, sha256
from .frame import Frame
from .outcome import CouldNotTell, Refused, malformed
from .tables import ACT_REVOKE, CAUSES, KINDS, POOLED, REVOKED
from .trust import Trust
from .wire import Body, Extension, refuse_critical


class Withdrawn(NamedTuple):
    license: bytes  # its digest
    cause: int


@dataclass(slots=True, frozen=True)
class RevocationsBody:
    version: int
    sequence: int
    issued: int
    licenses: list[Withdrawn]
    extensions: list[Extension]

    @property
    def order(self) -> tuple[int, int]:
        return self.version, self.sequence

    def cause_of(self, license: bytes) -> int | None:
        """Returns the cause for which a license was revoked, or None if it was not."""
        return dict(self.licenses).get(digest(license))


class Revocations(NamedTuple):
    body: RevocationsBody
    delegations: list[DelegationBody]  # of the signers


def digest(license: bytes) -> bytes:
    """Returns the digest that represents a license in a list."""
    return sha256(pae(b"olr/v1/revoked-license", license))[:16]


def read_body(data: bytes) -> RevocationsBody:
    """Checks revocations-1 and revocations-2."""
    body = Body(data)

    def withdrawn() -> Withdrawn:
        return Withdrawn(body.raw16(), body.table(CAUSES))

    revocations = RevocationsBody(
        body.u32(), body.u64(), body.u64(), body.set_of(withdrawn, lambda entry: entry.license, 4096),
        body.extensions(),
    )  # fmt: skip
    body.finish("body-10")
    refuse_critical(revocations.extensions)
    if revocations.version == 0 or revocations.sequence == 0:
        raise malformed("revocations-2: trusts and lists are numbered from 1")
    if any(each.cause not in (REVOKED, POOLED) for each in revocations.licenses):
        raise malformed("revocations-2: the cause is neither revoked nor pooled")
    return revocations


def verify_file(frame: Frame, trust: Trust) -> Revocations:
    """Checks the rules after frame-15, of revocations that are a file of their own."""
    return _verify(frame, read_signers(frame, trust), trust)


def verify_attached(frame: Frame, attachments: list[Frame], trust: Trust) -> Revocations:
    """Checks the rules after frame-15, of revocations that are among these attachments of a license."""
    return _verify(frame, signers_among(frame, attachments, trust, set(KINDS)), trust)


def _verify(frame: Frame, delegations: list[DelegationBody], trust: Trust) -> Revocations:
    body = read_body(frame.body)
    for each in delegations:
        if ACT_REVOKE not in each.acts or not is_in_time(each, body.issued):
            raise Refused("not-delegated", "revocations-3: the issuer may not revoke")
    if any(signer in trust.revoked for signer in frame.signers):
        raise Refused("revoked", "revocations-4: a signer was revoked")
    if body.version > trust.body.version:
        raise CouldNotTell("revocations-5: a newer trust is missing")
    return Revocations(body, delegations)

"""Implements `docs/format.md`, section "A message": decodes the parts of a saved mail."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from .tables import MAGIC

LEVELS = 8
_SPACE = b"\t\n\x0c\r "
_NAME = re.compile(rb"[!-9;-~]+\Z")
_SYMBOLS = re.compile(rb"[^A-Za-z0-9+/]")

Header = dict[bytes, bytes]


def parts(file: bytes) -> list[bytes]:
    """Returns every part of a message in order, or none if the file is not a message."""
    if file.startswith(MAGIC):
        return []
    rest = file.removeprefix(b"\xef\xbb\xbf")
    while rest.startswith((b"\n", b"\r\n")):
        rest = rest.removeprefix(b"\r").removeprefix(b"\n")
    if rest.startswith(b"From "):
        rest = rest.partition(b"\n")[2]
    split = _header(rest)
    if split is None or not {b"content-type", b"content-transfer-encoding"} & split[0].keys():
        return []
    return list(_body(*split, 1))


def _entity(text: bytes, level: int) -> Iterator[bytes]:
    split = _header(text)
    if split is None:
        yield text
    else:
        yield from _body(*split, level)


def _body(header: Header, body: bytes, level: int) -> Iterator[bytes]:
    kind = header.get(b"content-type", b"")
    encoding = header.get(b"content-transfer-encoding", b"").lower()
    boundary = _boundary(kind) if kind.lower().startswith(b"multipart/") else b""
    if level > LEVELS:
        yield body
    elif kind.lower().startswith(b"message/rfc822"):
        yield from _entity(body, level + 1)
    elif boundary:
        for entity in _divide(body, boundary):
            yield from _entity(entity, level + 1)
    elif encoding == b"base64":
        symbols = _SYMBOLS.sub(b"", body.partition(b"=")[0])
        # A single leftover symbol encodes no whole byte.
        symbols = symbols[: len(symbols) - (len(symbols) % 4 == 1)]
        yield base64.b64decode(symbols + b"=" * (-len(symbols) % 4))
    elif encoding == b"quoted-printable":
        yield re.sub(rb"=(?:([0-9A-Fa-f]{2})|[\t\x0c\r ]*(?:\n|\Z))", _unquote, body)
    else:
        yield body


def _unquote(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode("ascii")) if match[1] else b""


def _header(text: bytes) -> tuple[Header, bytes] | None:
    header: Header = {}
    fields: list[bytes] = []
    while text:
        line, _, rest = text.partition(b"\n")
        line = line.removesuffix(b"\r")
        if not line:
            break
        if fields and line[:1] in (b" ", b"\t"):
            fields[-1] += line
        else:
            fields.append(line)
        text = rest
    else:
        return None
    for field in fields:
        name, colon, value = field.partition(b":")
        name = name.rstrip(_SPACE)
        if not colon or not _NAME.match(name):
            return None
        header[name.lower()] = value.strip(_SPACE)
    return header, rest


def _boundary(value: bytes) -> bytes:
    while b";" in value:
        value = value.partition(b";")[2]
        end = re.search(rb"[=;]", value)
        if end is None:
            return b""
        if end[0] == b";":
            continue
        name, value = value[: end.start()].strip(_SPACE), value[end.end() :].lstrip(_SPACE)
        if value.startswith(b'"'):
            quoted = re.match(rb'"((?:\\.|[^"\\])*)', value, re.DOTALL)
            assert quoted is not None
            found, value = re.sub(rb"\\(.)", rb"\1", quoted[1], flags=re.DOTALL), value[quoted.end() :]
        else:
            found = value.partition(b";")[0].rstrip(_SPACE)
        if name.lower() == b"boundary":
            return found
        # A quoted value of another parameter may contain a semicolon, so it was skipped as a whole.
    return b""


def _divide(body: bytes, boundary: bytes) -> Iterator[bytes]:
    start: int | None = None
    at = 0
    while at < len(body):
        end = body.find(b"\n", at)
        following = len(body) if end < 0 else end + 1
        line = body[at:following]
        if line.startswith(b"--" + boundary):
            tail = line[2 + len(boundary) :]
            is_last = tail.startswith(b"--")
            if not tail.removeprefix(b"--").strip(_SPACE):
                if start is not None:
                    yield body[start:at].removesuffix(b"\n").removesuffix(b"\r")
                start = following
                if is_last:
                    return
        at = following
    yield body[start or 0 :]

"""Implements `docs/format.md`, sections "Armor" and "Reading armor": finds and decodes the text form of an artefact."""

from __future__ import annotations

import base64
import codecs
import re

from . import message
from .frame import read_header
from .outcome import Refused, malformed
from .tables import LABELS, LICENSE, MAGIC, MAX_ARTEFACT
from .wire import Cursor

MAX_FILE = 1_048_576
MAX_BLOCKS = 64
MAX_SYMBOLS = 349_528

_BREAKING_TAGS = frozenset("br p div pre li tr td blockquote body".split())
_ENTITIES = {
    "amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": "\u00a0", "shy": "\u00ad",
    "zwnj": "\u200c", "zwj": "\u200d", "ndash": "\u2013", "mdash": "\u2014", "minus": "\u2212",
    "plus": "+", "equals": "=", "sol": "/",
}
_MARKUP = re.compile(
    r"<(?P<tag>/?[A-Za-z!][^<>\r\n]*+)>"
    r"|&(?:#(?P<decimal>[0-9]{1,8})|#[xX](?P<hex>[0-9A-Fa-f]{1,7})|(?P<name>" + "|".join(_ENTITIES) + r"));"
)
_TAG_NAME = re.compile(r"/?([A-Za-z0-9]*)")
_PLAIN = {ord("\r"): "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n", ord("\t"): " ", 0xA0: " ", 0x202F: " "}
_PLAIN |= dict.fromkeys([0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
_PLAIN |= dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D], "-")

_LABEL = "|".join(label.replace(" ", " +") for label in LABELS.values())
_MARKER = re.compile(rf"(?<![A-Za-z0-9])(BEGIN|END) +OLR +({_LABEL})(?![A-Za-z0-9])")
_KIND_OF_LABEL = {label: kind for kind, label in LABELS.items()}
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _latin1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("reader-latin-1", _latin1)


def unwrap(file: bytes, wanted: int | None) -> bytes:
    """Returns the binary artefact in a file. `wanted` is a kind, or None for any."""
    if not 1 <= len(file) <= MAX_FILE:
        raise malformed("armor-1: a file has 1 to 1048576 bytes")
    if file.startswith(MAGIC):  # armor-2
        return file
    blocks = _blocks(file)
    if not blocks:
        raise malformed("armor-2: a text without a block")
    if len(blocks) > MAX_BLOCKS:
        raise malformed("armor-3: more than 64 blocks")
    taken = [block for block in blocks if wanted is None or block[0] == wanted]
    if not taken:
        raise Refused("wrong-kind", "armor-4: no block of the wanted kind")
    if any(content is None for _, content in taken):
        raise malformed("armor-5: a block is broken")
    kind = taken[0][0]
    if any(other != kind for other, _ in taken):
        raise malformed("armor-6: blocks of two kinds")
    contents = {content for _, content in taken if content is not None}
    decoded = {decode_block(content, kind) for content in contents}
    if len(decoded) != 1:
        raise malformed("armor-6: different blocks of the kind")
    return decoded.pop()


def unwrap_answer(file: bytes) -> bytes:
    """Unwraps a file that a server imports: a license if there is one, otherwise any kind."""
    if file.startswith(MAGIC) or not 1 <= len(file) <= MAX_FILE:
        return unwrap(file, None)
    blocks = _blocks(file)
    return unwrap(file, LICENSE if any(kind == LICENSE for kind, _ in blocks) else None)


def _blocks(file: bytes) -> list[tuple[int, str | None]]:
    parts = message.parts(file)
    if parts:
        texts = [_part(part) + "\n" for part in parts]
        blocks = find_blocks(plain("".join(texts)))
        if blocks:
            return blocks
    return find_blocks(plain(decode_text(file)))


def _part(part: bytes) -> str:
    if not part.startswith(MAGIC):
        return decode_text(part)
    try:
        label = LABELS[read_header(Cursor(part))]
    except Refused:
        return ""
    symbols = base64.b64encode(part).decode("ascii")
    return f"BEGIN OLR {label}\n{symbols}\nEND OLR {label}\n"


def decode_text(file: bytes) -> str:
    """Performs step 1 of section "Reading armor"."""
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if file.startswith(mark):
            even = len(file) & ~1
            text = file[2:even].decode(codec, "surrogatepass")
            return _SURROGATE.sub("\ufffd", text) + ("\ufffd" if even != len(file) else "")
    return file.decode("utf-8", "reader-latin-1")


def plain(text: str) -> str:
    """Performs steps 2 to 4 of section "Reading armor"."""
    if "<" in text or "&" in text:
        text = _MARKUP.sub(_undo, text)
    if text.isascii():
        return text.replace("\r", "\n").replace("\t", " ")
    return text.translate(_PLAIN)


def _undo(match: re.Match[str]) -> str:
    tag = match["tag"]
    if tag is not None:
        name = _TAG_NAME.match(tag)
        return "\n" if name is not None and name[1].lower() in _BREAKING_TAGS else ""
    if match["name"] is not None:
        return _ENTITIES[match["name"]]
    number = int(match["decimal"]) if match["decimal"] is not None else int(match["hex"], 16)
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return match[0]  # no such character exists
    return chr(number)


def find_blocks(text: str) -> list[tuple[int, str | None]]:
    """Returns kind and content of every block in order. The content of a broken block is None."""
    blocks: list[tuple[int, str | None]] = []
    begun: tuple[int, int] | None = None
    for match in _MARKER.finditer(text):
        kind = _KIND_OF_LABEL[" ".join(match[2].split())]
        if match[1] == "BEGIN":
            if begun is not None:
                blocks.append((begun[0], None))
            begun = (kind, match.end())
            continue
        if begun is not None and begun[0] == kind:
            blocks.append((kind, text[begun[1] : match.start()].strip(" -")))
        else:
            if begun is not None:
                blocks.append((begun[0], None))
            blocks.append((kind, None))
        begun = None
    if begun is not None:
        blocks.append((begun[0], None))
    return blocks


def decode_block(content: str, kind: int) -> bytes:
    lines = content.split("\n")
    kept = [lines[0]] + [line.lstrip(" >|") for line in lines[1:]]
    symbols = "".join(kept).replace(" ", "")
    if len(symbols) > MAX_SYMBOLS:
        raise malformed("armor-10: a block is too long")
    bare = symbols.rstrip("=")
    if not _BASE64.fullmatch(bare.replace("=", "")):
        raise malformed("armor-7: a character is not base64")
    if "=" in bare:
        raise malformed("armor-8: something follows the padding")
    if len(symbols) % 4 or len(symbols) - len(bare) > 2:
        raise malformed("armor-8: the padding is incomplete")
    artefact = base64.b64decode(symbols)
    if base64.b64encode(artefact).decode("ascii") != symbols:
        raise malformed("armor-9: the unused bits after the last byte are not zero")
    if len(artefact) > MAX_ARTEFACT:
        raise malformed("armor-10: a block is too long")
    try:
        header_kind = read_header(Cursor(artefact))
    except Refused:
        return artefact  # the artefact's reader reports other faults of the header
    if header_kind != kind:
        raise malformed("armor-11: the label does not fit the content")
    return artefact

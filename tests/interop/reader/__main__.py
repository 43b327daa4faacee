"""The command line. Answers follow `docs/reports.md` and `docs/format.md`, section "Refusal words"."""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import check, report, seal
from .kit import Kit
from .question import Asker


def _lines(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Reads one JSON object per line and writes one per line, flushing each answer at once."""
    for line in sys.stdin.buffer:
        if not line.strip():
            continue
        try:
            said = json.dumps(answer(json.loads(line)))
        except Exception as fault:
            said = json.dumps(_fault(fault))
        sys.stdout.write(said + "\n")
        sys.stdout.flush()


def _fault(fault: Exception) -> dict[str, str]:
    """Reports a fault of this program, or an unusable line, as distinct from any answer."""
    return {"answer": f"fault: {type(fault).__name__}: {fault}"}


def _seal(fields: dict[str, Any]) -> dict[str, Any]:
    return {"request": base64.b64encode(seal.seal(fields)).decode("ascii")}


def _check(kit: Kit) -> int:
    count, differ = check.differences(kit)
    for line in differ:
        print(line)
    print(f"{count} fixtures, {len(differ)} differences")
    return 1 if differ else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="reader")
    verbs = parser.add_subparsers(dest="verb", required=True)
    compare = verbs.add_parser("check", help="compare every answer with the test kit")
    answer = verbs.add_parser("answer", help="answer questions, a JSON object a line")
    inspect = verbs.add_parser("inspect", help="say what a file is")
    verbs.add_parser("seal", help="write requests, a JSON object a line")
    inspect.add_argument("file")
    for verb in (compare, answer, inspect):
        verb.add_argument("--kit", metavar="DIR", type=Path, required=verb is not inspect)
    given = parser.parse_args()
    if given.verb == "seal":
        _lines(_seal)
        return 0
    kit = Kit(given.kit) if given.kit else None
    if given.verb == "inspect":
        said = report.inspect(Path(given.file).read_bytes(), kit and kit.vendor)
        print(json.dumps(said, indent=2))
        return report.exit_status(said)
    if given.verb == "check":
        return _check(kit)
    _lines(Asker(kit).answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())

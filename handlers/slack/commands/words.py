"""What was typed after ``/triage``: words, the nearest command to a misspelt one, who shall see the answer."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

COMMANDS: dict[str, str] = {
    "help": "help",
    "status": "status [bot]",
    "run": "run <bot>",
    "incidents": "incidents",
    "show": "show <id>",
    "ack": "ack <id>",
    "resolve": "resolve <id>",
    "silence": "silence <id>",
    "kpi": "kpi [bot] [24h|7d|30d]",
    "checklist": "checklist [startup|dashboard|paper|health]",
    "actions": "actions",
    "do": "do <action> <target>",
    "drill": "drill",
    "postmortem": "postmortem <id>",
}
"""Every command with its usage."""

SHARE = "share"
MOST = 500


@dataclass(frozen=True, slots=True)
class Typed:
    """A command line: the command, its arguments, and whether everybody shall see the answer."""

    command: str
    arguments: tuple[str, ...] = ()
    share: bool = False


def read_line(text: str) -> Typed:
    """Split what was typed. No word at all is ``help``; quotes that do not close are taken as letters."""
    line = text[:MOST].strip()
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    share = bool(words) and words[-1].lower() == SHARE and len(words) > 1
    if share:
        words = words[:-1]
    if not words:
        return Typed("help")
    return Typed(words[0].lower(), tuple(words[1:]), share)


def nearest(word: str, known: Iterable[str] = COMMANDS) -> str:
    """Return the known word that is most like a misspelt one, empty where none is."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return found[0] if found else ""


def incident_id(word: str) -> int | None:
    """Read ``42``, ``INC-42`` or ``inc42``; None where it is no incident's number."""
    digits = word.lower().removeprefix("#").removeprefix("inc").removeprefix("-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else None  # noqa: PLR2004 - fits any id

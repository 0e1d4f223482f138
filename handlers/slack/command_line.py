"""What was typed after ``/triage``: words, how many are understood, who shall see the answer."""

from __future__ import annotations

import re
import shlex
import unicodedata
from dataclasses import dataclass

from handlers.slack.command import Call, Command, CommandServices
from triage.errors import Refused
from triage.incidents.operations import Operation, OperationResult
from triage.memory.people import remember
from triage.ports.chat import Answer, saying
from triage.ports.store import Tx
from triage.untrusted_text import one_line

SHARE = "share"
SLASH = "/triage"
"""Typed or pasted once more behind itself."""
_ENDS = ".,;:!?"
"""What a phone puts behind a word by itself, or a person who writes a sentence."""
_ROUND = "()[]{}*~`"
"""What stands around a word that was copied out of a message."""
MOST = 500
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u3164\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff]"
)
_EMOJI_CODE = re.compile(r"(?<!\S)(?::[a-z0-9_+'-]{1,60}:)+(?!\S)")
_LINK = re.compile(r"<(?![@#!])[^<>|]*\|([^<>|]*)>")
"""An address that Slack made of what was typed, as ``<http://eth.b|eth.b>``: its label is what was typed."""
_NAMED = re.compile(r"<(@[A-Z0-9]+)\|[^<>]*>")
_DASH = re.compile("(?<!\\S)(?:[\u2012-\u2015]+|--+)")
"""A dash between words, also one that stands at the next one: no hyphen, and no minus."""
_NUMBER = re.compile(r"#?(?:incident|inc)?[-_#:. ]*(\d{1,11})")
_PHONE = str.maketrans(
    {
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\uff02", '"'),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\uff07", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
    }
)
"""What phones write for quotes and for a hyphen."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line: the command, its arguments, and whether everybody shall see the answer."""

    command: str
    arguments: tuple[str, ...] = ()
    share: bool = False


def read_line(text: str) -> CommandLine:
    """Split what was typed. No word at all is ``help``; quotes that do not close are taken as letters.

    Phones type curly quotes, long dashes, spaces that do not break, wide letters, emoji and characters that are not
    seen, and Slack makes links of what looks like an address: all are understood.
    """
    typed = _NAMED.sub(r"<\1>", _LINK.sub(r"\1", text[:MOST]))
    line = " ".join(_EMOJI_CODE.sub(" ", plain(_DASH.sub(" ", _unescaped(typed)))).split())
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    if words and words[0].lower() in {SLASH, SLASH[1:]}:
        words = words[1:]
    words = [word for word in map(_bare, words) if any(char.isalnum() for char in word)]
    share = bool(words) and words[-1].lower() == SHARE and len(words) > 1
    if share:
        words = words[:-1]
    if not words:
        return CommandLine("help")
    return CommandLine(words[0].lower(), _named(words[1:]), share)


def _unescaped(text: str) -> str:
    """Return a text with the three signs that Slack escapes as they were typed."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _bare(word: str) -> str:
    return word.strip(_ROUND + _ENDS)


def _named(words: list[str]) -> tuple[str, ...]:
    """Return the arguments; ``INC 42`` is one word, as ``INC-42`` is."""
    if len(words) > 1 and words[0].lower().rstrip("-") in {"inc", "incident"}:
        number = incident_id(words[1])
        words = [f"INC-{number}", *words[2:]] if number is not None else words
    return tuple(words)


def plain(text: str) -> str:
    """Return what was typed with a keyboard's quotes, hyphens, spaces, letters and digits, and nothing that is not seen."""
    whole = unicodedata.normalize("NFKC", _UNSEEN.sub("", text).translate(_PHONE))
    return "".join(map(_keyed, whole))


def _keyed(char: str) -> str:
    """Return a character as a keyboard has it: any script's digit as 0 to 9, a picture as a space."""
    if char.isascii():
        return char
    digit = unicodedata.decimal(char, None)
    return str(digit) if digit is not None else " " if unicodedata.category(char) in {"So", "Sk"} else char


def at_most(words: tuple[str, ...], most: int, example: str) -> None:
    """Raise Refused where more was typed than is understood: what is left out silently is taken for done."""
    if len(words) > most:
        mend = "one at a time, " if most else "write "
        raise Refused(f"{one_line(' '.join(words[most:]), 60)!r} is too much here: {mend}{example}")


def incident_id(word: str) -> int | None:
    """Read ``42``, ``INC-42`` or ``inc42``; None where it is no incident's number."""
    found = _NUMBER.fullmatch(plain(word).strip(_ROUND + _ENDS).lower())
    return int(found[1]) if found else None


def which_incident(command: str, call: Call, words: tuple[str, ...]) -> int:
    """Return the incident that is meant: the one named, or the thread's. Raises Refused."""
    if not words:
        if call.incident_id is not None:
            return call.incident_id
        raise Refused(f"Which incident? For instance: /triage {command} INC-1")
    found = incident_id(words[0])
    if found is None:
        raise Refused(f"{words[0][:40]!r} is no incident's number; write for instance INC-42 or 42.")
    at_most(words, 1, f"/triage {command} INC-{found}")
    return found


async def operate(
    services: CommandServices, call: Call, command: str, words: tuple[str, ...], operation: Operation
) -> Answer:
    """Do an operation on the incident that is meant, and answer with what came of it."""
    incident, parts = which_incident(command, call, words), services.services

    def work(tx: Tx) -> OperationResult:
        remember(tx, call.user, call.user_name)
        return operation(tx, incident, actor=call.user, now=parts.clock.now())

    outcome = await parts.store.write(work)
    parts.changed()
    return saying(outcome.text)


def operation_command(word: str, description: str, operation: Operation, *, what: str, place: int) -> Command:
    """Return the command that does an operation on an incident. ``what``: what only an operator may do, in words."""

    async def run(services: CommandServices, call: Call, words: tuple[str, ...]) -> Answer:
        return await operate(services, call, word, words, operation)

    return Command(
        word=word,
        usage=f"{word} <id>",
        description=description,
        run=run,
        role="operator",
        what=what,
        place=place,
    )

"""The bots' log lines: level parsed, tracebacks folded into the line they belong to.

A line is ``2026-02-20 16:33:00,312 - 12345 - hummingbot.connector.exchange.bitget - ERROR - message``;
a traceback's lines follow it without a level.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.ports.sources import LogLine

_LINE = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[,.]\d{1,9})?\S{0,6}"
    r" - (?:\d{1,10} - )?(?P<logger>\S{1,200}) - (?P<level>[A-Z]{4,8}) - (?P<message>.*)",
    re.DOTALL,
)
_EXCEPTION = re.compile(r"(?P<kind>(?:[A-Za-z_]\w{0,80}\.){0,8}[A-Z]\w{1,80})(?:: (?P<text>.*))?$")
_FOLDING = timedelta(seconds=2)
_MESSAGE_MAX = 600
ERRORS = frozenset({"ERROR", "CRITICAL", "FATAL"})


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One error: its message, and ``exception``, the last line of the traceback that followed it."""

    at: datetime
    logger: str
    message: str
    exception: str = ""
    level: str = "ERROR"

    @property
    def text(self) -> str:
        """The message with the exception that caused it."""
        return f"{self.message} ({self.exception})" if self.exception else self.message


@dataclass(slots=True)
class _Open:
    at: datetime
    logger: str
    message: str
    last: datetime
    level: str
    exception: str = ""


def error_lines(lines: Iterable[LogLine], levels: frozenset[str] | None = ERRORS) -> tuple[ErrorLine, ...]:
    """Return the errors among the lines, in their order; with ``levels`` those of other levels (None: of all).

    Only a line whose *level* is an error counts. What follows without a level belongs to the last line
    of the same stream, if it came within two seconds; what follows another level is dropped with it.
    """
    done: list[_Open] = []
    current: dict[tuple[tuple[str, str], ...], _Open | None] = {}
    for line in lines:
        stream = _stream(line.labels)
        head, *tail = line.text.split("\n")
        match = _LINE.match(head)
        if match is not None:
            current[stream] = _opened(line.at, match, levels)
            _keep(done, current[stream])
        _fold(current.get(stream), line.at, tail if match is not None else [head, *tail])
    return tuple(ErrorLine(each.at, each.logger, each.message, each.exception, each.level) for each in done)


def _keep(done: list[_Open], opened: _Open | None) -> None:
    if opened is not None:
        done.append(opened)


def _opened(at: datetime, match: re.Match[str], levels: frozenset[str] | None) -> _Open | None:
    if levels is not None and match["level"] not in levels:
        return None
    return _Open(at, match["logger"], match["message"].strip()[:_MESSAGE_MAX], last=at, level=match["level"])


def _fold(opened: _Open | None, at: datetime, texts: list[str]) -> None:
    if opened is None or not texts or at - opened.last > _FOLDING:
        return
    opened.last = at
    for text in texts:
        if text[:1].isspace():
            continue
        found = _EXCEPTION.match(text[:_MESSAGE_MAX])
        if found is not None:
            opened.exception = text[:_MESSAGE_MAX].strip()


def _stream(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))

"""What a bot's log line means, by the table of ``class_table`` and ``words``.

A line is classed by the last line of its traceback, then by the exchange's code or the HTTP status, then by
the exchange's words, and only then by the generic wrapper around them (``Failed to submit BUY order …``),
which reads the same for every cause. Codes are only read where a code stands (``"code":"40006"``,
``Error: 40006 - …``, ``… (30011)``): an order id may hold the same digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from triage.logs.class_table import CLASSES, CODES, LogClass
from triage.logs.words import (
    ANSWERS,
    FIRST,
    WORDS,
    WRAPPERS,
    about_others,
    answered,
    own_words,
    tells_of_recovery,
)
from triage.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from triage.logs.lines import ErrorLine
    from triage.model import Json


_CODE = re.compile(
    r"[\"']?\bcode[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?P<a>\d{3,5})\b"
    r"|\bcode (?P<d>[34]\d{4})\b|\bError:? (?P<b>\d{5}) ?-|\((?P<c>[34]\d{4})\)\s*[.\"']?\s*(?:$|[,;)])",
    re.IGNORECASE,
)
_ANY_CODE = re.compile(
    r"[\"'](?:ret|s|err(?:or)?[-_]?)?code[\"']?\s{0,3}:\s{0,3}[\"']?(?P<a>-?\d{3,6})\b|\bError:? (?P<b>-?\d{4,6}) ?-"
    r"|\((?P<c>[34]\d{4})\)\s*[.\"']?\s*(?:$|[,;)])|\bError: (?P<d>[a-z][\w.-]{2,60}) - Error "
    r"|[\"']label[\"']\s*:\s*[\"'](?P<e>[A-Z][A-Z_]{3,40})[\"']"
    r"|\b(?P<f>E(?:API|Order|General|Service|Trade|Funding|Query):[a-z][a-z _]{2,40})",
    re.IGNORECASE,
)
"""The code of whatever exchange, where a code stands."""
_BACKGROUND = re.compile(
    r"unhandled error in background task|task exception was never retrieved", re.IGNORECASE
)
"""What died is a task, of whatever error of code: it does not come back by itself, which the error alone does not say."""
_SUCCESS = frozenset({"00000", "200", "200000", "000"})
_STATUS = re.compile(
    r"HTTP status is (?P<a>\d{3})\b|WSServerHandshakeError: (?P<b>\d{3})\b|ContentTypeError: (?P<c>\d{3})\b"
)


@dataclass(frozen=True, slots=True)
class LineClass:
    """What one line was read as: the class, the code or status that said so, and whether only a wrapper did."""

    name: str
    code: str = ""
    generic: bool = False

    @property
    def row(self) -> LogClass:
        """The table's row."""
        return CLASSES[self.name]


_OF_EXCHANGE = frozenset(
    {
        *CODES.values(), "exchange_unreachable", "exchange_refuses", "egress_blocked", "order_refused", "parameter_refused",
        "stream_closed",
        "tls_failure", "code_error",
    }
)  # fmt: skip
"""Classes that blame the exchange, the way to it or the bot's code."""


def classify(message: str, exception: str = "", logger: str = "") -> LineClass | None:
    """Return what a line means; None where the table does not know it.

    ``exception`` is the last line of the traceback behind the message. Both unmasked: codes count. What is said of
    a request to somebody else than the exchange, by the words or by the ``logger``, does not blame the exchange.
    """
    if not exception and tells_of_recovery(message):
        return LineClass("benign")
    found = _read(message, exception)
    if found is not None and found.name in _OF_EXCHANGE and about_others(message, exception, logger):
        return LineClass("elsewhere", found.code)
    return found


def _read(message: str, exception: str) -> LineClass | None:
    for text in filter(None, (exception, message)):
        found = (
            _first(FIRST, text)
            or _by_code(text)
            or _by_answer(text)
            or _by_status(text)
            or _first(WORDS, text)
            or _refused(text)
        )
        if found is not None and not (
            text is exception and found.name == "code_error" and _BACKGROUND.search(message)
        ):
            return found
    found = _first(WRAPPERS, message)
    return LineClass(found.name, generic=True) if found is not None else None


def _first(rules: Iterable[tuple[re.Pattern[str], str]], text: str) -> LineClass | None:
    return next((LineClass(name) for pattern, name in rules if pattern.search(text)), None)


def _by_code(text: str) -> LineClass | None:
    for match in _CODE.finditer(text):
        code = match["a"] or match["b"] or match["c"] or match["d"]
        if code in CODES:
            return LineClass(CODES[code], code)
    return None


def _by_answer(text: str) -> LineClass | None:
    """Read an answer's words; the code that they came with is kept, whoever's it is."""
    found = _first(ANSWERS, answered(text))
    return LineClass(found.name, _shown_code(text)) if found is not None else None


def _by_status(text: str) -> LineClass | None:
    match = _STATUS.search(text)
    if match is None:
        return None
    status = match["a"] or match["b"] or match["c"]
    if status in {"418", "429"}:
        return LineClass("exchange_rate_limit", status)
    if status == "401":
        return LineClass("credentials_refused", status)
    if status in {"403", "451"}:
        return LineClass("egress_blocked", status)
    return LineClass("exchange_down", status) if status[0] == "5" else None


def _refused(text: str) -> LineClass | None:
    """An answer with a code that nobody wrote down is a refusal all the same."""
    shown = _shown_code(text) if answered(text) else ""
    return LineClass("exchange_refuses", shown) if shown and shown not in _SUCCESS else None


def _shown_code(text: str) -> str:
    """Return the code that an answer shows, or else its HTTP status; empty where there is neither."""
    code, status = _ANY_CODE.search(text), _STATUS.search(text)
    if code is not None:
        return str(code.group(code.lastindex or 0))
    return str(status.group(status.lastindex or 0)) if status is not None else ""


LATE = timedelta(minutes=5)
"""The end of a window: what still comes in it has not stopped."""


@dataclass(slots=True)
class _ClassLines:
    lines: list[ErrorLine]
    code: str
    generic: bool


def classes_of(
    now: Iterable[ErrorLine],
    before: Iterable[ErrorLine] = (),
    *,
    share: float = 1.0,
    unseen_until: datetime | None = None,
    until: datetime | None = None,
) -> list[dict[str, Json]]:
    """Return the classes of a window's lines, the most specific first; see ``error_logs`` for the shape.

    ``before`` are the lines of the time before the trouble, ``share`` the length of the window over theirs:
    a class is ``fresh`` where it is new, or more than three times as frequent as it was. Where nothing is known of
    that time, ``unseen_until`` names a time in the window: fresh is what was not seen before it, ``usual`` None.
    ``until`` is the end of the window: ``late`` counts the lines of its last five minutes, None without it.
    """
    found = _grouped(now)
    if not found:
        return []
    usual = _grouped(before)
    result = []
    for key, group in found.items():
        expected = len(usual[key].lines) * share if key in usual else 0.0
        fresh = key not in usual or (len(group.lines) >= 3 and len(group.lines) > 3 * expected)  # noqa: PLR2004 - as documented
        first = min(group.lines, key=lambda line: line.at)
        result.append(
            {
                "name": key[0],
                "code": group.code,
                "generic": group.generic,
                "count": len(group.lines),
                "usual": round(expected, 2) if unseen_until is None else None,
                "fresh": fresh if unseen_until is None else first.at > unseen_until,
                "first_at": first.at.isoformat(),
                "late": sum(line.at > until - LATE for line in group.lines) if until is not None else None,
                "last_at": max(line.at for line in group.lines).isoformat(),
                "level": first.level,
                "logger": first.logger,
                "example": masked(own_words(first.exception or first.message))[:200],
            }
        )
    return sorted(
        result,
        key=lambda each: (each["generic"], not each["fresh"], -each["count"], each["name"], each["code"]),
    )


def _grouped(lines: Iterable[ErrorLine]) -> dict[tuple[str, str], _ClassLines]:
    groups: dict[tuple[str, str], _ClassLines] = {}
    readings: dict[tuple[str, str, str], LineClass | None] = {}
    for line in lines:
        text = (line.message, line.exception, line.logger)
        if text not in readings:
            readings[text] = classify(*text)
        reading = readings[text]
        if reading is None:
            continue
        group = groups.setdefault(
            (reading.name, reading.code), _ClassLines([], reading.code, reading.generic)
        )
        group.lines.append(line)
        group.generic = group.generic and reading.generic
    return groups

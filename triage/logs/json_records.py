"""The JSON that programs log: which fields name the level, the message, the logger and the exception. Pure.

Python's loggers, structlog, Loguru, pino, GELF, ECS, OpenTelemetry and journald each have names and numbers of
their own; names are compared without their case, and a field may stand in an object (``{"log": {"level": …}}``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from triage.logs.level_words import (
    LETTERS,
    LOOSE_WORDS,
    PYTHON_LEVELS,
    SYSLOG_LEVELS,
    level_of,
    level_of_number,
)
from triage.logs.other_senses import number_is_level
from triage.logs.plain_objects import level_of_status, object_of
from triage.masking import masked_where_cut

_LEVELS = (
    "level_name", "levelname", "level", "severity", "severity_text", "severitytext", "lvl", "sev", "log.level", "loglevel",
    "@level", "@l", "record.level.name", "error_severity", "s", "l", "priority",
)  # fmt: skip
_LOOSE_LEVELS = ("type", "status", "kind", "outcome", "category", "class")
"""Fields that may hold anything; where a line names no level elsewhere, one of ``LOOSE_WORDS`` in them is one."""
_ANY_NAME = ("priority", "s", "l")
"""Names that may hold anything: only a word of a level counts in them."""
_PYTHON_NUMBERS = ("level_no", "levelno", "record.level.no", "level")
_OTEL_NUMBERS = ("severitynumber", "severity_number")
_SYSLOG_NUMBERS = ("level", "severity", "sev", "lvl")
_JOURNALD = "PRIORITY"
"""In lower case it is an order's, or a task's."""
_MESSAGES = (
    "record.message", "msg", "message", "body.stringvalue", "textpayload",
    "event", "text", "body", "short_message", "error.message", "error", "err",
    "exception", "@m", "@mt", "stringvalue",
)  # fmt: skip
_LOGGERS = ("logger_name", "logger", "record.name", "log.logger", "name", "syslog_identifier")
_EXCEPTIONS = ("exception", "exc_info", "traceback", "stack_trace", "error.stack_trace", "err.stack", "stack")
_ELSEWHERE = re.compile(
    r"(?:.*\.)?(?!(?:log\w*|rec(?:ord)?|fields?|extra|event|entry|meta\w*|context|ctx|data|\w*payload|body|message|msg|attr\w*"
    r"|properties|info|err(?:or)?|exception|_?source|parsed|json|app\w*|process|labels?|stream)\.)[^.]+\.(?:level|lvl|sev|severity)"
)
"""A level in an object that wraps no record: a margin's, a risk's."""
_THOUSANDS = "level_value"
"""Logback's numbers: 40000 is an error."""
_PINO = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARNING", 50: "ERROR", 60: "CRITICAL"}
_OTEL = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL")
"""OpenTelemetry's numbers, four a level, from 1."""
_CUT_LEVEL = re.compile(
    r'"(?:[\w.@-]{0,40}[._@-])?(?:level|levelname|level_name|lvl|severity|sev)" ?: ?"(?P<level>[A-Za-z]{1,12})"',
    re.IGNORECASE,
)
_CUT_MESSAGE = re.compile(
    r'"(?:[\w.]{0,40}\.)?(?:msg|message|event|text)" ?: ?"(?P<text>(?:[^"\\]|\\.)*)', re.IGNORECASE
)
_SHOWN = 300
_LEAST = 8000
"""Below this, thousands are none: ``level_of_number`` would read syslog's."""


@dataclass(frozen=True, slots=True)
class JsonFields:
    """``level`` as the line names it; ``exception`` is the last line of its traceback, empty without one."""

    level: str
    message: str
    logger: str
    exception: str


def fields_of(text: str) -> JsonFields | None:
    """Read a line of JSON; None where it is none, or names no level."""
    found = object_of(text)
    if found is None:
        return _of_cut(text)
    flat = dict(_flat(found))
    journald = _JOURNALD in found and "MESSAGE" in found
    level = _named(flat) or _numbered(flat, journald=journald) or _named_elsewhere(flat)
    level = level_of_status(flat, level)
    if not level:
        return None
    message = _first(flat, _MESSAGES) or _first(_by_last(flat), _MESSAGES) or masked_where_cut(text, _SHOWN)
    head, _, rest = message.strip().partition("\n")
    return JsonFields(level, head, _first(flat, _LOGGERS), _exception(flat) or _last_line(rest))


def _of_cut(text: str) -> JsonFields | None:
    """Read a line that was cut off somewhere: the level and the message that stand before the cut."""
    level = _CUT_LEVEL.search(text)
    if level is None:
        return None
    message = _CUT_MESSAGE.search(text)
    said = masked_where_cut(message["text"] if message is not None else text, _SHOWN)
    return JsonFields(LETTERS.get(level["level"], level["level"]), said, "", "")


def _flat(found: Mapping[str, Any], before: str = "", depth: int = 3) -> Iterator[tuple[str, object]]:
    """Yield every field by its path; of a list of objects the first counts, as exporters of logs wrap one record."""
    for name, value in found.items():
        key = before + name.lower()
        yield key, value
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict) and depth:
            yield from _flat(inner, f"{key}.", depth - (inner is value))


def _by_last(flat: Mapping[str, object]) -> dict[str, object]:
    """Return the fields by the last part of their paths, the outermost first."""
    found: dict[str, object] = {}
    for name, value in sorted(flat.items(), key=lambda item: item[0].count(".")):
        found.setdefault(name.rpartition(".")[2], value)
    return found


def _named_elsewhere(flat: Mapping[str, object]) -> str:
    """Return the level of a field in some object, or of one of the line itself that may hold anything and holds a level."""
    last = _by_last({name: value for name, value in flat.items() if not _ELSEWHERE.fullmatch(name)})
    for word in (last.get(name) for name in _LEVELS if len(name) > 1):
        if isinstance(word, str) and level_of(word):
            return word
    loose = (flat.get(name) for name in _LOOSE_LEVELS)
    return next((word for word in loose if isinstance(word, str) and word.lower() in LOOSE_WORDS), "")


def _first(flat: Mapping[str, object], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := flat.get(name), str) and value.strip()), "")


def _named(flat: Mapping[str, object]) -> str:
    """Return the level that a field names in words, or in the letter that stands for one."""
    for name in _LEVELS:
        value = flat.get(name)
        if not isinstance(value, str) or not value.strip() or value.strip().isdigit():
            continue
        if name in _ANY_NAME:
            if value in LETTERS or level_of(value):
                return LETTERS.get(value, value)
            continue
        return LETTERS.get(value, value)
    return ""


def _numbered(flat: Mapping[str, object], *, journald: bool) -> str:
    """Name a level that is a number: below 8 it is syslog's, beside a time in milliseconds pino's, else Python's."""
    names = (*_OTEL_NUMBERS, *_PYTHON_NUMBERS, *_SYSLOG_NUMBERS, *([_JOURNALD.lower()] if journald else []))
    for name in names:
        number = _whole(flat.get(name))
        if number is None or (name in _LEVELS and not number_is_level(flat, number, journald=journald)):
            continue
        if name in _OTEL_NUMBERS:
            return _OTEL[min(max(number - 1, 0) // 4, len(_OTEL) - 1)]
        if name in (*_SYSLOG_NUMBERS, _JOURNALD.lower()) and 0 <= number < len(SYSLOG_LEVELS):
            return SYSLOG_LEVELS[number]
        pino = name == "level" and (not isinstance(flat.get("time", ""), str) or _is_bunyan(flat))
        known = _PINO if pino else PYTHON_LEVELS
        return next((known[each] for each in sorted(known, reverse=True) if number >= each), "")
    thousands = flat.get(_THOUSANDS)
    return level_of_number(thousands // 1000) if isinstance(thousands, int) and thousands >= _LEAST else ""


def _is_bunyan(flat: Mapping[str, object]) -> bool:
    """Bunyan has pino's numbers and a time in words; each of its lines names a version and a host."""
    return isinstance(flat.get("v"), int) and "hostname" in flat


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4:  # noqa: PLR2004 - a level
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _exception(flat: Mapping[str, object]) -> str:
    kind, value = flat.get("record.exception.type"), flat.get("record.exception.value")
    if isinstance(kind, str):
        return f"{kind}: {value}" if value else kind
    return _last_line(_first(flat, _EXCEPTIONS))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return masked_where_cut(lines[-1], _SHOWN) if lines else ""

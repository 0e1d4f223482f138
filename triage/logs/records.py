"""One log line as a record: level, logger, message, in each of the shapes the desk's programs write.

::

    2026-02-20 16:33:00,312 - 12345 - hummingbot.connector - ERROR - message    the bots' files (the pid may lack)
    16:33:00 - bitget - message                                                 their console: no level at all
    2026-03-05T19:49:20+0000 INFO     risk-service: message                     the desk's services
    2026-02-20 16:33:00 | ERROR | module:function:12 - message, [time] [ERROR] message, ERROR:logger:message
    {"level_name": "ERROR", "msg": "…", "logger_name": "…"}, level=error msg="…"
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ERRORS = frozenset({"ERROR", "CRITICAL", "FATAL"})
OTHERS = frozenset({"WARNING", "NETWORK"})
"""Levels that may hold a cause without being an error: NETWORK stands below INFO and carries tracebacks."""

_LEVEL = r"TRACE|DEBUG|METRIC_LOG|EVENT_LOG|NETWORK|INFO|NOTICE|SUCCESS|WARN|WARNING|ERROR|CRITICAL|FATAL"
_DATE = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[,.]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_BEFORE = r"(?:[^\n]{0,120}?[^\w\n])?"
"""What an unknown transport may have put before a record."""
_BOT = re.compile(
    rf"{_BEFORE}{_DATE} - (?:\d{{1,10}} - )?(?:(?P<logger>\S{{1,200}}) - )?(?P<level>{_LEVEL}|[A-Z]{{4,8}}) - "
    r"(?P<message>.*)"
)
_SERVICE = re.compile(
    rf"\[?{_DATE}\]?(?: \[\d{{1,10}}\])?[ \t]+(?:\| ?|\[)?(?P<level>{_LEVEL})[ \t]*(?:\]|\|)?[ \t]+"
    r"(?:(?P<logger>[A-Za-z_][\w.:<>/-]{0,200}?)(?::| -) )?(?P<message>.*)"
)
_PYTHON = re.compile(rf"(?P<level>{_LEVEL}):(?P<logger>[\w.-]{{1,200}}):(?P<message>.*)")
_CONSOLE = re.compile(r"\d\d:\d\d:\d\d - (?P<logger>\S{1,200}) - (?P<message>.*)")
_LOGFMT = re.compile(r"(?:^|.{0,200} )level=\"?(?P<level>[A-Za-z]{4,8})\"?(?: |$)")
_LOGFMT_MESSAGE = re.compile(r"\bmsg=(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<bare>\S+))")
_TRACE_IN_FILE = "(See log file for stack trace dump)"
"""The console's only sign of an exception."""
_SAME = {"WARN": "WARNING"}


@dataclass(frozen=True, slots=True)
class LogRecord:
    """``level`` is empty where the line carries none."""

    level: str
    logger: str
    message: str


def record_of(text: str) -> LogRecord | None:
    """Read one unwrapped line; None where it begins no record (a traceback's line, or a shape not known)."""
    if text.startswith("{"):
        return _from_json(text)
    for pattern in (_BOT, _SERVICE, _PYTHON):
        found = pattern.match(text)
        if found is not None:
            level = found["level"]
            return LogRecord(_SAME.get(level, level), found["logger"] or "", found["message"].strip())
    console = _CONSOLE.match(text)
    if console is not None:
        level = "ERROR" if _TRACE_IN_FILE in console["message"] else ""
        return LogRecord(level, console["logger"], console["message"].replace(_TRACE_IN_FILE, "").strip())
    return _from_logfmt(text)


def _from_logfmt(text: str) -> LogRecord | None:
    found = _LOGFMT.match(text)
    if found is None:
        return None
    said = _LOGFMT_MESSAGE.search(text)
    message = (said["quoted"] or said["bare"] or "") if said is not None else text
    return LogRecord(_level(found["level"]), "", message.strip())


def _from_json(text: str) -> LogRecord | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    level = _first(found, "level_name", "levelname", "level", "severity", "lvl")
    message = _first(found, "msg", "message", "event", "text")
    if not level or not message:
        return None
    return LogRecord(_level(level), _first(found, "logger_name", "logger", "name"), message.strip())


def _first(found: Mapping[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := found.get(name), str) and value), "")


def _level(word: str) -> str:
    upper = word.upper()
    return _SAME.get(upper, upper)

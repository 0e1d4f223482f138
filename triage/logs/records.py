"""One log line as a record: level, logger, message, in each of the shapes the desk's programs write.

::

    2026-02-20 16:33:00,312 - 12345 - hummingbot.connector - ERROR - message    the bots' files (the pid may lack)
    16:33:00 - bitget - message                                                 their console: no level at all
    2026-03-05T19:49:20+0000 INFO     risk-service: message                     the desk's services
    2026-02-20 16:33:00 | ERROR | module:function:12 - message, [time] [ERROR] message, ERROR:logger:message
    {"level_name": "ERROR", "msg": "…", "logger_name": "…"}, level=error msg="…"
    10.0.0.3 - - [20/Feb/2026:16:33:00 +0000] "GET / HTTP/1.1" 502 157      a web server's: its status is its level
    any other line that begins with a time and names a level, or with a level alone: ERROR: message
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from triage.logs.access_lines import access_of
from triage.logs.heads import head_of
from triage.logs.json_records import fields_of
from triage.logs.level_words import LETTERS, SYSLOG_LEVELS, level_of
from triage.logs.other_senses import without_settings

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
_ANY_DATE = r"(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d[-/.]\d\d[-/.]\d{4})"
_ANY_TIME = rf"{_ANY_DATE}?[ T]{{0,2}}\d\d:\d\d:\d\d(?:[,.]\d{{1,9}})?|\d{{10,19}}(?:\.\d{{1,9}})?"
_ANY_LEVEL = rf"(?:{_LEVEL}|(?<=\[)(?i:{_LEVEL})(?= *\])|(?<= - )(?i:{_LEVEL})(?= +- ))"
_TIMED = re.compile(
    rf"\W{{0,3}}(?:{_ANY_TIME})(?![\w]).{{0,120}}?(?<![\w.~=])(?P<level>{_ANY_LEVEL})(?![\w.~=])[\s\]"
    rf"|:)/-]*(?P<message>.*)"
)
"""A time, in any of the usual forms, and the first level that follows it."""
_SYSLOG = re.compile(
    r"(?:\d{1,5} )?<(?P<number>\d{1,3})>(?:1 (?:\S{10,40}|-) |[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d "
    r"|(?=[\w./-]{1,60}\[\d{1,10}\]: ))(?P<message>.*)"
)
"""A line of syslog: its number holds the level."""
_KLOG = re.compile(r"(?P<level>[IWEF])\d{4}(?:\d{4})? \d\d:\d\d:\d{2,10}\.\d+ +\d+ \S+\] (?P<message>.*)")
_KLOG_LEVELS = {"I": "INFO", "W": "WARNING", "E": "ERROR", "F": "FATAL"}
_LEVEL_FIRST = re.compile(
    rf"(?:\[(?P<bracketed>(?i:{_LEVEL})) *\]:?|(?P<level>{_LEVEL})(?::| -|(?= +(?:{_ANY_TIME}))))[ \t]+(?P<message>.+)"
)
_CONSOLE_LEVEL = re.compile(rf"(?P<level>{_LEVEL}) +- +(?P<message>.*)")
_LOGFMT = re.compile(
    r"(?:^|.{0,200} )(?:(?:level|lvl|(?:severity|log)[_.-]?level|severity|sev)=[\"']?(?P<level>[A-Za-z]{3,8})"
    r"|(?:level|lvl|sev)=(?P<letter>[DIWEF]))[\"']?(?: |$)",
    re.IGNORECASE,
)
_LOGFMT_MESSAGE = re.compile(
    r"\b(?:msg|message|event)=(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|'(?P<single>[^']*)'|(?P<bare>\S+))",
    re.IGNORECASE,
)
_NAMES_LEVEL = re.compile(r"[\"'](?:log|@)?(?:level\w{0,8}|lvl|severity)[\"']\s?:", re.IGNORECASE)
_NOT_SERVED = re.compile(
    r'"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /[^"\n]{0,2000} HTTP/\d(?:\.\d)?" 5\d\d\b'
)
"""A server's own access line, whose status says that it could not answer."""
_PYTHON_WARNS = re.compile(r"\S{1,200}\.py:\d{1,6}: (?P<message>\w{0,40}Warning: .*)")
_TRACE_IN_FILE = "(See log file for stack trace dump)"
"""The console's only sign of an exception."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """``level`` is empty where the line carries none; ``exception`` is what the line itself holds of one."""

    level: str
    logger: str
    message: str
    exception: str = ""


def record_of(text: str) -> LogRecord | None:
    """Read one unwrapped line; None where it begins no record (a traceback's line, or a shape not known)."""
    found = _from_json(text) if text.startswith("{") else _from_text(text)
    return _of_message(found) if found is not None and found.level == "INFO" else found


def _of_message(record: LogRecord) -> LogRecord:
    """Return the graver record that one at INFO carries: another program's, or a request that was not served."""
    if record.message.startswith("{") and _NAMES_LEVEL.search(record.message) is not None:
        inner = _from_json(record.message)
        return inner if inner is not None and inner.level in ERRORS else record
    return replace(record, level="ERROR") if _NOT_SERVED.search(record.message) is not None else record


def _from_text(text: str) -> LogRecord | None:
    for pattern in (_BOT, _SERVICE, _PYTHON):
        found = pattern.match(text)
        if found is not None:
            level = found["level"]
            return LogRecord(_level(level), found["logger"] or "", found["message"].strip())
    console = _CONSOLE.match(text)
    if console is not None:
        named = _CONSOLE_LEVEL.match(console["message"])
        if named is not None:
            return LogRecord(_level(named["level"]), console["logger"], named["message"].strip())
        level = "ERROR" if _TRACE_IN_FILE in console["message"] else ""
        return LogRecord(level, console["logger"], console["message"].replace(_TRACE_IN_FILE, "").strip())
    warned = _PYTHON_WARNS.match(text)
    if warned is not None:
        return LogRecord("WARNING", "py.warnings", warned["message"].strip())
    return _from_any(text)


def _from_any(text: str) -> LogRecord | None:
    """Read a line of some program; a level in it that is only set, or a threshold's, is none."""
    found = _from_logfmt(text) or _from_other(text)
    if found is None:
        return None
    bare = without_settings(text)
    return found if bare == text else (_from_logfmt(bare) or _from_other(bare))


def _from_other(text: str) -> LogRecord | None:
    timed = _TIMED.match(text)
    if timed is not None:
        return LogRecord(_level(timed["level"]), "", timed["message"].strip())
    first = _LEVEL_FIRST.match(text)
    if first is not None:
        return LogRecord(_level(first["level"] or first["bracketed"]), "", first["message"].strip())
    klog = _KLOG.match(text)
    if klog is not None:
        return LogRecord(_KLOG_LEVELS[klog["level"]], "", klog["message"].strip())
    syslog = _SYSLOG.match(text)
    if syslog is not None:
        return LogRecord(SYSLOG_LEVELS[int(syslog["number"]) % 8], "", syslog["message"].strip())
    access = access_of(text)
    if access is not None:
        return LogRecord("ERROR" if access.failed else "INFO", "access", access.message)
    head = head_of(text)
    return LogRecord(head.level, "", head.message) if head is not None else None


def _from_logfmt(text: str) -> LogRecord | None:
    found = _LOGFMT.match(text)
    if found is None:
        return None
    said = _LOGFMT_MESSAGE.search(text)
    message = (said["quoted"] or said["single"] or said["bare"] or "") if said is not None else text
    letter = found["letter"]
    return LogRecord(LETTERS[letter.upper()] if letter else _level(found["level"]), "", message.strip())


def _from_json(text: str) -> LogRecord | None:
    fields = fields_of(text)
    if fields is None:
        return None
    inner = record_of(fields.message) if not fields.message.startswith("{") else None
    level = _level(fields.level)
    named = inner is not None and inner.message != fields.message  # "level=error is asked for" is a sentence
    if inner is not None and named and inner.level and (level not in ERRORS or inner.level in ERRORS):
        return replace(inner, exception=fields.exception)
    return LogRecord(level, fields.logger, fields.message, fields.exception)


def _level(word: str) -> str:
    """Return the level that a word names; a word that names none is one of the program's own (EVENT_LOG)."""
    return level_of(word) or word.upper()

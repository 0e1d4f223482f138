"""What transports put around a log line, taken off again: pure text, no level and no meaning.

A line may come as JSON of Docker's json-file driver, of journald, Fluentd or Promtail, with the name that compose
puts before it, with an RFC 3339 time (and a CRI stream) before it, coloured, with a traceback whose newlines were
escaped, and with the carriage return of a terminal.
"""

from __future__ import annotations

import json
import re
from typing import Any

from triage.logs.level_words import LOOSE_WORDS
from triage.logs.plain_objects import tells_failure

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_=>]|[()][A-Z0-9])")
_ANSI_AS_TEXT = re.compile(
    r"(?:\\u001[bB]|\\x1[bB]|\\033|\^\[|#033)\[[\d;]{0,12}m|\[\d{1,3}(?:;\d{1,3}){0,4}m(?!\])"
)
"""Colours that a transport wrote out, or whose first character it dropped."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")
_COMPOSE = re.compile(r"(?:\d{1,4}\|)?[A-Za-z0-9][A-Za-z0-9_.-]{0,80} {0,40}\| ")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d) "
    r"(?:[\w.-]{1,80} [\w./@-]{1,60}\[\d{1,10}\]: |std(?:out|err) [FP] |(?!(?:DEBUG|INFO|WARN|WARNING|ERROR"
    r"|CRITICAL|FATAL)\b))"
)
"""A time that a transport put there; before a level it is the record's own."""
_CUT_JSON = re.compile(r'\{"log": ?"(?P<body>(?:[^"\\]|\\.)*)')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "", "f": ""}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_LAYERS = 5
_SPACED = 24
"""Of a line so long every second character is a space: each stands for the other byte of UTF-16."""
_CARRIED = ("log", "MESSAGE", "message", "msg", "line", "_entry", "entry")
"""Where a transport's JSON holds the line of the program."""
_LEVELS = re.compile(
    r'"(?:[^"\\]{0,20}[._@])?(?:(?:log)?level|lvl|severity|priority)[^"\\]{0,10}" ?:'
    r'|"(?:sev|prio)" ?:|"s" ?: ?"[FEWID]"|"@l" ?:'
    rf'|"(?:status|type|kind|outcome|category|class)" ?: ?"(?:{"|".join(LOOSE_WORDS)})"',
    re.IGNORECASE,
)
_DOCKER = ("CONTAINER_NAME", "CONTAINER_ID")
_TRACE_ESCAPED = re.compile(r"(?:\\r)?\\n(?=Traceback \(|  File )")
_TRACE_OCTAL = re.compile(r"#012(?=Traceback \(|  File )")


def unwrapped(text: str) -> str:
    """Return the line as its program wrote it, without colours; lines inside it are parted by newlines."""
    for _ in range(_LAYERS):
        inner = _outer_layer(_plain(text))
        if inner == text:
            break
        text = inner
    return text


def is_cut_short(text: str) -> bool:
    """Say whether Docker parted a long line here (it does so every 16 KiB): the rest comes as the next line."""
    if not text.startswith("{") or '"log"' not in text:
        return False
    log = _object(text).get("log")
    return '"stream"' in text and isinstance(log, str) and bool(log) and not log.endswith("\n")


def _plain(text: str) -> str:
    if text[1:_SPACED:2].isspace() and len(text) >= _SPACED and not text[:_SPACED:2].isspace():
        text = text[::2]
    text = _ANSI.sub("", text) if "\x1b" in text else text
    text = _ANSI_AS_TEXT.sub("", text) if "[" in text else text
    # Some send a line's end as a return and a vertical tab, so that a driver leaves the record whole.
    text = text.replace("\r\n", "\n").replace("\r\v", "\n").rstrip("\r\n")
    # A terminal shows what stands after the last return of a line.
    text = "\n".join(line.rsplit("\r", 1)[-1] for line in text.split("\n")) if "\r" in text else text
    return text if text.isprintable() else _CONTROL.sub("", text)


def _outer_layer(text: str) -> str:
    if text.startswith('"{') and text.endswith('}"'):
        return _from_text(text)
    if text.lstrip()[:1] == "{":
        return _from_json(text.strip())
    if "\\n" in text and _TRACE_ESCAPED.search(text):
        return re.sub(r"(?:\\r)?\\n", "\n", text)
    if "#012" in text and _TRACE_OCTAL.search(text):
        return text.replace("#012", "\n")
    found = _TIME.match(text) if text[10:11] == "T" else None
    found = _COMPOSE.match(text) if found is None and "| " in text else found
    return text[found.end() :] if found is not None else text


def _from_json(text: str) -> str:
    """Return the line that a transport's JSON carries; the JSON of a program, which names a level, stays."""
    found = _object(text)
    if not found:
        cut = _CUT_JSON.match(text)
        return _ESCAPE.sub(_unescaped, cut["body"]) if cut is not None else text
    if isinstance(found.get("MESSAGE"), list):
        return json.dumps({**found, "MESSAGE": _from_bytes(found["MESSAGE"])})
    if (
        isinstance(found.get("log"), dict)
        or (_names_level(text) and not any(name in found for name in _DOCKER))
        or tells_failure(found)
    ):
        return text
    carried = next((found[name] for name in _CARRIED if found.get(name)), None)
    return carried if isinstance(carried, str) else text


def _from_text(text: str) -> str:
    """Return the object that stands in a text of JSON."""
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return inner if isinstance(inner, str) else text


def _names_level(text: str) -> bool:
    return _LEVELS.search(text) is not None


def _from_bytes(value: list[Any]) -> str:
    """Return the text of journald's list of bytes (it writes colours and other unprintable text so)."""
    try:
        return bytes(value).decode("utf-8", "replace")
    except (TypeError, ValueError):
        return ""


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[2], match[2])

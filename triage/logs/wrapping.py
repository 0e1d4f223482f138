"""What transports put around a log line, taken off again: pure text, no level and no meaning.

A line may come as Docker's json-file driver writes it, with the name that compose puts before it, with an
RFC 3339 time (and a CRI stream) before it, coloured, and with the carriage return of a terminal.
"""

from __future__ import annotations

import json
import re

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_=>]|[()][A-Z0-9])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")
_COMPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,80} {0,40}\| ")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d) (?:std(?:out|err) [FP] )?"
    r"(?!(?:DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)\b)"
)
"""A time that a transport put there; before a level it is the record's own."""
_CUT_JSON = re.compile(r'\{"log": ?"(?P<body>(?:[^"\\]|\\.)*)')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "", "f": ""}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_LAYERS = 5


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
    if not text.startswith('{"log"'):
        return False
    try:
        found = json.loads(text)
    except ValueError:
        return False
    log = found.get("log") if isinstance(found, dict) else None
    return isinstance(log, str) and bool(log) and not log.endswith("\n")


def _plain(text: str) -> str:
    text = _ANSI.sub("", text) if "\x1b" in text else text
    text = text.replace("\r\n", "\n").rstrip("\r\n")
    # A terminal shows what stands after the last return of a line.
    text = "\n".join(line.rsplit("\r", 1)[-1] for line in text.split("\n")) if "\r" in text else text
    return _CONTROL.sub("", text)


def _outer_layer(text: str) -> str:
    if text.startswith('{"log"'):
        return _from_json_file(text)
    for pattern in (_COMPOSE, _TIME):
        found = pattern.match(text)
        if found is not None:
            return text[found.end() :]
    return text


def _from_json_file(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        cut = _CUT_JSON.match(text)
        return _ESCAPE.sub(_unescaped, cut["body"]) if cut is not None else text
    log = found.get("log") if isinstance(found, dict) else None
    return log if isinstance(log, str) else text


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[2], match[2])

"""The text of an env file, read as Docker Compose reads it: by the plan, the check, the watch and the write alike.

A value in quotes may run over lines; ``"…"`` knows escapes and ``${OTHER}``, ``'…'`` neither; what follows the closing
quote is a comment. A value without quotes ends at `` #`` or at the line's end, so ``K=123#4`` is ``123#4``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from triage.masking import masked

PROJECT_KEY, FILES_KEY, SEPARATOR_KEY = "COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"
"""Keys that Compose itself reads of its env file."""
_NAME = re.compile(
    r"[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][\w.-]*)[ \t]*(?P<sign>[=:]|(?=[\r\n#]|$))[ \t]*"
)
_BARE = re.compile(r"(?P<value>[^\r\n]*?)[ \t]*(?:(?<=[ \t])#[^\r\n]*)?(?=\r?\n|\r?$)")
_DOUBLE = re.compile(r'"(?P<value>(?:[^"\\]|\\.)*)"', re.DOTALL)
_SINGLE = re.compile(r"'(?P<value>[^']*)'")
_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\r?$)")
_SKIPPED = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r?\n|\r?$)")
_REFERENCE = re.compile(r"(?<![\\$])\$(?:\{(?P<braced>[A-Za-z_]\w*)[^}]*\}|(?P<plain>[A-Za-z_]\w*))")
_ESCAPE = re.compile(r'\\([nrt"\\$])')
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_LONGEST_NAME = 64
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\}|\$(\w+)")
"""A variable; what stands in for it may hold another one."""


@dataclass(frozen=True, slots=True)
class EnvEntry:
    """One ``key=value``: ``start`` and ``end`` are where the value stands in the text, its quotes not in it."""

    key: str
    value: str
    start: int
    end: int
    refers: tuple[str, ...] = ()
    """Variables that Compose puts into the value; ``value`` holds them as they are written."""


@dataclass(frozen=True, slots=True)
class EnvText:
    """Everything that was read, and ``doubts``: lines that are no clear ``key=value``, one sentence each."""

    entries: tuple[EnvEntry, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, str]:
        """Keys and values; of a key that stands twice, the last."""
        return {entry.key: entry.value for entry in self.entries}

    def named(self, key: str) -> tuple[EnvEntry, ...]:
        """Return every place where a key stands."""
        return tuple(entry for entry in self.entries if entry.key == key)


@dataclass(slots=True)
class _Reading:
    text: str
    entries: list[EnvEntry] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def doubt(self, at: int, what: str) -> None:
        """Note that a line is not clear; its words are never told."""
        self.doubts.append(f"line {self.text.count(chr(10), 0, at) + 1} {what}")


def read_env(text: str) -> EnvText:
    """Read an env file. Nothing is raised: what cannot be read is a doubt."""
    reading = _Reading(text)
    at = 1 if text.startswith("\ufeff") else 0
    while at < len(text):
        skipped = _SKIPPED.match(text, at)
        at = skipped.end() if skipped is not None and skipped.end() > at else _one(reading, at)
    return EnvText(tuple(reading.entries), tuple(reading.doubts))


def compose_files(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files that ``COMPOSE_FILE`` of an env file names, in their order; empty where it names none."""
    parted = values.get(FILES_KEY, "").split(values.get(SEPARATOR_KEY) or ":")
    return tuple(name.strip() for name in parted if name.strip())


def _one(reading: _Reading, at: int) -> int:
    """Read one statement and return where the next begins."""
    text = reading.text
    name = _NAME.match(text, at)
    if name is None:
        reading.doubt(at, "is no key=value")
        return _next_line(text, at)
    if not name["sign"]:  # a name alone: Compose takes it from its own environment
        return _next_line(text, name.end())
    if not _is_name(name["key"]):
        reading.doubt(at, "begins with what may be a piece of a value")
    return _value(reading, name["key"], name.end())


def _is_name(key: str) -> bool:
    """Tell whether a word is a variable's name and no line of base64 that ends in "="."""
    mixed = any(char.islower() for char in key) and any(char.isupper() for char in key)
    return len(key) <= _LONGEST_NAME and masked(key) == key and not (mixed and "_" not in key)


def _value(reading: _Reading, key: str, at: int) -> int:
    text = reading.text
    quote = text[at : at + 1]
    if quote in {'"', "'"}:
        match = (_DOUBLE if quote == '"' else _SINGLE).match(text, at)
        if match is None:
            reading.doubt(at, "opens a quote that nothing closes")
            return len(text)
        if quote == "'" and match["value"].endswith("\\"):
            reading.doubt(
                at, "has a backslash before its closing quote, which Compose may take for a part of the value"
            )
        _add(reading, key, match, expands=quote == '"', escapes=quote == '"')
        rest = _REST.match(text, match.end())
        if rest is None:
            reading.doubt(match.end(), "goes on behind the closing quote")
        return rest.end() if rest is not None else _next_line(text, match.end())
    match = _BARE.match(text, at)
    if match is None:
        reading.doubt(at, "cannot be read")
        return _next_line(text, at)
    if "-----BEGIN" in match["value"]:
        reading.doubt(at, "begins a block of several lines without quotes")
    _add(reading, key, match, expands=True, escapes=False)
    return _next_line(text, match.end())


def _add(reading: _Reading, key: str, match: re.Match[str], *, expands: bool, escapes: bool) -> None:
    raw = match["value"]
    refers = [found["braced"] or found["plain"] for found in _REFERENCE.finditer(raw)] if expands else []
    value = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), raw) if escapes else raw
    reading.entries.append(
        EnvEntry(
            key=key, value=value, start=match.start("value"), end=match.end("value"), refers=tuple(refers)
        )
    )


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def filled(text: str, env: Mapping[str, str]) -> str:
    """Fill in ``${NAME}``, ``${NAME:-default}``, ``${NAME:+other}`` and ``$NAME`` as Compose does; not set is empty."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        name, sign, other = found[1] or found[4], found[2] or "", found[3] or ""
        known = env.get(name)
        if sign in {":-", "-"}:
            return known if known or (known is not None and sign == "-") else filled(other, env)
        if sign in {":+", "+"}:
            return filled(other, env) if known or (known is not None and sign == "+") else ""
        return known or ""

    return _VARIABLE.sub(value, text)

"""The exchanges that a script's ``markets`` name, read of its code as text: nothing of it is run or parsed as Python."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STRING_OR_COMMENT = re.compile(r"(?P<string>\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')|#[^\n]*")
_ASSIGNED = re.compile(
    r"^[ \t]*(?:\w{1,40}\.)?markets[ \t]*(?::[^=\n]{0,200})?=(?!=)[ \t]*"
    r"(?:\{(?P<body>(?:[^{}]|\{[^{}]*\}){0,4000})\}|(?P<other>\S))",
    re.MULTILINE,
)
_INNER = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]|\([^()]*\)")
_NAMED = re.compile(r"\s*([\"'])(?P<name>[A-Za-z0-9_.-]{1,80})\1\s*:")


@dataclass(frozen=True, slots=True)
class ScriptMarkets:
    """``names``: exchanges that are written out; ``unread``: others are put together when the script runs."""

    names: tuple[str, ...]
    unread: bool


def markets_of(code: str) -> ScriptMarkets:
    """Read every assignment to ``markets``, of the class, ``cls`` or ``self``; comments do not count."""
    names: dict[str, None] = {}
    unread = False
    bare = _STRING_OR_COMMENT.sub(lambda match: match["string"] or "", code)
    for found in _ASSIGNED.finditer(bare):
        if found["body"] is None:
            unread = True
            continue
        for entry in _INNER.sub("", found["body"]).split(","):
            named = _NAMED.match(entry)
            if named is not None:
                names[named["name"]] = None
            unread = unread or (named is None and bool(entry.strip()))
    return ScriptMarkets(tuple(names), unread)

"""How untrusted text gets into a PromQL or LogQL query without becoming a part of its grammar.

Both languages read double-quoted strings by Go's rules, of which JSON's escapes are a subset.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def quoted(text: str) -> str:
    """Return a string literal of PromQL and LogQL that means exactly ``text``.

    Halves of surrogate pairs are no text in UTF-8 and become U+FFFD.
    """
    return json.dumps(_SURROGATE.sub("\ufffd", text), ensure_ascii=False)


def regex_literal(text: str) -> str:
    """Return an RE2 expression that matches exactly ``text`` (not yet quoted)."""
    return _RE2_SPECIAL.sub(lambda match: "\\" + match[0], text)


def one_of(values: Iterable[str]) -> str:
    """Return an RE2 expression that matches any of the values exactly; of none it matches nothing."""
    literals = [regex_literal(value) for value in values]
    return "|".join(literals) if literals else "$.^"


def label_name(name: str) -> str:
    """Return ``name`` if it may stand as a label's name in a query; raise ValueError otherwise."""
    if not _LABEL_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no label name")
    return name

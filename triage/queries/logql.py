"""LogQL, built so that a hostile label value stays a value."""

from __future__ import annotations

import re
from collections.abc import Mapping

from triage.queries.quoting import label_name, quoted

_PLACE = re.compile(r'"\{(?P<name>[a-z_]+)\}"')


def selector(labels: Mapping[str, str]) -> str:
    """Return ``{job="bot_logs", bot="bot1"}``."""
    return "{" + ", ".join(f"{label_name(name)}={quoted(value)}" for name, value in labels.items()) + "}"


def from_template(template: str, **values: str) -> str:
    """Fill a selector of desk.yaml such as ``{{job="bot_logs", bot="{bot}"}}``.

    A place is a quoted name in braces, ``"{bot}"``: it gets the value, quoted anew. Doubled braces
    are single ones, as in Python's own templates. Unknown places raise KeyError.
    """
    parts = _PLACE.split(template)
    plain = [part.replace("{{", "{").replace("}}", "}") for part in parts[0::2]]
    filled = [quoted(values[name]) for name in parts[1::2]]
    return plain[0] + "".join(value + text for value, text in zip(filled, plain[1:], strict=True))


def containing(text: str) -> str:
    """Return the line filter ``|= "text"``; nothing for an empty text."""
    return f" |= {quoted(text)}" if text else ""


def matching(pattern: str) -> str:
    """Return the line filter ``|~ "pattern"`` (RE2); nothing for an empty pattern."""
    return f" |~ {quoted(pattern)}" if pattern else ""


def without(*texts: str) -> str:
    """Return line filters that drop lines with any of the texts."""
    return "".join(f" != {quoted(text)}" for text in texts)


def count_over(selection: str, window_seconds: float) -> str:
    """Return the metric query that counts the lines of a window in all streams together."""
    return f"sum(count_over_time({selection}[{max(1, round(window_seconds))}s]))"

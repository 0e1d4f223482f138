"""LogQL, built so that a hostile label value stays a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from triage.queries.quoting import label_name, one_of, quoted

_PLACE = re.compile(r'"\{(?P<name>[a-z_]+)\}"')
_BOT_LABEL = re.compile(r'(?<![A-Za-z0-9_])(?P<label>[a-zA-Z_][a-zA-Z0-9_]*)[ ]*=[ ]*"\{bot\}"')

_COLOUR = r"(?:(?:\x1b|\\u001[bB])\[[0-9;]*m)*"
_CLOCK = r"\d\d:\d\d(?:[,.]\d+)?(?:Z|[+-]\d\d:?\d\d)?"


def _at_level(levels: str) -> str:
    """An expression for a record of a level, as the bots and as the desk's services write it, coloured or not."""
    return rf"{_CLOCK}(?: - (?:\d+ - )?[^ ]+ - | +){_COLOUR}(?:{levels}){_COLOUR}(?: - | +[^ ]+: )"


QUIET = _at_level("DEBUG|INFO|EVENT_LOG|METRIC_LOG")
"""Records that tell of nothing wrong (RE2, and Python's too)."""
LOUD = _at_level("ERROR|CRITICAL|FATAL")
"""Records of errors."""


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


def grouped(template: str, bots: Iterable[str]) -> tuple[str, str] | None:
    """Return a selector of several bots at once and the label that tells them apart; None where there is none.

    The template must name the bot as the whole value of one label (``bot="{bot}"``), and only once.
    """
    return _with_matcher(template, f"=~{quoted(one_of(bots))}")


def of_any_bot(template: str) -> tuple[str, str] | None:
    """Return a selector of whatever the label says that names the bot, and that label; None as ``grouped``."""
    return _with_matcher(template, '=~".+"')


def _with_matcher(template: str, matcher: str) -> tuple[str, str] | None:
    found = _BOT_LABEL.search(template)
    if found is None or template.count("{bot}") != 1:
        return None
    rest = [
        part.replace("{{", "{").replace("}}", "}")
        for part in (template[: found.start()], template[found.end() :])
    ]
    label = found["label"]
    return f"{rest[0]}{label_name(label)}{matcher}{rest[1]}", label


def like(expression: str) -> str:
    """Return the line filter that keeps what an RE2 expression finds."""
    return f" |~ {quoted(expression)}"


def unlike(expression: str) -> str:
    """Return the line filter that drops what an RE2 expression finds."""
    return f" !~ {quoted(expression)}"


def containing(text: str) -> str:
    """Return the line filter ``|= "text"``; nothing for an empty text."""
    return f" |= {quoted(text)}" if text else ""


def matching(pattern: str) -> str:
    """Return the line filter ``|~ "pattern"`` (RE2); nothing for an empty pattern."""
    return f" |~ {quoted(pattern)}" if pattern else ""


def without(*texts: str) -> str:
    """Return line filters that drop lines with any of the texts."""
    return "".join(f" != {quoted(text)}" for text in texts)


def count_over(selection: str, window_seconds: float, *, by: str = "") -> str:
    """Return the metric query that counts the lines of a window, in all streams together or by a label."""
    grouping = f" by ({label_name(by)}) " if by else ""
    return f"sum{grouping}(count_over_time({selection}[{max(1, round(window_seconds))}s]))"

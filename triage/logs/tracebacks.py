"""What Python prints of an exception: the first line of a traceback, a group's gutter, the last line. Pure.

And how Java and .NET name the cause of one, of which the last is the first that went wrong.
"""

from __future__ import annotations

import re

_EXCEPTION = re.compile(r"(?P<kind>(?:[A-Za-z_]\w{0,80}\.){0,8}[A-Z]\w{1,80})(?:: (?P<text>.*))?$")
_RAISED = re.compile(r"(?:[A-Za-z_]\w{0,80}\.){0,8}[A-Z]\w{1,80}(?:Error|Exception|Warning|Timeout)(?::|$)")
_CAUSE = re.compile(
    r"(?:Caused by:|[ ]{1,4}--->) (?P<cause>(?:[A-Za-z_]\w{0,80}\.){0,8}[A-Z][\w$]{1,80}(?:: .*)?)$"
)
_TRACEBACK = re.compile(
    r"[ ]{0,12}(?:[+|][ -]{1,60}){0,4}(?:Exception Group )?Traceback \(most recent call last\):"
)
_GUTTER = re.compile(r"(?:[ ]{1,12}[|+](?=[ -]))+[ ]?")
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")


def begins_traceback(text: str) -> bool:
    """Tell whether a line is the first of a traceback, of one in a group of exceptions too."""
    return _TRACEBACK.match(text) is not None


def has_gutter(text: str) -> bool:
    """Tell whether a line has before it what Python sets before the lines of a group of exceptions."""
    return _GUTTER.match(text) is not None


def without_gutter(text: str) -> str:
    """Return the line as it would stand outside a group."""
    return _GUTTER.sub("", text, count=1)


def announces_another(text: str) -> bool:
    """Tell whether the next traceback is of the same error: a cause, or what happened while it was handled."""
    return text.startswith(_CHAINED)


def names_exception(text: str) -> bool:
    """Tell whether a line may be the last of a traceback, given that one has begun."""
    return _EXCEPTION.match(text) is not None


def cause_of(text: str) -> str:
    """Return the exception that a line names as the cause of the one before it; empty where it names none."""
    found = _CAUSE.match(text)
    return found["cause"] if found is not None else ""


def was_raised(text: str) -> bool:
    """Tell whether a line is the last one of a traceback by itself: it may be all that is left of it."""
    return _RAISED.match(text) is not None

"""Whether a line without a level is part of the record before it. Pure.

An error's message may hold anything. A warning is followed by a traceback, or by what is left of one; beneath an INFO that
is another's. Without a traceback, what speaks of an error does not belong to less than an error; nor does a sentence that
came later than what a program prints in one go.
"""

from __future__ import annotations

from datetime import timedelta

from triage.logs.failure_words import speaks_of_error
from triage.logs.heads import begins_record
from triage.logs.records import ERRORS, OTHERS
from triage.logs.tracebacks import begins_traceback, was_raised

TRACED = ERRORS | OTHERS
"""Levels whose records are followed by tracebacks."""
AT_ONCE = timedelta(milliseconds=250)
"""The lines of one record are written together; a transport that reads slowly does not part them by more."""


def is_of_its_own(level: str, text: str, *, traced: bool, later: timedelta) -> bool:
    """Tell whether a line is no part of the record of some level before it.

    ``traced``: a traceback has begun beneath it; ``later``: how long after the last line of the record this one came.
    """
    if level in ERRORS:
        return False
    if begins_record(text):
        return True
    if begins_traceback(text):
        return level not in TRACED
    if traced or text[:1].isspace():
        return False
    if was_raised(text):
        return level not in TRACED
    return later > AT_ONCE or speaks_of_error(text)

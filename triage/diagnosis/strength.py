"""How sure a verdict is of a cause, in words for people; the calibrated figure is for programs (``--json``)."""

from __future__ import annotations

from triage.diagnosis.weights import CERTAIN, LIKELY
from triage.model import Cause

_WORDS = {"certain": "Almost certain", "likely": "Likely", "possible": "Possible"}


def believed(cause: Cause) -> bool:
    """Return whether a cause is part of the answer; a verdict of an older version says so by its confidence alone."""
    return cause.stands if cause.strength else cause.confidence >= LIKELY


def strength(cause: Cause) -> str:
    """Return how sure we are: ``Almost certain``, ``Likely``, ``Possible``."""
    if cause.strength in _WORDS:
        return _WORDS[cause.strength]
    return strength_of(cause.confidence) if believed(cause) else _WORDS["possible"]


def strength_of(confidence: float) -> str:
    """Return the word for a confidence from 0 to 1."""
    return _WORDS["certain" if confidence >= CERTAIN else "likely" if confidence >= LIKELY else "possible"]

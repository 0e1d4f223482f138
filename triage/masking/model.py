"""What the scanner and the kinds of secrets share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MASK = "***"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text, ``start`` to ``end``, and what is shown in its place."""

    start: int
    end: int
    shown: str = MASK


@dataclass(frozen=True, slots=True)
class SecretMatch:
    """What a kind makes of one place: the pieces to hide, and where it looks on."""

    resume: int
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A text and the same text in lower case, character by character as long."""

    whole: str
    lower: str


@dataclass(frozen=True, slots=True)
class SecretKind:
    """One kind of secret.

    ``needles``: words in lower case of which one is in every text that holds such a secret. Where words do not say it,
    ``seen`` is a pattern, without look-around, of what the other texts hold. Only a text that holds one of them is
    searched with ``pattern``, which finds the places worth a look and must need time linear in the text; ``look``
    decides. ``folded``: both patterns are of ``Text.lower``. ``seen`` names classes of ASCII: those of Unicode are large.
    """

    name: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    look: Callable[[Text, re.Match[str]], SecretMatch]
    folded: bool = False
    seen: str = ""


def hide_match(group: str | int = 0) -> Callable[[Text, re.Match[str]], SecretMatch]:
    """Return a look that hides a group of each match."""

    def look(_: Text, match: re.Match[str]) -> SecretMatch:
        return SecretMatch(match.end(), (Span(match.start(group), match.end(group)),))

    return look


def words(text: str) -> frozenset[str]:
    """Return the words of a text that lists them."""
    return frozenset(text.split())

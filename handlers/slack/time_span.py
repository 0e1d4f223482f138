"""How long, as people type it: ``24h``, ``7 d``, ``last 2 hours``, ``for a week``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from triage.errors import Refused
from triage.untrusted_text import one_line

HOURS_A_DAY, DAYS_A_WEEK = 24, 7
_UNITS = r"(?P<unit>h|hrs?|hours?|d|days?|w|wks?|weeks?)"
_SPAN = re.compile(
    r"(?<!\S)(?:(?:for|over|of|the|in(?= (?:the )?(?:last|past) )) )*"  # ``in 2 hours`` begins then: no span
    rf"(?:(?:(?:last|past) )?(?P<count>\d{{1,6}}|an?|one) ?{_UNITS}|(?:last|past) {_UNITS.replace('unit', 'only')})(?!\S)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """So many hours or days; ``unit`` is ``h`` or ``d``."""

    count: int
    unit: str

    @property
    def hours(self) -> int:
        """It in hours."""
        return self.count * (HOURS_A_DAY if self.unit == "d" else 1)

    def __str__(self) -> str:
        """Return it as ``24h`` or ``7d``."""
        return f"{self.count}{self.unit}"


def take_span(words: Sequence[str]) -> tuple[TimeSpan | None, tuple[str, ...]]:
    """Return the span that the words name, None where they name none, and the words that are left.

    Raises Refused for two of them, and for one that is nothing long.
    """
    text = " ".join(words)
    found = list(_SPAN.finditer(text))
    if not found:
        return None, tuple(words)
    if len(found) > 1:
        raise Refused(
            f"{one_line(found[1].group().strip(), 40)!r} is too much here: one span of time is enough."
        )
    left = tuple((text[: found[0].start()] + text[found[0].end() :]).split())
    return _span(found[0]), left


def _span(found: re.Match[str]) -> TimeSpan:
    typed, unit = found["count"] or "one", (found["unit"] or found["only"]).lower()[0]
    count = int(typed) if typed.isdecimal() else 1
    if not count:
        raise Refused(f"{found.group().strip()!r} is no span of time; write for instance 8h or 7d.")
    return TimeSpan(count * DAYS_A_WEEK, "d") if unit == "w" else TimeSpan(count, unit)

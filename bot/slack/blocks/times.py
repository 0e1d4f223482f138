"""Times as the desk reads them: UTC, with the day only where it is not today."""

from __future__ import annotations

from datetime import UTC, datetime


def when(at: datetime, now: datetime) -> str:
    """Return ``03:12 UTC``, ``21 Nov 03:12 UTC`` on another day, with the year in another year."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    if at.date() == now.date():
        return f"{at:%H:%M} UTC"
    return f"{at:%-d %b %H:%M} UTC" if at.year == now.year else f"{at:%-d %b %Y %H:%M} UTC"


def seconds_between(start: datetime, end: datetime) -> float:
    """Return the seconds from one time to another, never less than 0."""
    return max(0.0, (end - start).total_seconds())

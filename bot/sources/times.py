"""Times as Go's servers write them: RFC 3339 with up to nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|[smhdwy])")
_FRACTION = re.compile(r"(\.\d{1,6})\d*")


def rfc3339(text: str) -> datetime:
    """Read a time; what is finer than microseconds is cut. Raises ValueError or TypeError."""
    moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text, count=1))
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC) if moment.year > 1 else moment.replace(tzinfo=UTC)


def maybe_rfc3339(text: str | None) -> datetime | None:
    """Read a time; Go's zero time (the year 1) and an empty one are None."""
    if not text:
        return None
    moment = rfc3339(text)
    return moment if moment.year > 1 else None


def nanoseconds(moment: datetime) -> int:
    """Return Unix time in nanoseconds, exactly."""
    return round(moment.timestamp() * 1_000_000) * 1000


def to_rfc3339(moment: datetime) -> str:
    """Write a time in UTC with milliseconds, as Go's servers read it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span_seconds(text: str) -> float | None:
    """Read a length of time such as ``15d``, ``744h0m0s`` or ``1d12h``; None where it is none."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)

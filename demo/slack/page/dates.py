"""Times as Slack shows them, in this machine's time zone (the browser runs on the same machine)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

MINUTE, HOUR, DAY = 60, 3600, 86400


def local(seconds: float) -> datetime:
    """Return an instant in this machine's time zone."""
    return datetime.fromtimestamp(seconds).astimezone()


def clock(ts: str) -> str:
    """Return the time of day of a message, e.g. `09:14`."""
    return local(float(ts)).strftime("%H:%M")


def full(ts: str) -> str:
    """Return the whole date and time, for the tooltip of a short one."""
    return local(float(ts)).strftime("%A, %-d %B %Y at %H:%M:%S %Z")


def day(ts: str, now: datetime) -> str:
    """Return the heading of a day: Today, Yesterday, or its date."""
    return _pretty(local(float(ts)), now, "%A, %-d %B %Y")


def ago(seconds: float, now: datetime) -> str:
    """Return how long ago an instant is, or in how long it comes."""
    gap = now.timestamp() - seconds
    ahead, gap = gap < 0, abs(gap)
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if gap >= size:
            count = int(gap // size)
            words = f"{count} {name}{'s' if count > 1 else ''}"
            return f"in {words}" if ahead else f"{words} ago"
    return "in a moment" if ahead else "just now"


def _pretty(when: datetime, now: datetime, pattern: str) -> str:
    days = {now.date(): "Today", (now - timedelta(days=1)).date(): "Yesterday"}
    days[(now + timedelta(days=1)).date()] = "Tomorrow"
    return days.get(when.date()) or when.strftime(pattern)


_PATTERNS = {
    "date_num": "%Y-%m-%d",
    "date_slash": "%d/%m/%Y",
    "date_long": "%A, %-d %B %Y",
    "date_long_full": "%A, %-d %B %Y",
    "date_short": "%-d %b %Y",
    "date": "%-d %B %Y",
    "time": "%H:%M",
    "time_secs": "%H:%M:%S",
}


def formatted(seconds: float, pattern: str, now: datetime) -> str:
    """Fill Slack's date tokens, e.g. `{date_short_pretty} at {time}`; unknown tokens stay as they are."""
    when = local(seconds)

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name == "ago":
            return ago(seconds, now)
        plain = name.removesuffix("_pretty").replace("day_divider", "date_long")
        if plain not in _PATTERNS:
            return match.group(0)
        return (
            _pretty(when, now, _PATTERNS[plain])
            if name.endswith("_pretty")
            else when.strftime(_PATTERNS[plain])
        )

    return re.sub(r"\{(\w+)\}", fill, pattern)

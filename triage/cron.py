"""Cron expressions as cron itself reads them, in a time zone with its summer time. Pure.

Five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday, names are allowed). Where
both days are restricted either one is enough, as in cron. When the clocks go forward, a time that does not exist
happens an hour later by the clock of the wall; when they go back, a fixed hour happens once (the first time), an
hour of ``*`` or ``*/n`` every time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: Mapping[str, Mapping[str, int]] = {
    "month": {name: number for number, name in enumerate(_MONTHS, start=1)},
    "day of the week": {name: number for number, name in enumerate(_DAYS)},
}
_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
_MACROS: Mapping[str, str] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_PART = re.compile(r"(?P<first>\*|[a-z0-9]+)(?:-(?P<last>[a-z0-9]+))?(?:/(?P<step>[0-9]+))?")
_YEARS = 9
"""29 February can be eight years away (1896 to 1904)."""


@dataclass(frozen=True, slots=True)
class Cron:
    """One expression. Make it with ``Cron.parse``; ``text`` is what was written."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    every_hour: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression. Raises ValueError, which says which field is wrong and why."""
        written = " ".join(text.split())
        fields = _MACROS.get(written.lower(), written).lower().split(" ")
        if len(fields) != len(_FIELDS):
            raise ValueError(f"has {len(fields) if written else 0} fields instead of five")
        values = [_field(field, *kind) for field, kind in zip(fields, _FIELDS, strict=True)]
        minutes, hours, days, months, weekdays = values
        cron = cls(
            text=written,
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=frozenset(day % 7 for day in weekdays),
            either_day=not fields[2].startswith("*") and not fields[4].startswith("*"),
            every_hour=fields[1].startswith("*"),
        )
        if not any(day <= _longest(month) for day in days for month in months) and not cron.either_day:
            raise ValueError("never happens: no such day in these months")
        return cron

    def before(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the last time at or before a moment, in UTC."""
        day = moment.astimezone(zone).date() + timedelta(days=1)
        for _ in range(_YEARS * 366):
            earlier = [at for at in self._on(day, zone) if at <= moment]
            if earlier:
                return earlier[-1]
            day -= timedelta(days=1)
        raise ValueError(f"{self.text!r} never happened")

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the first time after a moment, in UTC."""
        day = moment.astimezone(zone).date() - timedelta(days=1)
        for _ in range(_YEARS * 366):
            later = [at for at in self._on(day, zone) if at > moment]
            if later:
                return later[0]
            day += timedelta(days=1)
        raise ValueError(f"{self.text!r} never happens")

    def between(self, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Yield the times after ``start`` up to and including ``end``."""
        at = self.after(start, zone)
        while at <= end:
            yield at
            at = self.after(at, zone)

    def _on(self, day: date, zone: ZoneInfo) -> list[datetime]:
        """Return the times of a day of the wall's calendar, in UTC and in order."""
        if not self._is_day(day):
            return []
        folds = (0, 1) if self.every_hour else (0,)
        return sorted(
            {
                datetime.combine(day, time(hour, minute, fold=fold), zone).astimezone(UTC)
                for hour in self.hours
                for minute in self.minutes
                for fold in folds
                if fold == 0 or _is_twice(datetime.combine(day, time(hour, minute), zone))
            }
        )

    def _is_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (of_month or of_week) if self.either_day else (of_month and of_week)


def _is_twice(wall: datetime) -> bool:
    """Whether a time of the wall happens twice; one that a change skips has two offsets as well, the other way."""
    first, second = wall.replace(fold=0).utcoffset(), wall.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second


def _longest(month: int) -> int:
    return 29 if month == _MONTHS.index("feb") + 1 else 30 if month in {4, 6, 9, 11} else 31


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no {name}")
        first, last = _range(match, name, low, high)
        step = int(match["step"]) if match["step"] else 1
        if step < 1 or not low <= first <= last <= high:
            raise ValueError(f"{part!r} is no {name}: it goes from {low} to {high}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _range(match: re.Match[str], name: str, low: int, high: int) -> tuple[int, int]:
    if match["first"] == "*":
        if match["last"]:
            raise ValueError(f"{match[0]!r} is no {name}")
        return low, high
    first = _number(match["first"], name)
    if match["last"]:
        return first, _number(match["last"], name)
    return first, high if match["step"] else first


def _number(word: str, name: str) -> int:
    known = _NAMES.get(name, {})
    if word in known:
        return known[word]
    if not word.isdigit():
        raise ValueError(f"{word!r} is no {name}")
    return int(word)

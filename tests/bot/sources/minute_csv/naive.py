"""The checklist once more, written for clearness alone: whole files, Decimal, lists, no cleverness.

It shares nothing with the project but the file format, so that a wrong idea in one is not in both.
"""

from __future__ import annotations

import csv
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Where a column is in a row of so many fields, counted by hand in the desk's description.
PLACES = {
    14: {"state": 4, "equity": 6, "base": 7, "target": 8, "turnover": 11, "cancels": 12},
    21: {"state": 4, "equity": 7, "base": 8, "target": 9, "turnover": 18, "cancels": 19},
    24: {"state": 4, "equity": 7, "base": 8, "target": 9, "turnover": 18, "cancels": 19, "fee": 21},
    33: {
        "state": 4,
        "equity": 7,
        "base": 8,
        "target": 9,
        "turnover": 22,
        "cancels": 23,
        "loss": 27,
        "drawdown": 28,
    }
    | {"reasons": 29, "fee": 30},
}
PLACES[36] = PLACES[33]


@dataclass
class Minute:
    """The rows of a minute: the one that counts, and all of them."""

    at: datetime
    kept: list[str]
    all: list[list[str]]

    def text(self, name: str) -> str | None:
        """Return a field of the row that counts, None where its layout has none."""
        place = PLACES[len(self.kept)].get(name)
        return None if place is None else self.kept[place]

    def number(self, name: str) -> Decimal | None:
        """Return a number of the row that counts."""
        return _number(self.kept, name)

    def worst(self, name: str) -> Decimal | None:
        """Return the highest number of all rows of the minute."""
        found = [value for value in (_number(fields, name) for fields in self.all) if value is not None]
        return max(found, default=None)

    @property
    def stopped(self) -> bool:
        """Any of its rows says hard_stop."""
        return any(fields[4] == "hard_stop" for fields in self.all)


def _number(fields: list[str], name: str) -> Decimal | None:
    place = PLACES[len(fields)].get(name)
    if place is None:
        return None
    try:
        value = Decimal(fields[place])
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def minutes(folder: Path, start: datetime, end: datetime) -> list[Minute]:
    """Return the minutes of a window that have a row."""
    rows: list[tuple[datetime, list[str]]] = []
    for path in [*sorted(folder.glob("minute.legacy_*.csv")), folder / "minute.csv"]:
        text = path.read_text()
        if not text.endswith("\n"):
            text = text[: text.rindex("\n")]
        for fields in csv.reader(text.splitlines()):
            try:
                at = datetime.fromisoformat(fields[0]).astimezone(UTC)
            except (ValueError, IndexError):
                continue
            if start <= at < end:
                rows.append((at, fields))
    rows.sort(key=lambda entry: entry[0])
    groups = groupby(rows, key=lambda entry: entry[0].replace(second=0, microsecond=0))
    found = [(at, [fields for _, fields in group]) for at, group in groups]
    return [Minute(at, group[-1], group) for at, group in found]


def running_pct(found: list[Minute], expected: int) -> Decimal | None:
    """Minutes in running of all minutes; None where none was written."""
    if not found:
        return None
    return Decimal(100) * len([minute for minute in found if minute.text("state") == "running"]) / expected


def worst(found: list[Minute], name: str) -> Decimal | None:
    """Return the highest value of a column."""
    return max(
        (value for value in (minute.worst(name) for minute in found) if value is not None), default=None
    )


def share(found: list[Minute], name: str, good: Callable[[Decimal], bool]) -> float | None:
    """Return the share of the measured minutes in which a number is good, in percent."""
    values = [value for value in (minute.number(name) for minute in found) if value is not None]
    return statistics.fmean(100.0 if good(value) else 0.0 for value in values) if values else None


def resolved(found: list[Minute]) -> float | None:
    """Return the share of the minutes with a resolved fee source."""
    sources = [source for source in (minute.text("fee") for minute in found) if source is not None]
    good = [source.split(":")[0] in ("api", "connector", "project") and ":" in source for source in sources]
    return statistics.fmean(100.0 * entry for entry in good) if good else None


def risk_stops(found: list[Minute]) -> tuple[int, int]:
    """Return how many hard stops there were, and how many of them had a risk limit among their reasons."""
    episodes: list[set[str]] = []
    stopped = False
    for minute in found:
        if minute.stopped:
            if not stopped:
                episodes.append(set())
            for fields in minute.all:
                place = PLACES[len(fields)].get("reasons")
                if fields[4] == "hard_stop" and place:
                    episodes[-1] |= set(fields[place].split("|")) - {""}
        stopped = minute.text("state") == "hard_stop"
    return len(episodes), sum(any("hard_limit" in reason for reason in reasons) for reasons in episodes)


def flaps(found: list[Minute]) -> int:
    """Count the changes that have three others within less than ten minutes, themselves among them."""
    states = [(minute.at, minute.text("state")) for minute in found]
    pair = {"running", "soft_pause"}
    changes = [now[0] for was, now in pairwise(states) if {was[1], now[1]} == pair]
    bursts: set[datetime] = set()
    for first in changes:
        near = [at for at in changes if first <= at < first + timedelta(minutes=10)]
        if len(near) >= 4:
            bursts |= set(near)
    return len(bursts)


def tracking(found: list[Minute]) -> int | None:
    """Return the minutes, by half-hours, in which a large deviation did not come down by half a percent."""
    errors = [
        abs(base - target)
        for base, target in ((minute.number("base"), minute.number("target")) for minute in found)
        if base is not None and target is not None
    ]
    stood = 0
    for large, run in groupby(errors, key=lambda error: error >= Decimal("0.1")):
        values = list(run)
        means = [statistics.mean(values[at : at + 30]) for at in range(0, len(values) // 30 * 30, 30)]
        if large:
            stood += 30 * sum(now > was * Decimal("0.995") for was, now in pairwise(means))
    return stood if errors else None


def pnl(found: list[Minute]) -> Decimal | None:
    """Return last less first equity."""
    values = [value for value in (minute.number("equity") for minute in found) if value is not None]
    return values[-1] - values[0] if values else None

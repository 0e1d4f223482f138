"""What the finding on a bot's error log says of classes of lines, as rules read it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from triage.logs.class_table import CLASSES
from triage.logs.classes import LATE, classify
from triage.logs.templates import FRESH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from triage.model import Json

_FADED, _GAPS = 4, 3
"""Lines have ended where a quarter of what came is left, or where three of their usual gaps are without one."""


@dataclass(frozen=True, slots=True)
class LoggedLines:
    """Lines of one bot that say the same: how many, how many of them fresh, since when, which codes, one of them.

    ``late``: how many of the fresh ones came in the last five minutes. ``loudest``: the class that says most, with
    how many of the lines are its own. ``at_least``: the counts are lower bounds, not all lines were read.
    """

    count: int = 0
    fresh: int = 0
    codes: tuple[str, ...] = ()
    generic: bool = False
    first_at: datetime | None = None
    last_at: datetime | None = None
    example: str = ""
    names: tuple[str, ...] = ()
    late: int = 0
    loudest: str = ""
    loudest_count: int = 0
    at_least: bool = False

    @property
    def bound(self) -> str:
        """What is said before a count."""
        return "at least " if self.at_least else ""

    @property
    def since(self) -> str:
        """What is said before ``first_at``: where not all lines were read, earlier ones may have been there."""
        return "seen since" if self.at_least else "since"

    def over(self, now: datetime) -> bool:
        """Say whether they came for a while and have ended: by how often they came, not by the last one alone.

        A single line of a kind that comes every day, after a flood, does not go on with it; what comes every ten minutes
        has not ended because five minutes are without it.
        """
        if not self.fresh or self.first_at is None or self.last_at is None:
            return False
        earlier, window = self.fresh - self.late, LATE.total_seconds()
        if self.late:
            span = max(window, (now - self.first_at).total_seconds() - window)
            return _FADED * self.late <= earlier * window / span
        gap = (self.last_at - self.first_at).total_seconds() / max(1, self.fresh - 1)
        return (now - self.last_at).total_seconds() > max(window, _GAPS * gap)


def lines_of(log: Mapping[str, Json], names: Sequence[str], now: datetime) -> LoggedLines:
    """Return what a bot's log says of these classes. ``log``: the bot's part of the finding's data."""
    found = [each for each in _classes(log) if each["name"] in names]
    if not found:
        return LoggedLines()
    loudest = max(found, key=lambda each: (bool(each["fresh"]), not each.get("generic"), each["count"]))
    return LoggedLines(
        count=sum(each["count"] for each in found),
        fresh=sum(each["count"] for each in found if each["fresh"]),
        codes=tuple(dict.fromkeys(str(each["code"]) for each in found if each.get("code"))),
        generic=all(each.get("generic") for each in found),
        first_at=_earliest(each.get("first_at") for each in found if each["fresh"]),
        last_at=_latest(each.get("last_at") for each in found),
        example=str(loudest.get("example", ""))[:140],
        loudest=str(loudest["name"]),
        loudest_count=sum(each["count"] for each in found if each["name"] == loudest["name"]),
        names=tuple(dict.fromkeys(str(each["name"]) for each in found)),
        late=sum(_late(each, now) for each in found if each["fresh"]),
        at_least=bool(log.get("at_least")),
    )


def trouble_times(log: Mapping[str, Json]) -> list[datetime]:
    """Return when the lines of trouble came last, whether or not they were understood."""
    return _times(each.get("last_at") for part in ("templates", "others") for each in log.get(part, ()))


def _late(entry: Mapping[str, Json], now: datetime) -> int:
    """Count the late lines of a class; all of them where only its last one is known to be late, or nothing is."""
    if entry.get("late") is not None:
        return int(entry["late"])
    last_at = entry.get("last_at")
    ended = last_at and now - datetime.fromisoformat(last_at) > LATE
    return 0 if ended else int(entry["count"])


def _classes(log: Mapping[str, Json]) -> Iterable[Mapping[str, Json]]:
    if "classes" in log:
        return list(log["classes"])
    return [each for template in log.get("templates", ()) for each in _read(template)]


def _read(template: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Class a template: for evidence that holds no classes."""
    text = str(template.get("example") or template["text"])
    reading = classify(text)
    if reading is None:
        return []
    return [
        {
            "name": reading.name,
            "code": reading.code,
            "generic": reading.generic,
            "count": template["count"],
            "fresh": template["kind"] in FRESH,
            "first_at": template.get("first_at"),
            "last_at": template.get("last_at"),
            "example": text,
        }
    ]


def _times(values: Iterator[Json]) -> list[datetime]:
    return [datetime.fromisoformat(value) for value in values if value]


def _earliest(values: Iterator[Json]) -> datetime | None:
    return min(_times(values), default=None)


def _latest(values: Iterator[Json]) -> datetime | None:
    return max(_times(values), default=None)


def meaning(name: str) -> str:
    """Return what a class of log lines means."""
    return CLASSES[name].meaning


def advice(name: str) -> str:
    """Return what a person does about a class of log lines."""
    return CLASSES[name].do


__all__ = ["LoggedLines", "advice", "lines_of", "meaning", "trouble_times"]

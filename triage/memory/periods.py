"""Which period of a scheduled report is due: decided from the clock and what was served, never from a timer.

So a restart, a machine that slept and a second replica all come to the same answer. A period is named by the time
at which it was due; whoever stores its report claims that name in the same commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from triage.cron import Cron
from triage.ports.store import Store, Tx

CATCH_UP = 3
"""Missed periods that are still served; older ones are only counted."""
LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression in a time zone, under a name."""

    name: str
    cron: Cron
    zone: ZoneInfo

    @property
    def written(self) -> str:
        """How it was written: another expression or zone is another schedule."""
        return f"{self.cron.text} {self.zone.key}"


@dataclass(frozen=True, slots=True)
class Period:
    """One period: from the due time before (excluded) to this one. ``skipped`` older ones were missed for good."""

    due: datetime
    start: datetime
    skipped: int = 0

    @property
    def key(self) -> str:
        """What the period is claimed by."""
        return self.due.isoformat()

    def is_late(self, now: datetime) -> bool:
        """Whether it is served so late that it has to be said."""
        return now - self.due > LATE


def counted_since(tx: Tx, schedule: Schedule) -> datetime | None:
    """Return up to when this schedule was served, or when it began to count; None where it has not begun."""
    written, at = tx.notes.parsed(_key(schedule), _read) or ("", None)
    return at if written == schedule.written else None


def begin(tx: Tx, schedule: Schedule, now: datetime) -> None:
    """Let a schedule begin to count.

    So nothing is due just because the service was installed, started, or given another schedule.
    """
    if counted_since(tx, schedule) is None:
        _put(tx, schedule, now)


def _key(schedule: Schedule) -> str:
    return f"schedule/{schedule.name}"


def _read(text: str) -> tuple[str, datetime]:
    written, _, at = text.rpartition("|")
    return written, datetime.fromisoformat(at)


def _put(tx: Tx, schedule: Schedule, at: datetime) -> None:
    tx.notes.put(_key(schedule), f"{schedule.written}|{at.isoformat()}")


def served(tx: Tx, schedule: Schedule, period: Period, now: datetime) -> bool:
    """Claim a period: True for the one who may serve it. To be called in the commit that stores the report."""
    if not tx.notes.once(schedule.name, period.key, now):
        return False
    _put(tx, schedule, period.due)
    return True


def due(schedule: Schedule, last: datetime, now: datetime) -> tuple[Period, ...]:
    """Return the periods that are due after ``last`` (the last one served, or the beginning), oldest first."""
    newest = schedule.cron.before(now, schedule.zone)
    found: list[datetime] = []
    while newest > last and len(found) < CATCH_UP:
        found.insert(0, newest)
        newest = schedule.cron.before(newest - timedelta(microseconds=1), schedule.zone)
    skipped = 0
    at = newest
    while at > last and skipped < 1000:  # noqa: PLR2004 - counted for a sentence, not for ever
        skipped += 1
        at = schedule.cron.before(at - timedelta(microseconds=1), schedule.zone)
    return tuple(
        Period(at, _before(schedule, at), skipped if number == 0 else 0) for number, at in enumerate(found)
    )


def _before(schedule: Schedule, at: datetime) -> datetime:
    return schedule.cron.before(at - timedelta(microseconds=1), schedule.zone)


async def due_now(store: Store, schedule: Schedule, now: datetime) -> tuple[Period, ...]:
    """Return what is due; the first question only lets the schedule begin."""
    last = await store.read(lambda tx: counted_since(tx, schedule))
    if last is None:
        await store.write(lambda tx: begin(tx, schedule, now))
        return ()
    return due(schedule, last, now)


def schedule_of(name: str, cron: str, timezone: str) -> Schedule | None:
    """Return a schedule of desk.yaml; None where it is switched off. Raises ValueError for a wrong expression."""
    return Schedule(name, Cron.parse(cron), ZoneInfo(timezone)) if cron.strip() else None

"""Cron expressions in a time zone with its summer time: read by cronsim, which follows Debian's cron. Pure.

Five fields (0 and 7 are Sunday, names are allowed) or one of the macros. A time that summer time skips happens at once
after the change; one that comes twice happens the first time, an hour of ``*`` every time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_MACROS: Mapping[str, str] = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_TICK = timedelta(minutes=1)
_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Cron:
    """One expression. Make it with ``Cron.parse``; ``text`` is what was written, ``fields`` what the library reads."""

    text: str
    fields: str

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression. Raises ValueError, which says which field is wrong."""
        written = " ".join(text.split())
        fields = _MACROS.get(written.lower(), written)
        if (
            len(fields.split()) != _FIELDS
        ):  # the library takes a sixth for seconds, and every hour for midnight
            raise ValueError(_reason("Wrong number of fields", fields))
        try:
            next(CronSim(fields, _SOME_DAY))
        except CronSimError as error:
            raise ValueError(_reason(str(error), fields)) from error
        except StopIteration:
            raise ValueError("never happens: no such day in these months") from None
        return cls(written, fields)

    def before(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the last time at or before a moment, in UTC."""
        # The library looks strictly before, in whole minutes: a moment on the minute itself counts here.
        start = moment.astimezone(UTC).replace(second=0, microsecond=0) + _TICK
        found: datetime = next(CronSim(self.fields, start.astimezone(zone), reverse=True))
        return found.astimezone(UTC)

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the first time after a moment, in UTC."""
        found: datetime = next(CronSim(self.fields, moment.astimezone(zone)))
        return found.astimezone(UTC)

    def between(self, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Yield the times after ``start`` up to and including ``end``."""
        for at in CronSim(self.fields, start.astimezone(zone)):
            if at > end:
                return
            yield at.astimezone(UTC)


def _reason(said: str, fields: str) -> str:
    if said == "Wrong number of fields":
        return f"has {len(fields.split())} instead of five fields"
    return said.replace("Bad", "bad").replace("-", " ")

"""How far the clock is believed where something is removed for good: no further than time is known to have passed.

A clock that is set a year ahead makes everything stored a year old. So what removes old things asks here first: the
clock is believed as far as the process has really run since it was believed last, and ``AHEAD`` beyond, for which the
service may have been down. What is further ahead has to stand for ``BELIEVED_AFTER`` of running; until then nothing goes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.wording import clock_time, duration

NOTE = "believed_clock"
AHEAD = timedelta(days=3)
BELIEVED_AFTER = timedelta(days=3)
SET_BACK = timedelta(hours=1)
"""Replicas' clocks differ by less; further back a clock was set again, and counting goes on from there."""


@dataclass(frozen=True, slots=True)
class Believed:
    """What the clock said when it was believed last, and for how many seconds we have run with it further ahead.

    ``counted``: the latest time of the clock further ahead up to which ``waited`` counts, of whichever replica looked.
    """

    at: datetime
    waited: float = 0.0
    counted: datetime | None = None


def judged(known: Believed | None, now: datetime, ran: float) -> Believed:
    """Return what is believed at a look ``ran`` seconds of real time after the one before: ``now``, or less.

    A clock that was set back is believed: then less is old, not more.
    """
    if known is None or now - known.at <= AHEAD + timedelta(seconds=ran):
        return Believed(now)
    # Replicas run at the same time: what one of them has counted is not counted again by the next.
    news = ran if known.counted is None else min(ran, max(0.0, (now - known.counted).total_seconds()))
    waited = known.waited + news
    if waited >= BELIEVED_AFTER.total_seconds():
        return Believed(now)
    back = known.counted is None or known.counted - now > SET_BACK
    return Believed(known.at, waited, now if back else max(now, known.counted or now))


@dataclass(slots=True)
class BelievedClock:
    """Asked before anything old is removed. ``trouble`` says that the clock is not believed, empty while it is."""

    store: Store
    clock: Clock
    trouble: str = ""
    _looked: float = field(init=False)

    def __post_init__(self) -> None:
        self._looked = self.clock.monotonic()

    async def now(self) -> datetime | None:
        """Return the time by which things may be taken for old; None while the clock is not believed."""
        now, really = self.clock.now(), self.clock.monotonic()
        ran = really - self._looked

        def look(tx: Tx) -> Believed:
            found = judged(tx.notes.parsed(NOTE, _read) or _newest(tx), now, ran)
            tx.notes.put(NOTE, _written(found))
            return found

        found = await self.store.write(look)
        self._looked = really
        self.trouble = "" if found.at == now else _words(found, now)
        return now if found.at == now else None


def _newest(tx: Tx) -> Believed | None:
    newest = tx.aging.newest()
    return None if newest is None else Believed(newest)


def _words(found: Believed, now: datetime) -> str:
    left = BELIEVED_AFTER.total_seconds() - found.waited
    return (
        f"the machine's clock says {now:%Y-%m-%d} {clock_time(now)} UTC, far beyond {found.at:%Y-%m-%d} "
        f"{clock_time(found.at)} up to which time is known to have passed: nothing old is removed. If the clock is wrong, "
        f"set it; if it is right, it is believed after {duration(left)} more"
    )


def _written(found: Believed) -> str:
    counted = found.counted.isoformat() if found.counted is not None else None
    return json.dumps({"at": found.at.isoformat(), "waited": found.waited, "counted": counted})


def _read(text: str) -> Believed:
    kept = json.loads(text)
    counted = kept.get("counted")  # an earlier version wrote none
    return Believed(
        datetime.fromisoformat(kept["at"]),
        float(kept["waited"]),
        datetime.fromisoformat(counted) if counted else None,
    )

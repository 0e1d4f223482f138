"""Troubles of our own: a source that fails, a loop that is stuck, a message nobody got. One that lasts becomes a signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from triage.desk import Desk
from triage.masking import masked
from triage.model import Source, Subject, SubjectKind
from triage.signals.condition import Condition

IMPAIRED = "TriageImpaired"
US = "hbot-triage"


@dataclass(slots=True)
class LastingTroubles:
    """Remembers since when each trouble is there."""

    since: dict[str, datetime] = field(default_factory=dict)
    _began: datetime | None = None

    def look(self, desk: Desk, troubles: Mapping[str, str], now: datetime) -> dict[str, Condition] | None:
        """Return the troubles that have lasted; None until we have been here long enough to know of any.

        What began at a time to come began before the clock was set back: it counts from now on.
        """
        self._began = min(self._began or now, now)
        wrong = {name: why for name, why in troubles.items() if why}
        self.since = {name: min(self.since.get(name, now), now) for name in wrong}
        span = timedelta(seconds=desk.listening.trouble_seconds)
        if now - self._began < span:
            return None
        return {
            name: Condition(
                name=IMPAIRED,
                source=Source.WATCHDOG,
                subject=Subject(SubjectKind.DESK, US),
                text=f"{name}: {masked(wrong[name])[:300]}",
                labels={"dependency": name, "severity": "warning"},
                since=since,
            )
            for name, since in self.since.items()
            if now - since >= span
        }

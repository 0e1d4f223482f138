"""The bots' states in an action's rows: none from before its end, and from the bots' files where Prometheus has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeGuard

from triage.concurrency import all_of, attempt
from triage.diagnosis.desk_state import FILES
from triage.errors import SourceError
from triage.model import Finding, Json
from triage.ports.minutes import Minutes, NewestMinute

CHECK = "bot_state"


@dataclass(frozen=True, slots=True)
class FreshMinutes:
    """The newest minutes that count: at most ``stale_seconds`` old, and none from before ``since``.

    What a bot wrote before an action ended says nothing of how it stands after it.
    """

    minutes: Minutes
    since: datetime | None
    stale_seconds: float

    async def fill(
        self, findings: tuple[Finding, ...], bots: Sequence[str], now: datetime
    ) -> tuple[Finding, ...]:
        """Return the findings with the states that ``bot_state`` does not know; that finding stays *unknown*."""
        found = next((one for one in findings if one.name == CHECK), None)
        if found is None:
            return findings
        known = found.data.get("bots", {})
        unknown = [bot for bot in bots if not (known.get(bot) or {}).get("state")]
        rows = await all_of(attempt(self.minutes.minute(bot)) for bot in unknown)
        read = {
            bot: _facts(row, now) for bot, row in zip(unknown, rows, strict=True) if self._counts(row, now)
        }
        if not read:
            return findings
        filled = replace(found, data={**found.data, "bots": {**known, **read}})
        return tuple(filled if one is found else one for one in findings)

    def _counts(self, row: NewestMinute | SourceError | None, now: datetime) -> TypeGuard[NewestMinute]:
        if not isinstance(row, NewestMinute) or not row.state:
            return False
        fresh = (now - row.at).total_seconds() <= self.stale_seconds
        return fresh and (self.since is None or row.at >= self.since)


def without_earlier(
    findings: tuple[Finding, ...], ended: datetime | None, now: datetime
) -> tuple[Finding, ...]:
    """Return the findings without the bots' states that are older than the action's end; a frozen bot stays frozen."""
    found = next((one for one in findings if one.name == CHECK), None)
    if found is None or ended is None:
        return findings
    seconds = (now - ended).total_seconds()
    bots = {bot: _later(facts, seconds) for bot, facts in found.data.get("bots", {}).items()}
    cut = replace(found, data={**found.data, "bots": bots})
    return tuple(cut if one is found else one for one in findings)


def _later(facts: Json, seconds: float) -> Json:
    age = facts.get("age_seconds")
    if age is None or facts.get("frozen") or age <= seconds:
        return facts
    return {**facts, "state": None, "earlier": True}


def _facts(row: NewestMinute, now: datetime) -> Json:
    age = max(0.0, (now - row.at).total_seconds())
    return {"state": row.state, "reasons": list(row.reasons), "age_seconds": age, "source": FILES}

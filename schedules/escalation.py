"""Escalation: an incident that nobody acknowledged mentions the next one, and may go over the fallback channels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from triage.clock_jumps import Jump, jumps, moved
from triage.concurrency import all_or_each
from triage.desk import Desk
from triage.incidents.notifications import IN_CHANNEL, MENTIONS, WAS, tell_line
from triage.model import Incident, IncidentShape, Severity, TimelineEntry, TimelineKind
from triage.paging.escalation import DueStep, due_steps, highest_by_step, reminder_turn
from triage.paging.notices import incidents_notice, owe
from triage.paging.oncall import mentioned
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx
from triage.wording import duration, listed

_ONCE = "escalation"
_SPOKE = "escalation/spoke/"
STORM_MINUTES = 15
"""In a storm a step speaks once in this time, however many incidents are due."""
_NAMED = 5


@dataclass(frozen=True, slots=True)
class EscalationJob:
    """Looks every few seconds. ``channels``: the fallback channels that are set; ``wake_sender`` wakes the sender."""

    store: Store
    desk: Desk
    clock: Clock
    channels: tuple[str, ...]
    wake_sender: Callable[[], None]

    async def run(self) -> int:
        """Tell every step and reminder that is due. Returns how many lines were told."""
        settings = self.desk.escalation
        if not settings.steps and not settings.remind_acknowledged_minutes:
            return 0
        severities = settings.severities
        ids = await self.store.read(
            lambda tx: [one.id for one in tx.incidents.open() if one.severity in severities]
        )
        return sum(await all_or_each(ids, self._tell_these)) if ids else 0

    async def _tell_these(self, ids: Collection[int]) -> int:
        if not await self.store.read(lambda tx: self._something_due(tx, ids)):
            return 0
        count = await self.store.write(lambda tx: self._tell(tx, ids))
        if count:
            self.wake_sender()
        return count

    def _something_due(self, tx: Tx, ids: Collection[int]) -> bool:
        """Whether a commit is worth its while: most looks find nothing."""
        now, settings = self.clock.now(), self.desk.escalation
        incidents = self._incidents(tx, ids)
        return bool(due_steps(settings, incidents, self._triggered(tx, incidents, now), now)) or any(
            reminder_turn(settings, incident, now) for incident in incidents
        )

    @staticmethod
    def _incidents(tx: Tx, ids: Collection[int]) -> list[Incident]:
        known = jumps(tx)
        found = [incident for incident in tx.incidents.open() if incident.id in ids]
        return [_moved(incident, known) for incident in found] if known else found

    def _triggered(self, tx: Tx, incidents: Sequence[Incident], now: datetime) -> dict[int, datetime]:
        """Return from when each incident's steps count: where it became grave enough only later, from then on.

        That only puts a step off: the timelines of incidents without one that could be due are not asked.
        """
        severities, known = self.desk.escalation.severities, jumps(tx)
        found = {incident.id: _triggered_at(tx, incident) for incident in incidents}
        due = {
            one.incident.id: one.incident for one in due_steps(self.desk.escalation, incidents, found, now)
        }
        for incident in due.values():
            since = _severe_since(tx, incident, severities)
            if since is not None:
                found[incident.id] = max(found[incident.id], moved(since, known, incident=incident.id))
        return found

    def _tell(self, tx: Tx, ids: Collection[int]) -> int:
        now, incidents = self.clock.now(), self._incidents(tx, ids)
        triggered = self._triggered(tx, incidents, now)
        due = due_steps(self.desk.escalation, incidents, triggered, now)
        lines = sum(
            self._step(tx, number, steps, triggered, now)
            for number, steps in sorted(highest_by_step(due).items())
        )
        return lines + sum(self._remind(tx, incident, now) for incident in incidents)

    def _step(
        self, tx: Tx, number: int, due: Sequence[DueStep], triggered: dict[int, datetime], now: datetime
    ) -> int:
        """Speak once for all that are newly due, unless this step spoke a moment ago."""
        storm = any(one.incident.shape is IncidentShape.STORM for one in due)
        quiet = timedelta(minutes=STORM_MINUTES if storm else self.desk.escalation.gather_minutes)
        spoke = tx.notes.parsed(f"{_SPOKE}{number}", datetime.fromisoformat)
        # A time to come is one from before the clock was set back: it holds no line back.
        if spoke is not None and timedelta(0) <= now - spoke < quiet:
            return 0
        fresh = [one for one in due if tx.notes.once(_ONCE, one.key, now)]
        if not fresh:
            return 0
        tx.notes.put(f"{_SPOKE}{number}", now.isoformat())
        first = fresh[0].incident
        skipped_steps = sorted({below for one in fresh for below in _claimed_below(tx, one, now)})
        text, people = self._spoken(tx, fresh, skipped_steps, triggered[first.id], now)
        tell_line(tx, _entry(first, text, f"escalation/{fresh[0].key}", now, people), now)
        return 1

    def _spoken(
        self,
        tx: Tx,
        fresh: Sequence[DueStep],
        skipped_steps: Sequence[int],
        triggered: datetime,
        now: datetime,
    ) -> tuple[str, tuple[str, ...]]:
        """Return a step's line and whom it mentions: with it those of the steps before it that nobody told."""
        number, incidents = fresh[0].number, [one.incident for one in fresh]
        steps = [self.desk.escalation.steps[each] for each in (number, *skipped_steps)]
        people = mentioned(tx, self.desk.oncall, tuple(who for step in steps for who in step.mention), now)
        text = _words(incidents, number, skipped_steps, (now - triggered).total_seconds(), people=people)
        if any(step.fallback for step in steps) and self.channels:
            notice = incidents_notice(
                tx, incidents, kind="escalation", why=f"Nobody acknowledged: step {number + 1}.", now=now
            )
            owe(tx, notice, self.channels, now)
            text += f"; sent over {listed(self.channels)}"
        return text, people

    def _remind(self, tx: Tx, incident: Incident, now: datetime) -> int:
        turn = reminder_turn(self.desk.escalation, incident, now)
        firing, _ = tx.incidents.counts(incident.id) if turn else (0, 0)
        if not firing or incident.acknowledged_at is None:
            return 0
        if not tx.notes.once(_ONCE, f"{incident.id}/{incident.reopened}/reminder/{turn}", now):
            return 0
        held = duration((now - incident.acknowledged_at).total_seconds())
        text = f"acknowledged {held} ago and still firing"
        person = (incident.acknowledged_by,) if incident.acknowledged_by else ()
        tell_line(
            tx, _entry(incident, text, f"reminder/{incident.id}/{incident.reopened}/{turn}", now, person), now
        )
        return 1


def _triggered_at(tx: Tx, incident: Incident) -> datetime:
    """Return when an incident was triggered last: opened, or reopened."""
    if not incident.reopened:
        return incident.opened_at
    again = [entry.at for entry in tx.timeline.of(incident.id) if entry.kind is TimelineKind.REOPENED]
    if not again:
        return incident.opened_at
    return moved(again[-1], jumps(tx), incident=incident.id)


def _severe_since(tx: Tx, incident: Incident, severities: Collection[Severity]) -> datetime | None:
    """Return when what joined brought an incident among these severities; None where it began as one of them."""
    return max(
        (
            entry.recorded_at
            for entry in tx.timeline.of(incident.id, TimelineKind.JOINED, TimelineKind.WIDENED)
            if WAS in entry.data and entry.data[WAS] not in severities
        ),
        default=None,
    )


def _moved(incident: Incident, known: Sequence[Jump]) -> Incident:
    """Return an incident whose times are as today's clock would have said them."""
    held = incident.acknowledged_at
    return replace(
        incident,
        opened_at=moved(incident.opened_at, known, incident=incident.id),
        acknowledged_at=None if held is None else moved(held, known, incident=incident.id),
    )


def _claimed_below(tx: Tx, step: DueStep, now: datetime) -> list[int]:
    """Claim the steps before one that nobody told: the service was away. Returns their numbers."""
    below = [replace(step, number=number) for number in range(step.number)]
    return [one.number for one in below if tx.notes.once(_ONCE, one.key, now)]


def _words(
    incidents: Sequence[Incident],
    number: int,
    skipped_steps: Sequence[int],
    waited: float,
    *,
    people: Sequence[str],
) -> str:
    """Return the line of a step; ``waited``: the seconds since the first of the incidents was triggered last."""
    first = incidents[0]
    others = listed([incident.number for incident in incidents[1:]], _NAMED)
    more = f" (and {others})" if others else ""
    nobody = "" if people else ", and nobody is on call"
    held = f"nobody has acknowledged {first.number}{more} for {duration(waited)}"
    with_it = f"step {number + 1}"
    if skipped_steps:
        before = " and ".join(str(each + 1) for each in skipped_steps)
        with_it += (
            f", and with it {'step' if len(skipped_steps) == 1 else 'steps'} {before}, not told in time"
        )
    return f"{first.severity}: {held}: {with_it}{nobody}"


def _entry(incident: Incident, text: str, key: str, now: datetime, people: Sequence[str]) -> TimelineEntry:
    return TimelineEntry(
        incident_id=incident.id,
        at=now,
        recorded_at=now,
        kind=TimelineKind.ESCALATED,
        text=text,
        source="escalation",
        key=key,
        data={IN_CHANNEL: True, MENTIONS: list(people)},
    )

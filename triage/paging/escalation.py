"""Escalation: which incidents are due for the next step of escalation, or for a reminder. Pure decisions.

A step of an incident counts from when it was last triggered (opened, or reopened). It is claimed in the commit that tells
it, so a restart and a second replica tell it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from triage.desk_sections.paging import EscalationSettings, QuietHours
from triage.model import Incident, IncidentStatus, Severity

QUIET_DAYS = 7
"""So many days back quiet hours are taken off: what has waited longer is due in any case."""


@dataclass(frozen=True, slots=True)
class DueStep:
    """One step of one incident that is due."""

    incident: Incident
    number: int

    @property
    def key(self) -> str:
        """Names it once for ever."""
        return f"{self.incident.id}/{self.incident.reopened}/{self.number}"


def in_quiet_hours(hours: QuietHours | None, severity: Severity, now: datetime) -> bool:
    """Return whether an incident of that severity waits now."""
    if hours is None or severity not in hours.severities:
        return False
    moment = now.astimezone(ZoneInfo(hours.timezone)).time()
    if hours.start <= hours.end:
        return hours.start <= moment < hours.end
    return moment >= hours.start or moment < hours.end


def quiet_between(hours: QuietHours | None, severity: Severity, start: datetime, end: datetime) -> timedelta:
    """Return how much of a time lay in quiet hours, of the last days before its end."""
    if hours is None or severity not in hours.severities:
        return timedelta(0)
    zone = ZoneInfo(hours.timezone)
    today = end.astimezone(zone).date()
    over_midnight = timedelta(days=hours.start > hours.end)
    windows = [
        (
            datetime.combine(day, hours.start, zone).astimezone(UTC),
            datetime.combine(day + over_midnight, hours.end, zone).astimezone(UTC),
        )
        for day in (today - timedelta(days=back) for back in range(QUIET_DAYS + 1))
    ]
    parts = [min(until, end) - max(begin, start) for begin, until in windows]
    return sum((part for part in parts if part > timedelta(0)), timedelta(0))


def due_steps(
    settings: EscalationSettings,
    incidents: Iterable[Incident],
    triggered_at: dict[int, datetime],
    now: datetime,
) -> list[DueStep]:
    """Return every step whose time has come, of incidents that nobody acknowledged, the gravest first.

    ``triggered_at``: when each incident was last triggered, by its id. Minutes of quiet hours do not count: what came
    at night goes step by step in the morning. What was told already is not left out here.
    """
    waiting = [
        incident
        for incident in incidents
        if incident.status is IncidentStatus.TRIGGERED
        and not incident.quiet
        and incident.severity in settings.severities
        and not in_quiet_hours(settings.quiet_hours, incident.severity, now)
    ]
    waited = {
        one.id: now
        - triggered_at[one.id]
        - quiet_between(settings.quiet_hours, one.severity, triggered_at[one.id], now)
        for one in waiting
    }
    return [
        DueStep(incident, number)
        for incident in sorted(waiting, key=lambda each: (each.severity.rank, each.id))
        for number, step in enumerate(settings.steps)
        if timedelta(minutes=step.after_minutes) <= waited[incident.id]
    ]


def highest_by_step(due: Sequence[DueStep]) -> dict[int, list[DueStep]]:
    """Return each incident's highest due step, by its number, so that one line can speak for several incidents.

    Where nobody looked for a while several steps of one incident are due: the highest is told, and the others with it.
    """
    highest: dict[int, int] = {}
    for one in due:
        highest[one.incident.id] = max(one.number, highest.get(one.incident.id, 0))
    grouped: dict[int, list[DueStep]] = {}
    for one in due:
        if one.number == highest[one.incident.id]:
            grouped.setdefault(one.number, []).append(one)
    return grouped


def reminder_turn(settings: EscalationSettings, incident: Incident, now: datetime) -> int:
    """Return which reminder an acknowledged incident is due for: 0 for none, 1 for the first, and so on."""
    every = settings.remind_acknowledged_minutes
    held = incident.status is IncidentStatus.ACKNOWLEDGED and not incident.quiet
    if not every or not held or incident.acknowledged_at is None or incident.severity is not Severity.SEV1:
        return 0
    if in_quiet_hours(settings.quiet_hours, incident.severity, now):
        return 0
    return max(0, int((now - incident.acknowledged_at).total_seconds() // (every * 60)))

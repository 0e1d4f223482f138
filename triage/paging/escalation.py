"""Nobody is forgotten: which incidents are due for the next step of escalation, or for a reminder. Pure decisions.

A step of an incident counts from when it was last triggered (opened, or reopened). It is claimed in the commit that tells
it, so a restart and a second replica tell it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from triage.desk_sections.paging import EscalationSettings, QuietHours
from triage.model import Incident, IncidentStatus, Severity


@dataclass(frozen=True, slots=True)
class DueStep:
    """One step of one incident that is due; ``key`` names it once for ever."""

    incident: Incident
    number: int
    key: str


def in_quiet_hours(hours: QuietHours | None, severity: Severity, now: datetime) -> bool:
    """Return whether an incident of that severity waits now."""
    if hours is None or severity not in hours.severities:
        return False
    moment = now.astimezone(ZoneInfo(hours.timezone)).time()
    if hours.start <= hours.end:
        return hours.start <= moment < hours.end
    return moment >= hours.start or moment < hours.end


def due_steps(
    settings: EscalationSettings,
    incidents: Iterable[Incident],
    triggered_at: dict[int, datetime],
    now: datetime,
) -> list[DueStep]:
    """Return every step whose time has come, of incidents that nobody acknowledged, the gravest first.

    ``triggered_at``: when each incident was last triggered, by its id. What was told already is not left out here.
    """
    waiting = [
        incident
        for incident in incidents
        if incident.status is IncidentStatus.TRIGGERED
        and not incident.quiet
        and incident.severity in settings.severities
        and not in_quiet_hours(settings.quiet_hours, incident.severity, now)
    ]
    return [
        DueStep(incident, number, f"{incident.id}/{incident.reopened}/{number}")
        for incident in sorted(waiting, key=lambda each: (each.severity.rank, each.id))
        for number, step in enumerate(settings.steps)
        if triggered_at[incident.id] + timedelta(minutes=step.after_minutes) <= now
    ]


def by_step(due: Sequence[DueStep]) -> dict[int, list[DueStep]]:
    """Return the due steps by their number, so that one line can speak for several incidents."""
    grouped: dict[int, list[DueStep]] = {}
    for one in due:
        grouped.setdefault(one.number, []).append(one)
    return grouped


def reminder_turn(settings: EscalationSettings, incident: Incident, now: datetime) -> int:
    """Return which reminder an acknowledged incident is due for: 0 for none, 1 for the first, and so on."""
    every = settings.remind_acknowledged_minutes
    held = incident.status is IncidentStatus.ACKNOWLEDGED and not incident.quiet
    if not every or not held or incident.acknowledged_at is None or incident.severity is not Severity.SEV1:
        return 0
    return max(0, int((now - incident.acknowledged_at).total_seconds() // (every * 60)))

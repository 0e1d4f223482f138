"""How an incident's status changes: pure, each transition idempotent, None when there is nothing to change.

::

    triggered ──acknowledge──▶ acknowledged ──mitigate──▶ mitigated
        │  ▲                        │                         │
        │  └──────── reopen ────────┼─────────────────────────┤
        └──────────── resolve ──────┴─────────────────────────┴──▶ resolved

Closing by hand while alerts still fire is not resolving: the incident becomes acknowledged and quiet, and
resolves when its alerts do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from triage.model import Incident, IncidentStatus, Severity, TimelineEntry, TimelineKind, worst


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition that happened: the incident after it, and the line it leaves on the timeline."""

    incident: Incident
    entry: TimelineEntry


def acknowledge(incident: Incident, *, actor: str, now: datetime) -> Transition | None:
    """Record who acknowledged it. Only a triggered incident changes: one that has resolved meanwhile stays resolved."""
    if incident.status is not IncidentStatus.TRIGGERED:
        return None
    after = replace(
        incident,
        status=IncidentStatus.ACKNOWLEDGED,
        acknowledged_at=now,
        acknowledged_by=actor,
        changed_at=now,
    )
    return _change(after, TimelineKind.ACKNOWLEDGED, "acknowledged", now, actor)


def mitigate(incident: Incident, *, what: str, now: datetime, actor: str = "") -> Transition | None:
    """A remedy was verified while alerts still fire."""
    if incident.status in (IncidentStatus.MITIGATED, IncidentStatus.RESOLVED):
        return None
    after = replace(incident, status=IncidentStatus.MITIGATED, mitigated_at=now, changed_at=now)
    return _change(after, TimelineKind.MITIGATED, f"mitigated: {what}", now, actor)


def resolve(
    incident: Incident, *, now: datetime, actor: str = "", why: str = "all its alerts resolved"
) -> Transition | None:
    """End it: its alerts resolved, or a person closed it (``why``)."""
    if incident.status is IncidentStatus.RESOLVED:
        return None
    after = replace(
        incident,
        status=IncidentStatus.RESOLVED,
        resolved_at=now,
        resolved_by=actor,
        changed_at=now,
        quiet=False,
    )
    return _change(after, TimelineKind.RESOLVED, f"resolved: {why}", now, actor)


def close_while_firing(incident: Incident, *, actor: str, firing: int, now: datetime) -> Transition | None:
    """Somebody closes it though alerts still fire: acknowledged and quiet until they resolve."""
    if incident.status is IncidentStatus.RESOLVED or incident.quiet:
        return None
    after = replace(
        incident,
        status=IncidentStatus.MITIGATED
        if incident.status is IncidentStatus.MITIGATED
        else IncidentStatus.ACKNOWLEDGED,
        acknowledged_at=incident.acknowledged_at or now,
        acknowledged_by=incident.acknowledged_by or actor,
        quiet=True,
        changed_at=now,
    )
    alerts = "1 alert still fires" if firing == 1 else f"{firing} alerts still fire"
    text = f"closed by hand while {alerts}: quiet until they resolve"
    return _change(after, TimelineKind.CLOSED_WHILE_FIRING, text, now, actor)


def reopen(incident: Incident, *, why: str, now: datetime) -> Transition | None:
    """It came back within the quiet time: the same incident, triggered again, with a count."""
    if incident.status is not IncidentStatus.RESOLVED:
        return None
    after = replace(
        incident,
        status=IncidentStatus.TRIGGERED,
        acknowledged_at=None,
        acknowledged_by="",
        mitigated_at=None,
        resolved_at=None,
        resolved_by="",
        quiet=False,
        reopened=incident.reopened + 1,
        changed_at=now,
    )
    times = "" if after.reopened == 1 else f", {after.reopened} times now"
    return _change(after, TimelineKind.REOPENED, f"reopened: {why}{times}", now)


def join(incident: Incident, *, severity: Severity, now: datetime) -> Incident:
    """A signal joined: the incident is quiet no more, has the worse of both severities, and was seen now."""
    graver = worst(incident.severity, severity)
    is_so = (False, graver, now, now)
    if (incident.quiet, incident.severity, incident.changed_at, incident.last_seen_at) == is_so:
        return incident  # hundreds join a storm in one pass; to make each anew is an eighth of its time
    return replace(incident, quiet=False, severity=graver, changed_at=now, last_seen_at=now)


def _change(incident: Incident, kind: TimelineKind, text: str, now: datetime, actor: str = "") -> Transition:
    return Transition(
        incident,
        TimelineEntry(
            incident_id=incident.id,
            at=now,
            recorded_at=now,
            kind=kind,
            text=text,
            actor=actor,
            source="operator" if actor else "",
        ),
    )

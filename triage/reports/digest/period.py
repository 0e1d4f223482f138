"""What the store adds to a period's figures: its incidents and the actions that were run."""

from __future__ import annotations

from datetime import datetime

from triage.drill_alert import ALERTNAME
from triage.kpis.model import ActionNote, IncidentNote
from triage.model import Incident
from triage.ports.store import Tx

INCIDENTS, ACTIONS = 1000, 1000
"""The most of each that a digest looks at: the newest."""


def incident_notes(tx: Tx, start: datetime, end: datetime) -> tuple[IncidentNote, ...]:
    """Return the incidents that were open at any time of the period; drills are none."""
    found = tx.incidents.recent(start, INCIDENTS)
    return tuple(_note(one) for one in found if one.name != ALERTNAME and _overlaps(one, start, end))


def _overlaps(incident: Incident, start: datetime, end: datetime) -> bool:
    return incident.opened_at < end and (incident.resolved_at is None or incident.resolved_at >= start)


def _note(incident: Incident) -> IncidentNote:
    return IncidentNote(
        id=incident.number,
        title=incident.title,
        started_at=incident.opened_at,
        bots=incident.bots,
        severity=incident.severity.value,
        acknowledged_at=incident.acknowledged_at,
        resolved_at=incident.resolved_at,
    )


def action_notes(tx: Tx, bots: tuple[str, ...], start: datetime, end: datetime) -> tuple[ActionNote, ...]:
    """Return the actions that ran in the period."""
    return tuple(
        ActionNote(
            kind=record.kind,
            at=record.started_at,
            bot=record.target if record.target in bots else "",
            outcome=record.status.value,
        )
        for record in tx.actions.recent(ACTIONS)
        if record.started_at is not None and start <= record.started_at < end
    )

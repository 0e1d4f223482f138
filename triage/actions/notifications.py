"""What of an action is written down and told: audit trail, the incident's timeline, one message that is edited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from triage.incidents.notifications import INCIDENT_CHANNEL, tell_card, tell_line
from triage.memory.people import name_of
from triage.model import Json, TimelineEntry, TimelineKind
from triage.plans.record import ActionRecord
from triage.ports.store import MessageKind, Tx


def audit(
    tx: Tx,
    record: ActionRecord,
    event: str,
    *,
    actor: str,
    now: datetime,
    detail: Mapping[str, Json] | None = None,
) -> None:
    """Write a line of the audit trail about an action."""
    incident = f"INC-{record.incident_id}" if record.incident_id is not None else ""
    tx.audit.append(
        at=now,
        actor=actor,
        event=f"action.{event}",
        target=f"{record.kind} {record.target}",
        detail={"action": record.id, **({"incident": incident} if incident else {}), **(detail or {})},
    )


def tell_action(tx: Tx, record: ActionRecord, now: datetime) -> None:
    """Ask for the action's message, or for its edit."""
    tx.outbox.want(
        MessageKind.ACTION,
        str(record.id),
        channel=INCIDENT_CHANNEL,
        now=now,
        incident_id=record.incident_id,
        in_thread=record.incident_id is not None,
        urgency=1,
    )


def tell_story(tx: Tx, record: ActionRecord, text: str, *, key: str, now: datetime, actor: str = "") -> None:
    """Put a line about an action on its incident's timeline and bring the card up to date.

    The action's own message is in the thread: the line is for the timeline and the postmortem.
    """
    if record.incident_id is None:
        return
    incident = tx.incidents.get(record.incident_id)
    if incident is None:
        return
    entry = TimelineEntry(
        incident_id=incident.id,
        at=now,
        recorded_at=now,
        kind=TimelineKind.ACTION,
        text=text,
        actor=actor,
        source="action",
        key=f"action/{record.id}/{key}",
        in_thread=False,
        data={
            "action": record.id,
            "kind": record.kind,
            "target": record.target,
            "status": record.status.value,
        },
    )
    tell_line(tx, entry, now)
    tell_card(tx, incident, now)


def confirmed_by(tx: Tx, record: ActionRecord) -> str:
    """Return who confirmed an action, as people are shown."""
    return " and ".join(name_of(tx, one.actor) for one in record.confirmations)

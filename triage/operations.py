"""What a person may do to an incident; each runs inside one transaction and answers with a polite sentence.

Whether the person may is asked before, in ``triage.roles``. An actor is the Slack user id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from triage import lifecycle
from triage.errors import Refused
from triage.lifecycle import Change
from triage.model import Incident, TimelineEntry, TimelineKind
from triage.ports.sources import Matcher
from triage.ports.store import Tx
from triage.telling import tell_card, tell_line


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: whether anything changed, and a sentence for the person who asked."""

    changed: bool
    text: str


def acknowledge(tx: Tx, incident_id: int, *, actor: str, now: datetime) -> Outcome:
    """Take an incident."""
    incident = _get(tx, incident_id)
    change = lifecycle.acknowledge(incident, actor=actor, now=now)
    if change is None:
        return Outcome(changed=False, text=_why_not(incident))
    _apply(tx, change, now)
    tx.audit.append(at=now, actor=actor, event="incident.acknowledge", target=incident.number)
    return Outcome(changed=True, text=f"{incident.number} is yours.")


def resolve(tx: Tx, incident_id: int, *, actor: str, now: datetime) -> Outcome:
    """Resolve an incident; while alerts still fire it becomes quiet and resolves with them."""
    incident = _get(tx, incident_id)
    firing, _ = tx.incidents.counts(incident_id)
    if firing:
        change = lifecycle.close_while_firing(incident, actor=actor, firing=firing, now=now)
        text = f"{incident.number} still has {firing} firing: it stays quiet and resolves when they do."
    else:
        change = lifecycle.resolve(incident, actor=actor, now=now, why="by hand")
        text = f"{incident.number} is resolved."
    if change is None:
        return Outcome(changed=False, text=_why_not(incident))
    _apply(tx, change, now)
    tx.audit.append(
        at=now, actor=actor, event="incident.resolve", target=incident.number, detail={"firing": firing}
    )
    return Outcome(changed=True, text=text)


def retriage(tx: Tx, incident_id: int, *, actor: str, now: datetime) -> Outcome:
    """Ask for another triage."""
    incident = _get(tx, incident_id)
    tx.runs.queue(incident_id, "asked for", now)
    tell_card(tx, incident, now)
    tx.audit.append(at=now, actor=actor, event="incident.retriage", target=incident.number)
    return Outcome(changed=True, text=f"Triage of {incident.number} is under way.")


def record_silence(
    tx: Tx,
    incident_id: int,
    *,
    actor: str,
    silence_id: str,
    until: datetime,
    matchers: Sequence[Matcher],
    comment: str,
    now: datetime,
) -> Outcome:
    """Write down that a silence was made in Alertmanager."""
    incident = _get(tx, incident_id)
    shown = ", ".join(str(matcher) for matcher in matchers)
    entry = TimelineEntry(
        incident_id=incident_id,
        at=now,
        recorded_at=now,
        kind=TimelineKind.SILENCED,
        text=f"silenced until {until:%Y-%m-%d %H:%M} UTC ({shown}): {comment}",
        actor=actor,
        source="operator",
        key=f"silence/{silence_id}",
        data={"until": until.isoformat(), "silence_id": silence_id, "matchers": shown},
    )
    tell_line(tx, entry, now)
    tell_card(tx, incident, now)
    tx.audit.append(
        at=now,
        actor=actor,
        event="incident.silence",
        target=incident.number,
        detail={"silence_id": silence_id, "until": until.isoformat(), "matchers": shown, "comment": comment},
    )
    return Outcome(changed=True, text=f"Silenced until {until:%H:%M} UTC.")


def record_denied(tx: Tx, incident_id: int | None, *, actor: str, what: str, now: datetime) -> None:
    """Write down that somebody pressed what they may not; told to nobody else."""
    target = "desk"
    if incident_id is not None:
        target = _get(tx, incident_id).number
        entry = TimelineEntry(
            incident_id=incident_id,
            at=now,
            recorded_at=now,
            kind=TimelineKind.DENIED,
            text=f"denied: {what}",
            actor=actor,
            source="operator",
            told=False,
        )
        tell_line(tx, entry, now)
    tx.audit.append(at=now, actor=actor, event="denied", target=target, detail={"what": what})


def _get(tx: Tx, incident_id: int) -> Incident:
    incident = tx.incidents.get(incident_id)
    if incident is None:
        raise Refused(f"There is no incident INC-{incident_id}.")
    return incident


def _apply(tx: Tx, change: Change, now: datetime) -> None:
    tx.incidents.save(change.incident)
    tell_line(tx, change.entry, now)
    tell_card(tx, change.incident, now)


def _why_not(incident: Incident) -> str:
    if not incident.is_open:
        return f"{incident.number} is resolved already."
    if incident.quiet:
        return f"{incident.number} was closed by hand already and waits for its alerts to resolve."
    return f"{incident.number} is {incident.status} already."

"""Past incidents like one: the same cause, or where none is named the same alerts or log lines, and what ended them.

Nothing is shown but what is over, and nothing said of it but what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from triage.actions.catalogue import action_title
from triage.drill_alert import ALERTNAME as DRILL
from triage.incidents.traits import ALERT, CAUSE, LINE
from triage.model import Incident, IncidentShape
from triage.plans.record import ActionRecord
from triage.plans.verification import VerificationOutcome
from triage.ports.answers import CauseAnswer
from triage.ports.store import MessageKind, Tx

MOST = 3
LOOKED_AT = 12
"""Incidents that are looked at for each trait: the newest."""


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """A past incident like another one.

    ``shared`` is the trait that both have; ``answer`` what a person said of it; ``remedy`` the action whose verification
    said that it recovered, empty where there is none; ``acted``: whether any action touched the desk. ``place``: where
    its message stands, as the chat names it (channel, message), empty where it is not known.
    """

    incident: Incident
    shared: str
    over_at: datetime
    seconds: float
    same_subject: bool
    answer: CauseAnswer | None = None
    remedy: str = ""
    acted: bool = False
    place: tuple[str, str] = ("", "")


def similar_incidents(tx: Tx, incident: Incident) -> tuple[SimilarIncident, ...]:
    """Return up to three past incidents like this: the same thing first, what is known to have helped, the newest."""
    if incident.name == DRILL or incident.shape is IncidentShape.STORM:
        return ()
    mine = tx.answers.traits(incident.id)
    causes = sorted(one for one in mine if one.startswith(CAUSE))
    lines = sorted(one for one in mine if one.startswith(LINE))
    alerts = sorted(one for one in mine if one.startswith(ALERT))
    found: dict[int, SimilarIncident] = {}
    for trait in causes or (*lines, *alerts):
        for incident_id in tx.answers.having(trait, incident.id, LOOKED_AT):
            if incident_id not in found and (one := _similar(tx, incident, incident_id, trait, alerts)):
                found[incident_id] = one
    ranked = sorted(found.values(), key=lambda one: (not one.same_subject, not one.remedy, -one.incident.id))
    return tuple(ranked[:MOST])


def _similar(
    tx: Tx, incident: Incident, other_id: int, trait: str, alerts: list[str]
) -> SimilarIncident | None:
    other = tx.incidents.get(other_id)
    if other is None or other.resolved_at is None or other.shape is IncidentShape.STORM:
        return None
    same = bool(set(other.subjects) & set(incident.subjects))
    if not same and other.subject.kind is not incident.subject.kind:
        return None
    # The same alert has many causes: alone it makes nothing alike, all of them on the same thing do.
    if trait.startswith(ALERT) and not (same and set(alerts) <= tx.answers.traits(other_id)):
        return None
    actions = tx.actions.of_incident(other_id)
    card = tx.outbox.find(MessageKind.CARD, str(other_id))
    return SimilarIncident(
        incident=other,
        shared=trait,
        over_at=other.resolved_at,
        seconds=max(0.0, (other.resolved_at - other.opened_at).total_seconds()),
        same_subject=same,
        answer=tx.answers.of(other_id),
        remedy=next(_recovered(actions), ""),
        acted=any(one.status.ran for one in actions),
        place=(card.channel_id, card.post_id) if card is not None and card.post_id else ("", ""),
    )


def _recovered(actions: Iterable[ActionRecord]) -> Iterator[str]:
    """Yield what was done and verified to have recovered it, the last one first."""
    for record in sorted(actions, key=lambda one: -one.id):
        if record.verification is not None and record.verification.outcome is VerificationOutcome.RECOVERED:
            yield action_title(record.kind, record.target)

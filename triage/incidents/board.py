"""What a pass over the inbox reads before it decides anything."""

from __future__ import annotations

from datetime import datetime, timedelta

from triage.desk import Desk
from triage.incidents.correlate import Board
from triage.model import IncidentShape, SignalStatus, Subject, SubjectKind
from triage.ports.store import StoredSignal, Tx

MOST = 2_000
"""Incidents that a pass looks at, the newest ones."""


def board_for(tx: Tx, inbox: list[StoredSignal], desk: Desk, now: datetime) -> Board:
    """Read what deciding about these signals needs: recent incidents, and the episodes that the signals name."""
    look_back = max(desk.correlation.reopen_within_seconds, desk.correlation.storm_window_seconds)
    incidents = tx.incidents.recent(now - timedelta(seconds=look_back), MOST)
    since = now - timedelta(seconds=desk.correlation.storm_window_seconds)
    keys = {(stored.signal.source, stored.signal.episode) for stored in inbox}
    ending = {stored.signal.fingerprint for stored in inbox if stored.signal.status is SignalStatus.RESOLVED}
    named = tx.incidents.episodes_named(keys)
    episodes = [*named, *tx.incidents.firing_of(ending - {""})]
    known = {(episode.source, episode.episode) for episode in episodes}
    have = {incident.id for incident in incidents}
    named_by = {episode.incident_id for episode in episodes}
    shown_in = {stored.incident_id for stored in inbox if stored.incident_id is not None}
    missing = [tx.incidents.get(one) for one in (named_by | shown_in) - have]
    incidents += [incident for incident in missing if incident is not None]
    return Board.of(
        incidents,
        names_of=lambda one: tx.incidents.names([one]).get(one, ()),
        episodes=episodes,
        ended=tx.signals.ended(keys - known),
        needs=_needs(desk),
        lately={
            incident.id: tx.incidents.lately(incident.id, since)
            for incident in incidents
            if incident.is_open and incident.shape is IncidentShape.STORM
        },
    )


def _needs(desk: Desk) -> dict[Subject, Subject]:
    """Return what cannot work without what: the external services without their Redis."""
    redis = Subject(SubjectKind.CONTAINER, desk.container_of("redis"))
    services = (desk.container_of(service) for service in desk.compose.external_services)
    return {
        Subject(SubjectKind.CONTAINER, container): redis for container in services if container != redis.name
    }

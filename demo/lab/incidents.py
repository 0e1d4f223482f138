"""The incidents of a run: signals placed by the product's own correlation, without a store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from triage.desk import Desk
from triage.incidents.correlate import Move, Placement, place
from triage.incidents.correlation_state import CorrelationState, needs_of
from triage.incidents.episodes import episode_of_signal
from triage.model import (
    Episode,
    Incident,
    IncidentShape,
    IncidentStatus,
    Signal,
    Subject,
    SubjectKind,
)


@dataclass(slots=True)
class Incidents:
    """Every incident of a run and the episodes it holds; the first one opened is the first in ``state``."""

    desk: Desk
    state: CorrelationState = field(init=False)
    held: dict[int, dict[tuple[str, str], Episode]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state = CorrelationState.of(
            (), needs=needs_of(self.desk), bots=(bot.name for bot in self.desk.bots)
        )

    def take(self, signal: Signal, now: datetime) -> Incident | None:
        """Place one signal; returns the incident that it belongs to now."""
        placement = place(self.state, signal, self.desk.correlation, now)
        match placement.move:
            case Move.OPEN | Move.OPEN_WIDE | Move.OPEN_STORM:
                return self._open(signal, placement, now)
            case Move.JOIN | Move.WIDEN | Move.REOPEN:
                return self._join(signal, placement, now)
            case Move.CLEAR:
                return self._clear(signal, placement, now)
            case _:
                return None

    def episodes(self, incident: Incident) -> list[Episode]:
        """Return what an incident holds, in the order in which it came."""
        return list(self.held[incident.id].values())

    def all(self) -> list[Incident]:
        """Return every incident, the first one first."""
        return [self.state.incidents[one] for one in sorted(self.state.incidents)]

    def _open(self, signal: Signal, placement: Placement, now: datetime) -> Incident:
        shapes = {Move.OPEN_WIDE: IncidentShape.WIDE, Move.OPEN_STORM: IncidentShape.STORM}
        shape = shapes.get(placement.move, IncidentShape.SINGLE)
        storm = shape is IncidentShape.STORM
        incident = Incident(
            id=len(self.state.incidents) + 1,
            title=signal.name,
            name="storm" if storm else signal.name,
            subjects=(Subject(SubjectKind.DESK, "storm"),) if storm else (signal.subject, *placement.also),
            severity=signal.severity,
            status=IncidentStatus.TRIGGERED,
            opened_at=now,
            changed_at=now,
            shape=shape,
            last_seen_at=now,
        )
        self._attach(incident, signal)
        return incident

    def _join(self, signal: Signal, placement: Placement, now: datetime) -> Incident:
        if placement.incident is None:
            raise AssertionError(f"{placement.move} without an incident")
        incident = self.state.incidents[placement.incident.id]
        if placement.move is Move.REOPEN:
            incident = replace(incident, status=IncidentStatus.TRIGGERED, resolved_at=None)
        if placement.move is Move.WIDEN:
            subjects = (*incident.subjects, signal.subject)
            incident = replace(incident, subjects=subjects, shape=IncidentShape.WIDE)
        if placement.leads:
            others = tuple(one for one in incident.subjects if one != signal.subject)
            incident = replace(incident, name=signal.name, subjects=(signal.subject, *others))
        severity = min((incident.severity, signal.severity), key=lambda one: one.rank)
        incident = replace(incident, severity=severity, changed_at=now, last_seen_at=now)
        self._attach(incident, signal)
        return incident

    def _clear(self, signal: Signal, placement: Placement, now: datetime) -> Incident | None:
        for episode in placement.ends:
            ended = replace(episode, firing=False, ends_at=signal.ends_at or now, last_seen_at=now)
            self._keep(ended)
        incident = placement.incident
        if incident is None or any(each.firing for each in self.episodes(incident)):
            return incident
        current = self.state.incidents[incident.id]
        resolved = replace(current, status=IncidentStatus.RESOLVED, resolved_at=now, changed_at=now)
        self.state.put(resolved)
        return resolved

    def _attach(self, incident: Incident, signal: Signal) -> None:
        self.held.setdefault(incident.id, {})
        self._keep(episode_of_signal(incident, signal))
        self.state.put(incident, signal)

    def _keep(self, episode: Episode) -> None:
        self.state.episodes[episode.source, episode.episode] = episode
        self.held[episode.incident_id][episode.source.value, episode.episode] = episode

"""What correlation decides from: the incidents that are open or ended lately, and the episodes that a batch touches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from triage.desk import Desk, once_a_desk
from triage.desk_sections.bots import Bot
from triage.desk_sections.compose import ComposeSettings
from triage.incidents.shared_fingerprints import same_alert
from triage.model import (
    Episode,
    Incident,
    IncidentShape,
    Signal,
    SignalStatus,
    Source,
    Subject,
    SubjectKind,
)
from triage.ports.store import StoredSignal, Tx

MOST = 2_000
"""Incidents that a pass looks at, the newest ones."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
EpisodeKey = tuple[Source, str]


def _no_names(_incident_id: int) -> tuple[str, ...]:
    """No incident holds a name: a function that can be pickled, as the lab keeps its desks."""
    return ()


@dataclass(slots=True)
class CorrelationState:
    """What correlation knows: incidents that are open or resolved lately, and the episodes a batch touches.

    ``names``: the alert names that each incident was given meanwhile; ``names_of`` tells those that one had which was
    there before, and is asked when somebody wants to know them: a storm has thousands of alerts. ``ended``: episodes
    whose resolve came though we never saw them fire. ``needs``: what each subject cannot work without. ``lately``: how
    many alerts each storm got within its window, as far as that decides. ``bots``: the names of the desk's own.
    ``since``: what was over and did not change after it was not read, but for what a signal names.
    """

    incidents: dict[int, Incident] = field(default_factory=dict)
    names: dict[int, set[str]] = field(default_factory=dict)
    episodes: dict[EpisodeKey, Episode] = field(default_factory=dict)
    ended: set[EpisodeKey] = field(default_factory=set)
    needs: Mapping[Subject, Subject] = field(default_factory=dict)
    lately: dict[int, int] = field(default_factory=dict)
    bots: frozenset[str] = frozenset()
    since: datetime = _LONG_AGO
    names_of: Callable[[int], Iterable[str]] = _no_names
    _open: list[int] | None = field(default=None, init=False)
    _asked: set[int] = field(default_factory=set, init=False)
    """The incidents whose names are all in ``names``."""

    @classmethod
    def of(
        cls,
        incidents: Iterable[Incident],
        *,
        names: Mapping[int, Iterable[str]] | None = None,
        episodes: Iterable[Episode] = (),
        ended: Iterable[EpisodeKey] = (),
        needs: Mapping[Subject, Subject] | None = None,
        lately: Mapping[int, int] | None = None,
        bots: Iterable[str] = (),
        since: datetime = _LONG_AGO,
        names_of: Callable[[int], Iterable[str]] = _no_names,
    ) -> CorrelationState:
        """Gather what is known."""
        return cls(
            incidents={incident.id: incident for incident in incidents},
            names={key: set(value) for key, value in (names or {}).items()},
            episodes={(episode.source, episode.episode): episode for episode in episodes},
            ended=set(ended),
            needs=needs or {},
            lately=dict(lately or {}),
            bots=frozenset(bots),
            since=since,
            names_of=names_of,
        )

    def needed(self, subject: Subject) -> bool:
        """Whether others cannot work without it."""
        return subject in self.needs.values()

    def put(self, incident: Incident, signal: Signal | None = None) -> None:
        """Remember an incident as it is now, and that it holds a signal."""
        before = self.incidents.get(incident.id)
        if before is None or before.is_open is not incident.is_open:
            self._open = None
        if before is None:
            self._asked.add(incident.id)
        self.incidents[incident.id] = incident
        if signal is not None:
            self.names.setdefault(incident.id, set()).add(signal.name)
            if incident.shape is IncidentShape.STORM:
                self.lately[incident.id] = self.lately.get(incident.id, 0) + 1

    def firing(self, resolve: Signal) -> list[Episode]:
        """Return the firing episodes that a resolve ends: its own, and older ones of the same alert."""
        end = resolve.ends_at or resolve.received_at

        def ended(episode: Episode) -> bool:
            if not episode.firing or episode.source is not resolve.source:
                return False
            older = same_alert(episode, resolve) and episode.starts_at <= end
            return episode.episode == resolve.episode or older

        return [episode for episode in self.episodes.values() if ended(episode)]

    def holds(self, incident: Incident, name: str) -> bool:
        """Whether an alert of that name is part of the incident."""
        held = self.names.setdefault(incident.id, set())
        if name == incident.name or name in held:
            return True
        if incident.id not in self._asked:
            self._asked.add(incident.id)
            held.update(self.names_of(incident.id))
        return name in held

    def open(self) -> list[Incident]:
        """The open incidents, the newest first."""
        if self._open is None:
            self._open = sorted((i.id for i in self.incidents.values() if i.is_open), reverse=True)
        return [self.incidents[one] for one in self._open]


def read_state(tx: Tx, inbox: list[StoredSignal], desk: Desk, now: datetime) -> CorrelationState:
    """Read what deciding about these signals needs: recent incidents, and the episodes that the signals name."""
    look_back = max(desk.correlation.reopen_within_seconds, desk.correlation.storm_window_seconds)
    read_since = now - timedelta(seconds=look_back)
    incidents = tx.incidents.recent(read_since, MOST)
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
    return CorrelationState.of(
        incidents,
        names_of=lambda one: tx.incidents.names([one]).get(one, ()),
        episodes=episodes,
        ended=tx.signals.ended(keys - known),
        needs=needs_of(desk),
        lately={
            incident.id: tx.incidents.lately(incident.id, since, desk.correlation.storm_incidents)
            for incident in incidents
            if incident.is_open and incident.shape is IncidentShape.STORM
        },
        bots=(bot.name for bot in desk.bots),
        since=read_since,
    )


def needs_of(desk: Desk) -> Mapping[Subject, Subject]:
    """Return what cannot work without what: the external services without their Redis."""
    return _needs(desk.bots, desk.compose)


@once_a_desk
def _needs(bots: tuple[Bot, ...], compose: ComposeSettings) -> Mapping[Subject, Subject]:
    desk = Desk(bots=bots, compose=compose)
    redis = Subject(SubjectKind.CONTAINER, desk.redis_container)
    services = (desk.container_of(service) for service in desk.compose.external_services)
    return {
        Subject(SubjectKind.CONTAINER, container): redis for container in services if container != redis.name
    }
